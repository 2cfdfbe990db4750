"""Schemas of what the API answers."""

from collections.abc import Iterable
from typing import get_args

from boltq import orders
from boltq.api.openapi.operation import Schema
from boltq.api.openapi.schemas import reference
from boltq.counts import STATES
from boltq.presence import HTTP, Status
from boltq.scripts import Stats

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
STATE: Schema = {"type": "string", "enum": list(STATES)}
ANY: Schema = {"description": "any JSON value, byte for byte as it was handed in"}
BASE64: Schema = {"type": "string", "description": "bytes that are no JSON, in base64"}


def members(required: str, more: Iterable[str] = (), **each: Schema) -> Schema:
    """Return the schema of an object; `required` names, between blanks, what is always there."""
    names = [*required.split(), *more]
    return {"type": "object", "properties": each, "required": names}


def listed(of: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": of}


def by_name(of: Schema) -> Schema:
    """Return the schema of an object whose members have names that nobody can foretell."""
    return {"type": "object", "additionalProperties": of}


def _noted(schema: Schema, sentence: str) -> Schema:
    return {**schema, "description": sentence}


def job_members() -> dict[str, Schema]:
    """Return the members of a job."""
    return {
        "id": _noted(TEXT, "`queue:id`, or in the queue `default` the id alone"),
        "queue": TEXT,
        "type": TEXT,
        "payload": ANY,
        "payload_base64": BASE64,
        "headers": ANY,
        "headers_base64": BASE64,
        "redacted": _noted(
            listed(TEXT), "which of payload, result and headers lack what `BOLTQ_REDACT` names"
        ),
        "state": STATE,
        "priority": _noted(WHOLE, "0 to 9, 9 first"),
        "attempt": _noted(WHOLE, "the present or the last one, 0 before the first"),
        "failures": WHOLE,
        "max_attempts": WHOLE,
        "lost": _noted(WHOLE, "how many leases ran out"),
        "cancel_asked": FLAG,
        "created_at": MOMENT,
        "run_at": MOMENT,
        "started_at": MOMENT,
        "finished_at": MOMENT,
        "lease_expires_at": MOMENT,
        "kept_until": _noted(MOMENT, "until when it can be looked at"),
        "worker": TEXT,
        "progress": members(
            "share text attempt at", share=NUMBER, text=TEXT, attempt=WHOLE, at=MOMENT
        ),
        "log": listed(members("at attempt line", at=MOMENT, attempt=WHOLE, line=TEXT)),
        "result": ANY,
        "result_base64": BASE64,
        "errors": listed(reference("JobError")),
    }


_JOB_HAS = "id queue type state priority attempt failures max_attempts created_at errors"
_STANDING = ("run_at", "started_at", "finished_at", "lease_expires_at")


def counts() -> dict[str, Schema]:
    """Return the members of counts."""
    names = [*STATES, *(name for name in Stats._fields if name.endswith("_total"))]
    return dict.fromkeys(names, WHOLE)


def queue_members() -> dict[str, Schema]:
    """Return the members of a queue."""
    return {
        **counts(),
        "lapsed": _noted(WHOLE, "running jobs whose lease has run out"),
        "oldest_queued_seconds": NUMBER,
        "next_due_at": MOMENT,
        "paused": FLAG,
        "paused_at": MOMENT,
        "pause_reason": TEXT,
        "paused_by": TEXT,
    }


QUEUE_HAS = "lapsed oldest_queued_seconds paused"

_REPORT: dict[str, Schema] = {
    "id": TEXT,
    "state": STATE,
    "already": _noted(FLAG, "true: this was reported before, and nothing was done anew"),
    "attempt": WHOLE,
    "worker": TEXT,
    **dict.fromkeys(_STANDING, MOMENT),
    "cancel_asked": _noted(FLAG, "true: end the job soon, it was cancelled"),
}

SHAPES: dict[str, Schema] = {
    "Problem": members(
        "type title status detail word",
        type=TEXT,
        title=TEXT,
        status=WHOLE,
        detail=_noted(TEXT, "a sentence for people: what, which rule, which case"),
        word=_noted(TEXT, "by which programs tell refusals apart, such as LEASE_LOST"),
        field=_noted(TEXT, "the member, parameter or header that breaks its rule"),
        request_id=_noted(TEXT, "what the request is called in the log"),
        instance=TEXT,
        scope=_noted(TEXT, "which the key lacks"),
        counted=_noted(WHOLE, "how many jobs there are, where another number was expected"),
        unknown_ids=_noted(listed(TEXT), "jobs of which it is not known what was done"),
        **{name: schema for name, schema in _REPORT.items() if name not in ("id", "already")},
    ),
    "JobError": members(
        "attempt type message stack worker at",
        **dict.fromkeys(("type", "message", "stack", "worker"), TEXT),
        attempt=WHOLE,
        at=MOMENT,
    ),
    "Job": members(_JOB_HAS, **job_members()),
    "Enqueued": members(
        "id", duplicate=_noted(FLAG, "true: a job of this id was there before"), **job_members()
    ),
    "Cancelled": members(
        "answer id",
        answer=_noted(
            {"type": "string", "enum": ["cancelled", "already", "asked"]},
            "it is cancelled, it was already, or its worker is asked to stop",
        ),
        **job_members(),
    ),
    "Replayed": members(
        "answer id", answer={"type": "string", "const": "replayed"}, **job_members()
    ),
    "Batch": members(
        "created duplicates refused results",
        **dict.fromkeys(("created", "duplicates", "refused"), WHOLE),
        results=listed(reference("BatchResult")),
    ),
    "BatchResult": members(
        "status",
        status={"type": "string", "enum": ["created", "duplicate", "refused"]},
        **dict.fromkeys(("id", "word", "detail", "field"), TEXT),
    ),
    "Claimed": members(
        "token jobs",
        token=_noted(TEXT, "under which the jobs are leased, for every report on them"),
        jobs=listed(reference("ClaimedJob")),
        paused=_noted(by_name(TEXT), "queues that are paused, and why"),
        wait_seconds=_noted(NUMBER, "how long there will be none, unless one is enqueued"),
    ),
    "ClaimedJob": members(
        "id queue type attempt max_attempts failures lost fence lease_expires_at timeout_seconds",
        id=TEXT,
        queue=TEXT,
        type=TEXT,
        **dict.fromkeys(("attempt", "max_attempts", "failures", "lost"), WHOLE),
        fence=_noted(WHOLE, "grows with each lease of the job: an older holder is told by it"),
        lease_expires_at=MOMENT,
        timeout_seconds=NUMBER,
        headers=ANY,
        headers_base64=BASE64,
        payload=ANY,
        payload_base64=BASE64,
    ),
    "Reported": members("id", **_REPORT),
    "Reports": members(
        "refused",
        refused=_noted(WHOLE, "how many have a `word`"),
        **dict.fromkeys(
            ("acks", "fails", "releases", "extends"), listed(reference("ReportAnswer"))
        ),
    ),
    "ReportAnswer": members("id", word=TEXT, detail=TEXT, **_REPORT),
    "QueueStats": members(QUEUE_HAS, counts(), **queue_members()),
    "Queue": members(f"queue {QUEUE_HAS}", counts(), queue=TEXT, **queue_members()),
    "Stats": members("queues", counts(), **counts(), queues=by_name(reference("QueueStats"))),
    "Queues": members("queues", queues=listed(reference("Queue"))),
    "Workers": members(
        "workers history now",
        workers=listed(reference("Worker")),
        history=listed(reference("WorkerEvent")),
        now=MOMENT,
    ),
    "WorkerEvent": members(
        "worker what at",
        **dict.fromkeys(("worker", "host", "by"), TEXT),
        what={"type": "string", "enum": list(get_args(orders.What))},
        at=MOMENT,
        pid=WHOLE,
    ),
    "Asked": members(
        "id asked by",
        **dict.fromkeys(("id", "by"), TEXT),
        asked={"type": "string", "enum": [*get_args(orders.Word), "resume"]},
    ),
    "Worker": members(
        "id host pid version queues threads started_at seen_at alive status in_hand worked stuck "
        "jobs",
        status={"type": "string", "enum": list(get_args(Status))},
        order=_noted(
            members(
                "word by at",
                word={"type": "string", "enum": list(get_args(orders.Word))},
                by=TEXT,
                at=MOMENT,
            ),
            "what it is asked to do; it may not have heard of it yet",
        ),
        **dict.fromkeys(("id", "host", "version"), TEXT),
        **dict.fromkeys(("pid", "threads", "in_hand", "worked", "stuck"), WHOLE),
        **dict.fromkeys(("started_at", "seen_at"), MOMENT),
        queues=_noted(by_name(WHOLE), "its queues with their weights"),
        alive=_noted(FLAG, "heard of within the last 30 seconds"),
        via=_noted({"type": "string", "enum": [HTTP]}, "there if it claims over this API"),
        jobs=listed(members("id type since", id=TEXT, type=TEXT, since=MOMENT)),
    ),
    "Manifest": _noted(
        {"type": "object", "required": ["scripts"], "additionalProperties": True},
        "of each script its contract, its SHA-1 and its linked source",
    ),
    "Health": members("status", status=TEXT),
    "About": members(
        "name version server grants try paths",
        **dict.fromkeys(("name", "version", "server", "try"), TEXT),
        environment=_noted(TEXT, "there if `BOLTQ_ENVIRONMENT` names it and the caller has a key"),
        grants=listed(TEXT),
        paths=listed(TEXT),
    ),
    "OpenApi": _noted({"type": "object", "required": ["openapi", "paths"]}, "this document"),
    "Text": TEXT,
}
