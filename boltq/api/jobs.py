"""Jobs over HTTP: enqueue, look at, cancel and replay them."""

from dataclasses import dataclass
from http import HTTPStatus

import falcon

from boltq import errors, ids
from boltq.api import requests
from boltq.api.answers import encode, send, with_members
from boltq.api.bodies import json_body
from boltq.api.middleware import note
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.job import Job


@dataclass(frozen=True, slots=True)
class Jobs:
    """POST /api/jobs."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Enqueue a job: 202 with it and its Location, 200 with `duplicate` if its id was known."""
        asked = requests.read_job(json_body(req))
        note(req, queue=asked.queue, type=asked.type)
        try:
            enqueued = self.boltq.enqueue(
                asked.type,
                raw=bytes(asked.payload),
                queue=asked.queue,
                id=asked.id,
                priority=asked.priority,
                delay_seconds=asked.delay_seconds,
                run_at=asked.run_at,
                max_attempts=asked.max_attempts,
                backoff=asked.decoded_backoff(),
                timeout_seconds=asked.timeout_seconds,
                retention_seconds=asked.retention_seconds,
                headers=asked.decoded_headers(),
            )
        except errors.TooLarge as error:
            raise BadField("payload", str(error), errors.TooLarge) from error
        except errors.BadArgument as error:
            if asked.run_at is None:
                raise
            # How far ahead it is only the server's clock can say.
            raise BadField("run_at", f"run_at must be at most ten years ahead: {error}") from error
        note(req, job=enqueued.id)
        resp.location = f"/api/jobs/{enqueued.id}"
        job = _job_or_id(self.boltq, req, enqueued.id)
        if enqueued.created:
            send(resp, job, HTTPStatus.ACCEPTED)
        else:
            send(resp, with_members(job, duplicate=True))


@dataclass(frozen=True, slots=True)
class JobStatus:
    """GET /api/jobs/status?id=."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show the job that the query names."""
        send(resp, _job(self.boltq, req, _read_id(req, req.get_param("id"))).to_json())


@dataclass(frozen=True, slots=True)
class OneJob:
    """GET /api/jobs/{id}."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Show the job that the path names."""
        send(resp, _job(self.boltq, req, _read_id(req, id)).to_json())


@dataclass(frozen=True, slots=True)
class Cancel:
    """POST /api/jobs/{id}/cancel."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Cancel a job: 200 when it is cancelled, 202 while its worker is asked to stop."""
        word = self.boltq.cancel(_read_id(req, id))
        status = HTTPStatus.ACCEPTED if word == "asked" else HTTPStatus.OK
        send(resp, with_members(_job_or_id(self.boltq, req, id), answer=word), status)


@dataclass(frozen=True, slots=True)
class Replay:
    """POST /api/jobs/{id}/replay."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Queue a dead job again, with fresh attempts: 202 with the job."""
        self.boltq.replay(_read_id(req, id))
        job = _job_or_id(self.boltq, req, id)
        send(resp, with_members(job, answer="replayed"), HTTPStatus.ACCEPTED)


def _read_id(req: falcon.Request, text: str | None) -> str:
    id = requests.read_id(text)
    note(req, job=id, queue=ids.split(id)[0])
    return id


def _job(boltq: BoltQ, req: falcon.Request, id: str) -> Job:
    job = boltq.get(id)
    note(req, type=job.type)
    return job


def _job_or_id(boltq: BoltQ, req: falcon.Request, id: str) -> bytes:
    """Return a job after a change that was answered: a look that fails must not hide that."""
    try:
        return _job(boltq, req, id).to_json()
    except errors.BoltQError:
        return encode({"id": id})
