"""The floor: the moves of a job's life with plain commands in a pipeline, and no promise.

A hash for jobs, a sorted set for each state, no check, no token, no time, nothing trimmed; a crash
between two commands loses the job. Nothing that keeps jobs in such keys can be much faster.
"""

from typing import Any

from boltq import ids
from boltq.bench.moves import RAW
from boltq.evalsha.plain import PlainServer


class Floor:
    """A queue of plain commands, under the keys of a queue of ours."""

    def __init__(self, server: PlainServer, queue: str) -> None:
        self._server = server
        self._queue = queue
        parts = ("jobs", "queued", "running", "leases", "completed")
        self._jobs, self._queued, self._running, self._leases, self._completed = (
            server.key(queue, part) for part in parts
        )
        self._now = 0

    def enqueue(self, size: int) -> None:
        """Add jobs, in one round trip."""
        commands: list[tuple[Any, ...]] = []
        for id in ids.new_ids(size):
            self._now += 1
            commands.append(("HSETNX", self._jobs, id, RAW))
            commands.append(("ZADD", self._queued, self._now, id))
        self._send(commands)

    def claim(self, size: int) -> list[bytes]:
        """Take jobs, in two round trips: which they are is known after the first."""
        (popped,) = self._send([("ZPOPMIN", self._queued, size)])
        found: list[bytes] = popped[::2]
        if found:
            token = ids.new_token()
            leases = [part for id in found for part in (id, token)]
            ends = [part for id in found for part in (self._now, id)]
            self._send(
                [
                    ("HMGET", self._jobs, *found),
                    ("HSET", self._leases, *leases),
                    ("ZADD", self._running, *ends),
                ]
            )
        return found

    def ack(self, found: list[bytes]) -> None:
        """Complete jobs, in one round trip; they are kept."""
        ends = [part for id in found for part in (self._now, id)]
        self._send(
            [
                ("ZREM", self._running, *found),
                ("HDEL", self._leases, *found),
                ("ZADD", self._completed, *ends),
            ]
        )

    def _send(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        return self._server.plain(self._queue, commands)
