"""Jobs over HTTP: enqueue, list, cancel and replay them."""

from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus

import falcon

from boltq import errors, newjob
from boltq.api import listing, parking, preference, redaction, requests, single
from boltq.api.answers import encode, send, with_members
from boltq.api.bodies import json_body
from boltq.api.carried import carried, with_carried
from boltq.api.entry import Entered, Entry
from boltq.api.idempotency import MEMBER, REPLAYED, Key, key_of
from boltq.api.middleware import note
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.follow import ENDED
from boltq.job import Job


@dataclass(frozen=True, slots=True)
class Jobs:
    """GET and POST /api/jobs."""

    boltq: BoltQ
    entry: Entry

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show a page of jobs; see `listing.show`."""
        listing.show(self.boltq, req, resp)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Enqueue a job: 202 with it and its Location, 200 with `duplicate` if its id was known.

        With `Prefer: wait=N` it is 200 once the job has ended, and 202 after N seconds.
        """
        body = json_body(req)
        asked = requests.read_job(body)
        req.context.redaction.check(asked.payload)
        note(req, queue=asked.queue, type=asked.type)
        key = key_of(req, body)
        entered: Entered | None = preference.remembered(req)
        if entered is None:
            entered = self._enter(asked, key, carried(req), parking.meanwhile(req))
        note(req, job=entered.id)
        resp.location = f"/api/jobs/{entered.id}"
        if entered.created and not preference.seconds(req):
            send(resp, _as_entered(req, asked, entered), HTTPStatus.ACCEPTED)
            return
        job = _job_or_none(self.boltq, req, entered.id)
        if key and not entered.created:
            key.check((job or self.boltq.get(entered.id, payload=False)).headers)
            resp.set_header(REPLAYED, "true")
        is_new = entered.created or key is not None
        shown = redaction.shown(req, job) if job else _as_entered(req, asked, entered)
        status = HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK
        if job is not None and preference.seconds(req):
            preference.until_ended(req, resp, self.boltq, job, remember=entered)
            status = HTTPStatus.OK if job.state in ENDED else HTTPStatus.ACCEPTED
        send(resp, shown if is_new else with_members(shown, duplicate=True), status)

    def _enter(
        self,
        asked: requests.JobRequest,
        key: Key | None,
        carried: dict[str, object],
        meanwhile: parking.Meanwhile,
    ) -> Entered:
        headers = asked.decoded_headers()
        if key:
            headers = {**(headers or {}), MEMBER: key.asked}
        headers = with_carried(headers, carried)
        try:
            id = key.id(asked.queue) if key and not asked.id else asked.id
            raw = bytes(asked.payload)
            item = newjob.item(asked.queue, asked.type, None, id=id, headers=headers, raw=raw)
            with key.in_flight() if key else nullcontext():
                return self.entry.enter(asked, item, meanwhile)
        except errors.TooLarge as error:
            raise BadField("payload", str(error), errors.TooLarge) from error
        except errors.BadArgument as error:
            raise asked.too_far_ahead(error) from error


@dataclass(frozen=True, slots=True)
class JobStatus:
    """GET /api/jobs/status?id=."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show the job that the query names; with `Prefer: wait=N` once it has ended."""
        single.show(self.boltq, req, resp, req.get_param("id"))


@dataclass(frozen=True, slots=True)
class Cancel:
    """POST /api/jobs/{id}/cancel."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Cancel a job: 200 when it is cancelled, 202 while its worker is asked to stop."""
        word = self.boltq.cancel(single.read_id(req, id))
        status = HTTPStatus.ACCEPTED if word == "asked" else HTTPStatus.OK
        send(resp, with_members(_job_or_id(self.boltq, req, id), answer=word), status)


@dataclass(frozen=True, slots=True)
class Replay:
    """POST /api/jobs/{id}/replay."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Queue a dead job again, with fresh attempts: 202 with the job."""
        self.boltq.replay(single.read_id(req, id))
        job = _job_or_id(self.boltq, req, id)
        send(resp, with_members(job, answer="replayed"), HTTPStatus.ACCEPTED)


def _as_entered(req: falcon.Request, asked: requests.JobRequest, entered: Entered) -> bytes:
    if entered.shown is None:
        return encode({"id": entered.id})
    hides: redaction.Redaction = req.context.redaction
    return hides.entered(asked.type, entered.shown)


def _job(boltq: BoltQ, req: falcon.Request, id: str) -> Job:
    job = boltq.get(id)
    note(req, type=job.type)
    return job


def _job_or_id(boltq: BoltQ, req: falcon.Request, id: str) -> bytes:
    job = _job_or_none(boltq, req, id)
    return encode({"id": id}) if job is None else redaction.shown(req, job)


def _job_or_none(boltq: BoltQ, req: falcon.Request, id: str) -> Job | None:
    """Return a job after a change that was answered: a look that fails must not hide that."""
    try:
        return _job(boltq, req, id)
    except errors.BoltQError:
        return None
