"""One job over HTTP: looked at with its tag, altered, run now, deleted; and its past."""

import re
from dataclasses import dataclass
from http import HTTPStatus

import falcon

from boltq import errors, ids
from boltq.api import operator_requests, preference, redaction, requests, timeline
from boltq.api.answers import etag, send
from boltq.api.bodies import json_body, optional_json_body
from boltq.api.middleware import note
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.durations import LONGEST_SECONDS
from boltq.job import Job

_TAG = re.compile(r'(W/)?"([^"]*)"')
_PLACE = re.compile(r"[a-z]+:[0-9]+:[0-9](:asked)?")
_NOWHERE = "nowhere"
"""A place that no job has."""


class MovedOn(errors.Moved):
    """A job is not as the tag in If-Match says; the answer has its tag now."""

    def __init__(self, sentence: str, req: falcon.Request, job: Job) -> None:
        super().__init__(sentence, job.place)
        self.members = {"state": job.state}
        self.headers = {"ETag": tag_of(job, redaction.shown(req, job))}


@dataclass(frozen=True, slots=True)
class OneJob:
    """GET, PATCH and DELETE /api/jobs/{id}."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Show the job that the path names; with `Prefer: wait=N` once it has ended."""
        show(self.boltq, req, resp, id)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Change the priority of a job that rests, or when it is due; answers it as it is then.

        With If-Match only if nothing of it has changed, else 412 with its tag now. Not required:
        one that runs or has ended is refused anyway, so that nothing can be lost but another's
        choice of the same member.
        """
        read_id(req, id)
        asked = operator_requests.read_alter(json_body(req))
        delay = asked.delay_seconds
        if asked.run_at is not None:
            seconds = asked.run_at.timestamp() - self.boltq.server.now_ms() / 1000
            if seconds > LONGEST_SECONDS:
                raise BadField("run_at", "run_at must be at most ten years ahead")
            delay = max(0.0, seconds)
        _alter(self.boltq, req, id, asked.priority, delay)
        _answer(self.boltq, req, resp, id)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Delete a job that rests or has ended, with all that is kept of it: 204.

        With If-Match only if nothing of it has changed, else 412 with its tag now.
        """
        read_id(req, id)
        place = _place(self.boltq, req, id)
        try:
            self.boltq.purge_job(id, place=place)
        except errors.Moved as moved:
            raise MovedOn(str(moved), req, self.boltq.get(id)) from moved
        resp.status = HTTPStatus.NO_CONTENT


@dataclass(frozen=True, slots=True)
class RunNow:
    """POST /api/jobs/{id}/run."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Queue a delayed job now, as if its time had come; If-Match as in PATCH."""
        read_id(req, id)
        optional_json_body(req)
        _alter(self.boltq, req, id, None, 0.0)
        _answer(self.boltq, req, resp, id)


@dataclass(frozen=True, slots=True)
class Attempts:
    """GET /api/jobs/{id}/attempts."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Show what a job has been through, without its payload and result."""
        job = self.boltq.get(read_id(req, id), payload=False)
        note(req, type=job.type)
        send(resp, timeline.shown(job))
        resp.context.tag = tag_of(job, resp.data or b"")


def read_id(req: falcon.Request, text: str | None) -> str:
    """Return the id that a path or a query names, noted for the log; or raise BadField."""
    id = requests.read_id(text)
    note(req, job=id, queue=ids.split(id)[0])
    return id


def show(boltq: BoltQ, req: falcon.Request, resp: falcon.Response, text: str | None) -> None:
    """Show a job with its tag; with `Prefer: wait=N` once it has ended."""
    job = boltq.get(read_id(req, text))
    note(req, type=job.type)
    preference.until_ended(req, resp, boltq, job)
    send(resp, redaction.shown(req, job))
    resp.context.tag = tag_of(job, resp.data or b"")


def tag_of(job: Job, shown: bytes) -> str:
    """Return the strong tag of a job as it is shown; it holds the place, by which it is altered."""
    return f'"{job.place}.{etag(shown)[1:-1]}"'


def _alter(
    boltq: BoltQ, req: falcon.Request, id: str, priority: int | None, delay: float | None
) -> None:
    place = _place(boltq, req, id)
    try:
        boltq.alter(id, priority=priority, delay_seconds=delay, place=place)
    except errors.Moved as moved:
        raise MovedOn(str(moved), req, boltq.get(id)) from moved


def _place(boltq: BoltQ, req: falcon.Request, id: str) -> str:
    """Return where the job must be by the header If-Match; empty is anywhere."""
    header = (req.get_header("If-Match") or "").strip()
    if header in ("", "*"):
        return ""
    tags = [tag for weak, tag in _TAG.findall(header) if not weak]
    places = [
        place for place in (tag.rpartition(".")[0] for tag in tags) if _PLACE.fullmatch(place)
    ]
    if len(places) > 1:
        now = boltq.get(id, payload=False).place
        return now if now in places else _NOWHERE
    return places[0] if places else _NOWHERE


def _answer(boltq: BoltQ, req: falcon.Request, resp: falcon.Response, id: str) -> None:
    try:
        job = boltq.get(id)
    except errors.BoltQError:
        # The change was made: a look that fails must not hide that.
        send(resp, {"id": id})
        return
    note(req, type=job.type)
    send(resp, redaction.shown(req, job))
    resp.set_header("ETag", tag_of(job, resp.data or b""))
