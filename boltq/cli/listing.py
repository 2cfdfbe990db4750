"""Pages of jobs over several states and queues."""

from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

from boltq.cli import jobs_shown
from boltq.cli.screen import Zone, documents, tell
from boltq.errors import BadArgument
from boltq.job import Job, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boltq.client import BoltQ
    from boltq.filters import State

    States = tuple[State, ...]

ORDER: "States" = (
    "running",
    "retrying",
    "queued",
    "scheduled",
    "dead",
    "completed",
    "cancelled",
)
"""What people look for first comes first."""

PAGE_JOBS = 200


class Paged(TypedDict):
    """What a page is told: from which end, how many jobs, and where to go on."""

    oldest: bool
    limit: int
    cursor: str


class Looked(NamedTuple):
    """How many jobs were looked at for a filter, of how many."""

    scanned: int
    total: int


class Listing(NamedTuple):
    """Some jobs, and the cursor that leads on, empty on the last page; `boltq` knows the time."""

    boltq: "BoltQ"
    jobs: list[Job]
    cursor: str
    looked: Looked | None = None

    def show(self, *, as_json: bool, zone: Zone) -> None:
        """Print the jobs as JSON or as a table, and then whether there are more."""
        if as_json:
            looked = self.looked._asdict() if self.looked else {}
            documents("jobs", (job.to_json() for job in self.jobs), cursor=self.cursor, **looked)
            return
        jobs_shown.show_rows(self.jobs, moment_of(self.boltq.server.now_ms()), zone)
        if self.looked and self.cursor:
            scanned, total = self.looked
            tell(f"looked at {scanned} of {total} jobs; to look further: --cursor {self.cursor}")
        elif self.cursor:
            tell(f"there are more: --limit, or --cursor '{self.cursor}'")


def list_jobs(
    boltq: "BoltQ",
    queue: str | None,
    states: "States | None",
    *,
    oldest: bool,
    limit: int,
    cursor: str,
) -> Listing:
    """List jobs of one queue or, without one, of all in use; state after state.

    cursor: as the page before told, whose other arguments were the same.
    """
    jobs: list[Job] = []
    for state, name, begin in _places(boltq, queue, states or ORDER, cursor):
        start = begin
        while len(jobs) < limit:
            asked = min(PAGE_JOBS, limit - len(jobs))
            page = boltq.list(state, queue=name, limit=asked, newest=not oldest, cursor=start)
            jobs += page.jobs
            start = page.cursor
            if not start:
                break
        else:
            # The script gives a cursor also where its page ended with the last job.
            rest = (
                not start
                or boltq.list(state, queue=name, limit=1, newest=not oldest, cursor=start).jobs
            )
            if rest:
                return Listing(boltq, jobs, f"{state} {name} {start}".strip())
    return Listing(boltq, jobs, "")


def _places(
    boltq: "BoltQ", queue: str | None, states: "States", cursor: str
) -> "Iterator[tuple[State, str, str]]":
    """Yield a state, a queue that has such jobs, and where to begin there, from the cursor on."""
    each = {queue: boltq.stats(queue)} if queue else boltq.stats_of_all()
    first, at_queue, inside = (*cursor.split(" ", 2), "", "", "")[:3]
    if cursor and first not in states:
        raise BadArgument("--cursor must be one that this list gave, with the same flags")
    at = (states.index(cast("State", first)) if cursor else 0, at_queue)
    for number, state in enumerate(states):
        for name, stats in each.items():
            if (number, name) == at:
                yield state, name, inside
            elif (number, name) > at and getattr(stats, state):
                yield state, name, ""
