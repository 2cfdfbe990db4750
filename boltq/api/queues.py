"""Queues over HTTP: what they hold, and pausing them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import falcon

from boltq.api import requests
from boltq.api.answers import send
from boltq.api.bodies import optional_json_body
from boltq.client import BoltQ
from boltq.job import moment_of, shown_time
from boltq.scripts import Stats

STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")


@dataclass(frozen=True, slots=True)
class AllStats:
    """GET /api/stats."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Show the counts of all queues together, then of each; costs one round trip."""
        each = _stats_of_all(self.boltq)
        send(resp, {**_together(each.values()), "queues": each})


@dataclass(frozen=True, slots=True)
class Queues:
    """GET /api/queues."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the queues, each with its counts and whether it is paused."""
        each = _stats_of_all(self.boltq)
        send(resp, {"queues": [{"queue": queue, **stats} for queue, stats in each.items()]})


@dataclass(frozen=True, slots=True)
class Pause:
    """POST /api/queues/{queue}/pause."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Hand out no more jobs of a queue; the body may tell the `reason` and who it is `by`."""
        asked = requests.read_pause(optional_json_body(req))
        self.boltq.pause(requests.read_queue(queue), reason=asked.reason, by=asked.by)
        send(resp, {"queue": queue, **_shown(self.boltq.stats(queue))})


@dataclass(frozen=True, slots=True)
class Resume:
    """POST /api/queues/{queue}/resume."""

    boltq: BoltQ

    def on_post(self, _req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Hand out the jobs of a queue again."""
        self.boltq.resume(requests.read_queue(queue))
        send(resp, {"queue": queue, **_shown(self.boltq.stats(queue))})


def _stats_of_all(boltq: BoltQ) -> dict[str, dict[str, object]]:
    return {queue: _shown(stats) for queue, stats in boltq.stats_of_all().items()}


def _shown(stats: Stats) -> dict[str, object]:
    """Return the stats of a queue as the API writes them, without what does not apply."""
    shown: dict[str, object] = {
        name: count
        for name, count in stats._asdict().items()
        if name in STATES or name.endswith("_total")
    }
    shown["lapsed"] = stats.lapsed
    shown["oldest_queued_seconds"] = stats.oldest_queued_ms / 1000
    if stats.next_due_ms:
        shown["next_due_at"] = shown_time(moment_of(stats.next_due_ms))
    shown["paused"] = bool(stats.paused)
    if stats.paused:
        shown["paused_at"] = shown_time(moment_of(stats.paused_at_ms))
        shown |= {"pause_reason": stats.pause_reason, "paused_by": stats.paused_by}
    return shown


def _together(each: Iterable[Mapping[str, object]]) -> dict[str, int]:
    sums = Counter(dict.fromkeys(STATES, 0))
    for stats in each:
        for name, value in stats.items():
            if isinstance(value, int) and (name in STATES or name.endswith("_total")):
                sums[name] += value
    return dict(sums)
