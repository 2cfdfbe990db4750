"""What `boltq top` shows: queues with their rates, workers, and the jobs that run longest."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from boltq import counts

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.presence import WorkerReport
    from boltq.scripts import Stats

RATES = ("enqueued", "completed", "failed")
"""The totals of which the changes a second are shown."""


class Queue(NamedTuple):
    """A queue: its counts, and how many jobs a second come in, are completed and fail in it."""

    name: str
    stats: "Stats"
    rates: tuple[float, ...]

    @property
    def wait_seconds(self) -> float:
        """For how long the oldest queued job has waited."""
        return self.stats.oldest_queued_ms / 1000


class Running(NamedTuple):
    """A job whose handler runs."""

    seconds: float
    type: str
    id: str
    worker: str


@dataclass(frozen=True)
class Board:
    """What there was at one moment, by the server's clock; the longest waits and runs first."""

    now_ms: int
    queues: list[Queue] = field(default_factory=list)
    workers: list["WorkerReport"] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Add up a count of all queues."""
        return sum(getattr(queue.stats, name) for queue in self.queues)

    def rate(self, name: str) -> float:
        """Add up how many a second, of one of RATES."""
        return sum(queue.rates[RATES.index(name)] for queue in self.queues)


def look(boltq: "BoltQ", before: Board | None) -> Board:
    """Look at the server once more; rates are the changes since the look before.

    Costs a script `stats` for each queue and 5 more calls. Raises Unavailable.
    """
    each = boltq.stats_of_all()
    workers = boltq.workers()
    known = {queue.name: queue.stats for queue in before.queues} if before else {}
    queues = [
        Queue(name, stats, _rates(known.get(name), stats))
        for name, stats in counts.longest_wait_first(each)
    ]
    now_ms = max((stats.now_ms for stats in each.values()), default=0) or boltq.server.now_ms()
    running = [
        Running(now_ms / 1000 - job.since.timestamp(), job.type, job.id, worker.id)
        for worker in workers
        if worker.alive
        for job in worker.jobs
    ]
    return Board(
        now_ms,
        queues,
        workers,
        sorted(running, reverse=True),
    )


def _rates(before: "Stats | None", stats: "Stats") -> tuple[float, ...]:
    seconds = (stats.now_ms - before.now_ms) / 1000 if before else 0.0
    if before is None or seconds <= 0:
        return (0.0,) * len(RATES)
    changes = (getattr(stats, f"{n}_total") - getattr(before, f"{n}_total") for n in RATES)
    return tuple(max(0, change) / seconds for change in changes)  # a queue may begin anew
