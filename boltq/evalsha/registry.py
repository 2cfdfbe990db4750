"""Who uses what: queues and workers, written outside every queue as a courtesy to people.

Nothing is decided by it. Each who writes also trims, so that what is gone fades.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

from boltq.evalsha.connect import ROAD_ERRORS

R = TypeVar("R")

QUEUE_SECONDS = 30.0
"""How often a process writes that it uses a queue."""

QUEUES_KEPT_MS = 90 * 86_400_000
"""A queue that nobody has used for so long leaves the registry; dead jobs are kept as long."""

MOST_QUEUES = 10_000

WORKERS_KEPT_MS = 600_000
"""A worker that has not been heard of for so long leaves the registry."""

MOST_TRIMMED = 100
MOST_SHOWN = 1000
"""Of workers: how many one write takes out, and how many a reader is given."""


class Registry:
    """The registries under one prefix.

    redis: the client to use. begin: what their keys begin with. patiently: repeats what found no
    server.
    """

    def __init__(
        self, redis: Any, begin: str, patiently: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self._redis = redis
        self._queues = f"{begin}:queues"
        self._workers = f"{begin}:workers"
        self._reports = f"{begin}:worker_reports"
        self._patiently = patiently
        self._noted: dict[str, float] = {}

    def note_queue(self, queue: str, now_ms: int) -> None:
        """Write that a queue is in use: rarely, and never in the way of work."""
        moment = time.monotonic()
        if moment < self._noted.get(queue, 0.0):
            return
        self._noted[queue] = moment + QUEUE_SECONDS
        with suppress(*ROAD_ERRORS):
            self._redis.zadd(self._queues, {queue: now_ms})
            self._redis.zremrangebyscore(self._queues, "-inf", now_ms - QUEUES_KEPT_MS)
            self._redis.zremrangebyrank(self._queues, 0, -MOST_QUEUES - 1)

    def forget_queue(self, queue: str) -> None:
        """Take out a queue that was deleted; who uses it again writes it again at once."""
        self._noted.pop(queue, None)
        with suppress(*ROAD_ERRORS):
            self._redis.zrem(self._queues, queue)

    def queues(self) -> list[str]:
        """Name the queues in use, in the order of the alphabet."""
        found = self._patiently(lambda: self._redis.zrange(self._queues, 0, -1))
        return sorted(name.decode("ascii", "replace") for name in found)

    def note_worker(self, worker: str, report: bytes, now_ms: int) -> None:
        """Write that a worker is there, and what it says of itself: every few seconds."""
        with suppress(*ROAD_ERRORS):
            # In this order: a report is never there without the entry by which it is trimmed.
            self._redis.zadd(self._workers, {worker: now_ms})
            self._redis.hset(self._reports, worker, report)
            old = now_ms - WORKERS_KEPT_MS
            gone = self._redis.zrangebyscore(self._workers, "-inf", old, start=0, num=MOST_TRIMMED)
            if gone:
                self._forget(*gone)

    def forget_worker(self, worker: str) -> None:
        """Take out a worker that ends."""
        with suppress(*ROAD_ERRORS):
            self._forget(worker)

    def _forget(self, *workers: str | bytes) -> None:
        self._redis.hdel(self._reports, *workers)
        self._redis.zrem(self._workers, *workers)

    def workers(self) -> list[tuple[float, bytes]]:
        """Give, for each worker, when it was last seen and what it said; the last seen first."""
        found = cast(
            "list[tuple[bytes, float]]",
            self._patiently(
                lambda: self._redis.zrevrange(self._workers, 0, MOST_SHOWN - 1, withscores=True)
            ),
        )
        if not found:
            return []
        names = [name for name, _ in found]
        reports = self._patiently(lambda: self._redis.hmget(self._reports, names))
        return [
            (seen_ms, report)
            for (_, seen_ms), report in zip(found, reports, strict=True)
            if report is not None
        ]
