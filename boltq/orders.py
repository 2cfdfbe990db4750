"""What people ask of a worker, and what became of workers: both of the registry, best effort.

A worker hears an order when it next writes its entry, at most 10 s later. It stands until the
worker ends or is told to resume, and is for that process alone: another one that was started under
the same name is not concerned.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import msgspec

from boltq.errors import UnknownWorker, WrongState
from boltq.evalsha import Server
from boltq.job import moment_of, shown_time

Word = Literal["quiet", "stop"]
"""quiet: claim nothing more, and stay. stop: claim nothing more, finish what runs, and end."""

What = Literal["started", "quiet", "resumed", "stopping", "stopped", "recycled", "lost"]
"""What can become of a worker. recycled: another is to take its place. lost: it went silent."""


class Order(msgspec.Struct, frozen=True):
    """An order to the process of a worker that was started at `started_ms`."""

    word: Word
    by: str
    at_ms: int
    started_ms: int


class Event(msgspec.Struct, frozen=True):
    """Something that became of a worker; times are the server's. by: who asked for it."""

    worker: str
    what: What
    at_ms: int
    host: str = ""
    pid: int = 0
    by: str = ""

    def to_bytes(self) -> bytes:
        """Write it for the registry."""
        return msgspec.json.encode(self)

    def shown(self) -> dict[str, object]:
        """Return it as the API and `boltq workers` show it, its time RFC 3339 in UTC."""
        at = shown_time(moment_of(self.at_ms))
        more = {"host": self.host, "pid": self.pid, "by": self.by}
        known = {name: value for name, value in more.items() if value}
        return {"worker": self.worker, "what": self.what, "at": at, **known}


class _Started(msgspec.Struct, frozen=True):
    """What of a worker's report tells which process it is."""

    started_ms: int
    host: str = ""
    pid: int = 0
    via: str = ""


_ORDER = msgspec.json.Decoder(Order)
_EVENT = msgspec.json.Decoder(Event)
_STARTED = msgspec.json.Decoder(_Started)


def give(server: Server, worker: str, word: Word | None, *, by: str = "") -> None:
    """Ask something of a worker, or, with None, to go on as ever.

    by: who asks, for people. Raises UnknownWorker for one that is not in the registry, WrongState
    for one that works over HTTP, Unavailable.
    Costs three round trips.
    """
    report = server.registry.report_of(worker)
    started = None if report is None else process_of(report)
    if started is None:
        raise UnknownWorker(f"worker {worker} is not known: it has ended, or never was")
    if started.via:
        raise WrongState(f"worker {worker} claims over HTTP: it cannot be asked anything")
    if word is None:
        server.registry.order(worker, None)
        return
    order = Order(word, by, server.now_ms(), started.started_ms)
    server.registry.order(worker, msgspec.json.encode(order))


def note_lost(server: Server, lost: Sequence[tuple[str, float]]) -> None:
    """Write into the history which workers have vanished, and when they were last seen."""
    if lost:
        events = [Event(name, "lost", int(seen_ms)).to_bytes() for name, seen_ms in lost]
        server.registry.note_history(events)


def read(written: bytes | None, started_ms: int) -> Order | None:
    """Return the order that is for the process that was started at that time, if there is one."""
    with suppress(msgspec.DecodeError, RecursionError):
        order = _ORDER.decode(written or b"")
        return order if order.started_ms == started_ms else None
    return None


def process_of(report: bytes) -> _Started | None:
    """Read from a worker's report which process it is; None of what is no report."""
    with suppress(msgspec.DecodeError, RecursionError):
        return _STARTED.decode(report)
    return None


def history(server: Server, limit: int = 100) -> list[Event]:
    """List what became of workers, the last first. limit: 1 to 1000. Raises Unavailable."""
    events: list[Event] = []
    for written in server.registry.history(limit):
        with suppress(msgspec.DecodeError, RecursionError):
            events.append(_EVENT.decode(written))
    return events
