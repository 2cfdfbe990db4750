"""The table of routes: each path, what answers there, and the scope that each method needs."""

from collections.abc import Mapping
from typing import NamedTuple

import falcon

from boltq import exposition
from boltq.api import (
    batch,
    claims,
    front,
    groups,
    happened,
    jobs,
    leases,
    listing,
    metrics,
    operations,
    overview,
    page,
    queues,
    scripts,
    single,
    work_requests,
    workers,
)
from boltq.api.claimants import Claimants
from boltq.api.driver import Drive
from boltq.api.entry import Entry
from boltq.api.keys import Scope
from boltq.api.traffic import Traffic
from boltq.client import BoltQ


class Route(NamedTuple):
    """One path. `scopes` names, by method, what a caller needs; a method without one is none.

    GET has HEAD with it, and each path OPTIONS, which is open. `media` is what it can answer with:
    who accepts none of them gets a 406, at a path that has none nobody does. `matched` are the
    methods that change what has been seen: a setting makes them want an If-Match. What `is_shared`
    answers all who ask the same alike, and may be given to several.
    """

    path: str
    resource: object
    scopes: Mapping[str, Scope]
    media: tuple[str, ...] = (falcon.MEDIA_JSON,)
    matched: frozenset[str] = frozenset()
    is_shared: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods that the path answers, as the header Allow lists them."""
        return (*self.scopes, *(["HEAD"] if "GET" in self.scopes else []), "OPTIONS")


def table(
    boltq: BoltQ,
    drive: Drive = lambda _id: None,
    traffic: Traffic | None = None,
    environment: str = "",
) -> list[Route]:
    """Return every route of the API over a client: what is served, documented and guarded.

    `drive` is told of operations that are begun; whoever drives those of all queues finds them.
    `traffic` is what counts the requests, `environment` what runs here, for people.
    """
    table: list[Route] = []
    looks = overview.looks(boltq)
    table += [
        Route("/", front.Front(boltq, environment), {"GET": "open"}, media=()),
        Route("/healthz", front.Healthz(), {"GET": "open"}, media=()),
        Route("/readyz", front.Readyz(boltq), {"GET": "open"}, media=()),
        Route(
            "/metrics",
            metrics.Metrics(looks, traffic or Traffic()),
            {"GET": "read"},
            media=exposition.MEDIA,
        ),
        Route(
            "/api/jobs",
            jobs.Jobs(boltq, Entry(boltq)),
            {"GET": "read", "POST": "enqueue"},
            is_shared=True,
        ),
        Route("/api/jobs/batch", batch.Batch(boltq), {"POST": "enqueue"}),
        Route("/api/jobs/status", jobs.JobStatus(boltq), {"GET": "read"}),
        Route(
            "/api/jobs/{id}",
            single.OneJob(boltq),
            {"GET": "read", "PATCH": "admin", "DELETE": "admin"},
            matched=frozenset({"PATCH", "DELETE"}),
        ),
        Route("/api/jobs/{id}/attempts", single.Attempts(boltq), {"GET": "read"}),
        Route("/api/jobs/{id}/run", single.RunNow(boltq), {"POST": "admin"}),
        Route("/api/jobs/{id}/cancel", jobs.Cancel(boltq), {"POST": "admin"}),
        Route("/api/jobs/{id}/replay", jobs.Replay(boltq), {"POST": "admin"}),
        Route("/api/claims", claims.Claims(boltq, Claimants(boltq)), {"POST": "work"}),
        Route("/api/acks", leases.Reports(boltq), {"POST": "work"}),
        *(
            Route(f"/api/jobs/{{id}}/{verb}", leases.OneReport(boltq, kind), {"POST": "work"})
            for verb, kind in work_requests.VERBS.items()
        ),
        Route("/api/scripts", scripts.Manifest(), {"GET": "read"}),
        Route(
            "/api/scripts/{name}", scripts.OneScript(), {"GET": "read"}, media=(falcon.MEDIA_TEXT,)
        ),
        Route("/api/dead", listing.Dead(boltq), {"GET": "read"}, is_shared=True),
        Route("/api/dead/groups", groups.DeadGroups(boltq), {"GET": "read"}),
        Route(
            "/api/operations",
            operations.Operations(boltq, drive),
            {"GET": "read", "POST": "admin"},
            is_shared=True,
        ),
        Route("/api/operations/{id}", operations.OneOperation(boltq), {"GET": "read"}),
        Route("/api/operations/{id}/stop", operations.Stop(boltq), {"POST": "admin"}),
        Route("/api/overview", overview.Overview(looks), {"GET": "read"}),
        Route("/api/stats", queues.AllStats(boltq), {"GET": "read"}),
        Route("/api/series", happened.Series(boltq), {"GET": "read"}, is_shared=True),
        Route("/api/events", happened.Events(boltq), {"GET": "read"}),
        Route("/api/queues", queues.Queues(boltq), {"GET": "read"}, is_shared=True),
        Route(
            "/api/queues/{queue}",
            queues.OneQueue(boltq),
            {"GET": "read", "PATCH": "admin", "DELETE": "admin"},
            is_shared=True,
        ),
        Route("/api/queues/{queue}/purge", queues.Purge(boltq, drive), {"POST": "admin"}),
        Route("/api/queues/{queue}/pause", queues.Pause(boltq), {"POST": "admin"}),
        Route("/api/queues/{queue}/resume", queues.Resume(boltq), {"POST": "admin"}),
        Route("/api/workers", workers.Workers(boltq), {"GET": "read"}, is_shared=True),
        Route("/page/{version}/{part}", page.Files(), {"GET": "open"}, media=()),
        Route("/page/{version}/{part}/{file}", page.Files(), {"GET": "open"}, media=()),
        Route("/api/workers/{id}/quiet", workers.Ask(boltq, "quiet"), {"POST": "admin"}),
        Route("/api/workers/{id}/stop", workers.Ask(boltq, "stop"), {"POST": "admin"}),
        Route("/api/workers/{id}/resume", workers.Ask(boltq, None), {"POST": "admin"}),
        Route("/api/openapi.json", page.Document(table), {"GET": "open"}),
        Route("/api/docs", page.Docs(), {"GET": "open"}, media=("text/html",)),
    ]
    return table
