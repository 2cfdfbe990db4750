"""Jobs of several queues and states as one list, newest first, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from boltq import scripts
from boltq.errors import BoltQError
from boltq.evalsha import Server
from boltq.filters import Asked, State, call_sizes, is_filter
from boltq.job import Job, described

ENDED = ("completed", "cancelled", "dead")
PAGE_SCAN = 2000
"""How many jobs are looked at for a page where there is a filter, and a call's more."""

FIRST_JOBS, THEN = 3, 3
"""So many at least are read of each list first, and so many times as many where all were shown."""


class Source(NamedTuple):
    """One list of the engine: a state of a queue."""

    queue: str
    state: State


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs are listed, how many, and from which end."""

    limit: int
    order: str = "newest"
    worker: str | None = None
    narrowed: Asked | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether jobs are looked for one by one, so that a page may be short."""
        return is_filter(self.narrowed, self.worker)

    def at_most(self, limit: int) -> "Wanted":
        """Return the same for a page of another size."""
        return replace(self, limit=limit)

    def call(self, source: Source, cursor: str, limit: int) -> Any:
        """Return the request for a part of one list."""
        narrowed: Any = self.narrowed or {}
        most_jobs, most_scan = call_sizes(source.state)
        return scripts.list_(
            source.queue,
            state=source.state,
            order=self.order,
            limit=min(limit, most_jobs),
            cursor=cursor,
            worker=self.worker,
            scan=most_scan,
            **narrowed,
        )


class Found(NamedTuple):
    """A page: the jobs, where each list is to be read on, and how much of them was looked at.

    rest lacks the lists that have nothing left. total: how many jobs those lists hold, of the lists
    that were read; left: of those that are in rest.
    """

    jobs: list[Job]
    rest: dict[Source, str]
    scanned: int
    total: int
    left: int


class _Part:
    """What was read of a list: where from, the jobs, and how many of them are shown."""

    def __init__(self, source: Source, start: str, reply: Any) -> None:
        self.source, self.start, self.reply = source, start, reply
        self.jobs = [described(source.queue, item) for item in reply.answers]
        self.shown = 0

    @property
    def head(self) -> Job | None:
        return self.jobs[self.shown] if self.shown < len(self.jobs) else None


def page(server: Server, starts: Mapping[Source, str], wanted: Wanted) -> Found:
    """Return the next jobs of some lists together; `starts` has the cursor of each, or none yet.

    A job that comes while pages are turned may be seen twice or not at all, none that stays where
    it is is passed over. With a filter each page is in order by itself. Costs one round trip, one
    more for lists of which a part is shown, and a few for each that fills more of the page than
    its share. Raises what a list was refused for.
    """
    most = wanted.limit
    first = min(most, max(FIRST_JOBS, 2 * most // max(1, len(starts))))
    parts = _read(server, [(source, start, first) for source, start in starts.items()], wanted)
    total = sum(part.reply.total for part in parts.values())
    jobs: list[Job] = []
    scanned = 0
    while True:
        short = _short(parts, wanted, scanned)
        if short and len(jobs) < most:
            scanned += sum(parts[source].reply.scanned for source, _ in short)
            left = most - len(jobs)
            further = [(one, start, _more(parts[one], wanted, left)) for one, start in short]
            parts |= _read(server, further, wanted)
            continue
        source = _next(parts, wanted)
        if source is None or len(jobs) == most:
            break
        part = parts[source]
        jobs.append(part.jobs[part.shown])
        part.shown += 1
    rest, looked = _rest(server, parts, wanted)
    left = sum(parts[source].reply.total for source in rest)
    return Found(jobs, rest, scanned + looked, total, left)


def _short(parts: Mapping[Source, _Part], wanted: Wanted, scanned: int) -> list[tuple[Source, str]]:
    """Return the lists that have more than was read and shown, and where they go on.

    None of the others can be shown before, since theirs may be first.
    """
    if wanted.is_filtered and scanned + sum(p.reply.scanned for p in parts.values()) >= PAGE_SCAN:
        return []
    ends = [part for part in parts.values() if part.head is None]
    return [(part.source, part.reply.cursor) for part in ends if part.reply.cursor]


def _more(part: _Part, wanted: Wanted, left: int) -> int:
    """Return how many jobs to read of a list that is shown as far as it was read."""
    return left if wanted.is_filtered else min(left, THEN * max(FIRST_JOBS, len(part.jobs)))


def _next(parts: Mapping[Source, _Part], wanted: Wanted) -> Source | None:
    heads = {source: part.head for source, part in parts.items()}
    there = {source: _order(job) for source, job in heads.items() if job is not None}
    if not there:
        return None
    # The first of equals, so that the lists stay as they are.
    return (max if wanted.order == "newest" else min)(there, key=lambda source: there[source])


def _order(job: Job) -> tuple[float, float]:
    moment = moment_of(job)
    # Of one millisecond the score in the engine's set, which the place tells, knows the order.
    return moment.timestamp() if moment else 0.0, float(job.place.split(":")[1])


def moment_of(job: Job) -> datetime | None:
    """Return the time of a job that matters in its state: due, made, started or ended."""
    if job.state in ENDED:
        return job.finished_at
    if job.state == "running":
        return job.started_at
    return job.created_at if job.state == "queued" else job.run_at


def _read(
    server: Server, asked: Sequence[tuple[Source, str, int]], wanted: Wanted
) -> dict[Source, _Part]:
    calls = [wanted.call(*one) for one in asked]
    replies = server.call_all(calls) if calls else []
    return {
        source: _Part(source, start, _answered(reply))
        for (source, start, _), reply in zip(asked, replies, strict=True)
    }


def _answered(reply: Any) -> Any:
    if isinstance(reply, BoltQError):
        raise reply
    return reply


def _rest(
    server: Server, parts: Mapping[Source, _Part], wanted: Wanted
) -> tuple[dict[Source, str], int]:
    """Return where the lists are to be read on, and how many jobs were looked at until there."""
    rest: dict[Source, str] = {}
    scanned = 0
    for source, part in parts.items():
        if part.head is None:
            scanned += part.reply.scanned
            rest[source] = part.reply.cursor
        elif not part.shown:
            rest[source] = part.start
    partly = [part for part in parts.values() if part.head is not None and part.shown]
    for source, cursor, looked in _after_shown(server, partly, wanted):
        rest[source] = cursor
        scanned += looked
    # In the order in which they were asked for, whatever was known first.
    return {
        source: rest[source] for source in parts if _goes_on(parts[source], rest[source])
    }, scanned


def _goes_on(part: _Part, cursor: str) -> bool:
    return bool(cursor) or (part.head is not None and not part.shown)


def _after_shown(
    server: Server, parts: Sequence[_Part], wanted: Wanted
) -> Iterator[tuple[Source, str, int]]:
    """Yield where lists are to be read on of which only the first jobs are shown."""
    left = list(parts)
    while left:
        heads = _read(server, [(part.source, part.start, part.shown) for part in left], wanted)
        for part in list(left):
            head = heads[part.source]
            shown = {job.id for job in part.jobs[: part.shown]}
            if all(job.id in shown for job in head.jobs):
                yield part.source, head.reply.cursor, head.reply.scanned
                left.remove(part)
                continue
            # Some have left meanwhile, so that others stand at the head that were not shown.
            part.shown -= 1
            if not part.shown:
                yield part.source, part.start, 0
                left.remove(part)
