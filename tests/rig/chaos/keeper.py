"""Looks at what a run's queues hold: completed jobs, which it purges later, and all at the end."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rig.chaos.history import History
from rig.chaos.load import QUEUES
from rig.chaos.record import RecordedServer

from boltq import fsck, scripts
from boltq.errors import BoltQError

STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")
MOVING = STATES[:4]
AGE_MS = 60_000
"""Completed jobs are purged when they are so old: no enqueue of theirs is sent again by then."""
PAGE = 200
KEEP = {"keep_completed": 10_000_000, "keep_cancelled": 10_000_000, "keep_dead": 10_000_000}
KEEP_MS = {f"{name}_ms": 86_400_000 for name in KEEP}


def prepare(server: RecordedServer) -> None:
    """Let the queues keep all that is to be judged."""
    for queue in QUEUES:
        items = [
            scripts.ConfigureItem(name, str(value).encode())
            for name, value in (KEEP | KEEP_MS).items()
        ]
        server.call(scripts.configure(queue, items))


def _kept(job: scripts.ListJob) -> list[Any]:
    return [job.id, job.state, job.attempt, job.failures, job.lost]


def _pages(server: RecordedServer, queue: str, state: str) -> Iterator[list[scripts.ListJob]]:
    cursor = ""
    while True:
        page = server.call(
            scripts.list_(queue, state=state, order="oldest", limit=PAGE, cursor=cursor)
        )
        if page.answers:
            yield page.answers
        cursor = page.cursor
        if not cursor:
            return


class Keeper(threading.Thread):
    """Notes completed jobs that are old, and purges them, so that a long run fits into memory."""

    def __init__(self, server: RecordedServer, history: History) -> None:
        super().__init__(name="keeper", daemon=True)
        self._server, self._history = server, history
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(1.0):
            for queue in QUEUES:
                with suppress(BoltQError):
                    while self._purged_some(queue):
                        self._stopping.wait(0.02)

    def _purged_some(self, queue: str) -> bool:
        page = self._server.call(
            scripts.list_(queue, state="completed", order="oldest", limit=PAGE, cursor="")
        )
        old = [job for job in page.answers if job.ended_ms < page.now_ms - AGE_MS]
        if old:
            self._history.write("kept", self.name, queue=queue, items=[_kept(job) for job in old])
            items = [scripts.PurgeItem(job.id) for job in old]
            self._server.call(scripts.purge(queue, items, limit=1, cursor=""))
        return len(old) == PAGE


def drained(server: RecordedServer) -> dict[str, int]:
    """How many jobs of each queue are not at their end; empty when all are."""
    left = {}
    for queue in QUEUES:
        stats = server.call(scripts.stats(queue))
        moving = sum(getattr(stats, state) for state in MOVING)
        if moving:
            left[queue] = moving
    return left


def take_stock(server: RecordedServer, history: History) -> None:
    """Note all that the queues hold, what they have counted, and what fsck finds."""
    for queue in QUEUES:
        for state in STATES:
            for page in _pages(server, queue, state):
                items = [_kept(job) for job in page]
                history.write("kept", "stock", queue=queue, items=items, told={"last": 1})
        totals = server.call(scripts.stats(queue))._asdict()
        told = {name: value for name, value in totals.items() if isinstance(value, int)}
        history.write("totals", "stock", queue=queue, told=told)
        for finding in fsck.walk(server, queue):
            history.write("faulty", finding.name, queue=queue, word=finding.sentence)


def wait_until_drained(server: RecordedServer, seconds: float) -> dict[str, int]:
    """Wait until all jobs are at their end; returns what is left where they are not by then."""
    until = time.monotonic() + seconds
    while True:
        left = drained(server)
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)
