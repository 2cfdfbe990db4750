"""What a worker measures of its jobs, for Prometheus; nothing of it runs where nobody asked."""

import resource
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from boltq import __version__, scripts
from boltq.execution import Execution
from boltq.exposition import Family, Histogram, counter, gauge
from boltq.worker.crew import Crew
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.report import Report
from boltq.worker.watch import MEBIBYTE, memory_mb

RUN_BOUNDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
"""Of the histogram of what handlers take, in seconds."""

WAIT_BOUNDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
"""Of the histogram of how long jobs waited, in seconds."""

OTHER = "other"
"""The type of all jobs that no handler here knows: it could be any text."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a worker that know how it is now."""

    threads: int
    leases: Leases
    crew: Crew
    outage: Outage


class Measures:
    """What one worker has measured since it began; one thread adds, any may read.

    types: those of its handlers, which with its queues bound the labels.
    """

    def __init__(self, types: Collection[str]) -> None:
        self._types = frozenset(types)
        self._began = time.time()
        self._ends: dict[tuple[str, str, str], int] = {}
        self._parts: Parts | None = None
        self._runs = Histogram(
            "boltq_job_run_seconds",
            "How long handlers took.",
            ("queue", "type"),
            RUN_BOUNDS,
        )

        self._waits = Histogram(
            "boltq_job_wait_seconds",
            "From when jobs were due until their handlers began.",
            ("queue", "type"),
            WAIT_BOUNDS,
        )

    def watch(self, parts: Parts) -> None:
        """Tell from now on also how the worker is at the moment when it is asked."""
        self._parts = parts

    def add(self, job: Execution, outcome: str) -> None:
        """Count the end of a job; costs about 1 us."""
        type = job.type if job.type in self._types else OTHER
        key = (job.queue, type, outcome)
        self._ends[key] = self._ends.get(key, 0) + 1
        if job.ended:
            self._runs.add((job.queue, type), job.ended - job.started)
            self._waits.add((job.queue, type), job.started - job.due)

    def families(self) -> Iterator[Family]:
        """Return what was measured until now."""
        ends = sorted(self._ends.items())
        yield counter(
            "boltq_worker_jobs",
            "Tries of jobs that ended here, by what became of them.",
            [
                (count, {"queue": queue, "type": type, "outcome": outcome})
                for (queue, type, outcome), count in ends
            ],
        )
        yield self._runs.family()
        yield self._waits.family()
        if self._parts:
            yield from _now(self._parts)
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_seconds = used.ru_utime + used.ru_stime
        yield counter("process_cpu_seconds", "CPU time of this process.", [(cpu_seconds, {})])
        memory_bytes = round(memory_mb() * MEBIBYTE)
        yield gauge("process_resident_memory_bytes", "Its memory.", [(memory_bytes, {})])
        yield gauge("process_start_time_seconds", "When it began.", [(self._began, {})])
        yield gauge("boltq_build_info", "What runs here.", [(1, {"version": __version__})])


def _now(parts: Parts) -> Iterator[Family]:
    for name, about, value in (
        ("boltq_worker_threads", "Jobs that it can run at a time.", parts.threads),
        ("boltq_worker_jobs_held", "Jobs of which it holds leases.", len(parts.leases)),
        ("boltq_worker_stuck", "Handlers that never returned.", parts.crew.stuck),
        ("boltq_worker_redis_up", "Whether Redis answers it.", int(not parts.outage.lasts)),
    ):
        yield gauge(name, about, [(value, {})])


class Measured(Report):
    """A report that counts what it logs."""

    def __init__(self, worker: str, lines_a_second: int, measures: Measures) -> None:
        super().__init__(worker, lines_a_second)
        self._add = measures.add

    def done(self, execution: Execution) -> None:
        """A job is completed."""
        self._add(execution, "completed")
        super().done(execution)

    def failed(
        self, execution: Execution, item: scripts.FailItem, answer: scripts.FailAnswer
    ) -> None:
        """A job's try has failed: it is tried again, dead or cancelled."""
        self._add(execution, _FAILED.get(type(answer), "cancelled"))
        super().failed(execution, item, answer)

    def given_back(self, execution: Execution, *, cancelled: bool, delay_ms: int) -> None:
        """A job was released, or cancelled by that."""
        self._add(execution, "cancelled" if cancelled else "released")
        super().given_back(execution, cancelled=cancelled, delay_ms=delay_ms)

    def lease_lost(self, execution: Execution) -> None:
        """A job ended, but its lease was lost before."""
        self._add(execution, "lease_lost")
        super().lease_lost(execution)

    def dropped(self, execution: Execution, problem: Exception) -> None:
        """A job's end could not be told."""
        self._add(execution, "untold")
        super().dropped(execution, problem)


_FAILED: dict[type, str] = {scripts.FailRetrying: "failed", scripts.FailDead: "dead"}
