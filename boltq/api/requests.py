"""What callers may ask: the members of each body with their rules, ids, names and limits."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from boltq import ids
from boltq.api import strict
from boltq.api.problems import BadField
from boltq.errors import BadArgument
from boltq.newjob import Backoff, Options

MAX_HEADERS_BYTES = 4096
MAX_LIST = 200

OUTSIDE_ID = f"^({ids.NAME_PATTERN}:)?{ids.NAME_PATTERN}$"
NO_ID = f"(^|:)({'|'.join(sorted(ids.REFUSED_IDS))})$"
"""What an id is outside its queue, and what none is, as patterns."""

_TEN_YEARS = 315_360_000


def _range(low: int, high: int, rule: str) -> msgspec.Meta:
    return msgspec.Meta(ge=low, le=high, description=f"{rule} from {low} to {high}")


Seconds = Annotated[float, _range(0, _TEN_YEARS, "a number of seconds")]
_Factor = Annotated[float, _range(1, 1000, "a number")]
_Jitter = Annotated[float, _range(0, 1, "a number")]
Priority = Annotated[int, _range(0, 9, "a whole number")]
_MaxAttempts = Annotated[int, _range(1, 1000, "a whole number")]
# What a name may hold is asked of boltq.ids, after this; its pattern is for the document alone.
Name = Annotated[
    str,
    msgspec.Meta(description="a text", extra_json_schema={"pattern": f"^{ids.NAME_PATTERN}$"}),
]
Type = Annotated[
    str,
    msgspec.Meta(description="a text", extra_json_schema={"pattern": f"^{ids.TYPE_PATTERN}$"}),
]
Id = Annotated[
    str,
    msgspec.Meta(
        description="a text",
        extra_json_schema={"pattern": OUTSIDE_ID, "not": {"type": "string", "pattern": NO_ID}},
    ),
]
Moment = Annotated[
    datetime,
    msgspec.Meta(
        tz=True, description='a time of RFC 3339 with its zone, as "2030-01-31T23:59:00Z"'
    ),
]
_Payload = Annotated[msgspec.Raw, msgspec.Meta(description="a JSON value")]
_Headers = Annotated[
    msgspec.Raw,
    msgspec.Meta(
        description=f"an object of at most {MAX_HEADERS_BYTES} bytes of JSON",
        extra_json_schema={"type": ["object", "null"]},
    ),
]
_NO_CONTROLS = r"\A[^\x00-\x1f\x7f]*\Z"


def _shown_text(most: int) -> msgspec.Meta:
    rule = f"a text of at most {most} bytes, no control characters"
    return msgspec.Meta(max_length=most, pattern=_NO_CONTROLS, description=rule)


_REASON_BYTES, _PERSON_BYTES = 200, 128
_Reason = Annotated[str, _shown_text(_REASON_BYTES)]
Person = Annotated[str, _shown_text(_PERSON_BYTES)]


class BackoffRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How long a job waits after a failure; what is left out is as its queue has it."""

    base_seconds: Seconds | None = None
    factor: _Factor | None = None
    max_seconds: Seconds | None = None
    jitter: _Jitter | None = None


_Backoff = Annotated[
    BackoffRequest,
    msgspec.Meta(description="an object of base_seconds, factor, max_seconds and jitter"),
]


class JobRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of POST /api/jobs. The payload is the span of the body as it was written."""

    type: Type
    payload: _Payload = msgspec.Raw(b"null")
    queue: Name = "default"
    id: Id | None = None
    priority: Priority | None = None
    delay_seconds: Seconds | None = None
    run_at: Moment | None = None
    max_attempts: _MaxAttempts | None = None
    backoff: _Backoff | None = None
    timeout_seconds: Seconds | None = None
    retention_seconds: Seconds | None = None
    headers: _Headers = msgspec.Raw(b"null")

    def decoded_headers(self) -> dict[str, object] | None:
        """Return the headers as the client takes them, or raise BadField."""
        written = bytes(self.headers)
        if written == b"null":
            return None
        try:
            if len(written) <= MAX_HEADERS_BYTES:
                return msgspec.json.decode(written, type=dict[str, Any])
        except msgspec.ValidationError:
            pass
        raise BadField("headers", f"headers must be {strict.rules(JobRequest)['headers']}")

    @property
    def chosen(self) -> tuple[object, ...]:
        """What tells the options of one job from those of another."""
        return (
            *(self.priority, self.delay_seconds, self.run_at, self.max_attempts),
            *(self.backoff, self.timeout_seconds, self.retention_seconds),
        )

    def options(self) -> Options:
        """Return the options as the client takes them."""
        told = self.backoff
        return {
            "priority": self.priority,
            "delay_seconds": self.delay_seconds,
            "run_at": self.run_at,
            "max_attempts": self.max_attempts,
            "backoff": None if told is None else Backoff(**msgspec.structs.asdict(told)),
            "timeout_seconds": self.timeout_seconds,
            "retention_seconds": self.retention_seconds,
        }

    def too_far_ahead(self, refusal: BadArgument) -> BadArgument | BadField:
        """Name the field for a refusal of the script: of run_at only the server's clock can say."""
        if self.run_at is None:
            return refusal
        return BadField("run_at", f"run_at must be at most ten years ahead: {refusal}")


class PauseRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of POST /api/queues/{queue}/pause, which may be left out."""

    reason: _Reason = ""
    by: Person = ""


def read_job(body: bytes) -> JobRequest:
    """Return the job that a body asks for, or raise BadField for what breaks a rule."""
    job = strict.read(JobRequest, body)
    if not _is_in_order(job.type, job.queue):
        _check("type", ids.checked_type, job.type)
        _check("queue", ids.checked_name, "queue", job.queue)
    if job.id is not None:
        _check("id", ids.within, job.queue, job.id)
    if job.delay_seconds is not None and job.run_at is not None:
        raise BadField("run_at", "run_at cannot stand beside delay_seconds: give one of them")
    return job


def read_pause(body: bytes) -> PauseRequest:
    """Return why a queue is paused and who says so, or raise BadField for what breaks a rule."""
    asked = strict.read(PauseRequest, body) if body else PauseRequest()
    check_bytes("reason", asked.reason, _REASON_BYTES)
    check_bytes("by", asked.by)
    return asked


def check_bytes(field: str, text: str, most: int = _PERSON_BYTES) -> None:
    """Raise BadField for a text of too many bytes: the rules of its member count letters."""
    if len(text.encode()) > most:
        raise BadField(field, f"{field} must be a text of at most {most} bytes")


def read_id(text: str | None) -> str:
    """Return the id of a job from a path or a query, or raise BadField."""
    if not text:
        raise BadField("id", "id must be given: the id of a job")
    _check("id", ids.split, text)
    return text


def read_queue(text: str) -> str:
    """Return the name of a queue from a path or a query, or raise BadField."""
    _check("queue", ids.checked_name, "queue", text)
    return text


def read_limit(text: str | None, default: int = 100) -> int:
    """Return how many jobs a list may hold, 1 to MAX_LIST, or raise BadField."""
    if text is None:
        return default
    if re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= MAX_LIST:
        return int(text)
    raise BadField("limit", f"limit must be a whole number from 1 to {MAX_LIST}")


def read_mode(text: str | None) -> str:
    """Return how a batch is taken, each (unless told) or all, or raise BadField."""
    if text in (None, "each", "all"):
        return text or "each"
    raise BadField("mode", "mode must be each or all")


@lru_cache(maxsize=1024)
def _is_in_order(type: str, queue: str) -> bool:
    """Tell whether two names keep their rules: jobs of a batch mostly have the same."""
    try:
        return bool(ids.checked_type(type) and ids.checked_name("queue", queue))
    except BadArgument:
        return False


def _check(field: str, check: Callable[..., object], *arguments: str) -> None:
    try:
        check(*arguments)
    except BadArgument as error:
        raise BadField(field, str(error)) from error
