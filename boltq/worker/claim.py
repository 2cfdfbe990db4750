"""One claim, asked until it is answered, and the executions made of it."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from boltq import ids, scripts
from boltq.call import Call
from boltq.errors import BoltQError, Unavailable
from boltq.evalsha import Server
from boltq.execution import Execution
from boltq.job import read_header
from boltq.worker.outage import Outage

log = logging.getLogger(__name__)

Reply: TypeAlias = scripts.ClaimReply
Send: TypeAlias = Callable[[Call[Reply]], Reply]

EPOCH_MS, STAMPS = 1_735_689_600_000, 2**49
"""Where stamps begin, 2025-01-01, and how many there are to a priority."""

CLAIM_ITEMS = 500
CLAIM_BYTES = 4 * 1024 * 1024
PAUSE_SECONDS = (0.05, 1.0)
"""Between two tries of a claim at the end: the first pause, and the longest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a claim brought: jobs, and whether more are queued.

    rest_seconds: for how long nothing will be due; 0 where that is not known.
    """

    jobs: list[Execution]
    more: bool
    rest_seconds: float


class Claimer:
    """Claims for one worker; used by one thread. tells_due: notes since when each job was due."""

    def __init__(
        self,
        server: Server,
        worker_id: str,
        lease_seconds: float,
        outage: Outage,
        *,
        tells_due: bool = False,
    ) -> None:
        self._server = server
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._outage = outage
        self._tells_due = tells_due
        self._given_up = threading.Event()
        self._asked: dict[str, tuple[Call[Reply], str, float]] = {}

    def give_up(self) -> None:
        """Do not wait any more for the answer to a claim that was sent."""
        self._given_up.set()

    def claim(self, queue: str, limit: int, send: Send | None = None) -> Taken:
        """Claim up to `limit` jobs of a queue.

        send: makes the call, if it is a new one; None: at once.
        Raises Unavailable where no answer came: the next claim of the queue asks for it again, with
        the same token, for as long as the leases that it may have given would last. Other queues
        may be claimed meanwhile, on other nodes of a cluster. Raises also what a script refuses.
        """
        if self._is_asked(queue):
            return self._ask(queue, self._server.call)
        self._asked[queue] = self._new(queue, limit)
        return self._ask(queue, send or self._server.call)

    def finish(self) -> list[Execution]:
        """Bring what was asked for and not heard, waiting until it comes or is given up."""
        found: list[Execution] = []
        for queue in list(self._asked):
            pause = PAUSE_SECONDS[0]
            while self._is_asked(queue):
                try:
                    found += self._ask(queue, self._server.call).jobs
                except Unavailable as problem:
                    if self._given_up.is_set():
                        return found
                    self._outage.lost(problem)
                except BoltQError:
                    break  # it gave no lease
                self._given_up.wait(pause)
                pause = min(pause * 2, PAUSE_SECONDS[1])
        return found

    def _is_asked(self, queue: str) -> bool:
        return queue in self._asked and time.monotonic() < self._asked[queue][2]

    def _new(self, queue: str, limit: int) -> tuple[Call[Reply], str, float]:
        token = ids.new_token()
        call = scripts.claim(
            queue,
            token=token,
            worker=self._worker_id,
            lease_ms=round(self._lease_seconds * 1000),
            limit=min(limit, CLAIM_ITEMS),
            max_bytes=CLAIM_BYTES,
        )
        # Counted from before the first send: so the lease ends here no later than on the server.
        return call, token, time.monotonic() + self._lease_seconds

    def _ask(self, queue: str, send: Send) -> Taken:
        call, token, deadline = self._asked[queue]
        try:
            reply = send(call)
        except Unavailable:
            raise
        except BoltQError:
            self._asked.pop(queue, None)
            raise
        self._outage.over()
        if self._asked.pop(queue, None) is None:
            # Another thread, in whose place this one was started, has heard the same answer.
            return Taken([], more=True, rest_seconds=0.0)
        if isinstance(reply, scripts.Claimed):
            jobs = _executions(queue, token, reply.answers, deadline)
            if self._tells_due:
                _note_due(jobs, reply)
            # Without jobs it was a repeat that came too late: nothing is known of the queue.
            return Taken(jobs, bool(reply.more), rest_seconds=0.0)
        return Taken([], more=False, rest_seconds=max(1, reply.wait_ms) / 1000)


def _executions(
    queue: str, token: str, jobs: Iterable[scripts.ClaimJob], deadline: float
) -> list[Execution]:
    found: list[Execution] = []
    last: bytes | None = None
    kind, timeout_seconds = "", 0.0
    for job in jobs:
        id_, header, headers, payload, attempt, failures, lost, fence, _, _ = job
        if header != last:  # jobs of one enqueue have the same
            kind, timeout_seconds = _type_and_timeout(queue, job)
            last = header if kind else None
        found.append(
            Execution(
                queue,
                id_,
                token,
                kind,
                payload,
                headers,
                attempt,
                failures,
                lost,
                fence,
                timeout_seconds,
                deadline,
            )
        )
    return found


def _note_due(jobs: Iterable[Execution], reply: scripts.Claimed) -> None:
    """Note since when each job could have been claimed, by this machine's clock."""
    moment = time.monotonic()
    for execution, job in zip(jobs, reply.answers, strict=True):
        # The place is a priority and a stamp, of which 512 are a millisecond.
        due_ms = EPOCH_MS + int(job.queued_place) % STAMPS // 512
        execution.due = moment - max(0, reply.now_ms - due_ms) / 1000


def _type_and_timeout(queue: str, job: scripts.ClaimJob) -> tuple[str, float]:
    try:
        header = read_header(job.header)
    except msgspec.DecodeError:
        log.exception("a job's header is broken", extra={"job": ids.join(queue, job.id)})
        return "", 0.0  # the type of no handler
    return header.type, header.timeout_ms / 1000
