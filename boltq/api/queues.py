"""Queues over HTTP: what they hold, and pausing them."""

from dataclasses import dataclass

import falcon

from boltq import counts
from boltq.api import requests
from boltq.api.answers import send
from boltq.api.bodies import optional_json_body
from boltq.api.middleware import note
from boltq.client import BoltQ


@dataclass(frozen=True, slots=True)
class AllStats:
    """GET /api/stats."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Show the counts of all queues together, then of each; costs one round trip."""
        send(resp, counts.of_all(self.boltq.stats_of_all()))


@dataclass(frozen=True, slots=True)
class Queues:
    """GET /api/queues."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the queues, each with its counts and whether it is paused."""
        each = self.boltq.stats_of_all().items()
        shown = [{"queue": queue, **counts.of_queue(stats)} for queue, stats in each]
        send(resp, {"queues": shown})


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


def _read_queue(req: falcon.Request, text: str) -> str:
    queue = requests.read_queue(text)
    note(req, queue=queue)
    return queue
