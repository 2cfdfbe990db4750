"""The API as a WSGI application."""

from typing import TypeAlias

import falcon

from boltq.api import problems, routes
from boltq.api.middleware import RequestLog, SameOrigin
from boltq.client import BoltQ

PATIENCE_SECONDS = 2.0
"""How long the client of an API repeats a call while Redis is away: each holds a thread so long."""

App: TypeAlias = falcon.App[falcon.Request, falcon.Response]


def create_app(boltq: BoltQ) -> App:
    """Return the API over a client, as a WSGI application; safe for threads as the client is.

    Give it a client with a patience of PATIENCE_SECONDS.
    """
    app: App = falcon.App(middleware=[RequestLog(), SameOrigin()])
    problems.install(app)
    for route in routes.table(boltq):
        app.add_route(route.path, route.resource)
    return app
