"""The table of routes: each path, what answers there, and the scope that each method needs."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from boltq.api import (
    batch,
    claims,
    dead,
    front,
    jobs,
    leases,
    queues,
    scripts,
    work_requests,
    workers,
)
from boltq.client import BoltQ

Scope: TypeAlias = Literal["open", "read", "enqueue", "work", "admin"]
"""Who may ask: anybody, or who has a key of that scope."""


class Route(NamedTuple):
    """One path. `scopes` names, by method, what a caller needs; a method without one is none."""

    path: str
    resource: object
    scopes: Mapping[str, Scope]


def table(boltq: BoltQ) -> list[Route]:
    """Return every route of the API over a client: what is served, documented and guarded."""
    return [
        Route("/", front.Front(boltq), {"GET": "open"}),
        Route("/healthz", front.Healthz(), {"GET": "open"}),
        Route("/readyz", front.Readyz(boltq), {"GET": "open"}),
        Route("/api/jobs", jobs.Jobs(boltq), {"POST": "enqueue"}),
        Route("/api/jobs/batch", batch.Batch(boltq), {"POST": "enqueue"}),
        Route("/api/jobs/status", jobs.JobStatus(boltq), {"GET": "read"}),
        Route("/api/jobs/{id}", jobs.OneJob(boltq), {"GET": "read"}),
        Route("/api/jobs/{id}/cancel", jobs.Cancel(boltq), {"POST": "admin"}),
        Route("/api/jobs/{id}/replay", jobs.Replay(boltq), {"POST": "admin"}),
        Route("/api/claims", claims.Claims(boltq), {"POST": "work"}),
        Route("/api/acks", leases.Reports(boltq), {"POST": "work"}),
        *(
            Route(f"/api/jobs/{{id}}/{verb}", leases.OneReport(boltq, kind), {"POST": "work"})
            for verb, kind in work_requests.VERBS.items()
        ),
        Route("/api/scripts", scripts.Manifest(), {"GET": "read"}),
        Route("/api/scripts/{name}", scripts.OneScript(), {"GET": "read"}),
        Route("/api/dead", dead.Dead(boltq), {"GET": "read"}),
        Route("/api/stats", queues.AllStats(boltq), {"GET": "read"}),
        Route("/api/queues", queues.Queues(boltq), {"GET": "read"}),
        Route("/api/queues/{queue}/pause", queues.Pause(boltq), {"POST": "admin"}),
        Route("/api/queues/{queue}/resume", queues.Resume(boltq), {"POST": "admin"}),
        Route("/api/workers", workers.Workers(boltq), {"GET": "read"}),
    ]
