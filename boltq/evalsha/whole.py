"""Connections on which no call is ever given the answer to another."""

import os
import socket
from collections.abc import Sequence
from functools import cache
from select import POLLIN, poll
from typing import Any

from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError, ResponseError  # noqa: A004 - theirs

_ONE_WRITE_BYTES = 256 * 1024
"""Commands of no more are put together, to be sent in one call of the kernel."""

_LIKE_FILES = socket.socket if os.name == "posix" else None
"""Sockets to which the kernel writes as to files; those of TLS are others."""


class Whole(AbstractConnection):
    """A connection of redis-py that counts the answers still to come.

    A call may be broken off between its request and its answer, by a signal's handler that raises
    or an exception that another thread throws in. Then its answer is owed, and the connection is
    of no more use. redis-py opens it, and speaks on it for its own commands; scripts are called by
    `ask` and `hear`.
    """

    owed = 0
    _watch: Any = None

    def ask(self, commands: Sequence[bytes]) -> None:
        """Send packed commands, in one write unless they are large; `hear` as many answers."""
        self.owed += len(commands)
        if len(commands) > 1 and sum(map(len, commands)) <= _ONE_WRITE_BYTES:
            commands = [b"".join(commands)]
        sock: Any = self._sock
        if len(commands) == 1 and type(sock) is _LIKE_FILES:
            commands = [_unwritten(sock, commands[0])]
            if not commands[0]:
                return
        self.send_packed_command(commands, check_health=False)  # type: ignore[no-untyped-call]

    def hear(self) -> object:
        """Read one answer; a refusal is returned, not raised."""
        parser: Any = self._parser
        reader = parser._reader  # noqa: SLF001 - read_response takes three times as long
        if reader is None:
            raise ConnectionError("the connection was closed")
        answer: object = reader.gets()
        while answer is NOT_ENOUGH_DATA:
            parser.read_from_socket()
            answer = reader.gets()
        if isinstance(answer, ConnectionError):
            raise answer  # such as LOADING: what was asked after it will be refused, too
        self.owed -= 1
        return answer

    def has_come(self) -> bool:
        """Whether there is something to read: an answer or its end, or it is closed already."""
        if self._watch is None:
            if self._get_socket() is None:
                return True
            self._watch = poll()
            self._watch.register(self._sock, POLLIN)
        return bool(self._watch.poll(0))

    def send_command(self, *args: Any, **options: Any) -> None:
        """Send one command of redis-py's."""
        self.owed += 1
        super().send_command(*args, **options)  # type: ignore[no-untyped-call]

    def pack_commands(self, commands: Any) -> Any:
        """Write commands of redis-py's, which it will send."""
        self.owed += len(commands)
        return super().pack_commands(commands)  # type: ignore[no-untyped-call]

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read one answer for redis-py; a refusal is raised."""
        try:
            answer = super().read_response(*args, **options)
        except ResponseError:
            self.owed -= 1
            raise
        self.owed -= 1
        return answer

    def disconnect(self, *args: Any, **options: Any) -> None:
        """Close it; nothing is owed any more."""
        self.owed, self._watch = 0, None
        super().disconnect(*args, **options)  # type: ignore[no-untyped-call]


def _unwritten(sock: socket.socket, command: bytes) -> bytes:
    """Write what the kernel takes at once, and return the rest.

    A socket with a timeout would first ask the kernel whether it may write.
    """
    try:
        return command[os.write(sock.fileno(), command) :]
    except OSError:
        return command  # the kernel's buffer is full; or the next to write is told what is wrong


@cache
def whole(kind: type[Any]) -> type[Any]:
    """Make of a kind of redis-py's connections one that is whole."""
    return type(f"Whole{kind.__name__}", (Whole, kind), {})
