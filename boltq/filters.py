"""Which jobs of a state are meant, and in what groups they stand."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple, TypedDict

from boltq import ids, scripts
from boltq.job import moment_of

State = Literal["scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead"]

CALL_GROUPED = 50
"""How many jobs one call of `group` looks at: some 1 ms of the server's time."""

_CALL_JOBS, _CALL_SCAN = 25, 100
_RUNNING_JOBS, _RUNNING_SCAN = 200, 500


class Narrowed(TypedDict, total=False):
    """Which jobs of a state are asked for; what is left out is any.

    type: the jobs' own. error: the type of their last error. since, until: from the one on and
    before the other they were due (scheduled, retrying), queued, started (running) or have ended.
    """

    type: str | None
    error: str | None
    since: datetime | None
    until: datetime | None


class Asked(TypedDict):
    """A filter as the scripts take it."""

    type_: str | None
    error: bytes | None
    since_ms: int | None
    until_ms: int | None


def call_sizes(state: State) -> tuple[int, int]:
    """Return how many jobs one call of `list` shows at most, and looks at for a filter.

    That is some 1 ms of the server's time, or 3 ms for running jobs: they change places when their
    leases are extended, so a page of them is one look, which passes over none.
    """
    return (_RUNNING_JOBS, _RUNNING_SCAN) if state == "running" else (_CALL_JOBS, _CALL_SCAN)


def asked(narrowed: Narrowed) -> Asked:
    """Turn a filter into arguments of a script."""
    since, until = narrowed.get("since"), narrowed.get("until")
    return {
        "type_": narrowed.get("type"),
        "error": (narrowed.get("error") or "").encode() or None,
        "since_ms": _ms(since),
        "until_ms": _ms(until),
    }


def is_filter(told: Asked | None, worker: str | None) -> bool:
    """Whether jobs are looked at one by one, so that a page may be short and not the last."""
    return bool(worker) or any(value is not None for value in (told or {}).values())


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else max(0, round(moment.timestamp() * 1000))


class Group(NamedTuple):
    """Jobs that have the same type, and whose last errors are alike.

    error: the type of their last error, and message: the first line of it, 100 bytes at most; both
    are empty for jobs without one. id: of the newest of them. Times are those that matter in the
    state: when a dead job has died.
    """

    type: str
    error: str
    message: str
    jobs: int
    newest: datetime
    oldest: datetime
    id: str


class Groups(NamedTuple):
    """The groups, the largest first; scanned of total jobs were looked at, `others` in no group."""

    groups: list[Group]
    scanned: int
    total: int
    others: int


def added_up(queue: str, pages: Iterable[scripts.Grouped]) -> Groups:
    """Add up what the pages of a script tell; the newest come first."""
    found: dict[tuple[str, bytes, bytes], Group] = {}
    scanned = total = others = 0
    for page in pages:
        scanned, total, others = scanned + page.scanned, page.total, others + page.others
        for one in page.answers:
            group = Group(
                one.type,
                one.error.decode("utf-8", "replace"),
                one.message.decode("utf-8", "replace"),
                one.jobs,
                moment_of(one.newest_ms),
                moment_of(one.oldest_ms),
                ids.join(queue, one.id),
            )
            key = (one.type, one.error, one.message)
            found[key] = _with(found[key], group) if key in found else group
    groups = sorted(found.values(), key=lambda group: -group.jobs)
    return Groups(groups, scanned, max(total, scanned), others)


def _with(one: Group, other: Group) -> Group:
    newer = one if one.newest >= other.newest else other
    return newer._replace(jobs=one.jobs + other.jobs, oldest=min(one.oldest, other.oldest))
