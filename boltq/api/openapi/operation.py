"""The words in which an operation is described: its parameters and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from boltq import ids
from boltq.api import idempotency, requests
from boltq.api.parking import LONGEST_WAIT_SECONDS
from boltq.counts import STATES

Schema: TypeAlias = dict[str, Any]

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Link:
    """Another operation that can be asked with what an answer tells: its parameters, its body."""

    operation: str
    parameters: Mapping[str, str]
    body: Mapping[str, str] | None = None

    def written(self) -> Schema:
        """Return it as OpenAPI has it."""
        body = {} if self.body is None else {"requestBody": self.body}
        return {"operationId": self.operation, "parameters": self.parameters, **body}


@dataclass(frozen=True, slots=True)
class Answer:
    """One good answer. `schema` names one of the answers' schemas, none: there is no body."""

    description: str
    schema: str = ""
    media: tuple[str, ...] = (JSON,)
    headers: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as people and programs read it.

    body: the struct that its body is read by, or the name of its schema. lines: media types of the
    same, one a line. refusals: statuses beside those that every operation can have.
    """

    id: str
    area: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    refusals: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    body: type[msgspec.Struct] | str | None = None
    many: bool = False
    lines: tuple[str, ...] = ()
    body_required: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `place` is path, query or header."""

    name: str
    place: str
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    required: bool = False

    def written(self) -> Schema:
        """Return it as OpenAPI has it."""
        written = {"name": self.name, "in": self.place, "description": self.description}
        return {**written, "required": self.required, "schema": self.schema}


_ID: Schema = {
    "type": "string",
    "pattern": requests.OUTSIDE_ID,
    "not": {"pattern": requests.NO_ID},
}
_NAME: Schema = {"type": "string", "pattern": f"^{ids.NAME_PATTERN}$"}
_TYPE: Schema = {"type": "string", "pattern": f"^{ids.TYPE_PATTERN}$"}
_TEXT = r"^[^\x00-\x1f\x7f]*$"
_MOMENT: Schema = {  # or none
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}]
}
_STATE = f"({'|'.join(STATES)})"


def _or_none(schema: Schema) -> Schema:
    return {**schema, "pattern": f"^({schema['pattern'][1:-1]})?$"}


PARAMETERS: Mapping[str, Parameter] = {
    "id": Parameter(
        *("id", "path"),
        "The id of the job: `queue:id`, or in the queue `default` the id alone.",
        *(_ID, True),
    ),
    "which": Parameter("id", "query", "The id of the job.", _ID, required=True),
    "queue": Parameter("queue", "path", "The name of the queue.", _NAME, required=True),
    "of_queue": Parameter("queue", "query", "Only of this queue; empty is any.", _or_none(_NAME)),
    "state": Parameter(
        *("state", "query"),
        "One or several states, with commas between; empty is any.",
        {"type": "string", "pattern": f"^({_STATE}(,{_STATE})*)?$"},
    ),
    "one_state": Parameter(
        *("state", "query"),
        "Jobs of which state; empty is dead.",
        {"type": "string", "enum": ["dead", *(each for each in STATES if each != "dead"), ""]},
    ),
    "type": Parameter("type", "query", "Only jobs of this type; empty is any.", _or_none(_TYPE)),
    "error": Parameter(
        *("error", "query"),
        "Only jobs whose last error is of this type; empty is any.",
        {"type": "string", "maxLength": 200, "pattern": _TEXT},
    ),
    "worker": Parameter(
        *("worker", "query"),
        "Only jobs that this worker has, or had last; empty is any.",
        {"type": "string", "maxLength": 128, "pattern": _TEXT},
    ),
    "of_worker": Parameter("id", "path", "The name of the worker.", required=True),
    "text": Parameter(
        *("text", "query"),
        "Only jobs whose payload holds this text. A request looks for a second: then go on with "
        "its `cursor`.",
        {"type": "string", "maxLength": 200, "pattern": _TEXT},
    ),
    "since": Parameter(
        *("since", "query"),
        "Only jobs that were due, queued, started or have ended at this time or later.",
        _MOMENT,
    ),
    "until": Parameter(
        *("until", "query"),
        "Only those before this time.",
        _MOMENT,
    ),
    "order": Parameter(
        *("order", "query"),
        "Which come first.",
        {"type": "string", "enum": ["newest", "oldest", ""], "default": "newest"},
    ),
    "most": Parameter(
        *("most", "query"),
        "How many jobs are looked at, of all queues together.",
        {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 5000},
    ),
    "groups": Parameter(
        *("limit", "query"),
        "How many groups are shown.",
        {"type": "integer", "minimum": 1, "maximum": 200, "default": 200},
    ),
    "operation": Parameter("id", "path", "The id of the operation.", _ID, required=True),
    "if_match": Parameter(
        *("If-Match", "header"), "The ETag of the job as you have seen it; `*` is any."
    ),
    **{
        name: Parameter(name, "path", sentence, {"type": "string", "minLength": 1}, required=True)
        for name, sentence in (
            ("version", "Which version of the page names the file."),
            ("part", "The name of the file, or of its folder."),
            ("file", "The name of the file in it."),
            ("name", "The name of the script."),
        )
    },
    "limit": Parameter(
        *("limit", "query"),
        "How many jobs the page may hold.",
        {"type": "integer", "minimum": 1, "maximum": requests.MAX_LIST, "default": 100},
    ),
    "cursor": Parameter(
        *("cursor", "query"), "Where the page before ended: the `cursor` that it gave."
    ),
    "mode": Parameter(
        *("mode", "query"),
        "`each`: every job for itself. `all`: all of them or none; they share queue and options.",
        {"type": "string", "enum": ["each", "all"], "default": "each"},
    ),
    "idempotency_key": Parameter(
        *(idempotency.HEADER, "header"),
        "Sent again with the same body, the request is answered again and done once.",
        {"type": "string", "pattern": f"^[ -~]{{1,{idempotency.MOST_LETTERS}}}$"},
    ),
    "prefer": Parameter(
        *("Prefer", "header"),
        "`wait=N` (RFC 7240): answer once the job has ended, or after N seconds, "
        f"{LONGEST_WAIT_SECONDS} at most.",
        {"type": "string"},
    ),
    "max_age": Parameter(
        *("Cache-Control", "header"),
        "`max-age=1`: what another was answered within the last second will do.",
    ),
    "if_none_match": Parameter(
        *("If-None-Match", "header"), "The ETag of what you have: if it is still so, a 304."
    ),
    "traceparent": Parameter(
        *("traceparent", "header"),
        "The trace that the request is part of (W3C Trace Context), for the headers of its jobs.",
    ),
    "tracestate": Parameter(
        *("tracestate", "header"),
        "What those before us say of that trace, for the headers of its jobs: up to 512 bytes.",
    ),
    "request_id": Parameter(
        *("X-Request-Id", "header"), "A name for the request, for its answer and the log."
    ),
}

HEADERS: Mapping[str, Schema] = {
    name: {"description": sentence, "schema": {"type": kind}}
    for name, sentence, kind in (
        ("X-Request-Id", "What the request is called in the log.", "string"),
        ("Location", "Where the job is to be looked at.", "string"),
        ("Retry-After", "After how many seconds it is worth asking again.", "integer"),
        (
            "Idempotent-Replayed",
            "`true`: this key came before, and nothing was done anew.",
            "string",
        ),
        ("Preference-Applied", "The `wait` that was honoured.", "string"),
        ("ETag", "Names the content, for If-None-Match.", "string"),
        ("WWW-Authenticate", "That a key is needed, and which scope it lacks.", "string"),
        ("Script-SHA1", "By which EVALSHA calls the script.", "string"),
    )
}
