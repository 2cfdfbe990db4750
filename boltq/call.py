"""A call of a script, made but not yet sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")
Argument = str | bytes | int


@dataclass(slots=True)
class Call(Generic[R]):
    """What a script is asked, and how its reply is read.

    Making it apart from sending it lets several travel in one round trip, and lets the same request
    be sent twice, with the same ids and tokens, which every script answers as if sent once.
    """

    script: str
    queue: str
    argv: Sequence[Argument]
    parse: Callable[[list[object]], R]
