"""Queues over HTTP: what they hold, and pausing them."""

from dataclasses import dataclass

import falcon

from boltq import counts
from boltq.api import requests
from boltq.api.answers import encode, send
from boltq.api.bodies import optional_json_body
from boltq.api.middleware import note
from boltq.client import BoltQ

_AGE = "oldest_queued_seconds"
_AGE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class AllStats:
    """GET /api/stats."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Show the counts of all queues together, then of each; costs one round trip."""
        shown = counts.of_all(self.boltq.stats_of_all())
        send(resp, shown, lasting=encode(_without_clock(shown)))


@dataclass(frozen=True, slots=True)
class Queues:
    """GET /api/queues."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the queues, each with its counts and whether it is paused."""
        each = self.boltq.stats_of_all().items()
        shown = [{"queue": queue, **counts.of_queue(stats)} for queue, stats in each]
        send(resp, {"queues": shown}, lasting=encode(_without_clock(shown)))


@dataclass(frozen=True, slots=True)
class Pause:
    """POST /api/queues/{queue}/pause."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Hand out no more jobs of a queue; the body may tell the `reason` and who it is `by`."""
        asked = requests.read_pause(optional_json_body(req))
        self.boltq.pause(_read_queue(req, queue), reason=asked.reason, by=asked.by)
        send(resp, {"queue": queue, **counts.of_queue(self.boltq.stats(queue))})


@dataclass(frozen=True, slots=True)
class Resume:
    """POST /api/queues/{queue}/resume."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Hand out the jobs of a queue again."""
        self.boltq.resume(_read_queue(req, queue))
        send(resp, {"queue": queue, **counts.of_queue(self.boltq.stats(queue))})


def _without_clock(shown: object) -> object:
    """Return counts in which an age is one of tens of seconds: by itself it changes each time."""
    if isinstance(shown, dict):
        return {
            name: value // _AGE_SECONDS if name == _AGE else _without_clock(value)
            for name, value in shown.items()
        }
    return [_without_clock(one) for one in shown] if isinstance(shown, list) else shown


def _read_queue(req: falcon.Request, text: str) -> str:
    queue = requests.read_queue(text)
    note(req, queue=queue)
    return queue
