"""A worker: its threads, from the start to the end."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue

from boltq import ids
from boltq.arguments import plain
from boltq.child import GRACE_SECONDS
from boltq.evalsha import Bells, Server
from boltq.worker import outcome
from boltq.worker.around import Handler, Middleware, surrounded
from boltq.worker.claim import Claimer
from boltq.worker.crew import Crew
from boltq.worker.fetch import ASKED, REPLACE, Fetcher
from boltq.worker.heartbeat import Heartbeat
from boltq.worker.lasting import Lasting
from boltq.worker.leases import Leases
from boltq.worker.measures import Measured, Measures, Parts
from boltq.worker.outage import Outage
from boltq.worker.pace import Pace
from boltq.worker.perform import Ended, Performer
from boltq.worker.register import Register
from boltq.worker.report import LINES_A_SECOND, Report
from boltq.worker.settle import Settler
from boltq.worker.turns import Turns
from boltq.worker.watch import Watch

log = logging.getLogger("boltq.worker")

Hook = Callable[[], object]

PATIENCE_SECONDS = 0.5
"""For a connection that went stale; a longer absence each thread waits out in its own way."""

FLUSH_SECONDS, HURRY_SECONDS = 5.0, 2.0
"""For the last words to Redis, when the grace is over."""

LOOK_SECONDS = 0.02

STUCK_ALONE = 10
"""So many stuck handlers for each thread end a worker that has no parent to start another."""


class Worker:
    """Runs the jobs of some queues, from `start` to `stop`. It can be started once.

    Args:
        server: where the jobs are; the worker makes connections of its own to it.
        handlers: type -> function, which is called on one of the threads.
        queues: name -> weight, 1 to 100, by which they share the threads; or names alone.
        strict: instead, a queue has its turn when those before it are empty.
        threads: 1 to 500, how many handlers run at a time.
        lease_seconds: 0.3 to 86,400, how long a job stays ours after the last sign of life.
        worker_id: for people, 1 to 128 bytes.
        starters: are called by `start`, before the first claim. stoppers: by `stop`, at its end.
        middleware: runs around each handler, the first outermost.
        burst: end when nothing is queued or due any more.
        recycle_jobs: end after so many jobs, recycle_mb: when the process has more MiB than that; 0
            is never. has_parent: also when all threads have been lost to handlers that are stuck.
        log_done: how many jobs that are done have a line a second in the log.
        measures: counts what becomes of jobs, and how long they take; None: nobody does.
    """

    def __init__(
        self,
        server: Server,
        handlers: Mapping[str, Handler],
        *,
        queues: Mapping[str, int] | Sequence[str] = (ids.DEFAULT_QUEUE,),
        strict: bool = False,
        threads: int = 8,
        lease_seconds: float = 30.0,
        worker_id: str = "worker",
        starters: Sequence[Hook] = (),
        stoppers: Sequence[Hook] = (),
        middleware: Sequence[Middleware] = (),
        burst: bool = False,
        recycle_jobs: int = 0,
        recycle_mb: int = 0,
        has_parent: bool = False,
        log_done: int = LINES_A_SECOND,
        measures: Measures | None = None,
    ) -> None:
        """Prepare the threads; raises BadSetting for a handler that is no plain function."""
        for kind, handler in handlers.items():
            plain(f"the handler of type {kind}", handler)
        around: tuple[Callable[..., object], ...] = (*starters, *stoppers, *middleware)
        for hook in around:
            plain(f"{getattr(hook, '__name__', hook)}, which is a hook or middleware,", hook)
        weights = queues if isinstance(queues, Mapping) else dict.fromkeys(queues, 1)
        self._described = {
            "server": server.address.shown,
            "queues": ",".join(weights),
            "threads": threads,
            "worker": worker_id,
        }
        self._starters, self._stoppers = starters, stoppers
        self.reason = ""
        self._leases = Leases(lease_seconds)
        self._servers = [server.another(patience_seconds=PATIENCE_SECONDS) for _ in range(3)]
        for_claims, for_ends, for_leases = self._servers
        self._outage = outage = Outage()
        pace = Pace(threads)
        self._ended: SimpleQueue[Ended | None] = SimpleQueue()
        self._performer = Performer(surrounded(handlers, middleware), self._leases, self._ended)
        self._crew = Crew(threads, self._performer)
        self._bells = Bells(for_claims)
        self._fetcher = Fetcher(
            Claimer(for_claims, worker_id, lease_seconds, outage, tells_due=bool(measures)),
            self._bells,
            Turns(weights, strict=strict),
            pace=pace,
            leases=self._leases,
            outage=outage,
            performer=self._performer,
            burst=burst,
            most_jobs=recycle_jobs,
            over=self._end_by_itself,
        )
        self._settler = Settler(
            for_ends,
            self._ended,
            self._leases,
            Measured(worker_id, log_done, measures) if measures else Report(worker_id, log_done),
            waiting=self._performer.waiting,
            outage=outage,
            freed=self._fetcher.freed,
        )
        if measures:
            measures.watch(Parts(threads, self._leases, self._crew, outage))
        self._register = Register(
            for_leases,
            worker_id,
            weights,
            threads,
            leases=self._leases,
            pace=pace,
            crew=self._crew,
            hold=self._fetcher.hold,
            stop=partial(self._end_by_itself, ASKED),
        )
        self._heartbeat = Heartbeat(
            for_leases,
            self._register,
            self._performer,
            lease_seconds=lease_seconds,
            leases=self._leases,
            outage=outage,
            look=self._look_at_the_watch,
        )
        self._watching: Lasting | None = None
        self._most_stuck = threads if has_parent else threads * STUCK_ALONE
        self._most_mb = recycle_mb
        self._wake = threading.Event()
        self._over = threading.Event()

    def start(self, wake: threading.Event | None = None) -> None:
        """Call the starters, start the threads, and return.

        wake: is set when the worker ends by itself: it has claimed its last job, all are finished,
        `reason` says why (DONE, REPLACE or TROUBLE of `boltq.worker.fetch`), and `stop` is due; so
        it is where somebody asks for it (ASKED), whatever is in hand.
        Raises what a starter raises; then nothing was started.
        """
        self._wake = wake or self._wake
        for hook in self._starters:
            hook()
        log.info("worker started", extra=self._described)
        self._settling = Lasting("settler", self._settler.run)
        self._beating = Lasting("heartbeat", self._heartbeat.run)
        self._crew.fill()
        self._fetching = Lasting("fetcher", self._fetcher.run)
        self._watch = Watch(
            self._crew,
            (self._settling, self._beating, self._fetching),
            self._leases,
            most_stuck=self._most_stuck,
            most_mb=self._most_mb,
            replace=self._fetcher.replace,
        )
        self._watching = Lasting("watch", self._watch.run)

    def stop(
        self, grace_seconds: float = GRACE_SECONDS, hurry: threading.Event | None = None
    ) -> bool:
        """Claim nothing more, let handlers finish, give back the rest; returns when that is done.

        grace_seconds: how long handlers may take to finish; jobs that no handler has begun are
        given back at once. hurry: once set, the grace is over, and no stopper is called. Returns
        whether all handlers have ended; one that has not runs on in its thread.
        """
        hurry = hurry or threading.Event()
        until = time.monotonic() + grace_seconds
        self._register.stops()
        self._fetcher.stop()
        self._performer.take_no_more()
        while self._is_at_work() and time.monotonic() < until and not hurry.wait(LOOK_SECONDS):
            pass
        flush_seconds = HURRY_SECONDS if hurry.is_set() else FLUSH_SECONDS
        self._fetcher.give_up()
        self._fetching.join(flush_seconds)
        self._watch.end()
        if self._watching:
            self._watching.join(1.0)
        cut_off = [execution for execution in self._leases.all() if self._leases.end(execution)]
        for execution in cut_off:
            self._ended.put((execution, outcome.given_back(execution)))
        self._crew.end()
        self._settler.end()
        self._settling.join(flush_seconds)
        self._settler.give_up()
        self._settling.join(1.0)
        self._heartbeat.end("recycled" if self.reason == REPLACE else "stopped")
        # That this worker has ended, and not vanished: which a server that is away does not hear.
        self._beating.join(1.0 if self._outage.lasts else flush_seconds)
        for server in self._servers:
            server.close()
        self._bells.close()
        log.info("worker stopped", extra={**self._described, "cut_off": len(cut_off)})
        if not hurry.is_set():
            _call_all(self._stoppers)
        self._over.set()
        return not cut_off and not self._crew.stuck

    def join(self) -> None:
        """Wait until a `stop`, on another thread, is through."""
        self._over.wait()

    def _look_at_the_watch(self) -> None:
        if self._watching:
            self._watching.look()

    def _is_at_work(self) -> bool:
        return len(self._leases) > 0 or self._fetching.is_alive()

    def _end_by_itself(self, reason: str) -> None:
        self.reason = reason
        self._wake.set()


def _call_all(hooks: Iterable[Hook]) -> None:
    for hook in hooks:
        try:
            hook()
        except BaseException:  # the next one has something else to put away
            log.exception("a function of on_stop raised; the others are called all the same")
