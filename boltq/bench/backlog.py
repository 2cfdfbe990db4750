"""What calls cost on a queue that is full, to one that is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from boltq import ids, scripts
from boltq.bench import moves
from boltq.bench.figure import Taken, Trial
from boltq.bench.moves import fill
from boltq.bench.pickup import at_least_of
from boltq.bench.plan import Plan
from boltq.bench.site import Site

BATCH = 10
TURNS = 400
"""How often a round enqueues, claims and acks a batch on each queue, in turns, at most."""

HOUR_SECONDS = 3600
FEW = 10
P999, MOST = "p99.9 of a call", "slowest call"
TIMES = "times"


class Loaded(NamedTuple):
    """A queue with so much in it."""

    what: str
    queue: str


@contextmanager
def waiting(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the one trial of queues in which more and more jobs wait."""
    loaded = []
    for count in plan.waiting:
        loaded.append(Loaded(f"{count:,} waiting", site.queue("backlog")))
        fill(site, loaded[-1].queue, count)
    yield [Trial("waiting", partial(_in_turns, site, loaded, min(TURNS, plan.jobs // BATCH)))]
    site.forget(*(one.queue for one in loaded))


@contextmanager
def delayed(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the one trial of a queue in which many delayed jobs rest, beside one without."""
    loaded = []
    for count in (0, plan.scheduled):
        loaded.append(Loaded(f"{count:,} scheduled", site.queue("scheduled")))
        fill(site, loaded[-1].queue, FEW)
        fill(site, loaded[-1].queue, count, delay=HOUR_SECONDS)
    yield [Trial("scheduled", partial(_in_turns, site, loaded, min(TURNS, plan.jobs // BATCH)))]
    site.forget(*(one.queue for one in loaded))


def _in_turns(site: Site, loaded: list[Loaded], turns: int) -> list[Taken]:
    """Let jobs live on each queue in turns: what else goes on in the machine meets them alike."""
    costs: list[list[float]] = [[] for _ in loaded]
    calls: list[list[float]] = [[] for _ in loaded]
    for turn in range(turns):
        numbers = range(len(loaded))
        for n in numbers if turn % 2 else reversed(numbers):
            taken_us = _live(site, loaded[n].queue)
            calls[n] += taken_us
            costs[n].append(sum(taken_us) / BATCH)
    taken = []
    for n, one in enumerate(loaded):
        taken += [
            Taken(f"{one.what}: a life, batches of {BATCH}", "us a job", _middle(costs[n])),
            Taken(f"{one.what}, {P999}", "ms", at_least_of(sorted(calls[n]), 0.999) / 1000),
            Taken(f"{one.what}, {MOST}", "ms", max(calls[n]) / 1000),
        ]
        if n:
            ratios = [many / few for many, few in zip(costs[n], costs[0], strict=True)]
            taken.append(Taken(f"{one.what} to {loaded[0].what}", TIMES, _middle(ratios)))
    return taken


def _live(site: Site, queue: str) -> list[float]:
    """Enqueue, claim and ack a batch; returns the server's microseconds of each call.

    They are those of the script by the clock, but no more than the processor was used meanwhile:
    where other programs take it, the clock goes on.
    """
    token = ids.new_token()
    looks = [site.server.counters(queue)]
    site.server.call(moves.enqueue(queue, BATCH))
    looks.append(site.server.counters(queue))
    reply = site.server.call(moves.claim(queue, token, BATCH))
    looks.append(site.server.counters(queue))
    site.server.call(
        scripts.ack(queue, [scripts.AckItem(job.id, token, b"") for job in reply.answers])
    )
    looks.append(site.server.counters(queue))
    costs = [after.since(before) for before, after in pairwise(looks)]
    return [min(cost.scripts_us, cost.cpu_us) for cost in costs]


def count_of(what: str) -> int:
    """Return the number of jobs that a figure's name begins with."""
    return int(what.split(maxsplit=1)[0].replace(",", ""))


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
