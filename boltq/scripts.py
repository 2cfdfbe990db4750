"""One function per script. Written by `make lua` from lua/*.lua; do not edit."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar, Unpack, cast

from boltq.call import Argument, Call
from boltq.errors import Corrupt, refusal

R = TypeVar("R")
LeftOut = Literal[""]
LEFT_OUT: LeftOut = ""
"""The value of an item's field that is left out."""

_flat = cast("Callable[[Iterable[Any]], Iterable[Argument]]", chain.from_iterable)


def _read(
    script: str,
    readers: Mapping[bytes, Callable[[Sequence[Any]], R]],
    refusals: Collection[bytes],
    reply: list[Any],
) -> R:
    refused = None
    try:
        word = reply[0]
        if word in readers:
            return readers[word](reply)
        if word in refusals:
            refused = refusal(str(word, "ascii"), str(reply[1], "utf-8", "replace"))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as wrong:
        raise _unlisted(script, reply) from wrong
    raise refused or _unlisted(script, reply)


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _options(chosen: Mapping[str, object]) -> str:
    if not chosen:
        return ""
    given = ((name, value) for name, value in chosen.items() if value is not None)
    return " ".join(f"{n}={_decimal(v) if isinstance(v, float) else v}" for n, v in given)


def _unlisted(script: str, reply: object) -> Corrupt:
    # The word alone: what follows it may hold a payload, which no log may show.
    shown = repr(reply[:1] if isinstance(reply, list) else reply)[:200]
    return Corrupt(f"{script} answered {shown}, which its header does not list")


@dataclass(frozen=True, slots=True)
class AckDone:
    """DONE of ack: finished now."""


_ACK_DONE = AckDone()


@dataclass(frozen=True, slots=True)
class AckAlready:
    """ALREADY of ack: this lease had finished it before."""


_ACK_ALREADY = AckAlready()


@dataclass(frozen=True, slots=True)
class AckLeaseLost:
    """LEASE_LOST of ack: the lease ran out, or was never held."""


_ACK_LEASE_LOST = AckLeaseLost()


@dataclass(frozen=True, slots=True)
class AckUnknown:
    """UNKNOWN of ack: nothing is kept of such a job."""


_ACK_UNKNOWN = AckUnknown()


AckAnswer = AckDone | AckAlready | AckLeaseLost | AckUnknown


class Acked(NamedTuple):
    """ACKED of ack: `answers` holds for each job, in order, its AckAnswer."""

    now_ms: int
    answers: list[AckAnswer]


AckReply = Acked


_ACK_ANSWERS: dict[bytes, Callable[[Sequence[Any]], AckAnswer]] = {
    b"DONE": lambda _: _ACK_DONE,
    b"ALREADY": lambda _: _ACK_ALREADY,
    b"LEASE_LOST": lambda _: _ACK_LEASE_LOST,
    b"UNKNOWN": lambda _: _ACK_UNKNOWN,
}


def _read_acked(reply: Sequence[Any]) -> Acked:
    _, now_ms, *items = reply
    answers = _ACK_ANSWERS
    return Acked(
        int(now_ms),
        [answers[word](items) for word in items],
    )


_ACK_REPLIES: dict[bytes, Callable[[Sequence[Any]], AckReply]] = {
    b"ACKED": _read_acked,
}
_ACK_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"TOO_LARGE",
    b"UPGRADE",
}


class AckItem(NamedTuple):
    """What repeats in ack.

    id: a name of 1..128 bytes; the job.
    token: a name of 1..64 bytes; the claim under which it is held.
    result: 0..1048576 bytes; what the handler returned, kept with the outcome.
    """

    id: str
    token: str
    result: bytes


def _parse_ack(reply: list[Any]) -> AckReply:
    return _read("ack", _ACK_REPLIES, _ACK_REFUSALS, reply)


def ack(
    queue: str,
    items: Iterable[AckItem],
    *,
    told: bytes | None = None,
) -> Call[AckReply]:
    """Finish jobs whose work is done.

    queue: its name.
    items: 1..500 of AckItem.
    told: 1..2600000 bytes or left out; of handlers, for each that tells something: a line `item
        lines before progress text`, then so many lines of its log, 4096 bytes at most: item counts
        from 1; before is how many lines it told before in this attempt, or -; progress is 0 to 1,
        or -; text 200 bytes.

    Once sent, it returns Acked, or raises the error of BAD_ARGUMENT, BAD_KEYS, TOO_LARGE, UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs kept or leased.
    """
    argv: list[Argument] = [
        "" if told is None else told,
    ]
    argv += _flat(items)
    return Call("ack", queue, argv, _parse_ack)


class AlterChanged(NamedTuple):
    """CHANGED of alter: it is as asked now, and is there."""

    place: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


class AlterAlready(NamedTuple):
    """ALREADY of alter: it has left the place given, and is as asked: nothing was changed."""

    place: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


class AlterMoved(NamedTuple):
    """MOVED of alter: it has left the place given, and is there: nothing was changed."""

    place: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


class AlterRunning(NamedTuple):
    """RUNNING of alter: it runs: nothing was changed."""

    place: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


class AlterFinished(NamedTuple):
    """FINISHED of alter: it has ended: nothing was changed."""

    place: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


@dataclass(frozen=True, slots=True)
class AlterUnknown:
    """UNKNOWN of alter: nothing is kept of such a job."""


_ALTER_UNKNOWN = AlterUnknown()


AlterAnswer = AlterChanged | AlterAlready | AlterMoved | AlterRunning | AlterFinished | AlterUnknown


class Altered(NamedTuple):
    """ALTERED of alter: `answers` holds for each job, in order, its AlterAnswer."""

    now_ms: int
    answers: list[AlterAnswer]


AlterReply = Altered


def _read_alter_changed(reply: Sequence[Any]) -> AlterChanged:
    _, place = reply
    return AlterChanged(
        place.decode("utf-8", "replace"),
    )


def _read_alter_already(reply: Sequence[Any]) -> AlterAlready:
    _, place = reply
    return AlterAlready(
        place.decode("utf-8", "replace"),
    )


def _read_alter_moved(reply: Sequence[Any]) -> AlterMoved:
    _, place = reply
    return AlterMoved(
        place.decode("utf-8", "replace"),
    )


def _read_alter_running(reply: Sequence[Any]) -> AlterRunning:
    _, place = reply
    return AlterRunning(
        place.decode("utf-8", "replace"),
    )


def _read_alter_finished(reply: Sequence[Any]) -> AlterFinished:
    _, place = reply
    return AlterFinished(
        place.decode("utf-8", "replace"),
    )


_ALTER_ANSWERS: dict[bytes, Callable[[Sequence[Any]], AlterAnswer]] = {
    b"CHANGED": _read_alter_changed,
    b"ALREADY": _read_alter_already,
    b"MOVED": _read_alter_moved,
    b"RUNNING": _read_alter_running,
    b"FINISHED": _read_alter_finished,
    b"UNKNOWN": lambda _: _ALTER_UNKNOWN,
}


def _read_altered(reply: Sequence[Any]) -> Altered:
    _, now_ms, *items = reply
    answers = _ALTER_ANSWERS
    return Altered(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_ALTER_REPLIES: dict[bytes, Callable[[Sequence[Any]], AlterReply]] = {
    b"ALTERED": _read_altered,
}
_ALTER_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class AlterItem(NamedTuple):
    """What repeats in alter.

    id: a name of 1..128 bytes; the job.
    priority: an integer 0..9 or left out; its priority from now on; empty: as it is.
    delay_ms: an integer 0..315360000000 or left out; due so long from now, 0 at once; empty: as it
        is.
    place: a text of 0..128 bytes; where inspect or list saw it; empty: wherever it is.
    """

    id: str
    priority: int | LeftOut
    delay_ms: int | LeftOut
    place: str


def _parse_alter(reply: list[Any]) -> AlterReply:
    return _read("alter", _ALTER_REPLIES, _ALTER_REFUSALS, reply)


def alter(
    queue: str,
    items: Iterable[AlterItem],
) -> Call[AlterReply]:
    """Change the priority of jobs that rest, or when they are due.

    queue: its name.
    items: 1..500 of AlterItem.

    Once sent, it returns Altered, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs of the queue.
    """
    argv: list[Argument] = []
    argv += _flat(items)
    return Call("alter", queue, argv, _parse_alter)


@dataclass(frozen=True, slots=True)
class AuditSound:
    """SOUND of audit: nothing is wrong, or nothing is kept."""


_AUDIT_SOUND = AuditSound()


class AuditFaulty(NamedTuple):
    """FAULTY of audit: what is wrong with it."""

    faults: str


@dataclass(frozen=True, slots=True)
class AuditLater:
    """LATER of audit: enough was read: ask for this name again."""


_AUDIT_LATER = AuditLater()


AuditAnswer = AuditSound | AuditFaulty | AuditLater


class Audited(NamedTuple):
    """AUDITED of audit: `answers` holds for each name, in order, its AuditAnswer."""

    now_ms: int
    faults: str
    answers: list[AuditAnswer]


AuditReply = Audited


def _read_audit_faulty(reply: Sequence[Any]) -> AuditFaulty:
    _, faults = reply
    return AuditFaulty(
        faults.decode("utf-8", "replace"),
    )


_AUDIT_ANSWERS: dict[bytes, Callable[[Sequence[Any]], AuditAnswer]] = {
    b"SOUND": lambda _: _AUDIT_SOUND,
    b"FAULTY": _read_audit_faulty,
    b"LATER": lambda _: _AUDIT_LATER,
}


def _read_audited(reply: Sequence[Any]) -> Audited:
    _, now_ms, faults, *items = reply
    answers = _AUDIT_ANSWERS
    return Audited(
        int(now_ms),
        faults.decode("utf-8", "replace"),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_AUDIT_REPLIES: dict[bytes, Callable[[Sequence[Any]], AuditReply]] = {
    b"AUDITED": _read_audited,
}
_AUDIT_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"TOO_LARGE",
    b"UPGRADE",
}


class AuditItem(NamedTuple):
    """What repeats in audit.

    id: 0..4096 bytes; the name.
    """

    id: bytes


def _parse_audit(reply: list[Any]) -> AuditReply:
    return _read("audit", _AUDIT_REPLIES, _AUDIT_REFUSALS, reply)


def audit(
    queue: str,
    items: Iterable[AuditItem] = (),
    *,
    of: str,
) -> Call[AuditReply]:
    """Judge what is kept of jobs, at one instant, by the rules that each queue keeps.

    queue: its name.
    items: 0..200 of AuditItem.
    of: one of job, stray, claim; what the names are: jobs; jobs without a record; tokens of claims.

    Once sent, it returns Audited, or raises the error of BAD_ARGUMENT, BAD_KEYS, TOO_LARGE,
    UPGRADE.

    Cost: O(n log m), n = names given, m = jobs of the queue.
    """
    argv: list[Argument] = [
        of,
    ]
    argv += _flat(items)
    return Call("audit", queue, argv, _parse_audit)


@dataclass(frozen=True, slots=True)
class CancelGone:
    """GONE of cancel: cancelled now."""


_CANCEL_GONE = CancelGone()


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """ASKED of cancel: it runs: its worker is told."""


_CANCEL_ASKED = CancelAsked()


@dataclass(frozen=True, slots=True)
class CancelAlready:
    """ALREADY of cancel: it was cancelled before."""


_CANCEL_ALREADY = CancelAlready()


class CancelFinished(NamedTuple):
    """FINISHED of cancel: it has ended: completed or dead."""

    state: str


@dataclass(frozen=True, slots=True)
class CancelUnknown:
    """UNKNOWN of cancel: nothing is kept of such a job."""


_CANCEL_UNKNOWN = CancelUnknown()


CancelAnswer = CancelGone | CancelAsked | CancelAlready | CancelFinished | CancelUnknown


class Cancelled(NamedTuple):
    """CANCELLED of cancel: `answers` holds for each job, in order, its CancelAnswer."""

    now_ms: int
    answers: list[CancelAnswer]


CancelReply = Cancelled


def _read_cancel_finished(reply: Sequence[Any]) -> CancelFinished:
    _, state = reply
    return CancelFinished(
        state.decode("utf-8", "replace"),
    )


_CANCEL_ANSWERS: dict[bytes, Callable[[Sequence[Any]], CancelAnswer]] = {
    b"GONE": lambda _: _CANCEL_GONE,
    b"ASKED": lambda _: _CANCEL_ASKED,
    b"ALREADY": lambda _: _CANCEL_ALREADY,
    b"FINISHED": _read_cancel_finished,
    b"UNKNOWN": lambda _: _CANCEL_UNKNOWN,
}


def _read_cancelled(reply: Sequence[Any]) -> Cancelled:
    _, now_ms, *items = reply
    answers = _CANCEL_ANSWERS
    return Cancelled(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_CANCEL_REPLIES: dict[bytes, Callable[[Sequence[Any]], CancelReply]] = {
    b"CANCELLED": _read_cancelled,
}
_CANCEL_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class CancelItem(NamedTuple):
    """What repeats in cancel.

    id: a name of 1..128 bytes; the job.
    """

    id: str


def _parse_cancel(reply: list[Any]) -> CancelReply:
    return _read("cancel", _CANCEL_REPLIES, _CANCEL_REFUSALS, reply)


def cancel(
    queue: str,
    items: Iterable[CancelItem],
) -> Call[CancelReply]:
    """Take jobs out before they run, or ask those that run to stop.

    queue: its name.
    items: 1..500 of CancelItem.

    Once sent, it returns Cancelled, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs of the queue.
    """
    argv: list[Argument] = []
    argv += _flat(items)
    return Call("cancel", queue, argv, _parse_cancel)


class ClaimJob(NamedTuple):
    """JOB of claim.

    A leased job; `failures` of all time, `lost` since the last replay; its score in `queued` until
    now holds the stamp since which it was due.
    """

    id: str
    header: bytes
    headers: bytes
    payload: bytes
    attempt: int
    failures: int
    lost: int
    fence: int
    lease_end_ms: int
    queued_place: bytes


ClaimAnswer = ClaimJob


class Claimed(NamedTuple):
    """CLAIMED of claim: `answers` holds for each job, in order, its ClaimAnswer."""

    now_ms: int
    more: int
    answers: list[ClaimAnswer]


class Empty(NamedTuple):
    """EMPTY of claim: nothing is queued; look again after the wait."""

    now_ms: int
    wait_ms: int


class Paused(NamedTuple):
    """PAUSED of claim: the queue hands nothing out."""

    now_ms: int
    wait_ms: int
    reason: str


ClaimReply = Claimed | Empty | Paused


def _read_claim_job(reply: Sequence[Any]) -> ClaimJob:
    (
        _,
        id_,
        header,
        headers,
        payload,
        attempt,
        failures,
        lost,
        fence,
        lease_end_ms,
        queued_place,
    ) = reply
    return ClaimJob(
        id_.decode("utf-8", "replace"),
        header,
        headers,
        payload,
        int(attempt),
        int(failures),
        int(lost),
        int(fence),
        int(lease_end_ms),
        queued_place,
    )


_CLAIM_ANSWERS: dict[bytes, Callable[[Sequence[Any]], ClaimAnswer]] = {
    b"JOB": _read_claim_job,
}


def _read_claimed(reply: Sequence[Any]) -> Claimed:
    _, now_ms, more, *items = reply
    answers = _CLAIM_ANSWERS
    return Claimed(
        int(now_ms),
        int(more),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 11, strict=True)],
    )


def _read_empty(reply: Sequence[Any]) -> Empty:
    _, now_ms, wait_ms = reply
    return Empty(
        int(now_ms),
        int(wait_ms),
    )


def _read_paused(reply: Sequence[Any]) -> Paused:
    _, now_ms, wait_ms, reason = reply
    return Paused(
        int(now_ms),
        int(wait_ms),
        reason.decode("utf-8", "replace"),
    )


_CLAIM_REPLIES: dict[bytes, Callable[[Sequence[Any]], ClaimReply]] = {
    b"CLAIMED": _read_claimed,
    b"EMPTY": _read_empty,
    b"PAUSED": _read_paused,
}
_CLAIM_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_claim(reply: list[Any]) -> ClaimReply:
    return _read("claim", _CLAIM_REPLIES, _CLAIM_REFUSALS, reply)


def claim(
    queue: str,
    *,
    token: str,
    worker: str,
    lease_ms: int,
    limit: int,
    max_bytes: int,
) -> Call[ClaimReply]:
    """Lease the most urgent, then oldest, queued jobs to one worker.

    queue: its name.
    token: a name of 1..64 bytes; names this claim; whoever holds it holds the leases.
    worker: a text of 1..128 bytes; who claims, for people.
    lease_ms: an integer 100..86400000; how long the leases last.
    limit: an integer 1..500; how many jobs at most.
    max_bytes: an integer 1..8000000; how many bytes of jobs at most, but at least one job.

    Once sent, it returns Claimed or Empty or Paused, or raises the error of BAD_ARGUMENT, BAD_KEYS,
    UPGRADE.

    Cost: O((n + 400) log m), n = jobs leased, m = jobs of the queue.
    """
    argv: list[Argument] = [
        token,
        worker,
        lease_ms,
        limit,
        max_bytes,
    ]
    return Call("claim", queue, argv, _parse_claim)


class ConfigureSetting(NamedTuple):
    """SETTING of configure: what is in force now."""

    name: str
    value: str


ConfigureAnswer = ConfigureSetting


class Configured(NamedTuple):
    """CONFIGURED of configure: `answers` holds for each setting, in order, its ConfigureAnswer."""

    now_ms: int
    answers: list[ConfigureAnswer]


ConfigureReply = Configured


def _read_configure_setting(reply: Sequence[Any]) -> ConfigureSetting:
    _, name, value = reply
    return ConfigureSetting(
        name.decode("utf-8", "replace"),
        value.decode("utf-8", "replace"),
    )


_CONFIGURE_ANSWERS: dict[bytes, Callable[[Sequence[Any]], ConfigureAnswer]] = {
    b"SETTING": _read_configure_setting,
}


def _read_configured(reply: Sequence[Any]) -> Configured:
    _, now_ms, *items = reply
    answers = _CONFIGURE_ANSWERS
    return Configured(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 3, strict=True)],
    )


_CONFIGURE_REPLIES: dict[bytes, Callable[[Sequence[Any]], ConfigureReply]] = {
    b"CONFIGURED": _read_configured,
}
_CONFIGURE_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"TOO_LARGE",
    b"UPGRADE",
}


class ConfigureItem(NamedTuple):
    """What repeats in configure.

    setting: a name of 1..64 bytes; its name, see the table of settings.
    value: 0..1000 bytes; its new value.
    """

    setting: str
    value: bytes


def _parse_configure(reply: list[Any]) -> ConfigureReply:
    return _read("configure", _CONFIGURE_REPLIES, _CONFIGURE_REFUSALS, reply)


def configure(
    queue: str,
    items: Iterable[ConfigureItem] = (),
) -> Call[ConfigureReply]:
    """Set how a queue behaves, and answer what is in force.

    queue: its name.
    items: 0..64 of ConfigureItem.

    Once sent, it returns Configured, or raises the error of BAD_ARGUMENT, BAD_KEYS, TOO_LARGE,
    UPGRADE.

    Cost: O(n), n = settings.
    """
    argv: list[Argument] = []
    argv += _flat(items)
    return Call("configure", queue, argv, _parse_configure)


class Dropped(NamedTuple):
    """DROPPED of drop: nothing is left, or nothing was there."""

    now_ms: int


class NotEmpty(NamedTuple):
    """NOT_EMPTY of drop: it keeps so many jobs: nothing was changed."""

    now_ms: int
    jobs: int


DropReply = Dropped | NotEmpty


def _read_dropped(reply: Sequence[Any]) -> Dropped:
    _, now_ms = reply
    return Dropped(
        int(now_ms),
    )


def _read_not_empty(reply: Sequence[Any]) -> NotEmpty:
    _, now_ms, jobs = reply
    return NotEmpty(
        int(now_ms),
        int(jobs),
    )


_DROP_REPLIES: dict[bytes, Callable[[Sequence[Any]], DropReply]] = {
    b"DROPPED": _read_dropped,
    b"NOT_EMPTY": _read_not_empty,
}
_DROP_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_drop(reply: list[Any]) -> DropReply:
    return _read("drop", _DROP_REPLIES, _DROP_REFUSALS, reply)


def drop(
    queue: str,
) -> Call[DropReply]:
    """Delete a queue that keeps no job, with its settings, totals and operations.

    queue: its name.

    Once sent, it returns Dropped or NotEmpty, or raises the error of BAD_ARGUMENT, BAD_KEYS,
    UPGRADE.

    Cost: O(n), n = claims and operations kept.
    """
    argv: list[Argument] = []
    return Call("drop", queue, argv, _parse_drop)


class EnqueueCreated(NamedTuple):
    """CREATED of enqueue: added now."""

    id: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


class EnqueueDuplicate(NamedTuple):
    """DUPLICATE of enqueue.

    A job of this id is kept: nothing was added; the header is what those added now have in common,
    run_at_ms when the first is due, or was queued.
    """

    id: str

    def __eq__(self, other: object) -> bool:
        """Compare the word, too: a tuple knows its fields alone."""
        return type(other) is type(self) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        """Tell apart what is not the same word with the same fields."""
        return not self == other

    def __hash__(self) -> int:
        """Hash the fields."""
        return tuple.__hash__(self)


EnqueueAnswer = EnqueueCreated | EnqueueDuplicate


class Enqueued(NamedTuple):
    """ENQUEUED of enqueue: `answers` holds for each job, in order, its EnqueueAnswer."""

    now_ms: int
    header: bytes
    run_at_ms: int
    answers: list[EnqueueAnswer]


EnqueueReply = Enqueued


def _read_enqueue_created(reply: Sequence[Any]) -> EnqueueCreated:
    _, id_ = reply
    return EnqueueCreated(
        id_.decode("utf-8", "replace"),
    )


def _read_enqueue_duplicate(reply: Sequence[Any]) -> EnqueueDuplicate:
    _, id_ = reply
    return EnqueueDuplicate(
        id_.decode("utf-8", "replace"),
    )


_ENQUEUE_ANSWERS: dict[bytes, Callable[[Sequence[Any]], EnqueueAnswer]] = {
    b"CREATED": _read_enqueue_created,
    b"DUPLICATE": _read_enqueue_duplicate,
}


def _read_enqueued(reply: Sequence[Any]) -> Enqueued:
    _, now_ms, header, run_at_ms, *items = reply
    answers = _ENQUEUE_ANSWERS
    return Enqueued(
        int(now_ms),
        header,
        int(run_at_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_ENQUEUE_REPLIES: dict[bytes, Callable[[Sequence[Any]], EnqueueReply]] = {
    b"ENQUEUED": _read_enqueued,
}
_ENQUEUE_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"TOO_LARGE",
    b"UPGRADE",
}


class EnqueueItem(NamedTuple):
    """What repeats in enqueue.

    id: a name of 1..128 bytes or left out; made by the caller before the first send.
    type: a name of 1..128 bytes, which may hold colons; what kind of work it is.
    payload: 0..8000000 bytes; for the handler; kept to the bit.
    headers: 0..4096 bytes; for those in between, such as trace context; handed back by claim.
    """

    id: str
    type: str
    payload: bytes
    headers: bytes


class EnqueueOptions(TypedDict, total=False):
    """What enqueue takes by name; None is left out, too.

    priority: an integer 0..9; 9 is the most urgent.
    delay_ms: an integer 0..315360000000; how long the jobs rest before they are queued; left out:
        0.
    max_attempts: an integer 1..1000; failures after which a job is dead.
    max_lost: an integer 0..1000; lost leases that a job survives.
    timeout_ms: an integer 0..315360000000; how long a handler may take, 0 without end.
    retention_ms: an integer 0..315360000000; how long the job is kept once completed.
    base_ms: an integer 0..315360000000; backoff: pause after the first failure.
    factor: a number 1..1000, sent with six decimals; backoff: by what it grows with each failure.
    cap_ms: an integer 0..315360000000; backoff: the longest pause.
    jitter: a number 0..1, sent with six decimals; backoff: share by which a pause varies.
    """

    priority: int | None
    delay_ms: int | None
    max_attempts: int | None
    max_lost: int | None
    timeout_ms: int | None
    retention_ms: int | None
    base_ms: int | None
    factor: float | None
    cap_ms: int | None
    jitter: float | None


def _parse_enqueue(reply: list[Any]) -> EnqueueReply:
    return _read("enqueue", _ENQUEUE_REPLIES, _ENQUEUE_REFUSALS, reply)


def enqueue(
    queue: str,
    items: Iterable[EnqueueItem],
    **options: Unpack[EnqueueOptions],
) -> Call[EnqueueReply]:
    """Add jobs, to be run now or after a delay.

    queue: its name.
    items: 1..500 of EnqueueItem.
    options: see EnqueueOptions; words such as `priority=9 delay_ms=1000`, once each; what is left
        out is as the queue says.

    Once sent, it returns Enqueued, or raises the error of BAD_ARGUMENT, BAD_KEYS, TOO_LARGE,
    UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs waiting.
    """
    argv: list[Argument] = [
        _options(options),
    ]
    argv += _flat(items)
    return Call("enqueue", queue, argv, _parse_enqueue)


class EventsEvent(NamedTuple):
    """EVENT of events.

    The id begins with its time in ms; jobs is a line a state that jobs came into, `state count
    ids`, of which 4096 bytes at most are told; gap is 1 if some after the one known may have been
    let go, more if there are more, last the id of the last that is kept.
    """

    id: str
    verb: str
    jobs: bytes


EventsAnswer = EventsEvent


class Events(NamedTuple):
    """EVENTS of events: `answers` holds for each event, in order, its EventsAnswer."""

    now_ms: int
    keep_events: int
    gap: int
    more: int
    last: str
    answers: list[EventsAnswer]


EventsReply = Events


def _read_events_event(reply: Sequence[Any]) -> EventsEvent:
    _, id_, verb, jobs = reply
    return EventsEvent(
        id_.decode("utf-8", "replace"),
        verb.decode("utf-8", "replace"),
        jobs,
    )


_EVENTS_ANSWERS: dict[bytes, Callable[[Sequence[Any]], EventsAnswer]] = {
    b"EVENT": _read_events_event,
}


def _read_events(reply: Sequence[Any]) -> Events:
    _, now_ms, keep_events, gap, more, last, *items = reply
    answers = _EVENTS_ANSWERS
    return Events(
        int(now_ms),
        int(keep_events),
        int(gap),
        int(more),
        last.decode("utf-8", "replace"),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 4, strict=True)],
    )


_EVENTS_REPLIES: dict[bytes, Callable[[Sequence[Any]], EventsReply]] = {
    b"EVENTS": _read_events,
}
_EVENTS_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_events(reply: list[Any]) -> EventsReply:
    return _read("events", _EVENTS_REPLIES, _EVENTS_REFUSALS, reply)


def events(
    queue: str,
    *,
    after: str,
    limit: int,
) -> Call[EventsReply]:
    """Tell what calls did, in their order, as far as it is kept.

    queue: its name.
    after: a text of 0..40 bytes; the id of the last one known; empty: from the oldest on.
    limit: an integer 1..1000; how many at most, fewer where they are large.

    Once sent, it returns Events, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n), n = events told.
    """
    argv: list[Argument] = [
        after,
        limit,
    ]
    return Call("events", queue, argv, _parse_events)


class ExtendHeld(NamedTuple):
    """HELD of extend: held until then; cancel is 1 if it was asked."""

    lease_end_ms: int
    cancel: int


@dataclass(frozen=True, slots=True)
class ExtendLeaseLost:
    """LEASE_LOST of extend: the lease ran out, or was never held."""


_EXTEND_LEASE_LOST = ExtendLeaseLost()


@dataclass(frozen=True, slots=True)
class ExtendUnknown:
    """UNKNOWN of extend: nothing is kept of such a job."""


_EXTEND_UNKNOWN = ExtendUnknown()


ExtendAnswer = ExtendHeld | ExtendLeaseLost | ExtendUnknown


class Extended(NamedTuple):
    """EXTENDED of extend: `answers` holds for each job, in order, its ExtendAnswer."""

    now_ms: int
    answers: list[ExtendAnswer]


ExtendReply = Extended


def _read_extend_held(reply: Sequence[Any]) -> ExtendHeld:
    _, lease_end_ms, cancel = reply
    return ExtendHeld(
        int(lease_end_ms),
        int(cancel),
    )


_EXTEND_ANSWERS: dict[bytes, Callable[[Sequence[Any]], ExtendAnswer]] = {
    b"HELD": _read_extend_held,
    b"LEASE_LOST": lambda _: _EXTEND_LEASE_LOST,
    b"UNKNOWN": lambda _: _EXTEND_UNKNOWN,
}


def _read_extended(reply: Sequence[Any]) -> Extended:
    _, now_ms, *items = reply
    answers = _EXTEND_ANSWERS
    return Extended(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 3, strict=True)],
    )


_EXTEND_REPLIES: dict[bytes, Callable[[Sequence[Any]], ExtendReply]] = {
    b"EXTENDED": _read_extended,
}
_EXTEND_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class ExtendItem(NamedTuple):
    """What repeats in extend.

    id: a name of 1..128 bytes; the job.
    token: a name of 1..64 bytes; the claim under which it is held.
    """

    id: str
    token: str


def _parse_extend(reply: list[Any]) -> ExtendReply:
    return _read("extend", _EXTEND_REPLIES, _EXTEND_REFUSALS, reply)


def extend(
    queue: str,
    items: Iterable[ExtendItem],
    *,
    lease_ms: int,
    told: bytes | None = None,
) -> Call[ExtendReply]:
    """Lengthen leases that are still held, and hear whether a cancel was asked.

    queue: its name.
    items: 1..500 of ExtendItem.
    lease_ms: an integer 100..86400000; how long the leases last from now.
    told: 1..2600000 bytes or left out; of handlers, for each that tells something: a line `item
        lines before progress text`, then so many lines of its log, 4096 bytes at most: item counts
        from 1; before is how many lines it told before in this attempt, or -; progress is 0 to 1,
        or -; text 200 bytes.

    Once sent, it returns Extended, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs leased.
    """
    argv: list[Argument] = [
        lease_ms,
        "" if told is None else told,
    ]
    argv += _flat(items)
    return Call("extend", queue, argv, _parse_extend)


class FailRetrying(NamedTuple):
    """RETRYING of fail: it is tried again then."""

    run_at_ms: int


@dataclass(frozen=True, slots=True)
class FailDead:
    """DEAD of fail: its attempts are used up, or it was final."""


_FAIL_DEAD = FailDead()


@dataclass(frozen=True, slots=True)
class FailCancelled:
    """CANCELLED of fail: a cancel had been asked."""


_FAIL_CANCELLED = FailCancelled()


@dataclass(frozen=True, slots=True)
class FailAlready:
    """ALREADY of fail: this lease had failed it before."""


_FAIL_ALREADY = FailAlready()


@dataclass(frozen=True, slots=True)
class FailLeaseLost:
    """LEASE_LOST of fail: the lease ran out, or was never held."""


_FAIL_LEASE_LOST = FailLeaseLost()


@dataclass(frozen=True, slots=True)
class FailUnknown:
    """UNKNOWN of fail: nothing is kept of such a job."""


_FAIL_UNKNOWN = FailUnknown()


FailAnswer = FailRetrying | FailDead | FailCancelled | FailAlready | FailLeaseLost | FailUnknown


class Failed(NamedTuple):
    """FAILED of fail: `answers` holds for each job, in order, its FailAnswer."""

    now_ms: int
    answers: list[FailAnswer]


FailReply = Failed


def _read_fail_retrying(reply: Sequence[Any]) -> FailRetrying:
    _, run_at_ms = reply
    return FailRetrying(
        int(run_at_ms),
    )


_FAIL_ANSWERS: dict[bytes, Callable[[Sequence[Any]], FailAnswer]] = {
    b"RETRYING": _read_fail_retrying,
    b"DEAD": lambda _: _FAIL_DEAD,
    b"CANCELLED": lambda _: _FAIL_CANCELLED,
    b"ALREADY": lambda _: _FAIL_ALREADY,
    b"LEASE_LOST": lambda _: _FAIL_LEASE_LOST,
    b"UNKNOWN": lambda _: _FAIL_UNKNOWN,
}


def _read_failed(reply: Sequence[Any]) -> Failed:
    _, now_ms, *items = reply
    answers = _FAIL_ANSWERS
    return Failed(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_FAIL_REPLIES: dict[bytes, Callable[[Sequence[Any]], FailReply]] = {
    b"FAILED": _read_failed,
}
_FAIL_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"TOO_LARGE",
    b"UPGRADE",
}


class FailItem(NamedTuple):
    """What repeats in fail.

    id: a name of 1..128 bytes; the job.
    token: a name of 1..64 bytes; the claim under which it is held.
    error: 0..100000 bytes; the kind of error; 200 bytes of it are kept.
    message: 0..1000000 bytes; what went wrong; 1000 bytes of it are kept.
    stack: 0..1000000 bytes; where; 2800 bytes of it are kept.
    delay_ms: an integer 0..315360000000 or left out; the pause before the next try; empty: by the
        job's backoff.
    final: an integer 0..1; 1: never again, the job is dead.
    """

    id: str
    token: str
    error: bytes
    message: bytes
    stack: bytes
    delay_ms: int | LeftOut
    final: int


def _parse_fail(reply: list[Any]) -> FailReply:
    return _read("fail", _FAIL_REPLIES, _FAIL_REFUSALS, reply)


def fail(
    queue: str,
    items: Iterable[FailItem],
    *,
    told: bytes | None = None,
) -> Call[FailReply]:
    """Report jobs whose work failed: they are tried again later, or are dead.

    queue: its name.
    items: 1..500 of FailItem.
    told: 1..2600000 bytes or left out; of handlers, for each that tells something: a line `item
        lines before progress text`, then so many lines of its log, 4096 bytes at most: item counts
        from 1; before is how many lines it told before in this attempt, or -; progress is 0 to 1,
        or -; text 200 bytes.

    Once sent, it returns Failed, or raises the error of BAD_ARGUMENT, BAD_KEYS, TOO_LARGE, UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs of the queue.
    """
    argv: list[Argument] = [
        "" if told is None else told,
    ]
    argv += _flat(items)
    return Call("fail", queue, argv, _parse_fail)


class GroupGroup(NamedTuple):
    """GROUP of group.

    The message is its first line, 100 bytes of it at most; the id is of the newest.
    """

    type: str
    error: bytes
    message: bytes
    jobs: int
    newest_ms: int
    oldest_ms: int
    id: str


GroupAnswer = GroupGroup


class Grouped(NamedTuple):
    """GROUPED of group: `answers` holds for each group, the largest first, its GroupAnswer."""

    now_ms: int
    cursor: str
    scanned: int
    total: int
    others: int
    answers: list[GroupAnswer]


GroupReply = Grouped


def _read_group_group(reply: Sequence[Any]) -> GroupGroup:
    _, type_, error, message, jobs, newest_ms, oldest_ms, id_ = reply
    return GroupGroup(
        type_.decode("utf-8", "replace"),
        error,
        message,
        int(jobs),
        int(newest_ms),
        int(oldest_ms),
        id_.decode("utf-8", "replace"),
    )


_GROUP_ANSWERS: dict[bytes, Callable[[Sequence[Any]], GroupAnswer]] = {
    b"GROUP": _read_group_group,
}


def _read_grouped(reply: Sequence[Any]) -> Grouped:
    _, now_ms, cursor, scanned, total, others, *items = reply
    answers = _GROUP_ANSWERS
    return Grouped(
        int(now_ms),
        cursor.decode("utf-8", "replace"),
        int(scanned),
        int(total),
        int(others),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 8, strict=True)],
    )


_GROUP_REPLIES: dict[bytes, Callable[[Sequence[Any]], GroupReply]] = {
    b"GROUPED": _read_grouped,
}
_GROUP_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_group(reply: list[Any]) -> GroupReply:
    return _read("group", _GROUP_REPLIES, _GROUP_REFUSALS, reply)


def group(
    queue: str,
    *,
    state: str,
    scan: int,
    cursor: str,
) -> Call[GroupReply]:
    """Count the jobs of a state by type, type of the last error, and the start of its message.

    queue: its name.
    state: one of scheduled, queued, running, retrying, completed, cancelled, dead; which jobs.
    scan: an integer 1..1000; how many jobs one call looks at, fewer where 2 MB are read before.
    cursor: a text of 0..300 bytes; empty, or as the last page told.

    Once sent, it returns Grouped, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n + log m), n = jobs looked at, m = jobs of the state.
    """
    argv: list[Argument] = [
        state,
        scan,
        cursor,
    ]
    return Call("group", queue, argv, _parse_group)


class InspectJob(NamedTuple):
    """JOB of inspect.

    0 or empty is: not known; failures and lost leases are of all time; `errors` is one line of JSON
    each; `place` is another once the job has moved, or was altered, extended, asked to stop;
    `progress` is a line of JSON, the log one a line.
    """

    id: str
    state: str
    header: bytes
    headers: bytes
    has_payload: int
    payload: bytes
    run_at_ms: int
    attempt: int
    failures: int
    lost: int
    fence: int
    started_ms: int
    lease_end_ms: int
    worker: str
    cancel: int
    how: str
    ended_ms: int
    kept_until_ms: int
    result: bytes
    errors: bytes
    place: str
    progress: bytes
    log: bytes


@dataclass(frozen=True, slots=True)
class InspectUnknown:
    """UNKNOWN of inspect: nothing is kept of such a job."""


_INSPECT_UNKNOWN = InspectUnknown()


@dataclass(frozen=True, slots=True)
class InspectLater:
    """LATER of inspect: the reply is full: ask for this job again."""


_INSPECT_LATER = InspectLater()


InspectAnswer = InspectJob | InspectUnknown | InspectLater


class Inspected(NamedTuple):
    """INSPECTED of inspect: `answers` holds for each job, in order, its InspectAnswer."""

    now_ms: int
    answers: list[InspectAnswer]


InspectReply = Inspected


def _read_inspect_job(reply: Sequence[Any]) -> InspectJob:
    (
        _,
        id_,
        state,
        header,
        headers,
        has_payload,
        payload,
        run_at_ms,
        attempt,
        failures,
        lost,
        fence,
        started_ms,
        lease_end_ms,
        worker,
        cancel,
        how,
        ended_ms,
        kept_until_ms,
        result,
        errors,
        place,
        progress,
        log,
    ) = reply
    return InspectJob(
        id_.decode("utf-8", "replace"),
        state.decode("utf-8", "replace"),
        header,
        headers,
        int(has_payload),
        payload,
        int(run_at_ms),
        int(attempt),
        int(failures),
        int(lost),
        int(fence),
        int(started_ms),
        int(lease_end_ms),
        worker.decode("utf-8", "replace"),
        int(cancel),
        how.decode("utf-8", "replace"),
        int(ended_ms),
        int(kept_until_ms),
        result,
        errors,
        place.decode("utf-8", "replace"),
        progress,
        log,
    )


_INSPECT_ANSWERS: dict[bytes, Callable[[Sequence[Any]], InspectAnswer]] = {
    b"JOB": _read_inspect_job,
    b"UNKNOWN": lambda _: _INSPECT_UNKNOWN,
    b"LATER": lambda _: _INSPECT_LATER,
}


def _read_inspected(reply: Sequence[Any]) -> Inspected:
    _, now_ms, *items = reply
    answers = _INSPECT_ANSWERS
    return Inspected(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 24, strict=True)],
    )


_INSPECT_REPLIES: dict[bytes, Callable[[Sequence[Any]], InspectReply]] = {
    b"INSPECTED": _read_inspected,
}
_INSPECT_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class InspectItem(NamedTuple):
    """What repeats in inspect.

    id: a name of 1..128 bytes; the job.
    """

    id: str


def _parse_inspect(reply: list[Any]) -> InspectReply:
    return _read("inspect", _INSPECT_REPLIES, _INSPECT_REFUSALS, reply)


def inspect(
    queue: str,
    items: Iterable[InspectItem],
    *,
    with_payload: int,
) -> Call[InspectReply]:
    """Show jobs whole, each with all that is kept of it.

    queue: its name.
    items: 1..100 of InspectItem.
    with_payload: an integer 0..1; 1: with the payload.

    Once sent, it returns Inspected, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n), n = jobs given, and their bytes.
    """
    argv: list[Argument] = [
        with_payload,
    ]
    argv += _flat(items)
    return Call("inspect", queue, argv, _parse_inspect)


class ListJob(NamedTuple):
    """JOB of list.

    As in inspect, with the last error alone; the cursor is empty on the last page; total counts the
    jobs of the state.
    """

    id: str
    state: str
    header: bytes
    headers: bytes
    has_payload: int
    payload: bytes
    run_at_ms: int
    attempt: int
    failures: int
    lost: int
    fence: int
    started_ms: int
    lease_end_ms: int
    worker: str
    cancel: int
    how: str
    ended_ms: int
    kept_until_ms: int
    result: bytes
    errors: bytes
    place: str


ListAnswer = ListJob


class Listed(NamedTuple):
    """LISTED of list: `answers` holds for each job, in order, its ListAnswer."""

    now_ms: int
    cursor: str
    scanned: int
    total: int
    answers: list[ListAnswer]


ListReply = Listed


def _read_list_job(reply: Sequence[Any]) -> ListJob:
    (
        _,
        id_,
        state,
        header,
        headers,
        has_payload,
        payload,
        run_at_ms,
        attempt,
        failures,
        lost,
        fence,
        started_ms,
        lease_end_ms,
        worker,
        cancel,
        how,
        ended_ms,
        kept_until_ms,
        result,
        errors,
        place,
    ) = reply
    return ListJob(
        id_.decode("utf-8", "replace"),
        state.decode("utf-8", "replace"),
        header,
        headers,
        int(has_payload),
        payload,
        int(run_at_ms),
        int(attempt),
        int(failures),
        int(lost),
        int(fence),
        int(started_ms),
        int(lease_end_ms),
        worker.decode("utf-8", "replace"),
        int(cancel),
        how.decode("utf-8", "replace"),
        int(ended_ms),
        int(kept_until_ms),
        result,
        errors,
        place.decode("utf-8", "replace"),
    )


_LIST_ANSWERS: dict[bytes, Callable[[Sequence[Any]], ListAnswer]] = {
    b"JOB": _read_list_job,
}


def _read_listed(reply: Sequence[Any]) -> Listed:
    _, now_ms, cursor, scanned, total, *items = reply
    answers = _LIST_ANSWERS
    return Listed(
        int(now_ms),
        cursor.decode("utf-8", "replace"),
        int(scanned),
        int(total),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 22, strict=True)],
    )


_LIST_REPLIES: dict[bytes, Callable[[Sequence[Any]], ListReply]] = {
    b"LISTED": _read_listed,
}
_LIST_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_list(reply: list[Any]) -> ListReply:
    return _read("list", _LIST_REPLIES, _LIST_REFUSALS, reply)


def list_(
    queue: str,
    *,
    state: str,
    order: str,
    limit: int,
    cursor: str,
    type_: str | None = None,
    error: bytes | None = None,
    worker: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    scan: int | None = None,
) -> Call[ListReply]:
    """Show the jobs of one state, page by page, without payloads and results.

    queue: its name.
    state: one of scheduled, queued, running, retrying, completed, cancelled, dead; which jobs.
    order: one of newest, oldest; from which end of the set.
    limit: an integer 1..200; how many at most.
    cursor: a text of 0..300 bytes; empty, or as the last page told.
    type: a name of 1..128 bytes, which may hold colons or left out; only those of this type; empty:
        any.
    error: 1..200 bytes or left out; only those whose last error is of this type; empty: any.
    worker: a text of 1..128 bytes or left out; only those that it holds (running) or ended; empty:
        any.
    since_ms: an integer 0..9007199254740991 or left out; only from this time on; empty: any.
    until_ms: an integer 0..9007199254740991 or left out; only before this time; empty: any.
    scan: an integer 1..1000 or left out; how many entries one call looks at, where there is a
        filter; empty: 1000.

    Once sent, it returns Listed, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n + log m), n = jobs shown or looked at, m = jobs of the state.
    """
    argv: list[Argument] = [
        state,
        order,
        limit,
        cursor,
        "" if type_ is None else type_,
        "" if error is None else error,
        "" if worker is None else worker,
        "" if since_ms is None else since_ms,
        "" if until_ms is None else until_ms,
        "" if scan is None else scan,
    ]
    return Call("list", queue, argv, _parse_list)


@dataclass(frozen=True, slots=True)
class MendSound:
    """SOUND of mend: nothing is wrong, or nothing is kept."""


_MEND_SOUND = MendSound()


class MendMended(NamedTuple):
    """MENDED of mend.

    What was wrong, the state that the job has now, if it is kept, and what is wrong still.
    """

    mended: str
    state: str
    faults: str


class MendLeft(NamedTuple):
    """LEFT of mend: what is wrong still: only a guess could mend it."""

    faults: str


@dataclass(frozen=True, slots=True)
class MendLater:
    """LATER of mend: enough was read: ask for this name again."""


_MEND_LATER = MendLater()


MendAnswer = MendSound | MendMended | MendLeft | MendLater


class Mended(NamedTuple):
    """MENDED of mend: `answers` holds for each name, in order, its MendAnswer."""

    now_ms: int
    mended: str
    faults: str
    answers: list[MendAnswer]


MendReply = Mended


def _read_mend_mended(reply: Sequence[Any]) -> MendMended:
    _, mended, state, faults = reply
    return MendMended(
        mended.decode("utf-8", "replace"),
        state.decode("utf-8", "replace"),
        faults.decode("utf-8", "replace"),
    )


def _read_mend_left(reply: Sequence[Any]) -> MendLeft:
    _, faults, *_ = reply
    return MendLeft(
        faults.decode("utf-8", "replace"),
    )


_MEND_ANSWERS: dict[bytes, Callable[[Sequence[Any]], MendAnswer]] = {
    b"SOUND": lambda _: _MEND_SOUND,
    b"MENDED": _read_mend_mended,
    b"LEFT": _read_mend_left,
    b"LATER": lambda _: _MEND_LATER,
}


def _read_mended(reply: Sequence[Any]) -> Mended:
    _, now_ms, mended, faults, *items = reply
    answers = _MEND_ANSWERS
    return Mended(
        int(now_ms),
        mended.decode("utf-8", "replace"),
        faults.decode("utf-8", "replace"),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 4, strict=True)],
    )


_MEND_REPLIES: dict[bytes, Callable[[Sequence[Any]], MendReply]] = {
    b"MENDED": _read_mended,
}
_MEND_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"TOO_LARGE",
    b"UPGRADE",
}


class MendItem(NamedTuple):
    """What repeats in mend.

    id: 0..4096 bytes; the name.
    """

    id: bytes


def _parse_mend(reply: list[Any]) -> MendReply:
    return _read("mend", _MEND_REPLIES, _MEND_REFUSALS, reply)


def mend(
    queue: str,
    items: Iterable[MendItem] = (),
    *,
    of: str,
) -> Call[MendReply]:
    """Mend what audit finds, as far as no guess is needed; say what is left.

    queue: its name.
    items: 0..200 of MendItem.
    of: one of job, claim; what the names are: jobs; tokens of claims.

    Once sent, it returns Mended, or raises the error of BAD_ARGUMENT, BAD_KEYS, TOO_LARGE, UPGRADE.

    Cost: O(n log m), n = names given, m = jobs of the queue.
    """
    argv: list[Argument] = [
        of,
    ]
    argv += _flat(items)
    return Call("mend", queue, argv, _parse_mend)


class Started(NamedTuple):
    """STARTED of operate: begun now; one line of JSON."""

    now_ms: int
    operation: bytes


class Known(NamedTuple):
    """KNOWN of operate: one of this id is kept: nothing was changed."""

    now_ms: int
    operation: bytes


class Differs(NamedTuple):
    """DIFFERS of operate: not as many as expected, seen at once where all are asked for."""

    now_ms: int
    counted: int


class Busy(NamedTuple):
    """BUSY of operate: 100 are kept, and none of them has ended."""

    now_ms: int


OperateReply = Started | Known | Differs | Busy


def _read_started(reply: Sequence[Any]) -> Started:
    _, now_ms, operation = reply
    return Started(
        int(now_ms),
        operation,
    )


def _read_known(reply: Sequence[Any]) -> Known:
    _, now_ms, operation = reply
    return Known(
        int(now_ms),
        operation,
    )


def _read_differs(reply: Sequence[Any]) -> Differs:
    _, now_ms, counted = reply
    return Differs(
        int(now_ms),
        int(counted),
    )


def _read_busy(reply: Sequence[Any]) -> Busy:
    _, now_ms = reply
    return Busy(
        int(now_ms),
    )


_OPERATE_REPLIES: dict[bytes, Callable[[Sequence[Any]], OperateReply]] = {
    b"STARTED": _read_started,
    b"KNOWN": _read_known,
    b"DIFFERS": _read_differs,
    b"BUSY": _read_busy,
}
_OPERATE_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_operate(reply: list[Any]) -> OperateReply:
    return _read("operate", _OPERATE_REPLIES, _OPERATE_REFUSALS, reply)


def operate(
    queue: str,
    *,
    id_: str,
    action: str,
    state: str,
    type_: str | None = None,
    error: bytes | None = None,
    worker: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    dry_run: int,
    expected: int | None = None,
    rate: int,
    by: str | None = None,
) -> Call[OperateReply]:
    """Begin to do something to all jobs of a state that a filter asks for.

    queue: its name.
    id: a name of 1..128 bytes; made by the caller before the first send.
    action: one of replay, cancel, purge, run_now; replay: dead; cancel: all that have not ended;
        purge: any that rest; run_now: scheduled, retrying.
    state: one of scheduled, queued, running, retrying, completed, cancelled, dead; which jobs.
    type: a name of 1..128 bytes, which may hold colons or left out; only those of this type; empty:
        any.
    error: 1..200 bytes or left out; only those whose last error is of this type; empty: any.
    worker: a text of 1..128 bytes or left out; only those that it holds (running) or ended; empty:
        any.
    since_ms: an integer 0..9007199254740991 or left out; only from this time on, as in list; empty:
        any.
    until_ms: an integer 0..9007199254740991 or left out; only before this time; empty: any.
    dry_run: an integer 0..1; 1: only count.
    expected: an integer 0..9007199254740991 or left out; how many there must be; empty: however
        many.
    rate: an integer 0..100000; jobs a second at most; 0: as fast as it is driven.
    by: a text of 1..128 bytes or left out; who, for people.

    Once sent, it returns Started or Known or Differs or Busy, or raises the error of BAD_ARGUMENT,
    BAD_KEYS, UPGRADE.

    Cost: O(log m), m = jobs of the queue.
    """
    argv: list[Argument] = [
        id_,
        action,
        state,
        "" if type_ is None else type_,
        "" if error is None else error,
        "" if worker is None else worker,
        "" if since_ms is None else since_ms,
        "" if until_ms is None else until_ms,
        dry_run,
        "" if expected is None else expected,
        rate,
        "" if by is None else by,
    ]
    return Call("operate", queue, argv, _parse_operate)


class OperationsOperation(NamedTuple):
    """OPERATION of operations: one line of JSON."""

    id: str
    operation: bytes


OperationsAnswer = OperationsOperation


class Operations(NamedTuple):
    """OPERATIONS of operations.

    `answers` holds for each operation, in any order, its OperationsAnswer.
    """

    now_ms: int
    answers: list[OperationsAnswer]


OperationsReply = Operations


def _read_operations_operation(reply: Sequence[Any]) -> OperationsOperation:
    _, id_, operation = reply
    return OperationsOperation(
        id_.decode("utf-8", "replace"),
        operation,
    )


_OPERATIONS_ANSWERS: dict[bytes, Callable[[Sequence[Any]], OperationsAnswer]] = {
    b"OPERATION": _read_operations_operation,
}


def _read_operations(reply: Sequence[Any]) -> Operations:
    _, now_ms, *items = reply
    answers = _OPERATIONS_ANSWERS
    return Operations(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 3, strict=True)],
    )


_OPERATIONS_REPLIES: dict[bytes, Callable[[Sequence[Any]], OperationsReply]] = {
    b"OPERATIONS": _read_operations,
}
_OPERATIONS_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_operations(reply: list[Any]) -> OperationsReply:
    return _read("operations", _OPERATIONS_REPLIES, _OPERATIONS_REFUSALS, reply)


def operations(
    queue: str,
    *,
    id_: str | None = None,
) -> Call[OperationsReply]:
    """Show the operations of a queue, each as one line of JSON.

    queue: its name.
    id: a name of 1..128 bytes or left out; which; empty: all, in no order.

    Once sent, it returns Operations, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n), n = operations kept.
    """
    argv: list[Argument] = [
        "" if id_ is None else id_,
    ]
    return Call("operations", queue, argv, _parse_operations)


class Promoted(NamedTuple):
    """PROMOTED of promote: more is 1 if due ones are left."""

    now_ms: int
    promoted: int
    more: int


PromoteReply = Promoted


def _read_promoted(reply: Sequence[Any]) -> Promoted:
    _, now_ms, promoted, more = reply
    return Promoted(
        int(now_ms),
        int(promoted),
        int(more),
    )


_PROMOTE_REPLIES: dict[bytes, Callable[[Sequence[Any]], PromoteReply]] = {
    b"PROMOTED": _read_promoted,
}
_PROMOTE_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_promote(reply: list[Any]) -> PromoteReply:
    return _read("promote", _PROMOTE_REPLIES, _PROMOTE_REFUSALS, reply)


def promote(
    queue: str,
    *,
    limit: int,
) -> Call[PromoteReply]:
    """Queue the scheduled and retrying jobs whose time has come.

    queue: its name.
    limit: an integer 1..500; how many jobs of each set at most.

    Once sent, it returns Promoted, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs promoted, m = jobs of the queue.
    """
    argv: list[Argument] = [
        limit,
    ]
    return Call("promote", queue, argv, _parse_promote)


@dataclass(frozen=True, slots=True)
class PurgeGone:
    """GONE of purge: deleted now."""


_PURGE_GONE = PurgeGone()


class PurgeMoved(NamedTuple):
    """MOVED of purge: it has left the place given, and is there: nothing was changed."""

    place: str


@dataclass(frozen=True, slots=True)
class PurgeRunning:
    """RUNNING of purge: it runs, and was left as it is."""


_PURGE_RUNNING = PurgeRunning()


@dataclass(frozen=True, slots=True)
class PurgeUnknown:
    """UNKNOWN of purge: nothing is kept of such a job."""


_PURGE_UNKNOWN = PurgeUnknown()


PurgeAnswer = PurgeGone | PurgeMoved | PurgeRunning | PurgeUnknown


class Purged(NamedTuple):
    """PURGED of purge: `answers` holds for each job, in order, its PurgeAnswer."""

    now_ms: int
    purged: int
    cursor: str
    answers: list[PurgeAnswer]


PurgeReply = Purged


def _read_purge_moved(reply: Sequence[Any]) -> PurgeMoved:
    _, place = reply
    return PurgeMoved(
        place.decode("utf-8", "replace"),
    )


_PURGE_ANSWERS: dict[bytes, Callable[[Sequence[Any]], PurgeAnswer]] = {
    b"GONE": lambda _: _PURGE_GONE,
    b"MOVED": _read_purge_moved,
    b"RUNNING": lambda _: _PURGE_RUNNING,
    b"UNKNOWN": lambda _: _PURGE_UNKNOWN,
}


def _read_purged(reply: Sequence[Any]) -> Purged:
    _, now_ms, purged, cursor, *items = reply
    answers = _PURGE_ANSWERS
    return Purged(
        int(now_ms),
        int(purged),
        cursor.decode("utf-8", "replace"),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_PURGE_REPLIES: dict[bytes, Callable[[Sequence[Any]], PurgeReply]] = {
    b"PURGED": _read_purged,
}
_PURGE_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class PurgeItem(NamedTuple):
    """What repeats in purge.

    id: a name of 1..128 bytes; the job.
    place: a text of 1..128 bytes or left out; where inspect or list saw it; empty: wherever it is.
    """

    id: str
    place: str = LEFT_OUT


def _parse_purge(reply: list[Any]) -> PurgeReply:
    return _read("purge", _PURGE_REPLIES, _PURGE_REFUSALS, reply)


def purge(
    queue: str,
    items: Iterable[PurgeItem] = (),
    *,
    state: str | None = None,
    limit: int,
    cursor: str,
) -> Call[PurgeReply]:
    """Delete jobs that rest, with all that is kept of them.

    queue: its name.
    items: 0..500 of PurgeItem.
    state: one of scheduled, queued, retrying, completed, cancelled, dead or left out; which jobs;
        empty: the ids given.
    limit: an integer 1..500; how many jobs at most, where no ids are given.
    cursor: a text of 0..300 bytes; empty, or as the last step told.

    Once sent, it returns Purged, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs given or swept, m = jobs of the queue.
    """
    argv: list[Argument] = [
        "" if state is None else state,
        limit,
        cursor,
    ]
    argv += _flat(items)
    return Call("purge", queue, argv, _parse_purge)


class Reaped(NamedTuple):
    """REAPED of reap: more is 1 if due ones are left."""

    now_ms: int
    reaped: int
    trimmed: int
    more: int


ReapReply = Reaped


def _read_reaped(reply: Sequence[Any]) -> Reaped:
    _, now_ms, reaped, trimmed, more = reply
    return Reaped(
        int(now_ms),
        int(reaped),
        int(trimmed),
        int(more),
    )


_REAP_REPLIES: dict[bytes, Callable[[Sequence[Any]], ReapReply]] = {
    b"REAPED": _read_reaped,
}
_REAP_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_reap(reply: list[Any]) -> ReapReply:
    return _read("reap", _REAP_REPLIES, _REAP_REFUSALS, reply)


def reap(
    queue: str,
    *,
    limit: int,
) -> Call[ReapReply]:
    """End the leases that ran out, and forget finished jobs past their time.

    queue: its name.
    limit: an integer 1..500; how many leases at most.

    Once sent, it returns Reaped, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = leases ended and jobs forgotten, m = jobs of the queue.
    """
    argv: list[Argument] = [
        limit,
    ]
    return Call("reap", queue, argv, _parse_reap)


@dataclass(frozen=True, slots=True)
class RecallKnown:
    """KNOWN of recall: a claim under it leased jobs here, whatever has become of them."""


_RECALL_KNOWN = RecallKnown()


@dataclass(frozen=True, slots=True)
class RecallUnknown:
    """UNKNOWN of recall: no such claim is remembered."""


_RECALL_UNKNOWN = RecallUnknown()


RecallAnswer = RecallKnown | RecallUnknown


class Recalled(NamedTuple):
    """RECALLED of recall: `answers` holds for each token, in order, its RecallAnswer."""

    now_ms: int
    answers: list[RecallAnswer]


RecallReply = Recalled


_RECALL_ANSWERS: dict[bytes, Callable[[Sequence[Any]], RecallAnswer]] = {
    b"KNOWN": lambda _: _RECALL_KNOWN,
    b"UNKNOWN": lambda _: _RECALL_UNKNOWN,
}


def _read_recalled(reply: Sequence[Any]) -> Recalled:
    _, now_ms, *items = reply
    answers = _RECALL_ANSWERS
    return Recalled(
        int(now_ms),
        [answers[word](items) for word in items],
    )


_RECALL_REPLIES: dict[bytes, Callable[[Sequence[Any]], RecallReply]] = {
    b"RECALLED": _read_recalled,
}
_RECALL_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class RecallItem(NamedTuple):
    """What repeats in recall.

    token: a name of 1..64 bytes; names a claim.
    """

    token: str


def _parse_recall(reply: list[Any]) -> RecallReply:
    return _read("recall", _RECALL_REPLIES, _RECALL_REFUSALS, reply)


def recall(
    queue: str,
    items: Iterable[RecallItem],
) -> Call[RecallReply]:
    """Tell which claims are remembered, without claiming.

    queue: its name.
    items: 1..100 of RecallItem.

    Once sent, it returns Recalled, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n), n = tokens given.
    """
    argv: list[Argument] = []
    argv += _flat(items)
    return Call("recall", queue, argv, _parse_recall)


@dataclass(frozen=True, slots=True)
class ReleaseBack:
    """BACK of release: given back now."""


_RELEASE_BACK = ReleaseBack()


@dataclass(frozen=True, slots=True)
class ReleaseCancelled:
    """CANCELLED of release: a cancel had been asked."""


_RELEASE_CANCELLED = ReleaseCancelled()


@dataclass(frozen=True, slots=True)
class ReleaseAlready:
    """ALREADY of release: this lease had given it back before."""


_RELEASE_ALREADY = ReleaseAlready()


@dataclass(frozen=True, slots=True)
class ReleaseLeaseLost:
    """LEASE_LOST of release: the lease ran out, or was never held."""


_RELEASE_LEASE_LOST = ReleaseLeaseLost()


@dataclass(frozen=True, slots=True)
class ReleaseUnknown:
    """UNKNOWN of release: nothing is kept of such a job."""


_RELEASE_UNKNOWN = ReleaseUnknown()


ReleaseAnswer = ReleaseBack | ReleaseCancelled | ReleaseAlready | ReleaseLeaseLost | ReleaseUnknown


class Released(NamedTuple):
    """RELEASED of release: `answers` holds for each job, in order, its ReleaseAnswer."""

    now_ms: int
    answers: list[ReleaseAnswer]


ReleaseReply = Released


_RELEASE_ANSWERS: dict[bytes, Callable[[Sequence[Any]], ReleaseAnswer]] = {
    b"BACK": lambda _: _RELEASE_BACK,
    b"CANCELLED": lambda _: _RELEASE_CANCELLED,
    b"ALREADY": lambda _: _RELEASE_ALREADY,
    b"LEASE_LOST": lambda _: _RELEASE_LEASE_LOST,
    b"UNKNOWN": lambda _: _RELEASE_UNKNOWN,
}


def _read_released(reply: Sequence[Any]) -> Released:
    _, now_ms, *items = reply
    answers = _RELEASE_ANSWERS
    return Released(
        int(now_ms),
        [answers[word](items) for word in items],
    )


_RELEASE_REPLIES: dict[bytes, Callable[[Sequence[Any]], ReleaseReply]] = {
    b"RELEASED": _read_released,
}
_RELEASE_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class ReleaseItem(NamedTuple):
    """What repeats in release.

    id: a name of 1..128 bytes; the job.
    token: a name of 1..64 bytes; the claim under which it is held.
    delay_ms: an integer 0..315360000000; how long it rests before it is queued again.
    """

    id: str
    token: str
    delay_ms: int


def _parse_release(reply: list[Any]) -> ReleaseReply:
    return _read("release", _RELEASE_REPLIES, _RELEASE_REFUSALS, reply)


def release(
    queue: str,
    items: Iterable[ReleaseItem],
    *,
    told: bytes | None = None,
) -> Call[ReleaseReply]:
    """Give leased jobs back unharmed: no attempt is used.

    queue: its name.
    items: 1..500 of ReleaseItem.
    told: 1..2600000 bytes or left out; of handlers, for each that tells something: a line `item
        lines before progress text`, then so many lines of its log, 4096 bytes at most: item counts
        from 1; before is how many lines it told before in this attempt, or -; progress is 0 to 1,
        or -; text 200 bytes.

    Once sent, it returns Released, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs given, m = jobs of the queue.
    """
    argv: list[Argument] = [
        "" if told is None else told,
    ]
    argv += _flat(items)
    return Call("release", queue, argv, _parse_release)


@dataclass(frozen=True, slots=True)
class ReplayQueued:
    """QUEUED of replay: queued again now."""


_REPLAY_QUEUED = ReplayQueued()


class ReplayNotDead(NamedTuple):
    """NOT_DEAD of replay: it is not dead, and was left as it is."""

    state: str


@dataclass(frozen=True, slots=True)
class ReplayUnknown:
    """UNKNOWN of replay: nothing is kept of such a job."""


_REPLAY_UNKNOWN = ReplayUnknown()


ReplayAnswer = ReplayQueued | ReplayNotDead | ReplayUnknown


class Replayed(NamedTuple):
    """REPLAYED of replay: `answers` holds for each job, in order, its ReplayAnswer."""

    now_ms: int
    replayed: int
    cursor: str
    answers: list[ReplayAnswer]


ReplayReply = Replayed


def _read_replay_not_dead(reply: Sequence[Any]) -> ReplayNotDead:
    _, state = reply
    return ReplayNotDead(
        state.decode("utf-8", "replace"),
    )


_REPLAY_ANSWERS: dict[bytes, Callable[[Sequence[Any]], ReplayAnswer]] = {
    b"QUEUED": lambda _: _REPLAY_QUEUED,
    b"NOT_DEAD": _read_replay_not_dead,
    b"UNKNOWN": lambda _: _REPLAY_UNKNOWN,
}


def _read_replayed(reply: Sequence[Any]) -> Replayed:
    _, now_ms, replayed, cursor, *items = reply
    answers = _REPLAY_ANSWERS
    return Replayed(
        int(now_ms),
        int(replayed),
        cursor.decode("utf-8", "replace"),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 2, strict=True)],
    )


_REPLAY_REPLIES: dict[bytes, Callable[[Sequence[Any]], ReplayReply]] = {
    b"REPLAYED": _read_replayed,
}
_REPLAY_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


class ReplayItem(NamedTuple):
    """What repeats in replay.

    id: a name of 1..128 bytes; the job.
    """

    id: str


def _parse_replay(reply: list[Any]) -> ReplayReply:
    return _read("replay", _REPLAY_REPLIES, _REPLAY_REFUSALS, reply)


def replay(
    queue: str,
    items: Iterable[ReplayItem] = (),
    *,
    limit: int,
    cursor: str,
) -> Call[ReplayReply]:
    """Queue dead jobs again, with fresh attempts; their history is kept.

    queue: its name.
    items: 0..500 of ReplayItem.
    limit: an integer 1..500; how many jobs at most, where no ids are given.
    cursor: a text of 0..300 bytes; empty, or as the last step told.

    Once sent, it returns Replayed, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs given or swept, m = jobs of the queue.
    """
    argv: list[Argument] = [
        limit,
        cursor,
    ]
    argv += _flat(items)
    return Call("replay", queue, argv, _parse_replay)


class SeriesMinute(NamedTuple):
    """MINUTE of series: what happened from then on."""

    at_ms: int
    queued: int
    oldest_queued_ms: int
    enqueued: int
    completed: int
    failed: int
    lost: int
    died: int
    cancelled: int
    replayed: int
    purged: int


SeriesAnswer = SeriesMinute


class Series(NamedTuple):
    """SERIES of series: `answers` holds for each minute, the oldest first, its SeriesAnswer."""

    now_ms: int
    answers: list[SeriesAnswer]


SeriesReply = Series


def _read_series_minute(reply: Sequence[Any]) -> SeriesMinute:
    (
        _,
        at_ms,
        queued,
        oldest_queued_ms,
        enqueued,
        completed,
        failed,
        lost,
        died,
        cancelled,
        replayed,
        purged,
    ) = reply
    return SeriesMinute(
        int(at_ms),
        int(queued),
        int(oldest_queued_ms),
        int(enqueued),
        int(completed),
        int(failed),
        int(lost),
        int(died),
        int(cancelled),
        int(replayed),
        int(purged),
    )


_SERIES_ANSWERS: dict[bytes, Callable[[Sequence[Any]], SeriesAnswer]] = {
    b"MINUTE": _read_series_minute,
}


def _read_series(reply: Sequence[Any]) -> Series:
    _, now_ms, *items = reply
    answers = _SERIES_ANSWERS
    return Series(
        int(now_ms),
        [answers[item[0]](item) for item in zip(*[iter(items)] * 12, strict=True)],
    )


_SERIES_REPLIES: dict[bytes, Callable[[Sequence[Any]], SeriesReply]] = {
    b"SERIES": _read_series,
}
_SERIES_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_series(reply: list[Any]) -> SeriesReply:
    return _read("series", _SERIES_REPLIES, _SERIES_REFUSALS, reply)


def series(
    queue: str,
    *,
    minutes: int,
) -> Call[SeriesReply]:
    """Tell what happened in each of the last minutes.

    queue: its name.
    minutes: an integer 1..1440; how many, with the present one.

    Once sent, it returns Series, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n), n = minutes asked for.
    """
    argv: list[Argument] = [
        minutes,
    ]
    return Call("series", queue, argv, _parse_series)


class Stats(NamedTuple):
    """STATS of stats.

    The age of the oldest queued job in ms, when the first delayed one is due (0: none), leases past
    their end, and totals since the queue exists.
    """

    now_ms: int
    scheduled: int
    queued: int
    running: int
    retrying: int
    completed: int
    cancelled: int
    dead: int
    oldest_queued_ms: int
    next_due_ms: int
    lapsed: int
    paused: int
    pause_reason: str
    paused_by: str
    paused_at_ms: int
    enqueued_total: int
    completed_total: int
    failed_total: int
    lost_total: int
    died_total: int
    cancelled_total: int
    replayed_total: int
    purged_total: int
    trimmed_total: int
    dead_trimmed_total: int
    missing_total: int


StatsReply = Stats


def _read_stats(reply: Sequence[Any]) -> Stats:
    (
        _,
        now_ms,
        scheduled,
        queued,
        running,
        retrying,
        completed,
        cancelled,
        dead,
        oldest_queued_ms,
        next_due_ms,
        lapsed,
        paused,
        pause_reason,
        paused_by,
        paused_at_ms,
        enqueued_total,
        completed_total,
        failed_total,
        lost_total,
        died_total,
        cancelled_total,
        replayed_total,
        purged_total,
        trimmed_total,
        dead_trimmed_total,
        missing_total,
    ) = reply
    return Stats(
        int(now_ms),
        int(scheduled),
        int(queued),
        int(running),
        int(retrying),
        int(completed),
        int(cancelled),
        int(dead),
        int(oldest_queued_ms),
        int(next_due_ms),
        int(lapsed),
        int(paused),
        pause_reason.decode("utf-8", "replace"),
        paused_by.decode("utf-8", "replace"),
        int(paused_at_ms),
        int(enqueued_total),
        int(completed_total),
        int(failed_total),
        int(lost_total),
        int(died_total),
        int(cancelled_total),
        int(replayed_total),
        int(purged_total),
        int(trimmed_total),
        int(dead_trimmed_total),
        int(missing_total),
    )


_STATS_REPLIES: dict[bytes, Callable[[Sequence[Any]], StatsReply]] = {
    b"STATS": _read_stats,
}
_STATS_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_stats(reply: list[Any]) -> StatsReply:
    return _read("stats", _STATS_REPLIES, _STATS_REFUSALS, reply)


def stats(
    queue: str,
) -> Call[StatsReply]:
    """Count a queue's jobs by state, and tell what it waits for.

    queue: its name.

    Once sent, it returns Stats, or raises the error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(log m), m = jobs of the queue.
    """
    argv: list[Argument] = []
    return Call("stats", queue, argv, _parse_stats)


class StepStepped(NamedTuple):
    """STEPPED of step: done or counted now; the rate allows more after the wait."""

    now_ms: int
    done: int
    wait_ms: int
    operation: bytes


class Replays(NamedTuple):
    """REPLAYS of step: it queues jobs again: step_replay does that."""

    now_ms: int
    operation: bytes


class StepEnded(NamedTuple):
    """ENDED of step: there is nothing left to do."""

    now_ms: int
    operation: bytes


class StepUnknown(NamedTuple):
    """UNKNOWN of step: no such operation is kept."""

    now_ms: int


StepReply = StepStepped | Replays | StepEnded | StepUnknown


def _read_step_stepped(reply: Sequence[Any]) -> StepStepped:
    _, now_ms, done, wait_ms, operation = reply
    return StepStepped(
        int(now_ms),
        int(done),
        int(wait_ms),
        operation,
    )


def _read_replays(reply: Sequence[Any]) -> Replays:
    _, now_ms, operation = reply
    return Replays(
        int(now_ms),
        operation,
    )


def _read_step_ended(reply: Sequence[Any]) -> StepEnded:
    _, now_ms, operation = reply
    return StepEnded(
        int(now_ms),
        operation,
    )


def _read_step_unknown(reply: Sequence[Any]) -> StepUnknown:
    _, now_ms = reply
    return StepUnknown(
        int(now_ms),
    )


_STEP_REPLIES: dict[bytes, Callable[[Sequence[Any]], StepReply]] = {
    b"STEPPED": _read_step_stepped,
    b"REPLAYS": _read_replays,
    b"ENDED": _read_step_ended,
    b"UNKNOWN": _read_step_unknown,
}
_STEP_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_step(reply: list[Any]) -> StepReply:
    return _read("step", _STEP_REPLIES, _STEP_REFUSALS, reply)


def step(
    queue: str,
    *,
    id_: str,
    limit: int,
) -> Call[StepReply]:
    """Do the next jobs of an operation that cancels, purges or runs now; or count, for any.

    queue: its name.
    id: a name of 1..128 bytes; the operation.
    limit: an integer 1..500; how many jobs one step looks at.

    Once sent, it returns StepStepped or Replays or StepEnded or StepUnknown, or raises the error of
    BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs looked at, m = jobs of the queue.
    """
    argv: list[Argument] = [
        id_,
        limit,
    ]
    return Call("step", queue, argv, _parse_step)


class StepReplayStepped(NamedTuple):
    """STEPPED of step_replay: done or counted now; the rate allows more after the wait."""

    now_ms: int
    done: int
    wait_ms: int
    operation: bytes


class StepReplayEnded(NamedTuple):
    """ENDED of step_replay: there is nothing left to do, or it does not replay."""

    now_ms: int
    operation: bytes


class StepReplayUnknown(NamedTuple):
    """UNKNOWN of step_replay: no such operation is kept."""

    now_ms: int


StepReplayReply = StepReplayStepped | StepReplayEnded | StepReplayUnknown


def _read_step_replay_stepped(reply: Sequence[Any]) -> StepReplayStepped:
    _, now_ms, done, wait_ms, operation = reply
    return StepReplayStepped(
        int(now_ms),
        int(done),
        int(wait_ms),
        operation,
    )


def _read_step_replay_ended(reply: Sequence[Any]) -> StepReplayEnded:
    _, now_ms, operation = reply
    return StepReplayEnded(
        int(now_ms),
        operation,
    )


def _read_step_replay_unknown(reply: Sequence[Any]) -> StepReplayUnknown:
    _, now_ms = reply
    return StepReplayUnknown(
        int(now_ms),
    )


_STEP_REPLAY_REPLIES: dict[bytes, Callable[[Sequence[Any]], StepReplayReply]] = {
    b"STEPPED": _read_step_replay_stepped,
    b"ENDED": _read_step_replay_ended,
    b"UNKNOWN": _read_step_replay_unknown,
}
_STEP_REPLAY_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_step_replay(reply: list[Any]) -> StepReplayReply:
    return _read("step_replay", _STEP_REPLAY_REPLIES, _STEP_REPLAY_REFUSALS, reply)


def step_replay(
    queue: str,
    *,
    id_: str,
    limit: int,
) -> Call[StepReplayReply]:
    """Queue the next jobs again of an operation that replays.

    queue: its name.
    id: a name of 1..128 bytes; the operation.
    limit: an integer 1..500; how many jobs one step looks at.

    Once sent, it returns StepReplayStepped or StepReplayEnded or StepReplayUnknown, or raises the
    error of BAD_ARGUMENT, BAD_KEYS, UPGRADE.

    Cost: O(n log m), n = jobs looked at, m = jobs of the queue.
    """
    argv: list[Argument] = [
        id_,
        limit,
    ]
    return Call("step_replay", queue, argv, _parse_step_replay)


class Stopped(NamedTuple):
    """STOPPED of stop: ended now."""

    now_ms: int
    operation: bytes


class StopEnded(NamedTuple):
    """ENDED of stop: it had ended before."""

    now_ms: int
    operation: bytes


class StopUnknown(NamedTuple):
    """UNKNOWN of stop: no such operation is kept."""

    now_ms: int


StopReply = Stopped | StopEnded | StopUnknown


def _read_stopped(reply: Sequence[Any]) -> Stopped:
    _, now_ms, operation = reply
    return Stopped(
        int(now_ms),
        operation,
    )


def _read_stop_ended(reply: Sequence[Any]) -> StopEnded:
    _, now_ms, operation = reply
    return StopEnded(
        int(now_ms),
        operation,
    )


def _read_stop_unknown(reply: Sequence[Any]) -> StopUnknown:
    _, now_ms = reply
    return StopUnknown(
        int(now_ms),
    )


_STOP_REPLIES: dict[bytes, Callable[[Sequence[Any]], StopReply]] = {
    b"STOPPED": _read_stopped,
    b"ENDED": _read_stop_ended,
    b"UNKNOWN": _read_stop_unknown,
}
_STOP_REFUSALS = {
    b"BAD_ARGUMENT",
    b"BAD_KEYS",
    b"UPGRADE",
}


def _parse_stop(reply: list[Any]) -> StopReply:
    return _read("stop", _STOP_REPLIES, _STOP_REFUSALS, reply)


def stop(
    queue: str,
    *,
    id_: str,
) -> Call[StopReply]:
    """End an operation: it does nothing more; what it has done stays.

    queue: its name.
    id: a name of 1..128 bytes; the operation.

    Once sent, it returns Stopped or StopEnded or StopUnknown, or raises the error of BAD_ARGUMENT,
    BAD_KEYS, UPGRADE.

    Cost: O(1).
    """
    argv: list[Argument] = [
        id_,
    ]
    return Call("stop", queue, argv, _parse_stop)
