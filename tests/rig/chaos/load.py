"""Producers: threads that enqueue jobs of all kinds, some of them again and again."""

import random
import threading
import time
from collections import deque
from typing import Any, NamedTuple

from rig.chaos import payloads
from rig.chaos.history import History
from rig.chaos.record import RecordedServer

from boltq import Backoff, BoltQ, NewJob, address
from boltq.errors import BoltQError

ORDER = "order"
WORKED = ("busy", "mixed")
"""The queues of the worker processes; hands of other kinds work at `mixed` and `order`."""
QUEUES = (*WORKED, ORDER)
TRIES: dict[str, Any] = {"max_attempts": 4, "max_lost": 60}
"""Many leases are lost on purpose: no job is to be buried for that."""
PAUSES = Backoff(base_seconds=0.05, factor=2.0, max_seconds=1.0, jitter=0.2)
MOST_WAITING = 10_000


class Again(NamedTuple):
    """Jobs that are to be sent once more."""

    at: float
    queue: str
    jobs: list[NewJob]
    options: dict[str, Any]


class Producer(threading.Thread):
    """Enqueues about so many jobs a second until stopped.

    Jobs whose enqueue had no answer are mostly sent again with the same ids until there is one;
    some are sent twice though there was one, as by clients that did not hear it.
    """

    def __init__(
        self, place: str, history: History, name: str, *, seed: str, rate: float, lease: float
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.sent: deque[tuple[str, str]] = deque(maxlen=500)
        self._some = random.Random(f"{seed} {name}")
        self._rate, self._lease, self.made = rate, lease, 0
        self._client = BoltQ(place)
        self._client.server = RecordedServer(
            address.parse(place), history, name, patience_seconds=1.0
        )
        self._again: list[Again] = []
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            count = self._new_jobs()
            now = time.monotonic()
            due = [again for again in self._again if again.at <= now]
            self._again = [again for again in self._again if again.at > now]
            for again in due:
                self._send(again.queue, again.jobs, again.options)
            self._stopping.wait(count / self._rate)
        self._client.close()

    def _new_jobs(self) -> int:
        some = self._some
        queue = some.choices(QUEUES, (5, 3, 1))[0]
        count = 1 if some.random() < 0.7 else some.randint(2, 50)
        options: dict[str, Any] = {**TRIES, "backoff": PAUSES}
        if queue == ORDER:
            options["priority"] = some.choice((3, 4))
        else:
            options["priority"] = some.choice((None, None, None, 0, 4, 9))
            if some.random() < 0.15:
                options["delay"] = round(some.uniform(0.05, self._lease), 3)
        self._send(queue, [self._new(queue) for _ in range(count)], options)
        return count

    def _new(self, queue: str) -> NewJob:
        some = self._some
        self.made += 1
        id = f"{self.name}-{self.made}"
        do = some.choices(
            ("quick", "slow", "fail", "never", "again", "long"), (80, 6, 8, 1, 4, 0.5)
        )[0]
        seconds = {
            "quick": some.choice((0.0, 0.0, 0.001, 0.004)),
            "slow": some.uniform(0.05, 0.3),
            "long": self._lease * 1.4,
        }.get(do, 0.0)
        members = {"do": do, "seconds": round(seconds, 4), "times": some.randint(1, 5)}
        size = some.choices((0, 100, 5000, 40_000), (60, 30, 3, 0.3))[0]
        raw = payloads.made(id, **members, pad="x" * size)
        self.sent.append((queue, id))
        return NewJob("work", id=id, raw=raw)

    def _send(self, queue: str, jobs: list[NewJob], options: dict[str, Any]) -> None:
        try:
            if len(jobs) == 1:
                job = jobs[0]
                self._client.enqueue(job.type, raw=job.raw, id=job.id, queue=queue, **options)
            else:
                for _answered in self._client.enqueue_each(jobs, queue=queue, **options):
                    pass
            chance, pause = 0.07, self._some.choice((0.0, self._some.uniform(0.0, self._lease)))
        except BoltQError:
            chance, pause = 0.9, 0.5
        if self._some.random() < chance:
            self._again.append(Again(time.monotonic() + pause, queue, jobs, options))
