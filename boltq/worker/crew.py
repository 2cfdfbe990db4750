"""The threads that run handlers: as many as were asked for, whatever handlers do to them."""

import itertools
import logging
import sys
import time
import traceback
from dataclasses import dataclass
from functools import partial

from boltq import logs
from boltq.execution import Execution
from boltq.worker import outcome
from boltq.worker.lasting import Lasting
from boltq.worker.perform import Performer, Place

log = logging.getLogger("boltq.worker")

STACK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Member:
    place: Place
    thread: Lasting


class Crew:
    """The handler threads of one worker; `look` is to be called now and then, by one thread."""

    def __init__(self, threads: int, performer: Performer) -> None:
        self._threads = threads
        self._performer = performer
        self._members: list[_Member] = []
        self._stuck: list[_Member] = []
        self._numbers = itertools.count(1)
        self._stacks = True

    @property
    def stuck(self) -> int:
        """Count the handlers that never returned, although their leases are over."""
        return len(self._stuck)

    def fill(self) -> None:
        """Start threads until there are enough; raises RuntimeError where there are none left."""
        while len(self._members) < self._threads:
            place = Place()
            thread = Lasting(f"handler-{next(self._numbers)}", partial(self._performer.run, place))
            self._members.append(_Member(place, thread))

    def look(self) -> None:
        """Put another thread in the place of each that has died, or whose handler is stuck."""
        self._stuck = [member for member in self._stuck if member.thread.is_alive()]
        for member in list(self._members):
            execution = member.place.execution
            if member.thread.died:
                self._members.remove(member)
                self._tell_of_death(member, execution)
            elif execution and _is_stuck(execution):
                self._leave(member, execution)
        self.fill()

    def end(self) -> None:
        """Let the threads end once no job waits any more."""
        self._performer.end_threads(len(self._members))

    def _tell_of_death(self, member: _Member, execution: Execution | None) -> None:
        # Of a thread that C code has ended Python keeps what points into a stack that is gone.
        self._stacks = False
        fields = {} if execution is None else logs.of_job(execution)
        log.error(
            "a handler thread died, another takes its place",
            extra={**fields, "part": member.thread.name},
        )
        if execution is not None:
            said = "the thread that ran the handler ended in the middle of it"
            came_of_it = outcome.refused(execution, "ThreadDied", said, final=False)
            self._performer.end(execution, came_of_it)

    def _leave(self, member: _Member, execution: Execution) -> None:
        execution.lease_gone = True
        stack = _stack(member.thread) if self._stacks else ""
        if not self._performer.end(execution, outcome.given_back(execution)):
            return  # it has ended just now
        member.place.left = True
        self._members.remove(member)
        self._stuck.append(member)
        log.error(
            "a handler is stuck: its lease is over, and another thread takes its place",
            extra={
                **logs.of_job(execution),
                "timeout_seconds": execution.timeout_seconds,
                "stuck": self.stuck,
                "stack": stack,
            },
        )


def _is_stuck(execution: Execution) -> bool:
    """Whether its handler is past its timeout, and the lease that was left to it over."""
    if not (execution.started and execution.timeout_seconds):
        return False
    now = time.monotonic()
    if now < execution.started + execution.timeout_seconds:
        return False
    return execution.lease_gone or now >= execution.deadline


def _stack(thread: Lasting) -> str:
    """Write where the thread is: places and lines of code, no values."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - there is no other way
    if frame is None:
        return ""
    return outcome.end_of("".join(traceback.format_stack(frame)), STACK_BYTES).decode()
