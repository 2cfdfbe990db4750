"""Queues over HTTP: what they hold, how they behave, and pausing, purging and deleting them."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import falcon

from boltq import counts
from boltq.api import operations, operator_requests, queue_settings, requests
from boltq.api.answers import encode, send
from boltq.api.bodies import json_body, optional_json_body
from boltq.api.driver import Drive
from boltq.api.idempotency import key_of
from boltq.api.middleware import note
from boltq.client import BoltQ
from boltq.errors import UnknownQueue
from boltq.scripts import Stats

_AGE = "oldest_queued_seconds"
_AGE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class AllStats:
    """GET /api/stats."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Show the counts of all queues together, then of each; costs one round trip."""
        shown = counts.of_all(self.boltq.stats_of_all())
        send(resp, shown, lasting=encode(without_clock(shown)))


@dataclass(frozen=True, slots=True)
class Queues:
    """GET /api/queues."""

    boltq: BoltQ

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the queues, each with its counts and whether it is paused."""
        each = self.boltq.stats_of_all().items()
        shown = [{"queue": queue, **counts.of_queue(stats)} for queue, stats in each]
        send(resp, {"queues": shown}, lasting=encode(without_clock(shown)))


@dataclass(frozen=True, slots=True)
class OneQueue:
    """GET, PATCH and DELETE /api/queues/{queue}."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Show the counts of a queue and its settings; 404 for one that nobody has used."""
        name = _read_queue(req, queue)
        stats = self.boltq.stats(name)
        if not stats.enqueued_total and name not in self.boltq.queues():
            raise UnknownQueue(f"queue {name} is not known: nobody has used it, or it was deleted")
        _show(resp, name, stats, self.boltq.settings(name))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Set what the body names, all or nothing; null is the default again."""
        name = _read_queue(req, queue)
        in_force = queue_settings.configure(self.boltq, name, json_body(req))
        _show(resp, name, self.boltq.stats(name), in_force)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Delete a queue with its settings, totals and operations: 204; 409 if it has jobs."""
        self.boltq.drop_queue(_read_queue(req, queue))
        resp.status = HTTPStatus.NO_CONTENT


@dataclass(frozen=True, slots=True)
class Purge:
    """POST /api/queues/{queue}/purge. `drive` is told of the operation that is begun."""

    boltq: BoltQ
    drive: Drive

    def on_post(self, req: falcon.Request, resp: falcon.Response, queue: str) -> None:
        """Delete the jobs of a state by an operation: 202 with it and its Location."""
        name = _read_queue(req, queue)
        body = json_body(req)
        asked = operator_requests.read_purge(name, body)
        operation = operations.begun(self.boltq, req, resp, asked, key_of(req, body))
        self.drive(operation.id)
        send(resp, operations.shown(operation), HTTPStatus.ACCEPTED)


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


def _show(resp: falcon.Response, queue: str, stats: Stats, settings: Mapping[str, str]) -> None:
    shown = {"queue": queue, **counts.of_queue(stats)}
    shown["settings"] = queue_settings.shown(settings)
    send(resp, shown, lasting=encode(without_clock(shown)))


def without_clock(shown: object) -> object:
    """Return counts in which an age is one of tens of seconds: by itself it changes each time."""
    if isinstance(shown, dict):
        return {
            name: value // _AGE_SECONDS if name == _AGE else without_clock(value)
            for name, value in shown.items()
        }
    return [without_clock(one) for one in shown] if isinstance(shown, list) else shown


def _read_queue(req: falcon.Request, text: str) -> str:
    queue = requests.read_queue(text)
    note(req, queue=queue)
    return queue
