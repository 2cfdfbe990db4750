"""Finding the app whose handlers a worker is to serve."""

from boltq.client import BoltQ
from boltq.errors import BadSetting
from boltq.imported import imported


def load_app(named: str) -> BoltQ:
    """Import `module:app`, looked for in the current folder first.

    Raises:
        BadSetting: it is not of that form, the module is not there or breaks on import, has no
            such attribute, or that is no BoltQ.
    """
    module_name, colon, attribute = named.partition(":")
    if not (module_name and colon and attribute):
        raise BadSetting(f"{named} is not of the form module:app, as in `mail.jobs:app`")
    app = imported(named)
    if not isinstance(app, BoltQ):
        raise BadSetting(f"{named} is a {type(app).__name__}, not a BoltQ")
    return app
