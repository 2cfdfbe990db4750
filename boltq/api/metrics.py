"""GET /metrics: what the queues hold, for Prometheus.

It shows the look at the server that the overview shows, so however many scrape, Redis is asked at
most once a second; and it costs the same with a million jobs as with ten.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import falcon

from boltq import __version__, exposition, ids
from boltq.api.overview import Look
from boltq.api.snapshot import Snapshot
from boltq.api.traffic import Traffic
from boltq.counts import STATES
from boltq.errors import Unavailable
from boltq.exposition import Family, Labels, counter, gauge
from boltq.presence import WorkerReport
from boltq.scripts import Stats

LEVELS: Mapping[str, tuple[str, Callable[[Stats], float]]] = {
    "boltq_queue_latency_seconds": (
        "For how long the oldest queued job has waited; 0 is none.",
        lambda stats: stats.oldest_queued_ms / 1000,
    ),
    "boltq_queue_overdue_seconds": (
        "For how long the first delayed job has been due and not queued; 0 is none.",
        lambda stats: max(0, stats.now_ms - (stats.next_due_ms or stats.now_ms)) / 1000,
    ),
    "boltq_queue_lapsed_leases": (
        "Running jobs whose leases are over and that nobody has taken back.",
        lambda stats: stats.lapsed,
    ),
    "boltq_queue_paused": ("Whether a queue is paused.", lambda stats: stats.paused),
}
"""Metric of a queue as it is now -> what it tells, and how it is read."""

ATTEMPTS = ("completed", "failed", "lost")
"""How a try of a job ends, by the totals of its queue."""

ENDS: Mapping[str, str] = {"completed": "completed", "dead": "died", "cancelled": "cancelled"}
"""State in which a job ends -> the total that counts it."""

TOTALS: Mapping[str, tuple[str, str]] = {
    "enqueued": ("boltq_jobs_enqueued", "Jobs that were added."),
    "replayed": ("boltq_jobs_replayed", "Dead jobs that were queued again."),
    "purged": ("boltq_jobs_purged", "Jobs that somebody deleted."),
    "trimmed": ("boltq_jobs_trimmed", "Ended jobs that were dropped, having been kept for long."),
    "dead_trimmed": ("boltq_dead_jobs_trimmed", "Dead jobs among those that were dropped."),
    "missing": ("boltq_job_records_missing", "Jobs whose records had vanished from the server."),
}
"""Total of a queue -> its metric, and what that tells."""


class Metrics:
    """GET /metrics, of all queues; `traffic` counts the requests of this process."""

    def __init__(self, looks: Snapshot[Look], traffic: Traffic) -> None:
        self._looks = looks
        self._traffic = traffic

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show all metrics; while Redis is away, that it is, and those of this process."""
        form = exposition.chosen(req.accept)
        resp.content_type = exposition.content_type(form)
        resp.data = exposition.written(self._families(), form)

    def _families(self) -> Iterator[Family]:
        try:
            look = self._looks.now()
        except Unavailable:
            look = None
        yield gauge("boltq_redis_up", "Whether Redis answers.", [(int(look is not None), {})])
        if look:
            yield from of_look(look)
        yield gauge("boltq_build_info", "What runs here.", [(1, _build(look))])
        yield from self._traffic.families()


def of_look(look: Look) -> Iterator[Family]:
    """Return the metrics of what there was at one moment."""
    yield from _of_states(look)
    yield from _of_totals(look.queues)
    yield from _of_workers(look)
    for name, member, about in (
        ("boltq_redis_memory_bytes", "used_memory_bytes", "Memory that Redis uses."),
        ("boltq_redis_memory_limit_bytes", "max_memory_bytes", "Its maxmemory; 0 is no limit."),
    ):
        value = look.server.get(member)
        yield gauge(name, about, [(value, {})] if isinstance(value, int) else [])


def _of_states(look: Look) -> Iterator[Family]:
    each = look.queues.items()
    yield gauge(
        "boltq_queue_jobs",
        "Jobs of a queue by state.",
        [
            (getattr(stats, state), {"queue": queue, "state": state})
            for queue, stats in each
            for state in STATES
        ],
    )
    for name, (about, value) in LEVELS.items():
        yield gauge(name, about, [(value(stats), {"queue": queue}) for queue, stats in each])


def _of_totals(queues: Mapping[str, Stats]) -> Iterator[Family]:
    def by(label: str, totals: Mapping[str, str]) -> Iterator[tuple[float, Labels]]:
        for queue, stats in queues.items():
            for value, total in totals.items():
                yield getattr(stats, f"{total}_total"), {"queue": queue, label: value}

    yield counter(
        "boltq_attempts",
        "Tries of jobs by how they ended; lost: their leases ran out.",
        by("outcome", {one: one for one in ATTEMPTS}),
    )
    yield counter("boltq_jobs_ended", "Jobs by the state in which they ended.", by("state", ENDS))
    for total, (name, about) in TOTALS.items():
        yield counter(
            name,
            about,
            [(getattr(stats, f"{total}_total"), {"queue": q}) for q, stats in queues.items()],
        )


def _of_workers(look: Look) -> Iterator[Family]:
    alive = [worker for worker in look.workers if worker.alive]
    for name, about, value in (
        ("boltq_workers", "Workers that are alive.", len(alive)),
        ("boltq_workers_threads", "Jobs that they can run at a time.", _sum(alive, "threads")),
        ("boltq_workers_jobs", "Jobs that they hold.", _sum(alive, "in_hand")),
        ("boltq_workers_stuck", "Handlers that never returned.", _sum(alive, "stuck")),
    ):
        yield gauge(name, about, [(value, {})])
    serving = Counter(queue for worker in alive for queue in worker.queues)
    yield gauge(
        "boltq_queue_workers",
        "Workers that are alive and serve a queue.",
        [(serving[queue], {"queue": queue}) for queue in look.queues],
    )
    longest = dict.fromkeys(look.queues, 0.0)
    for worker in alive:
        for job in worker.jobs:
            queue, _ = ids.split(job.id)
            if queue in longest:
                seconds = look.now_ms / 1000 - job.since.timestamp()
                longest[queue] = max(longest[queue], seconds)
    yield gauge(
        "boltq_queue_longest_running_seconds",
        "For how long the handler that has run longest is at its job; 0 is none.",
        [(seconds, {"queue": queue}) for queue, seconds in longest.items()],
    )


def _sum(workers: Iterable[WorkerReport], member: str) -> int:
    return sum(getattr(worker, member) for worker in workers)


def _build(look: Look | None) -> dict[str, str]:
    server = look.server if look else {}
    told = {"server": server.get("name", ""), "server_version": server.get("version", "")}
    return {"version": __version__, **{name: str(text) for name, text in told.items()}}
