"""GET /api/dead/groups: jobs of a state counted by type and last error, over all queues."""

import time
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

import falcon

from boltq import scripts
from boltq.api import queries, requests
from boltq.api.answers import encode, etag
from boltq.api.listing import STATES
from boltq.api.snapshot import Answer, Snapshot
from boltq.client import BoltQ
from boltq.errors import BoltQError
from boltq.evalsha import Server
from boltq.filters import CALL_GROUPED, Group, Groups, State, added_up
from boltq.job import shown_time

PARAMETERS = ("state", "queue", "most", "limit")
MOST_JOBS = 5_000
"""How many jobs are looked at, of all queues together, unless the caller says."""

LARGEST_MOST = 100_000
MOST_GROUPS = 200
MOST_SNAPSHOTS = 50
LONGEST_SECONDS = 60.0
"""How long groups of the dead are good while none come or go; `fsck --repair` is not counted."""

CALLS = 4
"""How many of them go in one round trip: the server does these without a look at anybody else."""


class _Asked(NamedTuple):
    state: State
    queue: str
    most: int
    limit: int


class DeadGroups:
    """GET /api/dead/groups?state=&queue=&most=&limit=."""

    def __init__(self, boltq: BoltQ) -> None:
        self._boltq = boltq
        self._snapshots: dict[_Asked, Snapshot[Answer]] = {}

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Count jobs that have the same type and last errors alike, the largest groups first.

        The newest of each queue are looked at, `scanned` of `total`. `others` are in none of the
        groups shown. Made once a second for all who ask the same, and of the dead only where some
        have died, were replayed, purged or trimmed: else it costs a script `stats` for each queue.
        """
        queries.refuse_others(req, PARAMETERS)
        states = ("dead", *(state for state in STATES if state != "dead"))
        queue = req.get_param("queue")
        asked = _Asked(
            queries.one_of("state", req.get_param("state"), states),  # type: ignore[arg-type]
            requests.read_queue(queue) if queue else "",
            queries.whole("most", req.get_param("most"), LARGEST_MOST, MOST_JOBS),
            queries.whole("limit", req.get_param("limit"), MOST_GROUPS, MOST_GROUPS),
        )
        snapshot = self._snapshots.get(asked)
        if snapshot is None:
            if len(self._snapshots) >= MOST_SNAPSHOTS:
                self._snapshots.clear()
            snapshot = self._snapshots[asked] = Snapshot(_Made(self._boltq, asked))
        snapshot.now().send(resp)


class _Made:
    """Makes an answer: of the dead the last one again while none have come or gone."""

    def __init__(self, boltq: BoltQ, asked: _Asked) -> None:
        self._boltq, self._asked = boltq, asked
        self._last: tuple[object, float, Answer] | None = None

    def __call__(self) -> Answer:
        # Before they are looked at: what comes meanwhile differs the next time.
        mark = self._come_and_gone() if self._asked.state == "dead" else None
        now = time.monotonic()
        if self._last and mark and mark == self._last[0] and now - self._last[1] < LONGEST_SECONDS:
            return self._last[2]
        answer = _answer(self._boltq, self._asked)
        self._last = mark, now, answer
        return answer

    def _come_and_gone(self) -> object:
        queue = self._asked.queue
        each = {queue: self._boltq.stats(queue)} if queue else self._boltq.stats_of_all()
        gone = ("replayed_total", "purged_total", "dead_trimmed_total")
        of = attrgetter("dead", "died_total", *gone)
        return [(name, of(told)) for name, told in each.items()]


def _answer(boltq: BoltQ, asked: _Asked) -> Answer:
    queues = [asked.queue] if asked.queue else boltq.queues()
    each = counted(boltq.server, asked.state, queues, asked.most)
    groups = together(each)
    others = sum(found.others for found in each.values())
    others += sum(int(str(group["jobs"])) for group in groups[asked.limit :])
    body = encode(
        {
            "state": asked.state,
            "groups": groups[: asked.limit],
            "scanned": sum(found.scanned for found in each.values()),
            "total": sum(found.total for found in each.values()),
            "others": others,
        }
    )
    return Answer(body, etag(body))


def counted(server: Server, state: State, queues: Iterable[str], most: int) -> dict[str, Groups]:
    """Return the groups of each queue that has any; of all together `most` jobs are looked at.

    Each queue gets as many looks as the others. Costs one round trip for each CALLS calls.
    """
    pages: dict[str, list[scripts.Grouped]] = {queue: [] for queue in queues}
    cursors: dict[str, str] = dict.fromkeys(pages, "")
    scanned = 0
    while cursors and scanned < most:
        turn = list(cursors)[:CALLS]
        scan = max(1, min(CALL_GROUPED, (most - scanned) // len(turn)))
        calls = [scripts.group(q, state=state, scan=scan, cursor=cursors[q]) for q in turn]
        for queue, page in zip(turn, server.call_all(calls), strict=True):
            if isinstance(page, BoltQError):
                raise page
            pages[queue].append(page)
            scanned += page.scanned
            # Last in the row again, so that all have their turn.
            del cursors[queue]
            if page.cursor:
                cursors[queue] = page.cursor
    return {queue: added_up(queue, read) for queue, read in pages.items() if read}


def together(each: Mapping[str, Groups]) -> list[dict[str, object]]:
    """Return the groups of all queues, the largest first, each with its jobs by queue."""
    found: dict[tuple[str, str, str], dict[str, Group]] = {}
    for queue, groups in each.items():
        for group in groups.groups:
            found.setdefault((group.type, group.error, group.message), {})[queue] = group
    shown = [_shown(by_queue) for by_queue in found.values()]
    return sorted(shown, key=lambda group: -int(str(group["jobs"])))


def _shown(by_queue: Mapping[str, Group]) -> dict[str, object]:
    newest = max(by_queue.values(), key=lambda group: group.newest)
    return {
        "type": newest.type,
        "error": newest.error,
        "message": newest.message,
        "jobs": sum(group.jobs for group in by_queue.values()),
        "newest_at": shown_time(newest.newest),
        "oldest_at": shown_time(min(group.oldest for group in by_queue.values())),
        "example": newest.id,
        "queues": {queue: group.jobs for queue, group in by_queue.items()},
    }
