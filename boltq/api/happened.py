"""What happened in a queue over HTTP: by the minute, and by the call, which one may wait for."""

import re
import time
from dataclasses import dataclass

import falcon

from boltq.api import parking, preference, queries, requests
from boltq.api.answers import send
from boltq.api.parking import Parked, Wait
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.happened import MOST_EVENTS, MOST_MINUTES, Event, Feed, Minute
from boltq.job import shown_time

_EVENT_ID = re.compile("[0-9]{1,15}-[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Series:
    """GET /api/series?queue=&minutes=."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell what happened in each of the last minutes, the oldest first; one call to Redis."""
        queries.refuse_others(req, ("queue", "minutes"))
        queue = _queue(req)
        minutes = queries.whole("minutes", req.get_param("minutes"), MOST_MINUTES, 60)
        told = self.boltq.series(queue, minutes=minutes)
        send(resp, {"queue": queue, "minutes": [_minute(minute) for minute in told]})


@dataclass(frozen=True, slots=True)
class Events:
    """GET /api/events?queue=&after=&limit=."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell what calls did after an event, in their order; with `Prefer: wait=N` once some have.

        A request that waits holds no thread, and costs one call to Redis every 0.1 s for all who
        wait for a queue.
        """
        queries.refuse_others(req, ("queue", "after", "limit"))
        queue, after = _queue(req), req.get_param("after") or ""
        limit = queries.whole("limit", req.get_param("limit"), MOST_EVENTS, 100)
        if after and not _EVENT_ID.fullmatch(after):
            raise BadField("after", "after must be the id of an event, as 1764000000000-0")
        feed = self.boltq.events(queue, after=after, limit=limit)
        if not feed.events and not feed.gap and feed.keeps:
            self._wait(req, resp, queue, feed)
        send(resp, _shown(queue, feed))

    def _wait(self, req: falcon.Request, resp: falcon.Response, queue: str, feed: Feed) -> None:
        prefers = preference.seconds(req)
        wait = parking.resumed(req)
        if wait is None and prefers:
            wait = Wait(self.boltq.server, time.monotonic() + prefers)
        if wait is None:
            return
        if wait.is_over:
            resp.set_header("Preference-Applied", f"wait={prefers}")
        elif parking.may_wait(req):
            wait.feed = (queue, feed.last)
            raise Parked(wait)
        else:
            resp.set_header("Retry-After", parking.RETRY_AFTER_SECONDS)


def _queue(req: falcon.Request) -> str:
    return requests.read_queue(req.get_param("queue") or "default")


def _minute(minute: Minute) -> dict[str, object]:
    return {**minute._asdict(), "at": shown_time(minute.at)}


def _shown(queue: str, feed: Feed) -> dict[str, object]:
    return {
        "queue": queue,
        "events": [_event(event) for event in feed.events],
        "last": feed.last,
        "more": feed.more,
        "gap": feed.gap,
        "keep_events": feed.keeps,
    }


def _event(event: Event) -> dict[str, object]:
    jobs = {state: {"count": came.count, "ids": came.ids} for state, came in event.jobs.items()}
    return {"id": event.id, "at": shown_time(event.at), "verb": event.verb, "jobs": jobs}
