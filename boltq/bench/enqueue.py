"""How fast one client enqueues: one at a time, and in bulk."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from boltq.bench.figure import Taken, Trial
from boltq.bench.floor import Floor
from boltq.bench.moves import MOST, NOOP, PAYLOAD, batches
from boltq.bench.plan import Plan
from boltq.bench.site import Site
from boltq.newjob import NewJob

SINGLE, BULK = "enqueue, one at a time", "enqueue_many"
NO_OP = "a script that does nothing, by redis-py"
OF_NO_OP = "enqueue, one at a time, of that"
SHARE = 10
"""One at a time is a tenth of the jobs: it takes that much longer."""


@contextmanager
def enqueueing(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials of enqueueing."""
    few = max(1, plan.jobs // SHARE)

    def single() -> list[Taken]:
        queue = site.queue("enqueue")
        run_no_op = site.server.no_op(queue)
        took, took_no_op = 0.0, 0.0
        for _ in range(few):
            began = time.perf_counter()
            site.client.enqueue(NOOP, PAYLOAD, queue=queue)
            middle = time.perf_counter()
            run_no_op()
            took += middle - began
            took_no_op += time.perf_counter() - middle
        site.forget(queue)
        return [
            Taken(SINGLE, "jobs/s", few / took),
            Taken(NO_OP, "calls/s", few / took_no_op),
            Taken(OF_NO_OP, "x", took_no_op / took),
        ]

    def bulk() -> list[Taken]:
        queue = site.queue("enqueue")
        jobs = (NewJob(NOOP, PAYLOAD) for _ in range(plan.jobs))
        return [
            _rate(
                site,
                queue,
                BULK,
                plan.jobs,
                lambda: site.client.enqueue_many(jobs, queue=queue),
            )
        ]

    def plain(what: str, count: int, size: int) -> list[Taken]:
        queue = site.queue("enqueue")
        floor = Floor(site.server, queue)

        def move() -> None:
            for some in batches(count, size):
                floor.enqueue(some)

        return [_rate(site, queue, what, count, move)._replace(floor=True)]

    trials = [Trial("single", single), Trial("bulk", bulk)]
    if plan.against_redis:
        trials += [
            Trial("single, plain", lambda: plain(SINGLE, few, 1)),
            Trial("bulk, plain", lambda: plain(BULK, plan.jobs, MOST)),
        ]
    yield trials


def _rate(site: Site, queue: str, what: str, count: int, move: Callable[[], object]) -> Taken:
    began = time.perf_counter()
    move()
    took = time.perf_counter() - began
    site.forget(queue)
    return Taken(what, "jobs/s", count / took)
