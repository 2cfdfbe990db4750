"""Plain commands beside the scripts: for measuring, on queues that nobody else has."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from boltq.evalsha.connect import ROAD_ERRORS, bare
from boltq.evalsha.exchange import exchange
from boltq.evalsha.packing import packed
from boltq.evalsha.server import _MANIFEST, SCHEMA, Server

PARTS = tuple(sorted({part for script in _MANIFEST.values() for part in script["keys"]}))
"""The parts of a queue: all keys that a script may make."""

NO_OP = "#!lua\nreturn 0\n"

MEMORY_SAMPLES = "1000"
"""Entries of a key that the server weighs: all alike here, and bounded in its time."""

LOOK_SECONDS, MOST_LOOKS = 0.01, 100

_LOOKING = ("info", "ping", "client", "hello", "auth", "select", "script", "memory")
"""Commands of a connection, and of looking at a server: no work of ours."""


class Counters(NamedTuple):
    """What a server has done since it started, or between two looks at it.

    calls: command -> how often, those that scripts called among them. us: command -> microseconds
    in it, those of a script also in the commands that it called. cpu_us: microseconds of processor
    of the whole process, its threads too. reads: how often it read what a client had sent, about
    one for each round trip. Commands by which a server is looked at are left out.
    """

    calls: dict[str, int]
    us: dict[str, float]
    cpu_us: float
    reads: int

    def since(self, before: "Counters") -> "Counters":
        """Tell what came on top of an earlier look."""
        return Counters(
            {name: n - before.calls.get(name, 0) for name, n in self.calls.items()},
            {name: us - before.us.get(name, 0) for name, us in self.us.items()},
            self.cpu_us - before.cpu_us,
            self.reads - before.reads - 1,  # which is the later look itself
        )

    @property
    def scripts_us(self) -> float:
        """Microseconds in scripts."""
        return self.us.get("evalsha", 0)

    @property
    def in_scripts(self) -> int:
        """How many commands scripts called, if nobody sent any himself."""
        return sum(self.calls.values()) - self.calls.get("evalsha", 0)


class PlainServer(Server):
    """A Redis or Valkey that is sent commands beside the scripts, too.

    All that it writes or deletes lies under the queue that it is told; see `Server`.
    """

    _bare: Any = None

    def plain(self, queue: str, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Send commands on a queue's keys in one round trip; raises if one is refused."""
        try:
            replies = exchange(self._node(queue), [packed(*command) for command in commands])
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        except ROAD_ERRORS as problem:
            raise self._named(problem) from problem
        return replies

    def key(self, queue: str, part: str) -> str:
        """Name a key of a queue."""
        return f"{self.prefix}{SCHEMA}:{{{queue}}}:{part}"

    def holds(self, queue: str) -> bool:
        """Whether the server has any key of a queue."""
        return any(self.plain(queue, [("EXISTS", self.key(queue, part)) for part in PARTS]))

    def bytes_by_part(self, queue: str) -> dict[str, int]:
        """Tell how much memory each key of a queue takes; those that are missing are left out."""
        commands = [
            ("MEMORY", "USAGE", self.key(queue, part), "SAMPLES", MEMORY_SAMPLES) for part in PARTS
        ]
        found = zip(PARTS, self.plain(queue, commands), strict=True)
        return {part: size for part, size in found if size}

    def forget(self, queue: str) -> None:
        """Delete all keys of a queue, and what tells people of it."""
        self.plain(queue, [("UNLINK", self.key(queue, part)) for part in PARTS])
        self.registry.forget_queue(queue)

    def counters(self, queue: str) -> Counters:
        """Look at what the node of a queue has done so far. Costs the node about 100 us."""
        found = self._info(queue, "commandstats", "cpu", "stats")
        told = {
            name.removeprefix("cmdstat_"): stat
            for name, stat in found.items()
            if name.startswith("cmdstat_")
        }
        work = {name: stat for name, stat in told.items() if not name.startswith(_LOOKING)}
        return Counters(
            {name: stat["calls"] for name, stat in work.items()},
            {name: stat["usec"] for name, stat in work.items()},
            (found["used_cpu_user"] + found["used_cpu_sys"]) * 1e6,
            found["total_reads_processed"],
        )

    def version(self, queue: str) -> tuple[str, str]:
        """Tell whether the node of a queue is `redis` or `valkey`, and its version."""
        told = self._info(queue, "server")
        if "valkey_version" in told:
            return "valkey", told["valkey_version"]
        return "redis", told["redis_version"]

    def memory_bytes(self, queue: str) -> int:
        """Tell how much memory the node of a queue has in use, once it has freed what it let go."""
        told = self._info(queue, "memory")
        for _ in range(MOST_LOOKS):
            if not told.get("lazyfree_pending_objects", 0):
                break
            time.sleep(LOOK_SECONDS)
            told = self._info(queue, "memory")
        return int(told["used_memory"])

    def no_op(self, queue: str) -> Callable[[], object]:
        """Load a script that does nothing; returns what runs it by redis-py's own means.

        It is the least that a call of a script costs there, over a connection and a pool as
        redis-py has them.
        """
        key = self.key(queue, "jobs")
        try:
            if self._bare is None:
                self._bare = bare(self.address, timeout_seconds=5.0)
            node = self._bare
            if self.address.kind == "cluster":
                node = node.get_redis_connection(node.get_node_from_key(key))
            sha = node.script_load(NO_OP)
        except ROAD_ERRORS as problem:
            raise self._named(problem) from problem

        def run() -> object:
            try:
                return node.evalsha(sha, 1, key)
            except ROAD_ERRORS as problem:
                raise self._named(problem) from problem

        return run

    def close(self) -> None:
        """Close the connections."""
        if self._bare is not None:
            self._bare.close()
        super().close()

    def _info(self, queue: str, *sections: str) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", self._node(queue).info(*sections))
        except ROAD_ERRORS as problem:
            raise self._named(problem) from problem

    def _node(self, queue: str) -> Any:
        if self.address.kind != "cluster":
            return self._redis
        node = self._redis.get_node_from_key(self.key(queue, "jobs"))
        return self._redis.get_redis_connection(node)
