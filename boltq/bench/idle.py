"""What a worker costs that has nothing to do: calls to the server, and processor."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from boltq.bench import process
from boltq.bench.drain import cpu_seconds
from boltq.bench.figure import Taken, Trial
from boltq.bench.plan import Plan
from boltq.bench.site import Site

SETTLE_SECONDS = 2.0
"""After the last job, until the worker rests; no longer than it is watched."""


def named(queues: int, what: str) -> str:
    """Name a figure."""
    return f"idle worker, {queues:,} queue{'' if queues == 1 else 's'}: {what}"


CALLS, CPU = named(1, "round trips"), named(1, "CPU")


@contextmanager
def idling(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials: a worker of one queue, and one of many."""
    yield [
        Trial(f"{count} queues", partial(_idle, site, count, plan.idle_seconds))
        for count in plan.idle_queues
    ]


def _idle(site: Site, count: int, seconds: float) -> list[Taken]:
    queues = [site.queue("idle") for _ in range(count)]
    with process.worker(site, queues):
        cpu_before = cpu_seconds(site, queues[0])
        settle_seconds = min(SETTLE_SECONDS, seconds)
        time.sleep(settle_seconds)
        before = site.server.counters(queues[0])
        began = time.perf_counter()
        time.sleep(seconds)
        done = site.server.counters(queues[0]).since(before)
        took = time.perf_counter() - began
        cpu = cpu_seconds(site, queues[0]) - cpu_before
    site.forget(*queues)
    return [
        Taken(named(count, "round trips"), "calls/s", done.reads / took),
        Taken(named(count, "CPU"), "% of a core", 100 * cpu / (took + settle_seconds)),
    ]
