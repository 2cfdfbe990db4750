"""One operation: what is done to many jobs of a queue, and how far it is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from boltq import ids
from boltq.job import moment_of

Action = Literal["replay", "cancel", "purge", "run_now"]
Status = Literal["counting", "running", "finished", "stopped", "refused"]


class _Kept(msgspec.Struct):
    """The line of JSON that the scripts write."""

    id: str
    action: Action
    state: str
    status: Status
    type: str
    error: str
    by: str
    dry_run: int
    rate: int
    started_ms: int
    total: int
    looked_at: int
    counted: int
    done: int
    skipped: int
    worker: str = ""
    expected: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it stood when it was asked for.

    id: as that of a job, with its queue in front. action: what is done; state, type, error, worker,
    since, until: to which jobs. status: counting, running, finished, stopped, or refused, which is:
    there were not as many jobs as expected. rate: jobs a second at most, 0 is any. total: how many
    jobs were in the state at its start. looked_at: how many it has come past; done: to how many of
    them something was done; skipped: how many were not asked for. counted: how many were, where it
    counts first or only (dry_run). known: when it was to be started its id was known already.
    """

    id: str
    queue: str
    action: Action
    state: str
    status: Status
    started_at: datetime
    type: str | None
    error: str | None
    worker: str | None
    since: datetime | None
    until: datetime | None
    by: str
    dry_run: bool
    expected: int | None
    rate: int
    total: int
    looked_at: int
    counted: int
    done: int
    skipped: int
    ended_at: datetime | None
    known: bool = field(default=False, compare=False)

    @property
    def ended(self) -> bool:
        """Whether it does nothing more."""
        return self.ended_at is not None


def shown(queue: str, line: bytes, *, known: bool = False) -> Operation:
    """Read the line of JSON that the scripts write."""
    kept = msgspec.json.decode(line.decode("utf-8", "replace"), type=_Kept)
    return Operation(
        id=ids.join(queue, kept.id),
        queue=queue,
        action=kept.action,
        state=kept.state,
        status=kept.status,
        started_at=moment_of(kept.started_ms),
        type=kept.type or None,
        error=kept.error or None,
        worker=kept.worker or None,
        since=None if kept.since_ms is None else moment_of(kept.since_ms),
        until=None if kept.until_ms is None else moment_of(kept.until_ms),
        by=kept.by,
        dry_run=bool(kept.dry_run),
        expected=kept.expected,
        rate=kept.rate,
        total=kept.total,
        looked_at=kept.looked_at,
        counted=kept.counted,
        done=kept.done,
        skipped=kept.skipped,
        ended_at=None if kept.ended_ms is None else moment_of(kept.ended_ms),
        known=known,
    )
