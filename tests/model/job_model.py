"""One job as the model knows it, and the clock of a queue. No Redis, and nothing out of lua/."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from notes_model import Note, Notes

STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")
ENDS = ("completed", "cancelled", "dead")
EPOCH_MS = 1_735_689_600_000  # 2025-01-01, where stamps begin
STAMPS = 512  # of a millisecond
PRIORITY_STEP = 2**49  # between the scores of two priorities in `queued`
APART_BYTES = 4096  # above it a payload is kept apart
TEXT_BYTES = {"type": 200, "message": 1000, "stack": 2800}
ERRORS_KEPT = 10

# What every caller knows by heart; a header tells only what differs.
DEFAULTS: dict[str, Any] = {
    "priority": 4,
    "max_attempts": 3,
    "max_lost": 5,
    "timeout_ms": 3_600_000,
    "backoff_base_ms": 1000,
    "backoff_factor": 2,
    "backoff_cap_ms": 3_600_000,
    "backoff_jitter": 0.2,
}


def first_stamp(now_ms: int) -> int:
    return (now_ms - EPOCH_MS) * STAMPS


def last_stamp(now_ms: int) -> int:
    """What is at most this is due."""
    return first_stamp(now_ms) + STAMPS - 1


def time_ms(score: int) -> int:
    return score // STAMPS + EPOCH_MS


@dataclass
class Lease:
    token: str
    worker: str
    lease_ms: int
    fence: int
    attempt: int
    claimed_ms: int
    place: int  # where in `queued` the job was, and goes back to
    retention_ms: int | None
    cancel: int = 0


@dataclass
class Tries:
    """How a job's leases ended, other than by ack."""

    failures: int = 0  # since the last replay, and of all time
    failures_ever: int = 0
    lost: int = 0
    lost_ever: int = 0
    token: str = "-"
    how: str = "-"
    errors: list[dict[str, Any]] = field(default_factory=list)

    def note(self, how: str, token: str, error: dict[str, Any] | None = None) -> None:
        if error is not None:
            attempt = self.failures + self.lost + 1
            self.errors = [*self.errors, {"attempt": attempt, **error}][-ERRORS_KEPT:]
        failed, lost = int(how == "fail"), int(how == "reap")
        self.failures, self.failures_ever = self.failures + failed, self.failures_ever + failed
        self.lost, self.lost_ever = self.lost + lost, self.lost_ever + lost
        self.token, self.how = token, how


@dataclass
class Outcome:
    how: str
    at_ms: int
    lease: Lease | None
    result: str = ""


@dataclass
class Job:
    id: str
    type: str
    created_ms: int
    options: dict[str, Any]  # as they hold, those of DEFAULTS
    retention_ms: int | None
    payload: str
    headers: str
    state: str
    score: int
    payload_bytes: int = 0
    lease: Lease | None = None
    tries: Tries | None = None
    outcome: Outcome | None = None
    notes: Notes | None = None

    @property
    def apart(self) -> bool:
        """Whether the payload is in `payloads`, or was."""
        return self.payload_bytes > APART_BYTES

    @property
    def priority_base(self) -> int:
        return (9 - int(self.options["priority"])) * PRIORITY_STEP

    @property
    def lost(self) -> int:
        return self.tries.lost if self.tries else 0

    @property
    def attempt(self) -> int:
        return self.lost + (self.tries.failures if self.tries else 0)

    @property
    def failures_ever(self) -> int:
        return self.tries.failures_ever if self.tries else 0

    def is_held(self, token: str, now_ms: int) -> bool:
        """Only the live token holds a lease, and none that ran out, reaped or not."""
        lease = self.lease
        return lease is not None and lease.token == token and self.score > last_stamp(now_ms)

    def note(self, how: str, token: str, error: dict[str, Any] | None = None) -> None:
        self.tries = self.tries or Tries()
        self.tries.note(how, token, error)

    def hear(self, note: Note | None, now_ms: int) -> None:
        """Keep what the handler told, if it did, under the lease that it holds."""
        if note:
            assert self.lease
            self.notes = self.notes or Notes()
            self.notes.hear(note, self.lease.attempt, now_ms)

    def ended_by(self) -> tuple[str, str]:
        """The token that ended the last lease, and how."""
        if self.outcome and self.outcome.lease:
            return self.outcome.lease.token, self.outcome.how
        return (self.tries.token, self.tries.how) if self.tries else ("-", "-")

    def pause_ms(self, n: int, now_ms: int) -> int:
        """The backoff before try n + 1; the jitter comes from the clock and the id."""
        base = self.options["backoff_base_ms"]
        pause = min(
            base * self.options["backoff_factor"] ** (n - 1), self.options["backoff_cap_ms"]
        )
        digest = hashlib.sha1(f"{self.id}{now_ms}".encode()).hexdigest()
        chance = int(digest[:8], 16) / 0xFFFFFFFF
        return int(pause * (1 + self.options["backoff_jitter"] * (2 * chance - 1)))
