"""One job in this worker's hand: what its handler may know of it, and what it may raise."""

import math
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Any, NoReturn

import msgspec

from boltq import ids
from boltq.durations import LONGEST_SECONDS, in_seconds
from boltq.notes import Notes


class FailForGood(Exception):
    """Raised by a handler: the job is not to be tried again, whatever attempts are left."""


class Retry(Exception):
    """Raised by a handler: try again after a delay of its own.

    reason: kept as the job's error. after_seconds: 0 to 315,360,000.
    count: True uses an attempt, like any failure; False uses none and keeps no error, so that the
    job goes on for as long as its handler asks for it.
    """

    def __init__(self, reason: str = "", *, after_seconds: float, count: bool = True) -> None:
        if not 0 <= after_seconds <= LONGEST_SECONDS:
            raise ValueError(
                f"after_seconds of a Retry must be 0 to {LONGEST_SECONDS:.0f}, "
                f"not {after_seconds!r}",
            )
        super().__init__(reason or f"the handler wants to be called again in {after_seconds} s")
        self.delay_ms = round(after_seconds * 1000)
        self.count = count


@dataclass(slots=True, eq=False)
class Execution:
    """One try of one job, from its claim to its end.

    A handler gets it from `current_job()`, or as its first argument if it was declared with
    `with_job=True`, and reads `id`, `queue`, `type`, `attempt` (1 is the first since the last
    replay), `failures` (of all time), `lost` (leases, since the last replay), `fence` (grows with
    each claim of the queue), `headers`, `remaining()` and `cancelled` (somebody asked the job to
    stop). By `progress()` and `log()` it tells of its work. The rest is the worker's own. Times are
    of `time.monotonic`.
    """

    queue: str
    inner_id: str
    token: str
    type: str
    payload: bytes
    raw_headers: bytes
    attempt: int
    failures: int
    lost: int
    fence: int
    timeout_seconds: float  # 0 is without end
    deadline: float  # the end of the lease, by this machine's clock
    due: float = 0.0  # since when it could be claimed; 0 where nobody measures that
    started: float = 0.0  # 0 until its handler is called
    ended: float = 0.0
    cancelled: bool = False
    lease_gone: bool = False
    overdue: bool = False
    trace_id: str = ""  # of the span around its handler, if there is one
    notes: Notes | None = None  # what its handler told of it, if it did

    @property
    def id(self) -> str:
        """The id by which the job is known outside its queue."""
        return ids.join(self.queue, self.inner_id)

    @property
    def headers(self) -> dict[str, Any]:
        """The headers that the job was enqueued with; empty if there were none."""
        if not self.raw_headers:
            return {}
        return msgspec.json.decode(self.raw_headers, type=dict[str, Any])

    def remaining(self) -> float:
        """Seconds until the job's timeout, `math.inf` without one; 0 once the lease is lost."""
        if self.lease_gone:
            return 0.0
        if not self.timeout_seconds:
            return math.inf
        return max(0.0, self.started + self.timeout_seconds - time.monotonic())

    def progress(self, share: float, text: str = "") -> None:
        """Tell how far the job is; shown with it wherever it is looked at.

        share: 0 to 1. text: at what it is, 200 bytes of it are kept. Nothing is sent by this: the
        heartbeat carries it, and what ends the job. Raises ValueError.
        """
        self._noting().set_progress(share, text)

    def log(self, text: str) -> None:
        """Add to the job's own log, shown with it wherever it is looked at.

        text: a line, or several with line feeds between; 1000 bytes of each are kept. Nothing is
        sent by this: each heartbeat, and what ends the job, carries the last 4096 bytes that were
        told since the one before. The last 100 lines of a job are kept, and 16 KiB.
        """
        self._noting().add_lines(text)

    def _noting(self) -> Notes:
        # Two threads of one handler may both be the first.
        if self.notes is None:
            with _first:
                self.notes = self.notes or Notes()
        return self.notes

    def retry(self, reason: str = "", *, after: float | timedelta, count: bool = True) -> NoReturn:
        """End this try: the job is tried again later.

        reason, count: see Retry. after: seconds, or a timedelta, up to ten years.
        """
        raise Retry(reason, after_seconds=in_seconds("after", after), count=count)

    def fail_for_good(self, reason: str) -> NoReturn:
        """End the job: it is dead, whatever attempts are left. reason: kept as its error."""
        raise FailForGood(reason)


_first = Lock()
_current: ContextVar[Execution | None] = ContextVar("boltq_current_job", default=None)
enter = _current.set
"""Make an execution, or None, what `current_job()` finds on this thread."""

running = _current.get
"""Return the execution of the handler that runs on this thread, None outside of one."""


def current_job() -> Execution:
    """Return the job whose handler calls this. Raises RuntimeError outside of a handler."""
    execution = _current.get()
    if execution is None:
        raise RuntimeError(
            "current_job() was called outside of a handler: no job is being run here"
        )
    return execution
