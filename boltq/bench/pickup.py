"""How long a job waits for an idle worker: from before its enqueue to its handler's first line."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from boltq.bench import process
from boltq.bench.figure import Taken, Trial
from boltq.bench.plan import Plan
from boltq.bench.site import Site

PAUSE_SECONDS = 0.05
"""20 jobs a second, each up to half as long before or after its time: no rhythm is met."""

P50, P99 = (f"pick-up by an idle worker, 20 jobs/s, {share}" for share in ("p50", "p99"))

WARM_JOBS = 10
MOST_SECONDS = 30.0


@contextmanager
def picking_up(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the one trial of a worker of 8 threads."""
    yield [Trial("an idle worker", lambda: _pick_up(site, plan.pickups))]


def _pick_up(site: Site, count: int) -> list[Taken]:
    queue = site.queue("pickup")
    with process.worker(site, [queue]):
        ids = []
        for _ in range(WARM_JOBS + count):
            time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            now = time.monotonic_ns()
            ids.append(site.client.enqueue("bench:late", {"sent_ns": now}, queue=queue).id)
        site.client.wait(ids[-1], MOST_SECONDS)
        late_ms = sorted(
            float(site.client.follow(id).result(MOST_SECONDS)) / 1e6 for id in ids[WARM_JOBS:]
        )
    site.forget(queue)
    return [
        Taken(P50, "ms", at_least_of(late_ms, 0.5)),
        Taken(P99, "ms", at_least_of(late_ms, 0.99)),
    ]


def at_least_of(ordered: list[float], share: float) -> float:
    """Return the value that this share of all, given in order, do not pass."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
