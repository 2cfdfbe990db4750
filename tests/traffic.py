"""Load on several queues while something happens to the server: producers, raw callers, a worker.

with Traffic(server, ["a", "b"]) as traffic:
    ...                                    what happens to the server
    traffic.must_go_on("the failover")     within 10 s each queue takes and finishes a new job
traffic.must_be_whole()                    drained: every job that was taken ran, queues are sound

Each queue is fed by a producer (BoltQ's client, which waits a fault out); half of its jobs are run
by one real worker, the others by a raw caller, who claims and acks by scripts alone.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Self
from unittest.mock import patch

from audited import sound
from queue_keys import Roads
from queue_state import QueueState
from servers import TestServer

from boltq import address, ids, scripts
from boltq.errors import BoltQError, Unavailable
from boltq.evalsha import Server
from boltq.worker import Worker, current_job, fetch

PAUSE_SECONDS = 0.01
MOST_BEHIND = 200
"""Producers wait while so many jobs have not run yet: the load is no test of speed."""

LEASE_SECONDS = 2.0
"""Short, so that what a fault has left leased is back before the test is over."""


class Traffic:
    """Producers, raw callers and a worker on some queues of one server, until the block ends."""

    def __init__(self, server: TestServer, queues: Sequence[str]) -> None:
        self.queues = list(queues)
        self.slowest = 0.0  # seconds until a queue went on
        self.wrong: list[str] = []  # what nobody should have been answered
        self.accepted: dict[str, tuple[float, float]] = {}  # job -> from when to when it was asked
        self.lost: set[str] = set()
        self.unknown: set[str] = set()  # enqueues that were given up
        self.ran: Counter[str] = Counter()
        self._windows: list[tuple[float, float]] = []
        self._server = server
        self._road = Server(address.parse(server.address))
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._worker = Worker(
            self._road,
            {"worked": self._handle, "mark": self._handle},
            queues=self.queues,
            threads=2,
            lease_seconds=LEASE_SECONDS,
        )
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def _handle(self) -> None:
        job = current_job()
        with self._lock:
            self.ran[f"{job.queue}:{job.inner_id}"] += 1

    def __enter__(self) -> Self:
        self._stack.callback(self._road.close)
        self._stack.enter_context(patch.object(fetch, "BLOCK_SECONDS", 0.05))
        self._stack.callback(self._end)
        self._worker.start()
        for queue in self.queues:
            self._start(self._produce, queue)
            self._start(self._call, f"{queue}-raw")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stack.close()

    def _start(self, run: Callable[..., None], *told: str) -> None:
        self._threads.append(threading.Thread(target=run, args=told, daemon=True))
        self._threads[-1].start()

    def _end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)
        self._worker.stop(grace_seconds=1)

    def _enqueue(self, queue: str, id: str, kind: str, **options: int) -> None:
        job, asked_at = f"{queue}:{id}", time.monotonic()
        try:
            item = scripts.EnqueueItem(id, kind, b"{}", b"")
            reply = self._road.call(scripts.enqueue(queue, [item], delay_ms=0, **options))
        except Unavailable:
            self.unknown.add(job)
            return
        except Exception as problem:  # noqa: BLE001 - whatever it is, nobody should meet it
            self.wrong.append(f"enqueue of {job}: {problem!r}")
            return
        with self._lock:
            self.accepted[job] = (asked_at, time.monotonic())
        if not isinstance(reply.answers[0], scripts.EnqueueCreated | scripts.EnqueueDuplicate):
            self.wrong.append(f"enqueue of {job}: {reply}")

    def _produce(self, queue: str) -> None:
        n = 0
        while not self._stop.wait(PAUSE_SECONDS):
            if len(self.accepted) > len(self.ran) + MOST_BEHIND:
                continue
            n += 1
            self._enqueue(queue, f"w{n}", "worked")
            self._enqueue(f"{queue}-raw", f"r{n}", "called")

    def _call(self, queue: str) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            self._claim_once(queue)

    def _claim_once(self, queue: str) -> None:
        """Claim and ack as a caller in any language would."""
        token = ids.new_token()
        claim = scripts.claim(
            queue,
            token=token,
            worker="raw",
            lease_ms=round(LEASE_SECONDS * 1000),
            limit=20,
            max_bytes=1_000_000,
        )
        try:
            claimed = self._road.call(claim)
            if isinstance(claimed, scripts.Claimed) and claimed.answers:
                items = [scripts.AckItem(job.id, token, b"") for job in claimed.answers]
                acked = self._road.call(scripts.ack(queue, items))
                for item, answer in zip(items, acked.answers, strict=True):
                    if isinstance(answer, scripts.AckDone | scripts.AckAlready):
                        with self._lock:
                            self.ran[f"{queue}:{item.id}"] += 1
        except Unavailable:
            pass
        except BoltQError as problem:
            self.wrong.append(f"raw caller of {queue}: {problem!r}")

    def _mark(self, queue: str, id: str) -> None:
        self._enqueue(queue, id, "mark", priority=9)

    def must_go_on(self, what: str, seconds: float = 10.0) -> float:
        """Fail unless each queue takes a new job and finishes it in time; returns how long."""
        began = time.monotonic()
        marks = {f"{queue}:mark-{ids.new_token()[:8]}" for queue in self.queues}
        for mark in marks:
            self._start(self._mark, *mark.split(":"))
        deadline = began + seconds
        while not all(self.ran[mark] for mark in marks):
            assert time.monotonic() < deadline, (
                f"no progress {seconds} s after {what}: {self.wrong}"
            )
            time.sleep(0.005)
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        return took

    def may_lose(self, since: float, until: float) -> None:
        """Say that what was taken between two moments may be lost: the server's promise ends."""
        self._windows.append((since, until))

    def must_be_whole(self) -> None:
        """Drain; fail if a job that was taken never ran, or a queue is not sound."""
        with self._stack:
            self._stop.set()
            for thread in self._threads:
                thread.join(20)
            self.lost = self._wait_for_all(30.0)
            self._worker.stop(grace_seconds=1)
            assert not self.wrong
            unexplained = {job for job in self.lost if not self._may_be_lost(job)}
            assert not unexplained, f"these never ran: {unexplained}"
            for queue in (*self.queues, *(f"{queue}-raw" for queue in self.queues)):
                state = QueueState(self._server, queue, Roads(self._road, self._server.raw()))
                sound(state)
                state.forget()

    def _may_be_lost(self, job: str) -> bool:
        # It was answered at some moment between the two.
        asked_at, heard_at = self.accepted[job]
        return any(since <= heard_at and asked_at <= until for since, until in self._windows)

    def _wait_for_all(self, seconds: float) -> set[str]:
        deadline = time.monotonic() + seconds
        raw = [f"{queue}-raw" for queue in self.queues]
        while time.monotonic() < deadline and any(map(self._is_busy, (*self.queues, *raw))):
            for queue in raw:
                self._claim_once(queue)
            time.sleep(0.01)
        return {job for job in self.accepted if not self.ran[job]}

    def _is_busy(self, queue: str) -> bool:
        stats = self._road.call(scripts.stats(queue))
        return stats.queued + stats.running + stats.retrying + stats.scheduled > 0
