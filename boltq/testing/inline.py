"""A worker without threads: it runs what is ready, one job after the other, where it is called."""

import contextvars
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Literal

import msgspec

from boltq import scripts
from boltq.call import Call
from boltq.client import BoltQ
from boltq.errors import BadArgument, BoltQError, TooLarge
from boltq.evalsha import Server
from boltq.execution import Execution, Retry
from boltq.filters import State
from boltq.notes import news_of, told
from boltq.worker import outcome
from boltq.worker.around import surrounded
from boltq.worker.claim import Claimer
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.outcome import Outcome
from boltq.worker.perform import Ended, Performer, Place

LEASE_SECONDS = 86_400.0
"""A day, the most there is: nothing extends it while a handler stands in a debugger."""

AT_ONCE_SECONDS = 0.001
"""The wait that a claim tells which has more to move than it may at a time."""

SHOWN_TYPES = 20


class NoHandler(BoltQError):
    """A job is of a type for which the app declares no handler."""

    word = "NO_HANDLER"


class NeverIdle(BoltQError):
    """Jobs were still ready after as many as a drain may run."""

    word = "NEVER_IDLE"


@dataclass(frozen=True, slots=True)
class Ran:
    """One try of one job, and what came of it.

    state: of the job after it: completed, retrying, dead, cancelled; queued or scheduled if it was
    given back, as by `job.retry(after=5, count=False)`; lost if its lease had run out. result: what
    its handler returned, been through JSON. error: what was raised.
    """

    id: str
    type: str
    attempt: int
    state: State | Literal["lost"]
    result: Any = field(default=None, repr=False)
    error: BaseException | None = None


class Inline:
    """The parts of a worker, put together to run in one thread; for one drain."""

    def __init__(self, app: BoltQ, server: Server) -> None:
        """Prepare to run the jobs of an app that are on a server."""
        self._handlers = app.handlers
        self._server = server
        self._claimer = Claimer(server, "testing", LEASE_SECONDS, Outage())
        self._leases = Leases(LEASE_SECONDS)
        self._ended: SimpleQueue[Ended | None] = SimpleQueue()
        self._witness = _Witness()
        self._performer = Performer(
            surrounded(app.handlers, [self._witness, *app.middleware]),
            self._leases,
            self._ended,
        )

    def drain(self, *, raising: bool, limit: int) -> list[Ran]:
        """Run what is ready; see `Scratch.drain`."""
        ran: list[Ran] = []
        for execution in self._claimed():
            if len(ran) == limit:
                self._give_back(execution)
                raise NeverIdle(
                    f"{limit} jobs ran and more are ready, first {execution.id} of type "
                    f"{execution.type}: does a job enqueue itself for ever? If not, give drain() "
                    f"a larger limit"
                )
            ran.append(self._run(execution))
            error = ran[-1].error
            if error is not None and _is_to_be_raised(error, ran[-1].state, raising=raising):
                raise error.with_traceback(_without_ours(error.__traceback__))
        return ran

    def _claimed(self) -> Iterator[Execution]:
        """Claim one job after the other, of each queue in its turn, until none is ready."""
        found = True
        while found:
            found = False
            for queue in self._server.queues():
                for execution in self._claim(queue):
                    found = True
                    yield execution

    def _claim(self, queue: str) -> list[Execution]:
        while True:
            taken = self._claimer.claim(queue, 1)
            if taken.jobs or taken.rest_seconds > AT_ONCE_SECONDS:
                return taken.jobs
            time.sleep(AT_ONCE_SECONDS)

    def _run(self, execution: Execution) -> Ran:
        if execution.type not in self._handlers:
            self._give_back(execution)
            raise self._no_handler(execution)
        told, answer = self._settle(execution, self._perform(execution))
        state = _state(told, answer)
        error = self._witness.error
        if error is not None:
            error.add_note(
                f"raised by attempt {execution.attempt} of job {execution.id}, "
                f"of type {execution.type}, which is now {state}"
            )
        return Ran(execution.id, execution.type, execution.attempt, state, _result(told), error)

    def _no_handler(self, execution: Execution) -> NoHandler:
        known = ", ".join(sorted(self._handlers)[:SHOWN_TYPES])
        more = len(self._handlers) - SHOWN_TYPES
        return NoHandler(
            f"job {execution.id} is of type {execution.type}, for which the app declares no "
            f"handler: it has {known or 'none'}{f' and {more} more' if more > 0 else ''}"
        )

    def _perform(self, execution: Execution) -> Outcome:
        self._witness.error = None
        self._leases.add([execution])
        self._performer.take([execution])
        self._performer.end_threads(1)
        # In a context of its own, so that a drain inside a handler does not end what it runs in.
        contextvars.copy_context().run(self._performer.run, Place())
        ended = self._ended.get_nowait()
        assert ended is not None
        came_of_it = ended[1]
        assert came_of_it is not None  # its lease was not lost: nothing looks after it here
        return came_of_it

    def _give_back(self, execution: Execution) -> None:
        self._settle(execution, outcome.given_back(execution))

    def _settle(self, execution: Execution, came_of_it: Outcome) -> tuple[Outcome, object]:
        """Tell the queue what came of a job; returns what it took, and its answer."""
        news = told([news_of(execution.notes)])
        call = _VERBS[type(came_of_it)](execution.queue, [came_of_it], told=news)
        try:
            return came_of_it, self._server.call(call).answers[0]
        except (BadArgument, TooLarge) as refusal:
            if not isinstance(came_of_it, scripts.AckItem) or not came_of_it.result:
                raise
            outcome.log_result_left_out(execution, str(refusal))
            return self._settle(execution, came_of_it._replace(result=b""))


class _Witness:
    """The outermost middleware: it sees what is raised, of which a worker keeps but the text."""

    error: BaseException | None = None

    def __call__(self, _job: Execution, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except BaseException as error:
            self.error = error
            raise


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Begin a traceback at the handler, as if it had been called from the test."""
    own = traceback
    while own is not None and own.tb_frame.f_globals.get("__name__", "").startswith("boltq."):
        own = own.tb_next
    return own or traceback


def _is_to_be_raised(error: BaseException, state: str, *, raising: bool) -> bool:
    """Whether an error concerns the test; a Retry asks for another try, a cancel for an end."""
    if not isinstance(error, Exception | SystemExit):  # Ctrl-C, a timeout or a skip of the test
        return True
    asked_for = state == "cancelled" or (isinstance(error, Retry) and state != "dead")
    return raising and not asked_for


_VERBS: dict[type[Outcome], Callable[..., Call[Any]]] = {
    scripts.AckItem: scripts.ack,
    scripts.FailItem: scripts.fail,
    scripts.ReleaseItem: scripts.release,
}

_STATES: dict[type[object], State] = {
    scripts.AckDone: "completed",
    scripts.FailRetrying: "retrying",
    scripts.FailDead: "dead",
    scripts.FailCancelled: "cancelled",
    scripts.ReleaseCancelled: "cancelled",
}


def _state(told: Outcome, answer: object) -> State | Literal["lost"]:
    if isinstance(answer, scripts.ReleaseBack) and isinstance(told, scripts.ReleaseItem):
        return "scheduled" if told.delay_ms else "queued"
    return _STATES.get(type(answer), "lost")


def _result(told: Outcome) -> Any:
    if not isinstance(told, scripts.AckItem) or not told.result:
        return None
    return msgspec.json.decode(told.result)
