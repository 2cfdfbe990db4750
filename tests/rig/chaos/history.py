"""The history of a chaos run: what was asked, what was answered and what was done, by one clock.

Each process writes a file of its own, a line of JSON an event, each line with one write: a process
that is killed leaves whole lines but perhaps its last. The clock is the machine's monotonic one,
which is the same for all of them.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

NEVER = float("inf")
"""When a call was answered that was not."""


class Event(msgspec.Struct, omit_defaults=True):
    """One thing that happened.

    at: when, in seconds. what: sent, told (a call and its answer, joined by `who` and `n`), began,
    ended (a run of a handler), fault, healed (of a name, and a number), started, gone (a process),
    kept (jobs as they are found at the end or before they are purged), totals, faulty (of fsck).
    who: one connection of a process, `name.number`. word: the first of an answer; of a refusal or
    a lack of an answer that of its exception. items: by verb, see record.py.
    """

    at: float
    what: str
    who: str
    n: int = 0
    verb: str = ""
    queue: str = ""
    word: str = ""
    now_ms: int = 0
    items: list[list[Any]] = msgspec.field(default_factory=list)
    told: dict[str, Any] = msgspec.field(default_factory=dict)


class History:
    """Writes the events of one process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._encode = msgspec.json.Encoder().encode
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(folder / f"{name}.jsonl", flags, 0o600)

    def write(self, what: str, who: str, **told: Any) -> None:
        """Write an event that happens now."""
        os.write(self._file, self._encode(Event(time.monotonic(), what, who, **told)) + b"\n")

    def close(self) -> None:
        os.close(self._file)


def read(folder: Path) -> Iterator[Event]:
    """Yield the events of a run, file by file, each as it was written."""
    decode = msgspec.json.Decoder(Event).decode
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):  # the last words of who was killed may be cut off
                    yield decode(line)


class Call(msgspec.Struct):
    """A call as it was sent, and what it was told; NEVER: there was no answer."""

    sent: Event
    told: Event | None

    @property
    def began(self) -> float:
        return self.sent.at

    @property
    def ended(self) -> float:
        """Until when it can have been carried out: an unanswered one at any time."""
        return NEVER if self.told is None or self.told.word == "UNAVAILABLE" else self.told.at

    @property
    def word(self) -> str:
        return self.told.word if self.told else "UNAVAILABLE"

    def answers(self) -> Iterator[tuple[list[Any], list[Any]]]:
        """Yield each item that was sent with its answer, which is empty where there was none."""
        told = self.told.items if self.told else []
        for at, item in enumerate(self.sent.items):
            yield item, told[at] if at < len(told) else []


def calls(events: Iterable[Event]) -> Iterator[Call | Event]:
    """Join what was sent with what it was told; other events come as they are."""
    waiting: dict[tuple[str, int], Event] = {}
    for event in events:
        if event.what == "sent":
            waiting[event.who, event.n] = event
        elif event.what == "told":
            yield Call(waiting.pop((event.who, event.n)), event)
        else:
            yield event
    for event in waiting.values():
        yield Call(event, None)
