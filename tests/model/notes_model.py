"""The model of what a handler tells of its job: how far it is, and its log."""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

LINES_KEPT = 100
BYTES_KEPT = 16384


class BrokenError(Exception):
    """What was told is in no form that is known."""


def heard(told: str, items: int) -> dict[int, "Note"]:
    """Return what is told of each item, from 0 on."""
    lines = told.removesuffix("\n").split("\n") if told else []
    notes = {}
    while lines:
        item, size, before, share, *text = [*lines.pop(0).split(" ", 4), "", "", ""][:5]
        known = item.isdigit() and 1 <= int(item) <= items and size.isdigit()
        if not known or not _is_count(before) or not _is_share(share) or int(size) > len(lines):
            raise BrokenError
        log, lines = lines[: int(size)], lines[int(size) :]
        notes[int(item) - 1] = Note(before, share, "".join(text), log)
    return notes


def _is_count(word: str) -> bool:
    return word == "-" or word.isdigit()


def _is_share(word: str) -> bool:
    return word == "-" or (word.replace(".", "", 1).isdigit() and float(word) <= 1)


class Note(NamedTuple):
    """What is told of one job at once."""

    before: str
    share: str
    text: str
    log: list[str]


@dataclass
class Notes:
    """What is kept of it; lines are counted from the start of the attempt."""

    attempt: int = 0
    lines: int = 0
    said: tuple[str, str] | None = None
    said_ms: int = 0
    log: list[str] = field(default_factory=list)

    def hear(self, note: Note, attempt: int, now_ms: int) -> None:
        if self.attempt != attempt:
            self.attempt, self.lines, self.said = attempt, 0, None
        said = (f"{float(note.share):.6g}", note.text) if note.share != "-" else self.said
        if said != self.said:
            self.said, self.said_ms = said, now_ms
        nth = self.lines if note.before == "-" else int(note.before)
        for line in note.log:
            nth += 1
            if nth > self.lines:
                kept = {"at_ms": now_ms, "attempt": attempt, "line": line}
                self.log.append(_written(kept) + "\n")
        self.lines = max(self.lines, nth)
        while len(self.log) > LINES_KEPT or sum(map(len, self.log)) > BYTES_KEPT:
            self.log.pop(0)

    @property
    def progress(self) -> str:
        told = f'{{"attempt":{self.attempt},"lines":{self.lines}'
        if self.said:
            share, text = self.said
            told += f',"at_ms":{self.said_ms},"progress":{share},"text":{json.dumps(text)}'
        return told + "}"

    def entry(self) -> str:
        return f"{self.progress}\n{''.join(self.log)}"


def _written(kept: dict[str, object]) -> str:
    return json.dumps(kept, separators=(",", ":"))
