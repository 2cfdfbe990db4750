"""Calls of scripts on one server.

A call travels as EVALSHA. The client library's own retries are switched off, since redis-py would
run one script up to 11 times; the loop here sends the same request again, with the same ids and
tokens, which every script answers as if it had been sent once.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, TypeVar, cast

from redis import exceptions as refused

from boltq.address import Address
from boltq.call import Call
from boltq.errors import BoltQError, Unavailable
from boltq.evalsha.ahead import Ahead
from boltq.evalsha.connect import ROAD_ERRORS, connect, leave_replica, named
from boltq.evalsha.exchange import exchange
from boltq.evalsha.lookout import Lookout
from boltq.evalsha.packing import Head, after, head
from boltq.evalsha.registry import Registry

R = TypeVar("R")

SCHEMA = 1
"""The number in every key; an incompatible layout becomes 2, and both drain side by side."""

MOST_HEADS = 10_000
"""The beginnings of commands that are kept, some 500 bytes each: one a script and queue."""

_MANIFEST = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["scripts"]


def sources() -> dict[str, str]:
    """Give the complete text of every script, by its name."""
    return {name: script["source"] for name, script in _MANIFEST.items()}


class Server:
    """One Redis or Valkey: a single server, a Sentinel's master or a cluster. Safe for threads."""

    def __init__(
        self, address: Address, *, prefix: str = "boltq", patience_seconds: float = 10.0
    ) -> None:
        """Prepare the connections; the first call opens one.

        address: where the server is, see `boltq.address.parse`.
        prefix: what the keys begin with; no braces.
        patience_seconds: for how long a call that found no server is sent again.
        """
        self.address = address
        self.prefix = prefix
        self.patience_seconds = patience_seconds
        self._redis = connect(address, timeout_seconds=5.0)
        self._lookout = Lookout()
        self._heads: dict[tuple[str, str], Head] = {}
        self.registry = Registry(self._redis, f"{prefix}{SCHEMA}", self.patiently)

    def call(self, call: Call[R]) -> R:
        """Run a script and return what it answered.

        Raises the refusal's exception, or Unavailable if there was no answer within the patience:
        then it is unknown whether the script ran.
        """
        return call.parse(self.patiently(partial(self._once, call)))

    def begin(self, call: Call[R]) -> Ahead[R]:
        """Send a script's call, and return what waits for its answer.

        One of a cluster is sent only then. Raises nothing: the answer raises what `call` raises.
        """
        return Ahead(
            None if self.address.kind == "cluster" else self._redis,
            call,
            self.packed,
            again=lambda: self.call(call),
        )

    def call_all(self, calls: Sequence[Call[Any]]) -> list[Any]:
        """Run several scripts in one round trip; an answer that is a refusal stands in its place.

        The calls must not depend on each other: one that is refused stops none of the rest, nor
        does a node of a cluster that is away, whose calls have Unavailable in theirs. It is raised
        if it is all that there is to say.
        """
        replies: list[object] = [None] * len(calls)
        unheard = list(range(len(calls)))

        def attempt() -> None:
            answers = self._pipeline([calls[n] for n in unheard])
            for n, answer in zip(list(unheard), answers, strict=True):
                replies[n] = answer
                if not self._is_away(answer):
                    unheard.remove(n)
            if unheard:
                raise cast("Exception", replies[unheard[0]])

        try:
            self.patiently(attempt)
        except Unavailable:
            if len(unheard) == len(calls):
                raise
        return [
            self._named(reply) if isinstance(reply, Exception) else _read(call, reply)
            for call, reply in zip(calls, replies, strict=True)
        ]

    def patiently(self, attempt: Callable[[], R]) -> R:
        """Do what is harmless to repeat until it succeeds, or the patience is over."""
        give_up = time.monotonic() + self.patience_seconds
        pause = 0.02
        while True:
            try:
                return attempt()
            except ROAD_ERRORS as problem:
                leave_replica(self._redis, problem)
                error = self._named(problem)
                if not isinstance(error, Unavailable) or time.monotonic() + pause > give_up:
                    raise error from problem
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret, only apart
            pause = min(pause * 2, 1.0)

    def _once(self, call: Call[Any]) -> list[object]:
        try:
            reply = self._send(call)
        except refused.NoScriptError as missing:
            self._load(call.script, missing)
            reply = self._send(call)
        return cast("list[object]", reply)

    def _send(self, call: Call[Any]) -> object:
        if self.address.kind == "cluster":
            return self._redis.execute_command(*self.command(call))
        (reply,) = exchange(self._redis, (self.packed(call),), self._lookout)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _pipeline(self, calls: Sequence[Call[Any]]) -> list[object]:
        in_cluster = self.address.kind == "cluster"
        if in_cluster:
            replies: list[object] = self._redis.send([self.command(call) for call in calls])
        else:
            replies = exchange(self._redis, [self.packed(call) for call in calls])
        for n, reply in enumerate(replies):
            # One by one: where a queue is moved to, and what is missing there, only a try tells.
            if isinstance(reply, refused.NoScriptError | refused.AskError):
                try:
                    replies[n] = self._once(calls[n])
                except ROAD_ERRORS as problem:
                    if not in_cluster:
                        raise
                    replies[n] = problem
        return replies

    def _is_away(self, reply: object) -> bool:
        return isinstance(reply, Exception) and isinstance(self._named(reply), Unavailable)

    def _named(self, problem: Exception) -> BoltQError:
        return named(problem, self.address.shown)

    def command(self, call: Call[Any]) -> tuple[Any, ...]:
        """Return a call as the command that it is: EVALSHA, its keys and arguments."""
        return (*self._head(call).parts, *call.argv)

    def packed(self, call: Call[Any]) -> bytes:
        """Return a call as it travels."""
        return after(self._head(call), call.argv)

    def _head(self, call: Call[Any]) -> Head:
        place = (call.script, call.queue)
        found = self._heads.get(place)
        if found is None:
            if len(self._heads) >= MOST_HEADS:
                self._heads.clear()
            script = _MANIFEST[call.script]
            tag = f"{self.prefix}{SCHEMA}:{{{call.queue}}}:"
            keys = [tag + part for part in script["keys"]]
            found = self._heads[place] = head("EVALSHA", script["sha1"], str(len(keys)), *keys)
        return found

    def _load(self, script: str, missing: Exception) -> None:
        # Not EVAL: Redis 7.4 and later throw out scripts that entered by EVAL.
        source = _MANIFEST[script]["source"]
        if self.address.kind == "cluster":
            self._redis.load(source, missing)
        else:
            self._redis.script_load(source)

    def bell_key(self, queue: str) -> str:
        """Name the list on which a worker of the queue blocks."""
        return f"{self.prefix}{SCHEMA}:{{{queue}}}:bell"

    def now_ms(self) -> int:
        """Ask the server for its time: the only clock by which jobs are timed."""
        seconds, micros = self.patiently(self._redis.time)
        return int(seconds) * 1000 + int(micros) // 1000

    def ping(self) -> None:
        """Return if the server answers now; raise Unavailable or NotAllowed if it does not."""
        try:
            self._redis.ping()
        except ROAD_ERRORS as problem:
            raise self._named(problem) from problem

    def note_queue(self, queue: str, now_ms: int) -> None:
        """Write into the registry that a queue is in use: rarely, and never in the way of work."""
        self.registry.note_queue(queue, now_ms)

    def queues(self) -> list[str]:
        """Name the queues in use, in the order of the alphabet."""
        return self.registry.queues()

    def info(self, section: str) -> dict[str, Any]:
        """Read a section of the server's INFO."""
        return cast("dict[str, Any]", self.patiently(lambda: self._redis.info(section)))

    def another(self, *, patience_seconds: float | None = None) -> "Server":
        """Make the same with connections of its own, for a thread that must not wait for others.

        patience_seconds: as in the constructor; None: the same as here.
        """
        if patience_seconds is None:
            patience_seconds = self.patience_seconds
        return Server(self.address, prefix=self.prefix, patience_seconds=patience_seconds)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._redis.close()


def _read(call: Call[Any], reply: object) -> object:
    try:
        return call.parse(cast("list[object]", reply))
    except BoltQError as refusal:
        return refusal
