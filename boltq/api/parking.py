"""Requests that wait without a thread: what a handler says of its wait, and where it may say it.

A handler that would wait raises Parked. Our own server puts the request aside and runs it again,
with the same body and the same Wait, when what it waits for has come, or its time is over. Under
another WSGI server there is no such place: there a handler answers at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import falcon

from boltq.evalsha import Server

PLACE = "boltq.place"
"""The name under which a request of our own server finds its Place in the WSGI environment."""

ENDING = "boltq.ending"
"""What the WSGI environment has once our own server has been asked to end."""

LONGEST_WAIT_SECONDS = 20
RETRY_AFTER_SECONDS = "1"
"""For who asked to wait and could not: how long to be away."""


@dataclass(slots=True, eq=False)
class Wait:
    """What one request waits for, over all its runs.

    until: by time.monotonic, when to answer anyway. due: of each queue, when to look at it by time.
    rung: a queue whose bell rang, to be looked at now. job: an id whose end is waited for. feed: a
    queue whose events are, and the id of the last that is known.
    kept: what the first run wants the later ones to know.
    """

    server: Server
    until: float
    due: dict[str, float] = field(default_factory=dict)
    job: str = ""
    feed: tuple[str, str] | None = None
    kept: Any = None
    rung: str = ""

    def ready(self) -> list[str]:
        """Return the queues to look at now, in their order; a ring is taken note of by this."""
        now = time.monotonic()
        ready = [queue for queue, due in self.due.items() if due <= now or queue == self.rung]
        self.rung = ""
        return ready

    def rests(self, queue: str, seconds: float) -> None:
        """Say that nothing will be due in a queue for so long, unless its bell rings."""
        self.due[queue] = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether it is time to answer with what there is."""
        return time.monotonic() >= self.until

    @property
    def next_at(self) -> float:
        """When there is something to do by time."""
        return min(self.until, *self.due.values()) if self.due else self.until


class Parked(BaseException):
    """Raised by a handler instead of waiting. No Exception: nothing between may answer it."""

    def __init__(self, wait: Wait) -> None:
        super().__init__("this request waits; only boltq.api.channel knows how")
        self.wait = wait


class Room(Protocol):
    """What takes requests that wait."""

    @property
    def has_room(self) -> bool:
        """Whether another request may wait."""
        ...


Meanwhile: TypeAlias = Callable[[Callable[[], bool]], None]
"""Begins other requests for as long as there are any, and it is not over; see `Threads`."""


class Place:
    """The place of one request in our own server, over all its runs.

    kept: what middleware wants to know when the request is run again. meanwhile: what the thread
    does before this request waits.
    """

    def __init__(self, room: Room, meanwhile: Meanwhile = lambda _is_over: None) -> None:
        self.room = room
        self.meanwhile = meanwhile
        self.wait: Wait | None = None
        self.kept: dict[str, Any] = {}


def kept(req: falcon.Request) -> dict[str, Any]:
    """Return what is remembered of a request over all its runs; empty in the first."""
    place: Place | None = req.env.get(PLACE)
    return {} if place is None else place.kept


def resumed(req: falcon.Request) -> Wait | None:
    """Return the wait of a request that is run again; None in its first run."""
    place: Place | None = req.env.get(PLACE)
    return None if place is None else place.wait


def may_wait(req: falcon.Request) -> bool:
    """Whether the request may raise Parked: it waited before, or there is room for it to wait."""
    place: Place | None = req.env.get(PLACE)
    return place is not None and (place.wait is not None or place.room.has_room)


def meanwhile(req: falcon.Request) -> Meanwhile:
    """Return what a thread is to do before the request waits for others of its kind."""
    place: Place | None = req.env.get(PLACE)
    return (lambda _is_over: None) if place is None else place.meanwhile
