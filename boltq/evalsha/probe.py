"""What a look at a queue needs beyond its scripts: the user's rights, and the queue's own clock."""

from functools import partial
from typing import Any

from boltq.errors import Corrupt, NotAllowed, ServerFull
from boltq.evalsha.connect import connect
from boltq.evalsha.scratch import STAMPS_A_MS
from boltq.evalsha.server import SCHEMA, Server

EPOCH_MS = 1_735_689_600_000
"""2025-01-01, where stamps begin."""

HARMLESS = (
    ("HDEL", "settings", "-"),
    ("HSET", "stats", "one", "more", "odd"),  # refused for its number of arguments
    ("HINCRBY", "stats", "-", "none"),  # refused, since that is no number
    ("ZADD", "queued", "XX", "0", "-"),
    ("ZREM", "queued", "-"),
    ("ZREMRANGEBYRANK", "queued", "1", "0"),
    ("ZREMRANGEBYSCORE", "queued", "(0", "(0"),
)
"""The commands by which scripts write, all but RPUSH, in a form that changes nothing: no member and
no field is called `-`. Whether the user may send one is looked at before all else."""


class Probe:
    """A connection of its own for looking at queues. It changes nothing."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._redis = connect(server.address, timeout_seconds=5.0)

    def forbidden_writes(self, queue: str) -> list[str]:
        """Name the commands that scripts write by, and that this user may not send."""
        found = []
        for command, part, *rest in HARMLESS:
            try:
                self._send(command, queue, part, *rest)
            except NotAllowed:
                found.append(command)
            except (Corrupt, ServerFull):
                pass  # refused for another reason: so he may send it
        return found

    def stamp_ms(self, queue: str) -> int:
        """Tell the time of the last stamp that a queue has given out; 0 if there is none."""
        stamp = self._send("HGET", queue, "stats", "stamp") or b""
        return EPOCH_MS + int(stamp) // STAMPS_A_MS if stamp.isdigit() else 0

    def _send(self, command: str, queue: str, part: str, *rest: str) -> Any:
        key = f"{self._server.prefix}{SCHEMA}:{{{queue}}}:{part}"
        return self._server.patiently(partial(self._redis.execute_command, command, key, *rest))

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()
