"""The raw keys of one queue, read by rules of their own, never by the parts of lua/ under test."""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

import redis
from declared_keys import DeclaredKeysOnly
from servers import TestServer

from boltq import address
from boltq.evalsha import Server

PARTS = {
    "jobs": "hash",
    "payloads": "hash",
    "queued": "zset",
    "scheduled": "zset",
    "retrying": "zset",
    "running": "zset",
    "leases": "hash",
    "claims": "hash",
    "claim_ends": "zset",
    "completed": "zset",
    "cancelled": "zset",
    "dead": "zset",
    "outcomes": "hash",
    "tries": "hash",
    "stats": "hash",
    "settings": "hash",
    "bell": "list",
    "operations": "hash",
    "notes": "hash",
    "series": "hash",
    "events": "stream",
}
BY_THE_MINUTE = "series"  # which the first call of a minute writes, whatever it is there for
STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")
PRIORITY_STEP = 2**49  # between the scores of two priorities in `queued`
EPOCH_MS = 1_735_689_600_000  # 2025-01-01, where stamps begin
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


class Lease(NamedTuple):
    token: str
    retention: str
    fence: int
    attempt: int
    claimed_ms: int
    place: int
    cancel: int
    worker: str


class Tries(NamedTuple):
    failures: int
    lost: int
    failures_ever: int
    lost_ever: int
    token: str
    how: str
    errors: list[dict[str, Any]]


class Outcome(NamedTuple):
    how: str
    at_ms: int
    token: str  # this and the next: of the lease under which it ended; - and 0 where none was held
    claimed_ms: int
    attempt: int
    worker: str
    result: bytes


class Roads(NamedTuple):
    """The connections to a server: BoltQ's own, and one for raw keys."""

    boltq: Server
    raw: Any

    @classmethod
    def to(cls, server: TestServer) -> "Roads":
        if server.kind == "acl":
            return cls(DeclaredKeysOnly(server), server.raw())
        return cls(Server(address.parse(server.address)), server.raw())


class QueueKeys:
    """The keys of a queue on a real server: looked at, and moved in time."""

    def __init__(self, server: TestServer, name: str, roads: Roads | None = None) -> None:
        self.name = name
        self.server, self.raw = roads or Roads.to(server)

    def key(self, part: str) -> str:
        return f"boltq1:{{{self.name}}}:{part}"

    def keys(self) -> set[str]:
        """Every key that the server holds of this queue, declared or not."""
        # redis-py asks one node of a cluster, whichever has its turn.
        cluster = isinstance(self.raw, redis.RedisCluster)
        where = {"target_nodes": self.raw.get_node_from_key(self.key("jobs"))} if cluster else {}
        return {key.decode() for key in self.raw.keys(self.key("*"), **where)}

    def read(self, part: str) -> Any:
        """What a key holds, whatever its type: scores as int, values as bytes; None if missing."""
        return self._read([part])[part]

    def dump(self) -> dict[str, Any]:
        """All that is kept of the queue but its series: {part: content}, no part that is empty."""
        held = self._read([part for part in PARTS if part != BY_THE_MINUTE])
        return {part: content for part, content in held.items() if content is not None}

    def _read(self, parts: Collection[str]) -> dict[str, Any]:
        types, reads = self.raw.pipeline(transaction=False), self.raw.pipeline(transaction=False)
        for part in parts:
            types.type(self.key(part))
        kinds = [kind.decode() for kind in types.execute()]
        for part, kind in zip(parts, kinds, strict=True):
            key = self.key(part)
            match kind:
                case "hash":
                    reads.hgetall(key)
                case "zset":
                    reads.zrange(key, 0, -1, withscores=True)
                case "list":
                    reads.lrange(key, 0, -1)
                case "stream":
                    reads.xrange(key)
                case "set":
                    reads.smembers(key)
                case _:
                    reads.get(key)
        found = zip(parts, kinds, reads.execute(), strict=True)
        return {part: _readable(kind, content) for part, kind, content in found}

    def order(self, part: str) -> list[str]:
        """The ids of a set, lowest score first."""
        return list(self.read(part) or ())

    def states(self, id: str) -> list[str]:
        """The sets that hold the job; exactly one for each job that is kept."""
        return [state for state in STATES if id in (self.read(state) or ())]

    def header(self, id: str) -> dict[str, Any]:
        line: bytes = self.read("jobs")[id].split(b"\n", 1)[0]
        found: dict[str, Any] = json.loads(line)
        return found

    def lease(self, id: str) -> Lease | None:
        found = (self.read("leases") or {}).get(id)
        if found is None:
            return None
        return _lease(found)

    def tries(self, id: str) -> Tries | None:
        found = (self.read("tries") or {}).get(id)
        if found is None:
            return None
        first, *lines = found.decode("utf-8", "surrogateescape").split("\n")
        *counts, token, how = first.split(" ")
        return Tries(*map(int, counts), token, how, [json.loads(line) for line in lines[:-1]])

    def outcome(self, id: str) -> Outcome | None:
        found = (self.read("outcomes") or {}).get(id)
        if found is None:
            return None
        first, result = found.split(b"\n", 1)
        how, at_ms, text = first.split(b" ", 2)
        lease = _lease(text)
        held = (lease.token, lease.claimed_ms, lease.attempt, lease.worker)
        return Outcome(how.decode(), int(at_ms), *held, result)

    def stat(self, name: str) -> int:
        return int((self.read("stats") or {}).get(name, 0))

    def bell(self) -> int:
        """How often the bell waits to be heard: 0 or 1."""
        return self.raw.llen(self.key("bell"))

    def silence(self) -> None:
        """Hear the bell, so that the next ring shows."""
        self.raw.delete(self.key("bell"))

    # --- time

    def make_due(self, part: str, *ids: str) -> None:
        """Let the time come: the end of a lease, of a delay, of being kept."""
        for id in ids:
            assert self.raw.zscore(self.key(part), id) is not None
            self.raw.zadd(self.key(part), {id: 0})

    def now_ms(self) -> int:
        return self.server.now_ms()

    def forget(self) -> None:
        """Delete the queue's keys; fails if any of them is none that is declared."""
        undeclared = self.keys() - {self.key(part) for part in PARTS}
        self.raw.delete(*(self.key(part) for part in PARTS))
        assert not undeclared


def _readable(kind: str, content: Any) -> Any:
    if kind == "hash":
        return {field.decode(): value for field, value in content.items()}
    if kind == "zset":
        return {member.decode(): int(score) for member, score in content}
    return content


def _lease(text: bytes) -> Lease:
    token, retention, *numbers, worker = text.decode().split(" ", 8)
    lease_ms, first_end, attempt, claimed_ms, place, cancel = map(int, numbers)
    fence = first_end - lease_ms * 512
    return Lease(token, retention, fence, attempt, claimed_ms, place, cancel, worker)


def stamp_of(ms: int) -> int:
    """The first stamp of a millisecond: 512 of them each, since 2025."""
    return (ms - EPOCH_MS) * 512
