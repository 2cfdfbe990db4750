"""What is done to many jobs of a queue at once, in steps that anybody may drive: operations."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple, Unpack

from boltq import ids, scripts
from boltq.errors import CountDiffers, TooManyOperations, Unavailable, UnknownOperation
from boltq.evalsha import Server
from boltq.filters import Narrowed, asked
from boltq.operation import Action, Operation, shown

STEP_LIMIT = 50
"""How many jobs a step looks at: some 2 ms of the server's time where all are queued again."""

SHORTEST_WAIT_SECONDS = 0.1
"""A rate is kept by steps that are not smaller than what it allows in this time."""


class Step(NamedTuple):
    """What a step has done, and for how long the rate allows no other."""

    operation: Operation
    done: int
    wait_seconds: float


class Operations(ABC):
    """The verbs that concern many jobs at once."""

    @property
    @abstractmethod
    def server(self) -> Server:
        """The server they are on."""

    def start_operation(
        self,
        action: Action,
        state: str,
        *,
        queue: str = "default",
        id: str | None = None,
        rate: int = 0,
        expected: int | None = None,
        dry_run: bool = False,
        by: str = "",
        worker: str = "",
        **narrowed: Unpack[Narrowed],
    ) -> Operation:
        """Begin to replay, cancel, purge or run now all jobs of a state that a filter asks for.

        Nothing is done yet: see `run_operation`. Jobs that come later are not touched. id: made up
        unless given; a known one begins nothing, and is shown. rate: jobs a second at most, 0 to
        100,000, 0 is any. expected: nothing is done if there are more or fewer. dry_run: only
        count. by: who, for people. worker: only those that it holds (running) or has ended.
        narrowed: see Narrowed.
        Raises BadArgument, CountDiffers, TooManyOperations.
        """
        inside = ids.new_id() if id is None else ids.within(queue, id)
        call = scripts.operate(
            queue,
            id_=inside,
            action=action,
            state=state,
            dry_run=int(dry_run),
            expected=expected,
            rate=rate,
            by=by or None,
            worker=worker or None,
            **asked(narrowed),
        )
        reply = self.server.call(call)
        if isinstance(reply, scripts.Differs):
            message = f"{reply.counted} jobs are {state}, not {expected}: nothing was begun"
            raise CountDiffers(message, reply.counted)
        if isinstance(reply, scripts.Busy):
            message = f"queue {queue} keeps 100 operations that have not ended: stop one of them"
            raise TooManyOperations(message)
        operation = shown(queue, reply.operation, known=isinstance(reply, scripts.Known))
        if operation.total:  # whoever drives those of all queues finds them by their names
            self.server.note_queue(queue, reply.now_ms)
        return operation

    def step_operation(self, id: str, *, limit: int = STEP_LIMIT) -> Step:
        """Do the next jobs of an operation, of 1 to 500 that are looked at; see `run_operation`.

        Others may do so at the same time: each job is done once, and the rate holds for all.
        Raises UnknownOperation; ServerFull for a replay, if the server takes no new jobs.
        """
        queue, inside = ids.split(id)
        reply: scripts.StepReply | scripts.StepReplayReply
        reply = self.server.call(scripts.step(queue, id_=inside, limit=limit))
        if isinstance(reply, scripts.Replays):
            reply = self.server.call(scripts.step_replay(queue, id_=inside, limit=limit))
        if isinstance(reply, scripts.StepUnknown | scripts.StepReplayUnknown):
            raise _unknown(id)
        operation = shown(queue, reply.operation)
        if isinstance(reply, scripts.StepStepped | scripts.StepReplayStepped):
            return Step(operation, reply.done, reply.wait_ms / 1000)
        return Step(operation, 0, 0.0)

    def run_operation(self, id: str, *, limit: int = STEP_LIMIT) -> Iterator[Operation]:
        """Drive an operation until it has ended; yields it after each step, and waits in between.

        Whoever stops asking leaves it as it is: it goes on when anybody drives it again.
        """
        while True:
            operation, _, wait_seconds = self.step_operation(id, limit=limit)
            yield operation
            if operation.ended:
                return
            if wait_seconds:
                time.sleep(max(wait_seconds, SHORTEST_WAIT_SECONDS))

    def operation(self, id: str) -> Operation:
        """Show one operation. Raises UnknownOperation if nothing is kept of it."""
        queue, inside = ids.split(id)
        answers = self.server.call(scripts.operations(queue, id_=inside)).answers
        if not answers:
            raise _unknown(id)
        return shown(queue, answers[0].operation)

    def operations(self, queue: str = "default") -> list[Operation]:
        """Show the operations that a queue keeps, 100 at most, the newest first."""
        return _read(queue, self.server.call(scripts.operations(queue)))

    def operations_of_all(self) -> list[Operation]:
        """Show those of every queue in use, the newest first; a queue that refuses is left out."""
        queues = self.server.queues()
        replies = self.server.call_all([scripts.operations(queue) for queue in queues])
        found: list[Operation] = []
        for queue, reply in zip(queues, replies, strict=True):
            if isinstance(reply, Unavailable):
                raise reply
            found += _read(queue, reply) if isinstance(reply, scripts.Operations) else []
        return sorted(found, key=_start, reverse=True)

    def stop_operation(self, id: str) -> Operation:
        """End an operation; what it has done stays. One that has ended is shown as it is."""
        queue, inside = ids.split(id)
        reply = self.server.call(scripts.stop(queue, id_=inside))
        if isinstance(reply, scripts.StopUnknown):
            raise _unknown(id)
        return shown(queue, reply.operation)


def _read(queue: str, reply: scripts.Operations) -> list[Operation]:
    return sorted((shown(queue, one.operation) for one in reply.answers), key=_start, reverse=True)


_start = attrgetter("started_at", "id")


def _unknown(id: str) -> UnknownOperation:
    return UnknownOperation(f"operation {id} is not known: it never was, or is no longer kept")
