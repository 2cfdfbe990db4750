"""Connections to Redis and Valkey, and BoltQ's names for what goes wrong on them."""

import threading
from collections.abc import Callable
from typing import Any

import redis
from redis import exceptions as refused
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from boltq.address import Address
from boltq.errors import BadArgument, BoltQError, Corrupt, NotAllowed, ServerFull, Unavailable
from boltq.evalsha.cluster import Cluster
from boltq.evalsha.pool import make_lean

ROAD_ERRORS = (refused.RedisError, refused.RedisClusterException, OSError)
"""What redis-py raises; the second, of a cluster that is not found, is none of the first."""

_PASSING = (
    "LOADING",
    "BUSY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "READONLY",
    "NOREPLICAS",
    "MISCONF",
    "UNBLOCKED",
    "NOSCRIPT",  # flushed again between its loading and its call
)
"""First words of Redis' answers that mean: not now, and nothing was done."""


_AWAY = (
    refused.ConnectionError,
    refused.TimeoutError,
    refused.ClusterError,  # sent on too often, by nodes that are handing a slot over
    refused.RedisClusterException,
    OSError,
)

_DENIED = ("NOAUTH", "WRONGPASS", "NOPERM")
_DENIED_IN_SCRIPT = ("ACL failure in script", "executing the script can't")
"""How servers say that the user may not do this, and that he may not do what a script does."""


def connect(address: Address, *, timeout_seconds: float) -> Any:
    """Open a client of redis-py, which has no type of its own for all three kinds.

    timeout_seconds: how long an answer may take.
    """

    def make() -> Any:
        client = bare(address, timeout_seconds=timeout_seconds)
        make_lean(client)
        return client

    return _Late(make) if address.kind == "cluster" else make()


def bare(address: Address, *, timeout_seconds: float) -> Any:
    """Open the same as redis-py has it, with its own pool."""
    once = Retry(NoBackoff(), 0)
    shared: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "protocol": 2,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": 2.0,
        "retry": once,
    }
    if address.kind == "unix":
        return redis.Redis(unix_socket_path=str(address.socket_path), db=address.db, **shared)
    shared["ssl"] = address.tls
    if address.kind == "cluster":
        nodes = [ClusterNode(*host) for host in address.hosts]  # type: ignore[no-untyped-call]
        return Cluster(nodes, **shared)
    if address.kind == "sentinel":
        # Named as theirs: else they keep the library's retries, 3 s for each that is away.
        theirs = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0, "retry": once}
        sentinel = Sentinel(list(address.hosts), sentinel_kwargs=theirs)  # type: ignore[no-untyped-call]
        name = address.master_name or ""
        return sentinel.master_for(name, db=address.db, **shared)  # type: ignore[no-untyped-call]
    host, port = address.hosts[0]
    return redis.Redis(host=host, port=port, db=address.db, **shared)


class _Late:
    """A cluster's client, made when it is first used: redis-py looks for the nodes in making it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


def leave_replica(client: Any, problem: Exception) -> None:
    """Drop the connections to what was the master: by the same name another may be there now."""
    if isinstance(problem, refused.ReadOnlyError) and hasattr(client, "connection_pool"):
        client.connection_pool.disconnect(inuse_connections=False)


def named(problem: Exception, shown: str) -> BoltQError:
    """Give an error of the road its BoltQ name, and its sentence the server it speaks of."""
    said = str(problem)
    # Of the words that redis-py knows, it leaves the word out of what was said.
    word = getattr(problem, "status_code", None) or said.split(" ", 1)[0]
    if isinstance(problem.__cause__, refused.AuthenticationError):
        problem = problem.__cause__  # a cluster is not found where no node lets us in
    denied = isinstance(problem, refused.AuthenticationError | refused.NoPermissionError)
    if denied or word in _DENIED or any(text in said for text in _DENIED_IN_SCRIPT):
        return NotAllowed(f"Redis at {shown} refused: {said}")
    if isinstance(problem, refused.DataError):
        return BadArgument(f"an argument is neither text, bytes nor a number: {said}")
    if isinstance(problem, refused.OutOfMemoryError) or word == "OOM":
        return ServerFull(f"Redis at {shown} is full: it takes no new jobs until some have gone")
    if isinstance(problem, _AWAY) or word in _PASSING:
        return Unavailable(f"Redis at {shown} does not answer: {said}")
    return Corrupt(f"Redis at {shown} could not run a script: {said}")
