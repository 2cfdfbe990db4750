"""A road to a server on which each call of a script and its answer go into the history.

What an event's `items` hold, by verb:

    sent   ack fail release extend   id, token          told   word, lease_end_ms of extend
           enqueue                   id                        word
           cancel replay purge       id                        word
           claim                     nothing                   id, fence, attempt, failures, lost,
                                                               lease_end_ms, 1: its payload is whole

What was sent more than once, because there was no answer, has `tries`: it may have been carried out
before the one that was answered.
"""

import itertools
from collections.abc import Sequence
from typing import Any, TypeVar

from rig.chaos import payloads
from rig.chaos.history import History

from boltq.address import Address
from boltq.call import Call
from boltq.errors import BoltQError
from boltq.evalsha import Server

R = TypeVar("R")

# Of the arguments: how many stand first, how many each item has, and which of these are noted.
ITEMS = {
    "enqueue": (10, 4, 1),
    "ack": (0, 3, 2),
    "fail": (0, 7, 2),
    "release": (0, 3, 2),
    "extend": (1, 2, 2),
    "cancel": (0, 1, 1),
    "replay": (2, 1, 1),
    "purge": (3, 1, 1),
}
# Of a reply: how many elements stand first, and how many each item has.
ANSWERS = {
    "enqueue": (2, 2),
    "ack": (2, 1),
    "fail": (2, 2),
    "release": (2, 1),
    "extend": (2, 3),
    "cancel": (2, 2),
    "replay": (4, 2),
    "purge": (4, 1),
}
CLAIM_WIDTH = 10


class RecordedServer(Server):
    """A server whose calls are written down; those that only look are not."""

    def __init__(self, address: Address, history: History, name: str, **options: Any) -> None:
        super().__init__(address, **options)
        self._history, self._name = history, name
        self._numbers, self._others = itertools.count(1), itertools.count(1)

    def another(self, *, patience_seconds: float | None = None) -> "RecordedServer":
        return RecordedServer(
            self.address,
            self._history,
            f"{self._name}.{next(self._others)}",
            prefix=self.prefix,
            patience_seconds=self.patience_seconds
            if patience_seconds is None
            else patience_seconds,
        )

    def call(self, call: Call[R]) -> R:
        n, tries = self._sent(call), itertools.count()
        try:
            reply = self.patiently(lambda: (next(tries), self._once(call))[1])
        except BoltQError as problem:
            self._told(n, call, problem, next(tries))
            raise
        self._told(n, call, reply, next(tries))
        return call.parse(reply)

    def call_all(self, calls: Sequence[Call[Any]]) -> list[Any]:
        numbers, tries = [self._sent(call) for call in calls], itertools.count()
        try:
            replies = self.patiently(lambda: (next(tries), self._pipeline(calls))[1])
        except BoltQError as problem:
            times = next(tries)
            for n, call in zip(numbers, calls, strict=True):
                self._told(n, call, problem, times)
            raise
        times = next(tries)
        for n, call, reply in zip(numbers, calls, replies, strict=True):
            answer = self._named(reply) if isinstance(reply, Exception) else reply
            self._told(n, call, answer, times)
        return [
            self._named(reply) if isinstance(reply, Exception) else call.parse(reply)
            for call, reply in zip(calls, replies, strict=True)
        ]

    def _sent(self, call: Call[Any]) -> int:
        n, verb, told = next(self._numbers), call.script, {}
        items: list[list[Any]] = []
        if verb == "claim":
            told = {"token": call.argv[0], "limit": call.argv[3]}
        elif verb == "enqueue":
            names = ("priority", "delay_ms", "max_attempts", "max_lost")
            told = {name: call.argv[at] for at, name in enumerate(names) if call.argv[at] != ""}
        elif verb == "configure":
            told = {str(name): _text(value) for name, value in _pairs(call.argv)}
        if verb in ITEMS:
            first, width, noted = ITEMS[verb]
            starts = range(first, len(call.argv), width)
            items = [list(call.argv[at : at + noted]) for at in starts]
        elif verb not in ("claim", "configure"):
            return n
        self._history.write(
            "sent", self._name, n=n, verb=verb, queue=call.queue, items=items, told=told
        )
        return n

    def _told(self, n: int, call: Call[Any], reply: Any, tries: int) -> None:
        verb = call.script
        if verb not in ITEMS and verb not in ("claim", "configure"):
            return
        items: list[list[Any]] = []
        word, now_ms = "", 0
        if isinstance(reply, BoltQError):
            word = reply.word
        else:
            word, now_ms = reply[0].decode(), reply[1] if isinstance(reply[1], int) else 0
            if word == "CLAIMED":
                items = [_claimed(reply[at : at + CLAIM_WIDTH]) for at in _starts(reply)]
            elif verb in ANSWERS:
                first, width = ANSWERS[verb]
                items = [_answer(verb, reply[at:]) for at in range(first, len(reply), width)]
        told = {"tries": tries} if tries > 1 else {}
        self._history.write(
            "told",
            self._name,
            n=n,
            verb=verb,
            queue=call.queue,
            word=word,
            now_ms=now_ms,
            items=items,
            told=told,
        )


def _starts(reply: list[Any]) -> range:
    return range(3, len(reply), CLAIM_WIDTH)


def _claimed(item: list[Any]) -> list[Any]:
    _, id, _, _, payload, attempt, failures, lost, fence, end_ms = item
    whole = int(payloads.is_whole(id.decode(), payload))
    return [id.decode(), int(fence), int(attempt), int(failures), int(lost), int(end_ms), whole]


def _answer(verb: str, rest: list[Any]) -> list[Any]:
    word = rest[0].decode()
    return [word, int(rest[1])] if verb == "extend" and word == "HELD" else [word]


def _pairs(argv: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(argv[::2], argv[1::2], strict=True))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
