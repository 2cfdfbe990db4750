"""Waiting for work: a hint from the server, never the truth."""

from collections.abc import Sequence
from typing import TypeVar, cast

from boltq.call import Call
from boltq.evalsha.connect import ROAD_ERRORS, connect, leave_replica, named
from boltq.evalsha.exchange import exchange
from boltq.evalsha.packing import packed
from boltq.evalsha.server import Server

R = TypeVar("R")

MOST_SECONDS = 2.0
"""The longest block: who waits is to look up now and then."""

BELL_MARGIN_SECONDS = 3.0
"""How much longer than a block on the bells the socket waits before it gives the server up."""


class Bells:
    """A connection of its own on which one thread waits for work.

    `lead_on` tells whether `then` is of use: not once the server has refused to let us wait, until
    it lets us `wait`, which says why not.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._keys: dict[str, str] = {}
        self._queues: Sequence[str] = ()
        self.lead_on = server.address.kind != "cluster"
        self._redis = connect(server.address, timeout_seconds=MOST_SECONDS + BELL_MARGIN_SECONDS)

    def wait(self, queues: Sequence[str], timeout_seconds: float) -> str | None:
        """Block until a bell rings, 2 s at most; returns its queue, or None when none rang.

        At 0 it looks whether one rings, and does not block. A ring is a hint: whoever missed one
        claims when the time comes. Raises Unavailable.
        """
        if queues != self._queues:
            self._keys = {self._server.bell_key(queue): queue for queue in queues}
            self._queues = list(queues)
        keys = self._keys
        in_cluster = self._server.address.kind == "cluster"
        groups = [[key] for key in keys] if in_cluster else [list(keys)]
        try:
            # A server with nothing else to do sees only each 0.1 s whose block is over.
            if timeout_seconds <= 0 and not self._redis.exists(*keys):
                return None
            timeout_seconds = _within(timeout_seconds)
            for group in groups:
                rung = self._redis.blpop(group, timeout=timeout_seconds / len(groups))
                self.lead_on = not in_cluster
                if rung:
                    return keys[cast("tuple[bytes, bytes]", rung)[0].decode()]
        except ROAD_ERRORS as problem:
            leave_replica(self._redis, problem)
            raise named(problem, self._server.address.shown) from problem
        return None

    def then(self, call: Call[R], timeout_seconds: float) -> R:
        """Block until the bell of a call's queue rings, 2 s at most, then make the call.

        Both travel at once, so that nothing goes to and fro between ring and call. Where no answer
        comes, the call may have been made all the same: it must be harmless to repeat. Not in a
        cluster. Raises as `Server.call`.
        """
        bell = self._server.bell_key(call.queue)
        try:
            wait = packed("BLPOP", bell, f"{_within(timeout_seconds):.3f}")
            rung, reply = exchange(self._redis, [wait, self._server.packed(call)])
        except ROAD_ERRORS as problem:
            leave_replica(self._redis, problem)
            raise named(problem, self._server.address.shown) from problem
        if isinstance(rung, Exception):
            self.lead_on = False
        # Refused, it is made once more, with all that tells one refusal from another.
        if isinstance(reply, Exception):
            return self._server.call(call)
        return call.parse(cast("list[object]", reply))

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _within(timeout_seconds: float) -> float:
    """Return the time to block: 0 would be for ever."""
    return max(0.001, min(timeout_seconds, MOST_SECONDS))
