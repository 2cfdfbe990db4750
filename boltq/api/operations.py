"""Operations over HTTP: what is done to many jobs, begun, watched and stopped."""

import time
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, get_args

import falcon

from boltq import ids
from boltq.api import operator_requests, queries, redaction, requests
from boltq.api.answers import array, encode, send
from boltq.api.bodies import json_body, optional_json_body
from boltq.api.driver import Drive
from boltq.api.idempotency import REPLAYED, Key, KeyReused, key_of
from boltq.api.middleware import note
from boltq.api.operator_requests import OperationRequest
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.errors import BadArgument, CountDiffers
from boltq.job import Job, shown_time
from boltq.operation import Action, Operation
from boltq.operations import STEP_LIMIT

if TYPE_CHECKING:
    from boltq.filters import Narrowed, State

COUNT_SECONDS = 1.0
"""For how long a dry run is counted before it is answered; the rest is done by the driver."""

SAMPLE = 10


class Differs(CountDiffers):
    """There are not as many jobs as expected; `counted` says how many there are."""

    def __init__(self, refused: CountDiffers) -> None:
        super().__init__(str(refused), refused.counted)
        self.members = {"counted": refused.counted}


@dataclass(frozen=True, slots=True)
class Operations:
    """GET and POST /api/operations. `drive` is told of what is begun."""

    boltq: BoltQ
    drive: Drive

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the operations that are kept, of a queue or of all, the newest first."""
        queries.refuse_others(req, ("queue",))
        queue = req.get_param("queue")
        if queue:
            found = self.boltq.operations(requests.read_queue(queue))
        else:
            found = self.boltq.operations_of_all()
        send(resp, b'{"operations":%b}' % array(encode(shown(one)) for one in found))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Begin an operation: 202 with it and its Location; the jobs are done by and by.

        A dry run is 200 with `counted` and a `sample` if it is through within a second.
        """
        body = json_body(req)
        asked = operator_requests.read_operation(body)
        note(req, queue=asked.queue)
        operation = begun(self.boltq, req, resp, asked, key_of(req, body))
        if not asked.dry_run:
            self.drive(operation.id)
            send(resp, shown(operation), HTTPStatus.ACCEPTED)
            return
        operation = self._counted(operation)
        if not operation.ended:
            self.drive(operation.id)
            send(resp, shown(operation), HTTPStatus.ACCEPTED)
            return
        sample = array(redaction.shown(req, job) for job in _sample(self.boltq, operation))
        send(resp, encode(shown(operation))[:-1] + b',"sample":' + sample + b"}")

    def _counted(self, operation: Operation) -> Operation:
        deadline = time.monotonic() + COUNT_SECONDS
        while not operation.ended and time.monotonic() < deadline:
            operation = self.boltq.step_operation(operation.id, limit=STEP_LIMIT).operation
        return operation


@dataclass(frozen=True, slots=True)
class OneOperation:
    """GET /api/operations/{id}."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Show how far an operation is."""
        send(resp, shown(self.boltq.operation(_read_id(req, id))))


@dataclass(frozen=True, slots=True)
class Stop:
    """POST /api/operations/{id}/stop."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """End an operation: what it has done stays. One that has ended is shown as it is."""
        optional_json_body(req)
        send(resp, shown(self.boltq.stop_operation(_read_id(req, id))))


def begun(
    boltq: BoltQ,
    req: falcon.Request,
    resp: falcon.Response,
    asked: OperationRequest,
    key: Key | None,
) -> Operation:
    """Begin what is asked for, and say in the answer where it is, and whether it was known.

    The key becomes the operation's id, unless it has one of the caller's: so the queue remembers
    what came by it, for as long as the operation is kept. Raises BadField, Differs,
    TooManyOperations, KeyReused and KeyInFlight.
    """
    action: Action = next(one for one in get_args(Action) if one == asked.action)
    by = asked.by or req.context.caller
    id = key.id(asked.queue) if key and asked.id is None else asked.id
    try:
        with key.in_flight() if key else nullcontext():
            operation = boltq.start_operation(
                action,
                asked.state or "",
                queue=asked.queue,
                id=id,
                rate=asked.rate_per_second,
                expected=asked.expected_count,
                dry_run=asked.dry_run,
                by=by,
                worker=asked.filter.worker or "",
                type=asked.filter.type,
                error=asked.filter.error,
                since=asked.filter.since,
                until=asked.filter.until,
            )
    except CountDiffers as refused:
        raise Differs(refused) from refused
    except BadArgument as refused:
        # Which states an action is for, the script says.
        if str(refused).startswith("state "):
            raise BadField("filter.state", f"filter.{refused}") from refused
        raise
    if operation.known and not _is_asked(operation, asked, by):
        new = "key" if key and asked.id is None else "id"
        raise KeyReused(
            f"operation {operation.id} was begun by another request: a new one takes a new {new}"
        )
    if operation.known and key:
        resp.set_header(REPLAYED, "true")
    resp.location = f"/api/operations/{operation.id}"
    return operation


def _is_asked(operation: Operation, asked: OperationRequest, by: str) -> bool:
    told, known = asked.filter, operation
    moments = ((told.since, known.since), (told.until, known.until))
    return (
        (known.action, known.state, known.type, known.error, known.worker, known.dry_run)
        == (asked.action, asked.state, told.type, told.error, told.worker, asked.dry_run)
        and (known.expected, known.rate) == (asked.expected_count, asked.rate_per_second)
        and known.by == by
        and all(
            (one and shown_time(one)) == (other and shown_time(other)) for one, other in moments
        )
    )


def shown(operation: Operation) -> dict[str, object]:
    """Return an operation as it is shown; members that do not apply are left out."""
    moments = {"since": operation.since, "until": operation.until}
    asked_for = {
        "state": operation.state,
        **{
            name: value
            for name in ("type", "error", "worker")
            if (value := getattr(operation, name))
        },
        **{name: shown_time(moment) for name, moment in moments.items() if moment},
    }
    return {
        "id": operation.id,
        "queue": operation.queue,
        "action": operation.action,
        "filter": asked_for,
        "status": operation.status,
        "dry_run": operation.dry_run,
        **({} if operation.expected is None else {"expected_count": operation.expected}),
        "rate_per_second": operation.rate,
        **({"by": operation.by} if operation.by else {}),
        "started_at": shown_time(operation.started_at),
        **({"ended_at": shown_time(operation.ended_at)} if operation.ended_at else {}),
        "total": operation.total,
        "looked_at": operation.looked_at,
        "counted": operation.counted,
        "done": operation.done,
        "skipped": operation.skipped,
    }


def _sample(boltq: BoltQ, operation: Operation) -> list[Job]:
    narrowed: Narrowed = {
        "type": operation.type,
        "error": operation.error,
        "since": operation.since,
        "until": operation.until,
    }
    state: State = operation.state  # type: ignore[assignment]
    worker = operation.worker or ""
    return boltq.list(state, queue=operation.queue, limit=SAMPLE, worker=worker, **narrowed).jobs


def _read_id(req: falcon.Request, text: str) -> str:
    id = requests.read_id(text)
    note(req, queue=ids.split(id)[0])
    return id
