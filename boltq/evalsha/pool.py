"""The connections to one server: those that wait for a call, and how many there may be."""

import os
import weakref
from functools import cache
from typing import Any

from redis.cluster import RedisCluster
from redis.connection import ConnectionPool
from redis.exceptions import MaxConnectionsError

from boltq.evalsha.whole import Whole, whole


class Lean(ConnectionPool):
    """A pool of redis-py that hands connections out by a list alone, and tells nobody of it.

    Theirs costs a third of a call. A connection is in the list, or someone has it. Who was broken
    off, and lost it, has lost nothing else: the collector of garbage closes it, and it counts no
    more.
    """

    _idle: list[Whole]
    _all: weakref.WeakSet[Whole]

    def reset(self) -> None:
        """Begin with none: in a process that was forked, those of its parent are not its own."""
        self._idle = []
        self._all = weakref.WeakSet()
        _pools.add(self)
        super().reset()

    def get_connection(self, *_command: Any, **_options: Any) -> Whole:  # type: ignore[override]
        """Give a connection that is open and idle, the last used first; else open one."""
        while True:
            try:
                connection = self._idle.pop()  # needs no lock, as append
            except IndexError:
                break
            if not connection.has_come():
                return connection
            self._drop(connection)  # its end has come: no answer is owed on it
        connection = self.make_connection()
        try:
            connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            self._drop(connection)
            raise
        return connection

    def make_connection(self) -> Whole:
        """Make one, not yet open; MaxConnectionsError if there are as many as there may be."""
        with self._lock:
            if len(self._all) >= self.max_connections:
                raise MaxConnectionsError("Too many connections")
            connection: Whole = self.connection_class(**self.connection_kwargs)
            self._all.add(connection)
        return connection

    def release(self, connection: Whole) -> None:  # type: ignore[override]
        """Take a connection back; one on which an answer is still to come is closed."""
        if connection.owed or connection.pid != self.pid:
            self._drop(connection)
        else:
            self._idle.append(connection)

    def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - theirs
        """Close the connections that are idle, or all."""
        while True:
            try:
                self._drop(self._idle.pop())
            except IndexError:
                break
        if inuse_connections:
            for connection in self._get_in_use_connections():
                connection.disconnect()

    def _drop(self, connection: Whole) -> None:
        with self._lock:
            self._all.discard(connection)
        connection.disconnect()

    def _get_free_connections(self) -> list[Whole]:
        return list(self._idle)

    def _get_in_use_connections(self) -> set[Whole]:
        with self._lock:
            return set(self._all).difference(self._idle)


_pools: weakref.WeakSet[Lean] = weakref.WeakSet()


def _begin_anew() -> None:
    for pool in list(_pools):
        pool.reset()


# Told by Python: to ask the system at each call for the process that this is costs more.
os.register_at_fork(after_in_child=_begin_anew)


@cache
def _lean(kind: type[Any]) -> type[Any]:
    return type(f"Lean{kind.__name__}", (Lean, kind), {})


def make_lean(client: Any) -> None:
    """Let a client of redis-py have such pools, of connections that are whole."""
    if not isinstance(client, RedisCluster):
        _replace(client.connection_pool)
        return
    # It has asked some nodes already, and makes the clients of others as it finds them.
    for node in client.get_nodes():  # type: ignore[no-untyped-call]
        if node.redis_connection:
            _replace(node.redis_connection.connection_pool)
    nodes: Any = client.nodes_manager
    create = nodes.create_redis_node

    def create_lean(*place: Any, **options: Any) -> Any:
        made = create(*place, **options)
        _replace(made.connection_pool)
        return made

    nodes.create_redis_node = create_lean


def _replace(pool: Any) -> None:
    pool.disconnect()
    pool.connection_class = whole(pool.connection_class)
    kind: Any = type(pool)
    pool.__class__ = _lean(kind)
    pool.reset()
