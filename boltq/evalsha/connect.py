"""Connections to Redis and Valkey, and BoltQ's names for what goes wrong on them."""

from typing import Any

import redis
from redis import exceptions as refused
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from boltq.address import Address
from boltq.errors import BadArgument, BoltQError, Corrupt, NotAllowed, ServerFull, Unavailable
from boltq.evalsha.whole import make_whole

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


_DENIED = ("NOAUTH", "WRONGPASS", "NOPERM")
_DENIED_IN_SCRIPT = ("ACL failure in script", "executing the script can't")
"""How servers say that the user may not do this, and that he may not do what a script does."""


def connect(address: Address, *, timeout_seconds: float) -> Any:
    """Open a client of redis-py, which has no type of its own for all three kinds.

    timeout_seconds: how long an answer may take.
    """
    client = _client(address, timeout_seconds)
    make_whole(client)
    return client


def _client(address: Address, timeout_seconds: float) -> Any:
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
        return RedisCluster(startup_nodes=nodes, **shared)
    if address.kind == "sentinel":
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            list(address.hosts), socket_timeout=2.0, retry=once
        )
        name = address.master_name or ""
        return sentinel.master_for(name, db=address.db, **shared)  # type: ignore[no-untyped-call]
    host, port = address.hosts[0]
    return redis.Redis(host=host, port=port, db=address.db, **shared)


def named(problem: Exception, shown: str) -> BoltQError:
    """Give an error of the road its BoltQ name, and its sentence the server it speaks of."""
    said = str(problem)
    # Of the words that it knows redis-py keeps the sentence alone.
    word = getattr(problem, "status_code", None) or said.split(" ", 1)[0]
    denied = isinstance(problem, refused.AuthenticationError | refused.NoPermissionError)
    if denied or word in _DENIED or any(text in said for text in _DENIED_IN_SCRIPT):
        return NotAllowed(f"Redis at {shown} refused: {said}")
    if isinstance(problem, refused.DataError):
        return BadArgument(f"an argument is neither text, bytes nor a number: {said}")
    if isinstance(problem, refused.OutOfMemoryError) or word == "OOM":
        return ServerFull(f"Redis at {shown} is full: it takes no new jobs until some have gone")
    passing = isinstance(problem, refused.ConnectionError | refused.TimeoutError | OSError)
    if passing or isinstance(problem, refused.RedisClusterException) or word in _PASSING:
        return Unavailable(f"Redis at {shown} does not answer: {said}")
    return Corrupt(f"Redis at {shown} could not run a script: {said}")
