"""The driver: one thread of each process that drives the operations of all queues."""

import logging
import threading
import time
from collections.abc import Callable

from boltq.client import BoltQ
from boltq.errors import BoltQError, Unavailable, UnknownOperation
from boltq.evalsha import Server
from boltq.operation import Operation
from boltq.operations import SHORTEST_WAIT_SECONDS, STEP_LIMIT, Operations

LOOK_SECONDS = 5.0
"""Between two looks for what others have begun: one script a queue, in one round trip."""

TROUBLE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Driver:
    """Steps whatever is begun, in turn, on a connection of its own.

    Nothing is kept here: where an operation goes on is kept with it, so that any number of
    processes may drive the same, and a new one goes on where one was killed. After each step there
    is a pause as long as the step has taken: workers have the server half of the time at least.
    """

    def __init__(self, boltq: BoltQ) -> None:
        self._boltq = boltq
        self._changed = threading.Condition()
        self._is_open = True
        self._begun: set[str] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to drive."""
        self._thread = threading.Thread(target=self._run, name="operations", daemon=True)
        self._thread.start()

    def drive(self, id: str) -> None:
        """Look at an operation at once, that was begun here."""
        with self._changed:
            self._begun.add(id)
            self._changed.notify()

    def stop(self) -> None:
        """End after the step that is being done; another process, or the next, goes on."""
        with self._changed:
            self._is_open = False
            self._changed.notify()

    def join(self) -> None:
        """Wait until the thread has ended, after stop()."""
        if self._thread is not None:
            self._thread.join(TROUBLE_SECONDS)

    def _run(self) -> None:
        own: _Own | None = None
        due: dict[str, float] = {}
        look_at, trouble = 0.0, ""
        while self._is_open:
            try:
                own = own or _Own(self._boltq.server.another(patience_seconds=0.0))
                if time.monotonic() >= look_at:
                    due = {**dict.fromkeys(_unfinished(own), 0.0), **due}
                    look_at = time.monotonic() + LOOK_SECONDS
                self._step(own, due)
                trouble = ""
            except Exception as problem:  # noqa: BLE001 - whatever it is, the thread goes on
                if trouble != str(problem):
                    trouble = str(problem)
                    trace = None if isinstance(problem, BoltQError) else problem
                    _log.warning("operations stand still", exc_info=trace, extra={"error": trouble})
                look_at = time.monotonic() + TROUBLE_SECONDS
                self._hold(TROUBLE_SECONDS, whatever_begins=True)
                continue
            self._hold(min([look_at, *due.values()]) - time.monotonic())
        if own:
            own.server.close()

    def _hold(self, seconds: float, *, whatever_begins: bool = False) -> None:
        with self._changed:
            if self._is_open and seconds > 0 and (whatever_begins or not self._begun):
                self._changed.wait(seconds)

    def _step(self, own: "_Own", due: dict[str, float]) -> None:
        """Do a step of each operation whose time has come; `due` is when that is."""
        with self._changed:
            due |= dict.fromkeys(self._begun, 0.0)
            self._begun.clear()
        for id in [id for id, moment in due.items() if moment <= time.monotonic()]:
            if not self._is_open:
                return
            began = time.monotonic()
            pause = _stepped(own, id)
            ended = time.monotonic()
            if pause is None:
                del due[id]
            else:
                due[id] = ended + max(ended - began, pause)


class _Own(Operations):
    """The verbs that the driver needs, on its own server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def server(self) -> Server:
        return self._server


def _stepped(own: _Own, id: str) -> float | None:
    """Do a step; return how long there must be a pause, or None if there is nothing more to do."""
    try:
        operation, _, wait_seconds = own.step_operation(id, limit=STEP_LIMIT)
    except UnknownOperation:
        return None
    except Unavailable:
        raise
    except BoltQError as refusal:
        # Of this one alone, such as a replay on a full server: the others go on.
        _log.warning("an operation waits", extra={"operation": id, "error": str(refusal)})
        return TROUBLE_SECONDS
    if operation.ended:
        _log.info("an operation has ended", extra=_told(operation))
        return None
    return max(wait_seconds, SHORTEST_WAIT_SECONDS) if wait_seconds else 0.0


def _told(operation: Operation) -> dict[str, object]:
    return {"operation": operation.id, "status": operation.status, "done": operation.done}


def _unfinished(own: _Own) -> list[str]:
    return [one.id for one in own.operations_of_all() if not one.ended]


Drive = Callable[[str], None]
"""Takes the id of an operation that was begun."""
