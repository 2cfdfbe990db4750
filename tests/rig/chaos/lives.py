"""The history put together by job: every call about it, every run of it, and how it was found."""

import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rig.chaos.history import NEVER, Call, Event, calls

EPOCH_MS = 1_735_689_600_000  # 2025-01-01, where stamps begin; 512 of them a millisecond
ACCEPTED = {
    "ack": {"DONE"},
    "fail": {"RETRYING", "DEAD", "CANCELLED"},
    "release": {"BACK", "CANCELLED"},
    "extend": {"HELD"},
}
ENDS = ("ack", "fail", "release")
NO_ANSWER = "UNAVAILABLE"


class Finding(NamedTuple):
    """One thing that is wrong: of what kind, with which job, and a sentence."""

    kind: str
    queue: str
    id: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.queue} {self.id}: {self.sentence}"


@dataclass(slots=True)
class Claim:
    """A lease as it was handed out. began, ended: between these two it was."""

    token: str
    who: str
    began: float
    ended: float
    fence: int
    attempt: int
    failures: int
    lost: int
    end_ms: int
    whole: int

    @property
    def at_ms(self) -> int:
        """When, by the server's clock."""
        return self.fence // 512 + EPOCH_MS

    @property
    def is_by_worker(self) -> bool:
        return self.who.startswith("worker")


class Act(NamedTuple):
    """One item of a call, and what it was answered."""

    verb: str
    token: str
    who: str
    began: float
    ended: float
    word: str
    now_ms: int = 0
    end_ms: int = 0
    tries: int = 1

    @property
    def is_accepted(self) -> bool:
        return self.word in ACCEPTED[self.verb]

    @property
    def may_have_ended(self) -> bool:
        """Whether the lease may have ended by it: it did, it had, or nobody knows."""
        unknown = self.word == NO_ANSWER or self.tries > 1
        return self.has_ended or (self.verb in ENDS and unknown)

    @property
    def has_ended(self) -> bool:
        return self.verb in ENDS and (self.is_accepted or self.word == "ALREADY")


@dataclass(slots=True)
class Run:
    """One run of a handler; NEVER: it was not seen to end."""

    token: str
    who: str
    began: float
    ended: float = NEVER
    how: str = ""


class Kept(NamedTuple):
    """A job as it was found at the end, or before it was purged."""

    state: str
    attempt: int
    failures: int
    lost: int
    last: bool


@dataclass(slots=True)
class Life:
    """All that is known of a job."""

    queue: str
    id: str
    max_attempts: int = 3
    max_lost: int = 5
    enqueues: list[Act] = field(default_factory=list)
    claims: dict[str, Claim] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    wishes: list[Act] = field(default_factory=list)  # cancel, replay, purge
    runs: list[Run] = field(default_factory=list)
    kept: Kept | None = None
    spoiled: int = 0

    def asked(self, verb: str) -> list[Act]:
        return [one for one in self.wishes if one.verb == verb]

    def in_order(self) -> list[Claim]:
        """The claims of it in the order in which the server made them."""
        return sorted(self.claims.values(), key=lambda claim: claim.fence)


@dataclass
class Gathered:
    """Some of the jobs of a run.

    open_claims: those that had no answer, by token; each may have leased any job. unseen: how many
    claims of a queue had no answer at first; what they leased may have run out before they had one.
    """

    lives: dict[tuple[str, str], Life] = field(default_factory=dict)
    open_claims: dict[str, Call] = field(default_factory=dict)
    unseen: Counter[str] = field(default_factory=Counter)


def gathered(events: Iterable[Event], part: int = 0, parts: int = 1) -> Gathered:
    """Put together the jobs of one of so many parts, into which they fall by their ids."""
    found = Gathered()
    for one in calls(events):
        if isinstance(one, Event):
            _note(found, one, part, parts)
        elif one.sent.verb == "claim":
            _note_claim(found, one, part, parts)
        elif one.sent.verb != "configure":
            _note_call(found, one, part, parts)
    return found


def _life(found: Gathered, queue: str, id: str, part: int, parts: int) -> Life | None:
    if parts > 1 and zlib.crc32(id.encode()) % parts != part:
        return None
    life = found.lives.get((queue, id))
    if life is None:
        life = found.lives[queue, id] = Life(queue, id)
    return life


def _note(found: Gathered, event: Event, part: int, parts: int) -> None:
    if event.what not in ("began", "ended", "kept"):
        return
    for id, *told in event.items:
        life = _life(found, event.queue, id, part, parts)
        if life is None:
            continue
        if event.what == "kept":
            life.kept = Kept(*told, last=bool(event.told.get("last")))
        elif event.what == "began":
            life.runs.append(Run(told[0], event.who, event.at))
            life.spoiled += event.word == "SPOILED"
        else:
            for run in life.runs:
                if run.token == told[0] and run.ended == NEVER:
                    run.ended, run.how = event.at, event.word


def _note_claim(found: Gathered, call: Call, part: int, parts: int) -> None:
    token = call.sent.told["token"]
    first = found.open_claims.pop(token, call)  # asked again with the same token
    if call.ended == NEVER or (call.told and call.told.told.get("tries", 1) > 1):
        found.unseen[call.sent.queue] += 1
    if call.ended == NEVER:
        found.open_claims[token] = first
        return
    for id, *told, whole in call.told.items if call.told else []:
        life = _life(found, call.sent.queue, id, part, parts)
        if life is None or token in life.claims:
            continue
        life.claims[token] = Claim(
            token, call.sent.who, first.began, call.ended, *told, whole=whole
        )


def _note_call(found: Gathered, call: Call, part: int, parts: int) -> None:
    sent, now_ms = call.sent, call.told.now_ms if call.told else 0
    for (id, *token), answer in call.answers():
        life = _life(found, sent.queue, id, part, parts)
        if life is None:
            continue
        word: Any = answer[0] if answer else call.word
        end_ms = answer[1] if len(answer) > 1 else 0
        who, began, ended = sent.who, call.began, call.ended
        tries = call.told.told.get("tries", 1) if call.told else 1
        act = Act(
            sent.verb, token[0] if token else "", who, began, ended, word, now_ms, end_ms, tries
        )
        if sent.verb == "enqueue":
            life.max_attempts = sent.told.get("max_attempts", life.max_attempts)
            life.max_lost = sent.told.get("max_lost", life.max_lost)
            life.enqueues.append(act)
        elif token:
            life.acts.append(act)
        else:
            life.wishes.append(act)
