"""Jobs for workers over HTTP: claimed at once, or waited for without holding a thread."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import falcon
import msgspec

from boltq import ids, scripts
from boltq.api import parking, work_requests
from boltq.api.answers import array, encode, send, with_members
from boltq.api.bodies import optional_json_body
from boltq.api.claimants import Claimants
from boltq.api.middleware import note
from boltq.api.parking import Parked, Wait
from boltq.api.work_requests import ClaimRequest
from boltq.call import Call
from boltq.client import BoltQ
from boltq.job import Header, moment_of, read_header, shown_time, spliced


@dataclass(frozen=True, slots=True)
class Claims:
    """POST /api/claims."""

    boltq: BoltQ
    claimants: Claimants

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lease jobs of the first queue that has some, or wait for them; 200 also with none.

        The queues are looked at in the order that they are named in, or, `fair`, in one drawn by
        lot each time. A repeat with the same token answers the jobs that are still leased under it.
        """
        asked = work_requests.read_claim(optional_json_body(req))
        wait = parking.resumed(req) or self._begin(asked)
        told: _Told = wait.kept
        for queue in wait.ready():
            note(req, queue=queue)
            reply = self.boltq.server.call(told.call(queue))
            self.boltq.server.note_queue(queue, reply.now_ms)
            host = req.remote_addr or ""
            self.claimants.note(asked.worker_id, host, asked.queues, reply.now_ms)
            if isinstance(reply, scripts.Claimed):
                send(resp, told.answer(queue, reply))
                return
            told.heard(queue, reply)
            wait.rests(queue, max(1, reply.wait_ms) / 1000)
        if not wait.is_over:
            if parking.may_wait(req):
                raise Parked(wait)
            resp.set_header("Retry-After", parking.RETRY_AFTER_SECONDS)
        send(resp, told.nothing(wait))

    def _begin(self, asked: ClaimRequest) -> Wait:
        queues = list(asked.queues)
        if asked.fair:
            random.shuffle(queues)
        if asked.token and len(queues) > 1:
            # A repeat goes only to the queue that answered: to the others it were a new claim.
            queues = self._known(queues, asked.token) or queues
        return Wait(
            self.boltq.server,
            time.monotonic() + asked.wait_seconds,
            due=dict.fromkeys(queues, 0.0),
            kept=_Told(asked, asked.token or ids.new_token()),
        )

    def _known(self, queues: Sequence[str], token: str) -> list[str]:
        """Return the queues in which a claim under this token leased jobs; one round trip."""
        item = scripts.RecallItem(token)
        replies = self.boltq.server.call_all([scripts.recall(queue, [item]) for queue in queues])
        return [
            queue
            for queue, reply in zip(queues, replies, strict=True)
            if isinstance(reply, scripts.Recalled)
            and isinstance(reply.answers[0], scripts.RecallKnown)
        ]


class _Told:
    """What a claim asks each queue, and what it has heard of them."""

    def __init__(self, asked: ClaimRequest, token: str) -> None:
        self._asked = asked
        self._token = token
        self._paused: dict[str, str] = {}

    def call(self, queue: str) -> Call[scripts.ClaimReply]:
        """Return the claim to send to a queue, each time with the same token."""
        return scripts.claim(
            queue,
            token=self._token,
            worker=self._asked.worker_id,
            lease_ms=round(self._asked.lease_seconds * 1000),
            limit=self._asked.max_jobs,
            max_bytes=self._asked.max_bytes,
        )

    def heard(self, queue: str, reply: scripts.Empty | scripts.Paused) -> None:
        """Remember whether a queue is paused, and why."""
        self._paused.pop(queue, None)
        if isinstance(reply, scripts.Paused):
            self._paused[queue] = reply.reason

    def answer(self, queue: str, reply: scripts.Claimed) -> bytes:
        """Return the jobs that are leased."""
        jobs = array(_shown(queue, job) for job in reply.answers)
        return b'{"token":%b,"jobs":%b}' % (encode(self._token), jobs)

    def nothing(self, wait: Wait) -> dict[str, object]:
        """Return that there are none, and for how long no queue will have any by time alone."""
        seconds = min(wait.due.values()) - time.monotonic()
        told: dict[str, object] = {"token": self._token, "jobs": []}
        if self._paused:
            told["paused"] = self._paused
        return {**told, "wait_seconds": round(max(0.0, seconds), 3)}


def _shown(queue: str, job: scripts.ClaimJob) -> bytes:
    """Return a job as JSON; what callers wrote themselves, payload and headers, is at the end.

    So a client without a JSON parser may cut out what it needs by the names before.
    """
    try:
        header = read_header(job.header)
    except msgspec.DecodeError:
        header = Header("", 0)  # broken from outside: the type of no handler
    own = {**spliced("headers", job.headers or None), **spliced("payload", job.payload)}
    return with_members(
        msgspec.json.encode(own),
        id=ids.join(queue, job.id),
        queue=queue,
        type=header.type,
        attempt=job.attempt,
        max_attempts=header.max_attempts,
        failures=job.failures,
        lost=job.lost,
        fence=job.fence,
        lease_expires_at=shown_time(moment_of(job.lease_end_ms)),
        timeout_seconds=header.timeout_ms / 1000,
    )
