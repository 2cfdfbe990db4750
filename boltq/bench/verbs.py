"""What each verb costs the server: microseconds and commands a job, one by one and in batches."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from boltq import ids, scripts
from boltq.bench import moves
from boltq.bench.figure import Taken, Trial
from boltq.bench.plan import Plan
from boltq.bench.site import Site
from boltq.call import Call

SIZES = (1, 10, 100)
MOST_CALLS = 100
SHORT_LEASE_MS = 400
STACK = b'  File "mail.py", line 7, in send\n    server.send(message)\n'

Items = Sequence[Any]


@contextmanager
def calling(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials: each size of batches, all verbs one after the other."""
    trials = []
    for size in SIZES:
        count = max(size, min(plan.jobs // len(SIZES), MOST_CALLS * size))
        count -= count % size
        trials.append(Trial(f"batches of {size}", partial(_call_all, site, size, count)))
    yield trials


class Caller:
    """Calls verbs on one queue, so many jobs at a time, and keeps what that cost."""

    def __init__(self, site: Site, queue: str, size: int, count: int) -> None:
        self.site, self.queue, self.size, self.count = site, queue, size, count
        self.taken: list[Taken] = []

    def enqueue(self) -> list[str]:
        """Enqueue the jobs; returns their ids."""
        made = ids.new_ids(self.count)
        items = [scripts.EnqueueItem(id, moves.NOOP, moves.RAW, b"") for id in made]
        self.measure("enqueue", items, lambda some: scripts.enqueue(self.queue, some))
        return made

    def claim(self, lease_ms: int = moves.LEASE_MS) -> list[scripts.AckItem]:
        """Claim them all; returns by what they are acked."""
        tokens = [ids.new_token() for _ in range(self.count // self.size)]
        replies = self._timed(
            "claim", [moves.claim(self.queue, token, self.size, lease_ms) for token in tokens]
        )
        return [
            scripts.AckItem(job.id, token, b"")
            for token, reply in zip(tokens, replies, strict=True)
            for job in reply.answers
        ]

    def measure(self, verb: str, items: Items, make: Callable[[Any], Call[Any]]) -> None:
        """Call a verb with all items, so many at a time."""
        starts = range(0, len(items), self.size)
        self._timed(verb, [make(items[start : start + self.size]) for start in starts])

    def repeat(self, verb: str, make: Callable[[], Call[Any]]) -> None:
        """Call a verb, that takes a number of jobs and not which, until all have had their turn."""
        self._timed(verb, [make() for _ in range(self.count // self.size)])

    def _timed(self, verb: str, calls: Sequence[Call[Any]]) -> list[Any]:
        if any(one.what.startswith(f"{verb},") for one in self.taken):
            return [self.site.server.call(call) for call in calls]  # it is known already
        before = self.site.server.counters(self.queue)
        replies = [self.site.server.call(call) for call in calls]
        cost = self.site.server.counters(self.queue).since(before)
        what = f"{verb}, {'one by one' if self.size == 1 else f'batches of {self.size}'}"
        jobs = _jobs(replies[0])
        done = self.count if jobs is None else sum(_jobs(reply) or 0 for reply in replies)
        us, commands = cost.scripts_us / done, cost.in_scripts / done
        self.taken.append(Taken(what, "us a job", us, commands=commands))
        return replies


def _call_all(site: Site, size: int, count: int) -> list[Taken]:
    queue = site.queue("verbs")
    caller = Caller(site, queue, size, count)
    _rest(caller)
    _run(caller)
    _end(caller)
    site.forget(queue)
    return caller.taken


def _jobs(reply: Any) -> int | None:
    """Return of how many jobs an answer tells to those who did not name them."""
    if isinstance(reply, scripts.Promoted):
        return reply.promoted
    return reply.reaped if isinstance(reply, scripts.Reaped) else None


def _rest(caller: Caller) -> None:
    """Jobs that rest: looked at, altered, called off, forgotten."""
    queue, size = caller.queue, caller.size
    made = caller.enqueue()
    caller.measure(
        "inspect",
        [scripts.InspectItem(id) for id in made],
        lambda some: scripts.inspect(queue, some, with_payload=1),
    )
    caller.repeat(
        "list",
        lambda: scripts.list_(queue, state="queued", order="oldest", limit=size, cursor=""),
    )
    caller.measure(
        "alter",
        [scripts.AlterItem(id, 7, "", "") for id in made],
        lambda some: scripts.alter(queue, some),
    )
    caller.measure(
        "cancel",
        [scripts.CancelItem(id) for id in made],
        lambda some: scripts.cancel(queue, some),
    )
    caller.measure(
        "purge",
        [scripts.PurgeItem(id) for id in made],
        lambda some: scripts.purge(queue, some, limit=1, cursor=""),
    )


def _run(caller: Caller) -> None:
    """Jobs that run: held for longer, given back, lost, failed, tried again."""
    queue, size = caller.queue, caller.size
    caller.enqueue()
    held = caller.claim()
    caller.measure(
        "extend",
        [scripts.ExtendItem(item.id, item.token) for item in held],
        lambda some: scripts.extend(queue, some, lease_ms=moves.LEASE_MS),
    )
    caller.measure(
        "release",
        [scripts.ReleaseItem(item.id, item.token, 0) for item in held],
        lambda some: scripts.release(queue, some),
    )
    failed = [
        scripts.FailItem(item.id, item.token, b"SMTPError", b"try later", STACK, 0, 0)
        for item in caller.claim()
    ]
    caller.measure("fail", failed, lambda some: scripts.fail(queue, some))
    time.sleep(0.002)  # until they are due
    caller.repeat("promote", lambda: scripts.promote(queue, limit=size))
    caller.measure("ack", caller.claim(), lambda some: scripts.ack(queue, some))
    if size == 1:
        caller.repeat("stats", lambda: scripts.stats(queue))


def _end(caller: Caller) -> None:
    """Jobs whose leases run out, and jobs that are dead."""
    queue, size = caller.queue, caller.size
    caller.enqueue()
    dead = [
        scripts.FailItem(item.id, item.token, b"SMTPError", b"no such user", STACK, "", 1)
        for item in caller.claim()
    ]
    moves.each(dead, moves.MOST, lambda some: caller.site.server.call(scripts.fail(queue, some)))
    caller.measure(
        "replay",
        [scripts.ReplayItem(item.id) for item in dead],
        lambda some: scripts.replay(queue, some, limit=1, cursor=""),
    )
    while moves.claimed(caller.site, queue, moves.MOST, SHORT_LEASE_MS):
        pass
    time.sleep(1.1 * SHORT_LEASE_MS / 1000)
    caller.repeat("reap", lambda: scripts.reap(queue, limit=size))
