"""All names in the keys of a queue, some at a time: what an audit goes through."""

from collections.abc import Iterator
from typing import Any

from boltq.errors import Corrupt
from boltq.evalsha.connect import connect
from boltq.evalsha.server import SCHEMA, Server

HASHES = ("jobs", "payloads", "leases", "tries", "outcomes", "notes", "claims")
SETS = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")
CLAIM_ENDS = "claim_ends"
"""The parts that hold names: fields of hashes, and entries of sorted sets."""

STEP_NAMES = 1000
STEP_BYTES = 1_000_000
"""About how much one step reads; Redis before 7.4 sends the values with the names."""


class Walk:
    """A connection of its own, by which one thread goes through keys. It only reads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._redis = connect(server.address, timeout_seconds=5.0)
        self._names_alone = True

    def names(self, queue: str, part: str) -> Iterator[list[bytes]]:
        """Yield the names in one part of a queue: all that are there from beginning to end.

        What comes or goes meanwhile may be missed, and a name may come twice. A part of the wrong
        type has none. Costs O(names), in steps of about STEP_NAMES and STEP_BYTES.
        """
        key = f"{self._server.prefix}{SCHEMA}:{{{queue}}}:{part}"
        step = self._fields if part in HASHES else self._entries
        # Small at first: nobody knows yet how large the values are.
        cursor, most = 0, 10
        while True:
            try:
                cursor, names, most = step(key, cursor, most)
            except Corrupt:
                return
            yield names
            if cursor == 0:
                return

    def _fields(self, key: str, cursor: int, most: int) -> tuple[int, list[bytes], int]:
        if self._names_alone:
            try:
                found = self._scan("hscan", key, cursor, STEP_NAMES, no_values=True)
                return found[0], list(found[1]), most
            except Corrupt as refusal:
                if "WRONGTYPE" in str(refusal):
                    raise
                self._names_alone = False
        found = self._scan("hscan", key, cursor, most)
        fields: dict[bytes, bytes] = found[1]
        size = sum(map(len, fields.values())) + 1
        return found[0], list(fields), max(1, min(2 * most, STEP_NAMES, most * STEP_BYTES // size))

    def _entries(self, key: str, cursor: int, most: int) -> tuple[int, list[bytes], int]:
        found = self._scan("zscan", key, cursor, STEP_NAMES)
        return found[0], [name for name, _ in found[1]], most

    def _scan(self, command: str, key: str, cursor: int, most: int, **options: bool) -> Any:
        scan = getattr(self._redis, command)
        return self._server.patiently(lambda: scan(key, cursor=cursor, count=most, **options))

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()
