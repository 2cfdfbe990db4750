"""How long fast jobs wait beside slow ones: by workers that claim ahead, and by such as do not."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from boltq.bench import process
from boltq.bench.figure import Taken, Trial
from boltq.bench.handlers import PAUSE_SECONDS, SLOW_SECONDS
from boltq.bench.pickup import at_least_of
from boltq.bench.plan import Plan
from boltq.bench.site import Site
from boltq.newjob import NewJob

KIND = "bench:mixed"
PROCESSES, THREADS = 2, 8
"""Two, so that what one holds another could have done."""

SLOW_SHARE = 0.05
USED = 0.6
"""How much of the threads' time the jobs take: they wait because some are slow, not for want of
threads."""

FEWER = 10
BURST_SECONDS = 0.005
MOST_SECONDS = 60.0

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
AHEAD, ALONE = "fast jobs among slow ones wait", "the same, no job claimed ahead"
TIMES = "times"


def named(what: str, share: str) -> str:
    """Name a figure."""
    return f"{what}, {share}"


OF_ALONE = named(f"{AHEAD}, of that", "p99")


@contextmanager
def mixing(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the one trial: the same jobs for either, who is first by turns."""
    count = max(100, plan.jobs // FEWER)
    firsts = [AHEAD, ALONE] * ((plan.rounds + 1) // 2)
    yield [Trial("mixed jobs", partial(_pair, site, count, firsts))]


def _pair(site: Site, count: int, firsts: list[str]) -> list[Taken]:
    waits = {
        what: _waits(site, count, what) for what in dict.fromkeys((firsts.pop(), AHEAD, ALONE))
    }
    shown = {
        (what, share): at_least_of(waits[what], part)
        for what in (AHEAD, ALONE)
        for share, part in SHARES.items()
    }
    taken = [Taken(named(*of), "ms", value) for of, value in shown.items()]
    taken.append(Taken(OF_ALONE, TIMES, shown[AHEAD, "p99"] / shown[ALONE, "p99"]))
    return taken


def _waits(site: Site, count: int, what: str) -> list[float]:
    """Let workers do mixed jobs, which come in small bursts; returns how long fast ones waited."""
    queue = site.queue("fair")
    with ExitStack() as workers:
        for _ in range(PROCESSES):
            workers.enter_context(
                process.worker(site, [queue], threads=THREADS, ahead=what == AHEAD)
            )
        ids = _send(site, queue, count)
        site.client.wait(ids[-1], MOST_SECONDS)
        results = [site.client.follow(id).result(MOST_SECONDS) for id in ids]
    site.forget(queue)
    return sorted(late_ns / 1e6 for late_ns, is_slow in results[count // 10 :] if not is_slow)


def _send(site: Site, queue: str, count: int) -> list[str]:
    """Enqueue jobs, so many a second as the threads can do in part of their time."""
    draw = random.Random(7)  # noqa: S311 - no secret: the same jobs each time
    mean_seconds = SLOW_SECONDS * SLOW_SHARE + PAUSE_SECONDS * (1 - SLOW_SHARE)
    each = max(1, round(USED * PROCESSES * THREADS / mean_seconds * BURST_SECONDS))
    ids: list[str] = []
    due = time.monotonic()
    while len(ids) < count:
        slow = [draw.random() < SLOW_SHARE for _ in range(each)]
        now = time.monotonic_ns()
        jobs = [NewJob(KIND, {"sent_ns": now, "is_slow": is_slow}) for is_slow in slow]
        ids += [one.id for one in site.client.enqueue_each(jobs, queue=queue)]
        due += BURST_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))
    return ids
