"""A worker: its threads, from the start to the end."""

import inspect
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from queue import SimpleQueue

from boltq import ids
from boltq.errors import BadSetting
from boltq.evalsha import Bells, Server
from boltq.worker import outcome
from boltq.worker.claim import Claimer
from boltq.worker.fetch import Fetcher
from boltq.worker.heartbeat import Heartbeat
from boltq.worker.lasting import lasting
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.pace import Pace
from boltq.worker.perform import Ended, Handler, Performer
from boltq.worker.report import Report
from boltq.worker.settle import Settler

log = logging.getLogger("boltq.worker")

PATIENCE_SECONDS = 0.5
"""For a connection that went stale; a longer absence each thread waits out in its own way."""

GRACE_SECONDS = 25.0
FLUSH_SECONDS, HURRY_SECONDS = 5.0, 2.0
"""For the last words to Redis, when the grace is over."""

LOOK_SECONDS = 0.02


class Worker:
    """Runs the jobs of some queues, from `start` to `stop`. It can be started once.

    server: where the jobs are; the worker makes connections of its own to it.
    handlers: type -> function, which is called on one of the threads.
    queues: their names; each has its turn. threads: 1 to 500, how many handlers run at a time.
    lease_seconds: 0.3 to 86,400, how long a job stays ours after the last sign of life.
    worker_id: for people, 1 to 128 bytes.
    """

    def __init__(
        self,
        server: Server,
        handlers: Mapping[str, Handler],
        *,
        queues: Sequence[str] = (ids.DEFAULT_QUEUE,),
        threads: int = 8,
        lease_seconds: float = 30.0,
        worker_id: str = "worker",
    ) -> None:
        """Prepare the threads; raises BadSetting for a handler that is no plain function."""
        _check(handlers)
        self._described = {
            "server": server.address.shown,
            "queues": ",".join(queues),
            "threads": threads,
            "worker": worker_id,
        }
        self._threads = threads
        self._leases = Leases()
        self._servers = [server.another(patience_seconds=PATIENCE_SECONDS) for _ in range(3)]
        for_claims, for_ends, for_leases = self._servers
        outage = Outage()
        self._ended: SimpleQueue[Ended | None] = SimpleQueue()
        self._performer = Performer(handlers, self._leases, self._ended)
        self._bells = Bells(for_claims)
        self._fetcher = Fetcher(
            Claimer(for_claims, worker_id, lease_seconds, outage),
            self._bells,
            queues,
            pace=Pace(threads),
            leases=self._leases,
            outage=outage,
            take=self._performer.take,
        )
        self._settler = Settler(
            for_ends, self._ended, Report(worker_id), outage, self._fetcher.freed
        )
        self._heartbeat = Heartbeat(
            for_leases,
            queues,
            worker_id,
            lease_seconds=lease_seconds,
            leases=self._leases,
            outage=outage,
            give_back_waiting=self._performer.give_back_waiting,
        )
        self._over = threading.Event()

    def start(self) -> None:
        """Start the threads, and return."""
        log.info("worker started", extra=self._described)
        self._settling = lasting("settler", self._settler.run)
        self._beating = lasting("heartbeat", self._heartbeat.run)
        self._performing = [
            lasting(f"handler-{n + 1}", self._performer.run) for n in range(self._threads)
        ]
        self._fetching = lasting("fetcher", self._fetcher.run)

    def stop(
        self, grace_seconds: float = GRACE_SECONDS, hurry: threading.Event | None = None
    ) -> bool:
        """Claim nothing more, let handlers finish, give back the rest; returns when that is done.

        grace_seconds: how long handlers may take to finish; jobs that no handler has begun are
        given back at once. hurry: once set, the grace is over. Returns whether all handlers have
        ended; one that has not runs on in its thread.
        """
        hurry = hurry or threading.Event()
        until = time.monotonic() + grace_seconds
        self._fetcher.stop()
        self._performer.take_no_more()
        while self._is_at_work() and time.monotonic() < until and not hurry.wait(LOOK_SECONDS):
            pass
        flush_seconds = HURRY_SECONDS if hurry.is_set() else FLUSH_SECONDS
        self._fetcher.give_up()
        self._fetching.join(flush_seconds)
        cut_off = [execution for execution in self._leases.all() if self._leases.end(execution)]
        for execution in cut_off:
            self._ended.put((execution, outcome.given_back(execution)))
        self._performer.end_threads(self._threads)
        self._settler.end()
        self._settling.join(flush_seconds)
        self._settler.give_up()
        self._settling.join(1.0)
        self._heartbeat.end()
        self._beating.join(1.0)
        for server in self._servers:
            server.close()
        self._bells.close()
        log.info("worker stopped", extra={**self._described, "cut_off": len(cut_off)})
        self._over.set()
        return not cut_off

    def join(self) -> None:
        """Wait until a `stop`, on another thread, is through."""
        self._over.wait()

    def _is_at_work(self) -> bool:
        return len(self._leases) > 0 or self._fetching.is_alive()


def _check(handlers: Mapping[str, Handler]) -> None:
    for kind, handler in handlers.items():
        # Called, it would make a coroutine that nobody runs, and its job would seem done.
        if inspect.iscoroutinefunction(handler):
            raise BadSetting(
                f"the handler of type {kind} is an async function: a worker calls plain functions "
                f"on threads; run it with asyncio.run inside one"
            )
