"""What the life of a job costs the server: enqueue, claim and ack, in batches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from boltq import ids, scripts
from boltq.bench import moves
from boltq.bench.figure import Taken, Trial
from boltq.bench.floor import Floor
from boltq.bench.moves import batches
from boltq.bench.plan import Plan
from boltq.bench.site import Site

BATCHES = (1, 10, 100)
MOST_CALLS = 200
"""Of one verb, in one round."""

KEPT = 10_000
"""So many completed jobs a queue keeps: it is full of them before anything is measured, so that
each ack also forgets as many as it adds."""


def named(size: int, *, kept: bool) -> str:
    """Name a life."""
    batch = "one by one" if size == 1 else f"batches of {size}"
    return f"a life, {batch}" if kept else f"a life, {batch}, nothing kept"


@contextmanager
def living(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials: each size of batches, with jobs kept as by default, and with none kept."""
    full, bare = site.queue("life"), site.queue("life")
    moves.complete(site, full, min(KEPT, plan.jobs))
    site.client.configure(bare, keep_completed_ms=0)
    trials = []
    for size in BATCHES:
        count = min(plan.jobs, MOST_CALLS * size)
        trials += [
            Trial("kept", partial(_live, site, full, named(size, kept=True), size, count)),
            Trial("bare", partial(_live, site, bare, named(size, kept=False), size, count)),
        ]
        if plan.against_redis:
            trials.append(
                Trial("plain", partial(_plain, site, named(size, kept=True), size, count))
            )
    yield trials
    site.forget(full, bare)


def _live(site: Site, queue: str, what: str, size: int, count: int) -> list[Taken]:
    tokens = [ids.new_token() for _ in batches(count, size)]
    held: list[list[scripts.AckItem]] = []

    def claim() -> None:
        for token in tokens:
            reply: Any = site.server.call(moves.claim(queue, token, size))
            held.append([scripts.AckItem(job.id, token, b"") for job in reply.answers])

    def enqueue() -> None:
        for some in batches(count, size):
            site.server.call(moves.enqueue(queue, some))

    def ack() -> None:
        for items in held:
            site.server.call(scripts.ack(queue, items))

    costs = [_cost(site, queue, count, move) for move in (enqueue, claim, ack)]
    names = ("enqueue", "claim", "ack")
    return [
        Taken(
            what,
            "us a job",
            sum(us for us, _, _ in costs),
            commands=sum(commands for _, commands, _ in costs),
        ),
        *(
            Taken(f"{what}: {name}", "us a job", us, commands=commands)
            for name, (us, commands, _) in zip(names, costs, strict=True)
        ),
        Taken(f"{what}: server's CPU", "us a job", sum(cpu for _, _, cpu in costs)),
    ]


def _cost(
    site: Site, queue: str, count: int, move: Callable[[], None]
) -> tuple[float, float, float]:
    """Return what a move cost: microseconds in scripts, commands in them, CPU; all a job."""
    before = site.server.counters(queue)
    move()
    cost = site.server.counters(queue).since(before)
    return cost.scripts_us / count, cost.in_scripts / count, cost.cpu_us / count


def _plain(site: Site, what: str, size: int, count: int) -> list[Taken]:
    queue = site.queue("floor")
    floor = Floor(site.server, queue)
    before = site.server.counters(queue)
    for some in batches(count, size):
        floor.enqueue(some)
    while found := floor.claim(size):
        floor.ack(found)
    cost = site.server.counters(queue).since(before)
    site.forget(queue)
    return [
        Taken(what, "us a job", sum(cost.us.values()) / count, floor=True),
        Taken(f"{what}: server's CPU", "us a job", cost.cpu_us / count, floor=True),
    ]
