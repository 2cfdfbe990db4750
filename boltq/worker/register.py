"""The entry of this worker in the registry: it tells people of it, and hears what they ask."""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from boltq import __version__, orders, presence
from boltq.evalsha import Server
from boltq.execution import Execution
from boltq.orders import Event, What
from boltq.worker.crew import Crew
from boltq.worker.leases import Leases
from boltq.worker.pace import Pace

log = logging.getLogger("boltq.worker")

REGISTER_SECONDS = 10.0
"""How old the entry becomes, while Redis answers."""


class Hold(Protocol):
    """Makes a worker claim nothing, or go on."""

    def __call__(self, *, is_quiet: bool) -> None:
        """Do it."""


class Register:
    """The entry of one worker, written by one thread, with the connections of that.

    queues: name -> weight. hold: is called when somebody asks the worker to be quiet, or to resume;
    stop: when somebody asks it to stop.
    """

    def __init__(
        self,
        server: Server,
        worker_id: str,
        queues: Mapping[str, int],
        threads: int,
        *,
        leases: Leases,
        pace: Pace,
        crew: Crew,
        hold: Hold,
        stop: Callable[[], None],
    ) -> None:
        self._server = server
        self._worker_id = worker_id
        self._queues = dict(queues)
        self._threads = threads
        self._leases = leases
        self._pace = pace
        self._crew = crew
        self._hold = hold
        self._stop = stop
        self._status: presence.Status = "working"
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._started_ms = 0
        self._clock = (0, 0.0)
        self._again_at = 0.0

    def is_due(self, within_seconds: float) -> bool:
        """Whether the entry is to be written before so long has passed."""
        return time.monotonic() + within_seconds >= self._again_at

    def stops(self) -> None:
        """Say from now on that the worker is about to end; called by another thread."""
        self._status = "stopping"
        self._again_at = 0.0

    def write(self) -> None:
        """Write the entry, and which queues are served; hear what is asked. Raises Unavailable."""
        moment = time.monotonic()
        now_ms = self._server.now_ms()
        registry = self._server.registry
        self._again_at = moment + REGISTER_SECONDS
        is_first = not self._started_ms
        self._started_ms = self._started_ms or now_ms
        self._clock = (now_ms, moment)
        noted = registry.note_worker(
            self._worker_id, self._report(now_ms, moment).to_bytes(), now_ms
        )
        if is_first:
            self._begin(noted.before, now_ms)
        orders.note_lost(self._server, noted.lost)
        self._hear(orders.read(noted.order, self._started_ms), now_ms)
        registry.note_queues(self._queues, now_ms)

    def leave(self, what: What) -> None:
        """Take the entry out: this worker ends."""
        self._server.registry.forget_worker(self._worker_id)
        if self._started_ms:
            then_ms, moment = self._clock  # without a call to a server that may be away
            self._note(what, then_ms + round((time.monotonic() - moment) * 1000))

    def _begin(self, report: bytes | None, now_ms: int) -> None:
        """Tell of the start, and of the one of this name that has left its entry behind."""
        former = orders.process_of(report) if report else None
        if former:
            event = Event(self._worker_id, "lost", now_ms, former.host, former.pid)
            self._server.registry.note_history([event.to_bytes()])
        self._note("started", now_ms)

    def _hear(self, order: orders.Order | None, now_ms: int) -> None:
        """Do what is asked, once."""
        if self._status == "stopping":
            return
        by = order.by if order else ""
        asked = order.word if order else "resume"
        if asked == "stop":
            self.stops()
            log.info("the worker is asked to stop", extra=self._fields(by))
            self._note("stopping", now_ms, by)
            self._stop()
        elif (asked == "quiet") != (self._status == "quiet"):
            is_quiet = asked == "quiet"
            self._hold(is_quiet=is_quiet)
            self._status = "quiet" if is_quiet else "working"
            self._again_at = 0.0  # so that people see it
            if is_quiet:
                log.info("the worker is quiet: it claims nothing", extra=self._fields(by))
            else:
                log.info("the worker claims again", extra=self._fields(by))
            self._note("quiet" if is_quiet else "resumed", now_ms, by)

    def _fields(self, by: str) -> dict[str, object]:
        return {"worker": self._worker_id, **({"by": by} if by else {})}

    def _note(self, what: What, now_ms: int, by: str = "") -> None:
        event = Event(self._worker_id, what, now_ms, self._host, self._pid, by)
        self._server.registry.note_history([event.to_bytes()])

    def _report(self, now_ms: int, moment: float) -> presence.Report:
        held = self._leases.all()
        at_work = sorted((one for one in held if one.started), key=_started)
        return presence.Report(
            id=self._worker_id,
            host=self._host,
            pid=self._pid,
            version=__version__,
            queues=self._queues,
            threads=self._threads,
            started_ms=self._started_ms,
            in_hand=len(held),
            worked=self._pace.worked_ever,
            stuck=self._crew.stuck,
            status=self._status,
            jobs=[
                presence.ReportedJob(
                    one.id, one.type, now_ms - max(0, round((moment - one.started) * 1000))
                )
                for one in at_work[: presence.MOST_JOBS]
            ],
        )


def _started(execution: Execution) -> float:
    return execution.started
