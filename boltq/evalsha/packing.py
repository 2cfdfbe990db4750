"""Commands as they travel: how many parts there are, then each with its length."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from hiredis import pack_command
from redis.exceptions import DataError


class Head(NamedTuple):
    """What many commands begin with: its parts, and how they travel."""

    parts: tuple[Any, ...]
    packed: bytes


def packed(*command: Any) -> bytes:
    """Write a command whole. Raises DataError for what is neither text, bytes nor a number."""
    return _packed(command)


def head(*parts: Any) -> Head:
    """Write the beginning of many commands, once for all."""
    return Head(parts, _uncounted(_packed(parts)))


def after(begun: Head, arguments: Iterable[Any]) -> bytes:
    """Write a command of which only the arguments are new. Raises as `packed`."""
    rest = tuple(arguments)
    count = len(begun.parts) + len(rest)
    return b"*%d\r\n" % count + begun.packed + _uncounted(_packed(rest))


def _packed(parts: tuple[Any, ...]) -> bytes:
    try:
        try:
            written: bytes = pack_command(parts)
        except TypeError:
            written = pack_command(tuple(map(_plain, parts)))
    except TypeError as problem:
        raise DataError(str(problem)) from problem
    return written


def _plain(part: Any) -> Any:
    return bytes(part) if isinstance(part, bytearray) else part


def _uncounted(command: bytes) -> bytes:
    return command[command.index(b"\n") + 1 :]
