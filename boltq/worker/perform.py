"""The handler threads: each takes a job, calls its handler and hands on what came of it."""

import json
import logging
import os
import time
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

import msgspec

from boltq import execution as executions
from boltq import logs
from boltq.execution import Execution
from boltq.worker import outcome
from boltq.worker.around import Handler
from boltq.worker.leases import Leases
from boltq.worker.outcome import Outcome
from boltq.worker.unknown import UnknownTypes
from boltq.worker.waiting import NO_MORE, Waiting

log = logging.getLogger("boltq.worker")

Ended = tuple[Execution, Outcome | None]
"""A job that is not held any more, and what to report of it: nothing if its lease was lost."""


class Place:
    """Where one thread works: the job that it has, and whether another works here by now."""

    __slots__ = ("execution", "left")

    def __init__(self) -> None:
        self.execution: Execution | None = None
        self.left = False


class Performer:
    """What the handler threads share: the jobs that wait for one, and where to hand the outcome.

    waiting: those jobs.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        leases: Leases,
        ended: SimpleQueue[Ended | None],
    ) -> None:
        self._handlers = handlers
        self._leases = leases
        self._ended = ended
        self.waiting = Waiting()
        self._unknown = UnknownTypes(handlers)
        self._closed = False
        self._forks = _Lineage.forks

    def take(self, jobs: list[Execution]) -> None:
        """Let these jobs, which are held already, wait for a thread."""
        self.waiting.put(jobs)
        if self._closed:
            self.give_back_waiting()

    def take_no_more(self) -> None:
        """Give back what waits, and what is handed in from now on."""
        self._closed = True
        self.give_back_waiting()

    def give_back_waiting(self, most: int | None = None) -> int:
        """Release jobs that no thread has taken yet, the last that came first; returns how many.

        most: so many at most; None: all of them.
        """
        waiting = self.waiting.take_back(most)
        for execution in waiting:
            self.end(execution, outcome.given_back(execution))
        return len(waiting)

    def end_threads(self, threads: int) -> None:
        """Let that many threads end once nothing waits any more."""
        self.waiting.put([NO_MORE] * threads)

    def run(self, place: Place) -> None:
        """Run jobs, one after the other, until told that there are no more: one thread's work."""
        while not place.left:
            execution = self.waiting.take()
            if execution is NO_MORE:
                return
            place.execution = execution
            try:
                came_of_it = self._perform(execution)
                executions.enter(None)
            except BaseException as error:
                # Raised into the thread from outside, between two lines of ours.
                self.end(execution, outcome.failed(execution, error))
                raise
            self.end(execution, came_of_it)
            place.execution = None

    def _perform(self, execution: Execution) -> Outcome:
        handler = self._handlers.get(execution.type)
        if handler is None:
            return self._unknown.outcome(execution)
        execution.started = time.monotonic()
        if execution.started >= execution.deadline:
            execution.lease_gone = True
        if execution.lease_gone or execution.cancelled:  # which giving back ends cancelled
            return outcome.given_back(execution)
        executions.enter(execution)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("job started", extra=logs.of_job(execution))
        try:
            value = _call(handler, execution.payload)
        except BaseException as error:  # noqa: BLE001 - SystemExit too is but a failure of its job
            if _Lineage.forks != self._forks:
                os._exit(1)
            execution.ended = time.monotonic()
            return outcome.failed(execution, error)
        if _Lineage.forks != self._forks:
            # The handler forked, and this is the child: the job is its parent's to settle.
            os._exit(0)
        execution.ended = time.monotonic()
        return outcome.done(execution, value)

    def end(self, execution: Execution, came_of_it: Outcome) -> bool:
        """Let go of a job and report what came of it, unless somebody has done so already."""
        if not self._leases.end(execution):
            return False
        self._ended.put((execution, None if execution.lease_gone else came_of_it))
        return True


class _Lineage:
    """How many forks lie between this process and the one that first read this module.

    Told by Python, since to ask the system for the process after each job costs more than the job.
    """

    forks = 0

    @classmethod
    def note_fork(cls) -> None:
        """Say that this process is the child."""
        cls.forks += 1


os.register_at_fork(after_in_child=_Lineage.note_fork)


def _call(handler: Handler, payload: bytes) -> Any:
    try:
        argument = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        argument = _leniently(payload)
    return handler(**argument) if type(argument) is dict else handler(argument)


def _leniently(payload: bytes) -> Any:
    """Read what msgspec does not take: lone surrogates, and numbers beyond a double.

    What is no JSON is given to the handler as its bytes.
    """
    try:
        return json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return payload


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
