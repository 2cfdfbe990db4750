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
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from declared_keys import SCRIPTS
from rig.chaos import payloads
from rig.chaos.history import History

from boltq.address import Address
from boltq.call import Call
from boltq.errors import BoltQError
from boltq.evalsha import Server

R = TypeVar("R")

# Of the items that a call has, how many of their first members are noted.
NOTED = {
    "enqueue": 1,
    "ack": 2,
    "fail": 2,
    "release": 2,
    "extend": 2,
    "cancel": 1,
    "replay": 1,
    "purge": 1,
}


def _shape(verb: str) -> tuple[int, int, int, int]:
    """How many arguments stand before the items, and how many each takes; then of the reply."""
    script = SCRIPTS[verb]
    taken, [reply] = script["each"], [each for each in script["replies"] if each["width"]]
    return (
        len(script["arguments"]),
        len(taken["fields"]) if taken else 0,
        1 + len(reply["fields"]),
        reply["width"],
    )


SHAPES = {verb: _shape(verb) for verb in (*NOTED, "claim")}


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
            words = (word.split("=") for word in str(call.argv[0]).split())
            told = {name: json.loads(value) for name, value in words}
        elif verb == "configure":
            told = {str(name): _text(value) for name, value in _pairs(call.argv)}
        if verb in NOTED:
            first, width, _, _ = SHAPES[verb]
            starts = range(first, len(call.argv), width)
            items = [list(call.argv[at : at + NOTED[verb]]) for at in starts]
        elif verb not in ("claim", "configure"):
            return n
        self._history.write(
            "sent", self._name, n=n, verb=verb, queue=call.queue, items=items, told=told
        )
        return n

    def _told(self, n: int, call: Call[Any], reply: Any, tries: int) -> None:
        verb = call.script
        if verb not in SHAPES and verb != "configure":
            return
        items: list[list[Any]] = []
        word, now_ms = "", 0
        if isinstance(reply, BoltQError):
            word = reply.word
        else:
            word, now_ms = reply[0].decode(), reply[1] if isinstance(reply[1], int) else 0
            if word == "CLAIMED" or verb in NOTED:
                _, _, first, width = SHAPES[verb]
                starts = range(first, len(reply), width)
                items = [_answer(verb, reply[at : at + width]) for at in starts]
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


def _answer(verb: str, item: list[Any]) -> list[Any]:
    if verb == "claim":
        return _claimed(item)
    word = item[0].decode()
    return [word, int(item[1])] if verb == "extend" and word == "HELD" else [word]


def _claimed(item: list[Any]) -> list[Any]:
    _, id, _, _, payload, attempt, failures, lost, fence, end_ms = item[:10]
    whole = int(payloads.is_whole(id.decode(), payload))
    return [id.decode(), int(fence), int(attempt), int(failures), int(lost), int(end_ms), whole]


def _pairs(argv: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(argv[::2], argv[1::2], strict=True))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
