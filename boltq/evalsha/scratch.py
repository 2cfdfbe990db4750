"""A server for one test: keys of its own, time that can be moved, and at last nothing left."""

from collections.abc import Sequence

from boltq import ids
from boltq.address import Address
from boltq.evalsha.connect import ROAD_ERRORS
from boltq.evalsha.server import SCHEMA, Server

TIMED = (
    "queued",  # by the time at which each was queued: so that what falls due stays behind it
    "scheduled",
    "retrying",
    "running",
    "claim_ends",
    "completed",
    "cancelled",
    "dead",
)
"""The sets of a queue whose scores are made of times."""

STAMPS_A_MS = 512

_NEARER = """#!lua
for _, key in ipairs(KEYS) do
  for _, member in ipairs(redis.call("ZRANGE", key, "0", "-1")) do
    redis.call("ZINCRBY", key, ARGV[1], member)
  end
end
return 0
"""

_FORGET = """#!lua
for _, key in ipairs(redis.call("KEYS", ARGV[1] .. "*")) do redis.call("UNLINK", key) end
return 0
"""


class ScratchServer(Server):
    """A Redis or Valkey under a prefix that nobody else has.

    What it does to keys beside the scripts can touch no others: it makes the prefix itself, at
    random. A single server, no cluster: its keys are of several queues.
    """

    def __init__(self, address: Address) -> None:
        """Prepare the connections; see `Server` for the address."""
        super().__init__(address, prefix=f"boltq-scratch-{ids.new_token()}-")

    def advance(self, queues: Sequence[str], ms: int) -> None:
        """Let time pass in these queues: all that waits for a time comes nearer by so much.

        ms: from 1. Done whole or not at all, and exactly: scores are integers below 2^53. What was
        written down of the past stays: when a job was made, started, failed or ended.
        Costs O(n log n), n = jobs.
        """
        begin = f"{self.prefix}{SCHEMA}"
        keys = [f"{begin}:{{{queue}}}:{part}" for queue in queues for part in TIMED]
        by = f"-{ms * STAMPS_A_MS}"
        try:  # once: asked again, time would pass twice
            self._redis.eval(_NEARER, len(keys), *keys, by)
        except ROAD_ERRORS as problem:
            raise self._named(problem) from problem

    def forget(self) -> None:
        """Delete all keys under the prefix. Costs O(n), n = keys of the whole server."""
        self.patiently(lambda: self._redis.eval(_FORGET, 0, self.prefix))
