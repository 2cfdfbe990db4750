"""The routes of the API."""

from typing import TypeAlias

import falcon

from boltq.api import dead, front, jobs, problems, queues, workers
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
    app.add_route("/", front.Front(boltq))
    app.add_route("/healthz", front.Healthz())
    app.add_route("/readyz", front.Readyz(boltq))
    app.add_route("/api/jobs", jobs.Jobs(boltq))
    app.add_route("/api/jobs/status", jobs.JobStatus(boltq))
    app.add_route("/api/jobs/{id}", jobs.OneJob(boltq))
    app.add_route("/api/jobs/{id}/cancel", jobs.Cancel(boltq))
    app.add_route("/api/jobs/{id}/replay", jobs.Replay(boltq))
    app.add_route("/api/dead", dead.Dead(boltq))
    app.add_route("/api/stats", queues.AllStats(boltq))
    app.add_route("/api/queues", queues.Queues(boltq))
    app.add_route("/api/queues/{queue}/pause", queues.Pause(boltq))
    app.add_route("/api/queues/{queue}/resume", queues.Resume(boltq))
    app.add_route("/api/workers", workers.Workers(boltq))
    return app
