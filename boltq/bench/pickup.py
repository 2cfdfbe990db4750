"""How long a job waits for an idle worker: from before its enqueue to its handler's first line."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from boltq.bench import bare_wait, process
from boltq.bench.figure import Taken, Trial
from boltq.bench.plan import Plan
from boltq.bench.site import Site

PAUSE_SECONDS = 0.05
"""20 jobs a second, each up to half as long before or after its time: no rhythm is met."""

P50, P99 = (f"pick-up by an idle worker, 20 jobs/s, {share}" for share in ("p50", "p99"))

WAIT = ("-c", "from boltq.bench.bare_wait import main; main()")

WARM_JOBS = 10
MOST_SECONDS = 30.0


@contextmanager
def picking_up(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials of a worker of 8 threads, and of a process that only pops from a list."""
    trials = [Trial("an idle worker", lambda: _pick_up(site, plan.pickups))]
    if plan.against_redis:
        trials.append(Trial("plain", lambda: _floor(site, plan.pickups)))
    yield trials


def _pick_up(site: Site, count: int) -> list[Taken]:
    queue = site.queue("pickup")
    with process.worker(site, [queue]):
        ids = [
            site.client.enqueue("bench:late", {"sent_ns": now}, queue=queue).id
            for now in _paced(WARM_JOBS + count)
        ]
        site.client.wait(ids[-1], MOST_SECONDS)
        late_ns = [float(site.client.follow(id).result(MOST_SECONDS)) for id in ids[WARM_JOBS:]]
    site.forget(queue)
    return _taken(late_ns)


def _floor(site: Site, count: int) -> list[Taken]:
    queue = site.queue("pickup")
    items = WARM_JOBS + count
    with process.running(site, [*WAIT, queue]) as waiting:
        waiting.wait_for("it waits", lambda: bare_wait.READY in waiting.said(), MOST_SECONDS)
        for now in _paced(items):
            site.server.plain(queue, [("RPUSH", site.server.key(queue, "bell"), now)])
        waiting.wait_for("all are told", lambda: len(_told(waiting)) == items, MOST_SECONDS)
        late_ns = _told(waiting)[WARM_JOBS:]
    site.forget(queue)
    return _taken(late_ns, floor=True)


def _told(waiting: process.Process) -> list[float]:
    _, _, told = waiting.said().partition(f"{bare_wait.READY}\n")
    return [float(line) for line in told[: told.rfind("\n") + 1].splitlines()]


def _paced(count: int) -> Iterator[int]:
    """Yield the moments at which something is to be sent, each when it has come, in ns."""
    for _ in range(count):
        time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        yield time.monotonic_ns()


def _taken(late_ns: list[float], *, floor: bool = False) -> list[Taken]:
    late_ms = sorted(ns / 1e6 for ns in late_ns)
    return [
        Taken(P50, "ms", at_least_of(late_ms, 0.5), floor=floor),
        Taken(P99, "ms", at_least_of(late_ms, 0.99), floor=floor),
    ]


def at_least_of(ordered: list[float], share: float) -> float:
    """Return the value that this share of all, given in order, do not pass."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
