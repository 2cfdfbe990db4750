"""Connections on which no call is ever given the answer to another."""

from functools import cache
from typing import Any

from hiredis import pack_command
from redis.cluster import RedisCluster
from redis.exceptions import ResponseError

_ONE_WRITE_BYTES = 256 * 1024
"""Commands of no more are put together, to be sent in one call of the kernel."""


def _packed(commands: list[Any]) -> list[bytes]:
    """Write calls of scripts as they travel; nothing for what redis-py can do, or refuses."""
    if any(command[0] != "EVALSHA" for command in commands):
        return []
    try:
        packed = [pack_command(tuple(command)) for command in commands]
    except TypeError:
        return []
    return [b"".join(packed)] if sum(map(len, packed)) <= _ONE_WRITE_BYTES else packed


@cache
def _whole(kind: type[Any]) -> type[Any]:
    """Make of a kind of connection one that counts the answers asked for and not yet read.

    A call may be broken off between its request and its answer, by a signal's handler that raises
    or an exception that another thread throws in. redis-py keeps the connection for the next call,
    and notices an answer that nobody has read only if it is there by then.
    """
    # Called so and not by super(): every call of a script goes through three of them.
    send, pack, read = kind.send_command, kind.pack_commands, kind.read_response
    can_read, disconnect = kind.can_read, kind.disconnect

    class Whole(kind):  # type: ignore[misc]
        _owed = 0

        def send_command(self, *args: Any, **options: Any) -> Any:
            self._owed += 1
            return send(self, *args, **options)

        def pack_commands(self, commands: list[Any]) -> Any:
            self._owed += len(commands)
            return _packed(commands) or pack(self, commands)

        def read_response(self, *args: Any, **options: Any) -> Any:
            try:
                answer = read(self, *args, **options)
            except ResponseError:
                self._owed -= 1
                raise
            self._owed -= 1
            return answer

        def can_read(self, timeout: float = 0) -> Any:
            """Asked by the pool before each call: yes means that it must not be used as it is."""
            return self._owed != 0 or can_read(self, timeout)

        def disconnect(self, *args: Any, **options: Any) -> None:
            self._owed = 0
            disconnect(self, *args, **options)

    return Whole


def make_whole(client: Any) -> None:
    """Let all connections that a client of redis-py will make be such."""
    if not isinstance(client, RedisCluster):
        _make_pool_whole(client.connection_pool)
        return
    # It has asked some nodes already, and makes the clients of others as it finds them.
    for node in client.get_nodes():  # type: ignore[no-untyped-call]
        if node.redis_connection:
            _make_pool_whole(node.redis_connection.connection_pool)
    nodes: Any = client.nodes_manager
    create = nodes.create_redis_node

    def create_whole(*place: Any, **options: Any) -> Any:
        made = create(*place, **options)
        _make_pool_whole(made.connection_pool)
        return made

    nodes.create_redis_node = create_whole


def _make_pool_whole(pool: Any) -> None:
    pool.connection_class = _whole(pool.connection_class)
    pool.disconnect()
    pool.reset()
