"""Finding what a setting names in a module of those who use BoltQ: `module:name`."""

import importlib
import logging
import sys
from pathlib import Path

from boltq.errors import BadSetting

log = logging.getLogger(__name__)


def imported(named: str) -> object:
    """Import `module:name`, looked for in the current folder first.

    Raises BadSetting: the module is not there or breaks on import, or has no such attribute.
    """
    module_name, _, attribute = named.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as problem:
        if problem.name and f"{module_name}.".startswith(f"{problem.name}."):
            raise BadSetting(f"there is no module {module_name}, seen from {here}") from problem
        raise BadSetting(f"module {module_name} cannot be imported: {problem}") from problem
    except Exception as problem:
        log.exception("the module of the app broke on import", extra={"app": named})
        raise BadSetting(
            f"module {module_name} cannot be imported: {type(problem).__name__}: {problem}"
        ) from problem
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise BadSetting(f"module {module_name} has no {attribute}") from None
