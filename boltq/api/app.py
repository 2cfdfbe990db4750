"""The API as a WSGI application."""

from typing import TypeAlias

import falcon

from boltq.api import problems, routes
from boltq.api.access import Access
from boltq.api.driver import Driver
from boltq.api.keys import Keys
from boltq.api.limits import Limits
from boltq.api.middleware import RequestLog, SameOrigin, Unchanged
from boltq.api.redaction import Redaction
from boltq.api.request_lines import RequestLines
from boltq.api.shared import Shared
from boltq.api.traffic import Traffic
from boltq.client import BoltQ
from boltq.settings import Settings

PATIENCE_SECONDS = 2.0
"""How long the client of an API repeats a call while Redis is away: each holds a thread so long."""

App: TypeAlias = falcon.App[falcon.Request, falcon.Response]


def create_app(
    boltq: BoltQ,
    settings: Settings | None = None,
    keys: Keys | None = None,
    driver: Driver | None = None,
    lines: RequestLines | None = None,
) -> App:
    """Return the API over a client, as a WSGI application; safe for threads as the client is.

    Give it a client with a patience of PATIENCE_SECONDS. Keys, names and rates are those of the
    settings; without settings everybody may do everything, for who guards the API in another way.
    `keys` are those of the settings where they were read already. Raises BadSetting where the
    settings leave the API open to others. `driver` does what operations ask for; without one they
    wait for another process that has. `lines` says which requests have a line in the log.
    """
    traffic = Traffic()
    drive = driver.drive if driver else lambda _id: None
    environment = settings.environment if settings else ""
    table = routes.table(boltq, drive, traffic, environment)
    access = Access.of(settings, table, keys) if settings else Access(table)
    limits = Limits.of(settings) if settings else Limits()
    app: App = falcon.App(
        middleware=[
            RequestLog(limits, traffic, lines or RequestLines()),
            access,
            Redaction(settings.redact if settings else ()),
            SameOrigin(),
            Unchanged(),
            Shared(table),
        ]
    )
    problems.install(app)
    for route in table:
        app.add_route(route.path, route.resource)
    return app
