"""Finding the app whose handlers a worker is to serve."""

import importlib
import logging
import sys
from pathlib import Path

from boltq.client import BoltQ
from boltq.errors import BadSetting

log = logging.getLogger(__name__)


def load_app(named: str) -> BoltQ:
    """Import `module:app`, looked for in the current folder first.

    Raises:
        BadSetting: it is not of that form, the module is not there or breaks on import, has no
            such attribute, or that is no BoltQ.
    """
    module_name, colon, attribute = named.partition(":")
    if not (module_name and colon and attribute):
        raise BadSetting(f"{named} is not of the form module:app, as in `mail.jobs:app`")
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
        app = getattr(module, attribute)
    except AttributeError:
        raise BadSetting(f"module {module_name} has no {attribute}") from None
    if not isinstance(app, BoltQ):
        raise BadSetting(f"{named} is a {type(app).__name__}, not a BoltQ")
    return app
