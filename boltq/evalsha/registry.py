"""Who uses what: queues and workers, written outside every queue as a courtesy to people.

Nothing is decided by it. Each who writes also trims, so that what is gone fades.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar, cast

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

MOST_EVENTS = 1000
"""How much is kept of what became of workers."""


class Noted(NamedTuple):
    """What a worker hears when it writes its entry.

    before: what stood there. order: what it is asked to do. lost: who has vanished, last seen when.
    """

    before: bytes | None = None
    order: bytes | None = None
    lost: tuple[tuple[str, float], ...] = ()


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
        self._orders = f"{begin}:worker_orders"
        self._history = f"{begin}:worker_history"
        self._patiently = patiently
        self._noted: dict[str, float] = {}

    def note_queue(self, queue: str, now_ms: int) -> None:
        """Write that a queue is in use: rarely, and never in the way of work."""
        if time.monotonic() >= self._noted.get(queue, 0.0):
            self.note_queues([queue], now_ms)

    def note_queues(self, queues: Iterable[str], now_ms: int) -> None:
        """Write that queues are in use, in as many calls as for one."""
        moment = time.monotonic()
        due = [queue for queue in queues if moment >= self._noted.get(queue, 0.0)]
        if not due:
            return
        self._noted.update(dict.fromkeys(due, moment + QUEUE_SECONDS))
        with suppress(*ROAD_ERRORS):
            self._redis.zadd(self._queues, dict.fromkeys(due, now_ms))
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

    def note_worker(self, worker: str, report: bytes, now_ms: int) -> Noted:
        """Write that a worker is there, and what it says of itself: every few seconds.

        Costs one round trip, and a second where others have vanished.
        """
        old = now_ms - WORKERS_KEPT_MS
        with suppress(*ROAD_ERRORS):
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hget(self._reports, worker)
                # In this order: a report is never there without the entry by which it is trimmed.
                pipe.zadd(self._workers, {worker: now_ms})
                pipe.hset(self._reports, worker, report)
                pipe.zrangebyscore(
                    self._workers, "-inf", old, start=0, num=MOST_TRIMMED, withscores=True
                )
                pipe.hget(self._orders, worker)
                before, *_, gone, order = pipe.execute(raise_on_error=False)
            return Noted(
                before if isinstance(before, bytes) else None,
                order if isinstance(order, bytes) else None,
                self._taken_out(gone) if isinstance(gone, list) else (),
            )
        return Noted()

    def forget_worker(self, worker: str) -> None:
        """Take out a worker that ends."""
        with suppress(*ROAD_ERRORS):
            self._forget([worker])

    def _taken_out(self, gone: list[tuple[bytes, float]]) -> tuple[tuple[str, float], ...]:
        """Take out workers; returns those that nobody else took out at the same time."""
        taken = self._forget([name for name, _ in gone]) if gone else []
        return tuple(
            (name.decode("utf-8", "replace"), seen_ms)
            for (name, seen_ms), was_there in zip(gone, taken, strict=True)
            if was_there == 1
        )

    def _forget(self, workers: Sequence[str | bytes]) -> list[Any]:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hdel(self._reports, *workers)
            pipe.hdel(self._orders, *workers)
            for worker in workers:
                pipe.zrem(self._workers, worker)
            return list(pipe.execute(raise_on_error=False))[2:]

    def note_history(self, events: Sequence[bytes]) -> None:
        """Write what became of workers."""
        with suppress(*ROAD_ERRORS), self._redis.pipeline(transaction=False) as pipe:
            pipe.lpush(self._history, *events)
            pipe.ltrim(self._history, 0, MOST_EVENTS - 1)
            pipe.execute(raise_on_error=False)

    def history(self, limit: int) -> list[bytes]:
        """Give what became of workers, the last first."""
        found = self._patiently(lambda: self._redis.lrange(self._history, 0, limit - 1))
        return cast("list[bytes]", found)

    def forget_history(self, worker: str) -> None:
        """Take out what became of a worker that nobody needs to know of: one that was measured.

        worker: no other's name may hold this one.
        """
        with suppress(*ROAD_ERRORS):
            for event in self._redis.lrange(self._history, 0, -1):
                if worker.encode() in event:
                    self._redis.lrem(self._history, 1, event)

    def report_of(self, worker: str) -> bytes | None:
        """Give what one worker said of itself; None: it is not there."""
        found = self._patiently(lambda: self._redis.hget(self._reports, worker))
        return cast("bytes | None", found)

    def order(self, worker: str, order: bytes | None) -> None:
        """Write what is asked of a worker, or that nothing is."""
        if order is None:
            self._patiently(lambda: self._redis.hdel(self._orders, worker))
        else:
            self._patiently(lambda: self._redis.hset(self._orders, worker, order))

    def workers(self) -> list[tuple[float, bytes, bytes | None]]:
        """Give, for each worker, when it was last seen, what it said and what it is asked to do.

        The last seen first.
        """
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
        orders: list[bytes | None] = [None] * len(names)
        with suppress(*ROAD_ERRORS):  # a user of an earlier version may not see them
            orders = self._redis.hmget(self._orders, names)
        return [
            (seen_ms, report, order)
            for (_, seen_ms), report, order in zip(found, reports, orders, strict=True)
            if report is not None
        ]
