"""A scratch server that notes what is enqueued on its way there."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from boltq import scripts
from boltq.address import Address
from boltq.call import Call
from boltq.evalsha.ahead import Ahead
from boltq.evalsha.scratch import ScratchServer

R = TypeVar("R")

_ITEM = len(scripts.EnqueueItem._fields)


class Noted(NamedTuple):
    """A job that was new when it was enqueued; `id` is the one inside its queue."""

    queue: str
    id: str
    type: str
    payload: bytes


class NotingServer(ScratchServer):
    """Notes each job that this process enqueues, in order, which the queues do not keep for ever.

    They forget when it has ended: its place in line at once, a large payload and at last the job.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self.noted: list[Noted] = []

    def call(self, call: Call[R]) -> R:
        """Run a script, as every server does."""
        answer = super().call(call)
        self._note(call, answer)
        return answer

    def begin(self, call: Call[R]) -> Ahead[R]:
        """Prepare a call, which is sent when its answer is wanted."""
        return Ahead(None, call, self.packed, again=lambda: self.call(call))

    def call_all(self, calls: Sequence[Call[Any]]) -> list[Any]:
        """Run several scripts, as every server does."""
        answers = super().call_all(calls)
        for call, answer in zip(calls, answers, strict=True):
            self._note(call, answer)
        return answers

    def _note(self, call: Call[Any], answer: object) -> None:
        if not isinstance(answer, scripts.Enqueued):
            return
        sent: list[Any] = list(call.argv[-_ITEM * len(answer.answers) :])
        for nth, one in enumerate(answer.answers):
            if isinstance(one, scripts.EnqueueCreated):
                item = scripts.EnqueueItem(*sent[_ITEM * nth : _ITEM * (nth + 1)])
                self.noted.append(Noted(call.queue, one.id, item.type, item.payload))
