"""What workers may ask: the members of their bodies, with their rules."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec

from boltq import ids
from boltq.api import strict
from boltq.api.parking import LONGEST_WAIT_SECONDS
from boltq.api.problems import BadField
from boltq.api.requests import NO_ID, OUTSIDE_ID
from boltq.errors import BadArgument

MAX_QUEUES = 20
MAX_REPORTS = 1000
MAX_LINES = 100

_TEN_YEARS = 315_360_000
_WORKER_BYTES = 128


def _whole(low: int, high: int) -> msgspec.Meta:
    return msgspec.Meta(ge=low, le=high, description=f"a whole number from {low} to {high}")


def _seconds(low: float, high: int) -> msgspec.Meta:
    return msgspec.Meta(ge=low, le=high, description=f"a number of seconds from {low} to {high}")


_TOKEN = "1 to 64 of the characters A-Z a-z 0-9 _ . -, a letter or digit first"  # noqa: S105
_Token = Annotated[
    str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z", description=_TOKEN)
]
_Lease = Annotated[float, _seconds(0.1, 86_400)]
_Delay = Annotated[float, _seconds(0, _TEN_YEARS)]
_Worker = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[^\x00-\x1f\x7f]{1,128}\Z",
        description="a text of 1 to 128 bytes, no control characters",
    ),
]
_Queue = Annotated[
    str, msgspec.Meta(extra_json_schema={"pattern": f"^{ids.NAME_PATTERN}$"})  # asked of boltq.ids
]
_Queues = Annotated[
    list[_Queue],
    msgspec.Meta(
        min_length=1,
        max_length=MAX_QUEUES,
        description=f"a list of 1 to {MAX_QUEUES} names of queues, none of them twice",
        extra_json_schema={"uniqueItems": True},
    ),
]
_Flag = Annotated[bool, msgspec.Meta(description="true or false")]
_Text = Annotated[str, msgspec.Meta(description="a text")]
_Result = Annotated[msgspec.Raw, msgspec.Meta(description="a JSON value")]
_Reports = Annotated[list[msgspec.Raw], msgspec.Meta(description="a list of objects")]
# What an id may be is asked of boltq.ids, after this.
_Id = Annotated[
    str,
    msgspec.Meta(
        description="the id of a job",
        extra_json_schema={"pattern": OUTSIDE_ID, "not": {"type": "string", "pattern": NO_ID}},
    ),
]


class ClaimRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of POST /api/claims. Without a token one is made up, and a repeat claims anew."""

    queues: _Queues = msgspec.field(default_factory=lambda: [ids.DEFAULT_QUEUE])
    fair: _Flag = False
    max_jobs: Annotated[int, _whole(1, 500)] = 1
    lease_seconds: _Lease = 30.0
    worker_id: _Worker = "http"
    wait_seconds: Annotated[float, _seconds(0, LONGEST_WAIT_SECONDS)] = 0.0
    max_bytes: Annotated[int, _whole(1, 8_000_000)] = 4 * 1024 * 1024
    token: _Token | None = None


class ProgressRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How far a job is, and at what; 200 bytes of the text are kept."""

    share: Annotated[float, msgspec.Meta(ge=0, le=1, description="a number from 0 to 1")]
    text: _Text = ""


_Progress = Annotated[
    ProgressRequest, msgspec.Meta(description="an object of share, 0 to 1, and text")
]
_Log = Annotated[
    list[str],
    msgspec.Meta(max_length=MAX_LINES, description=f"a list of at most {MAX_LINES} texts"),
]
_Before = Annotated[int, _whole(0, 999_999_999)]


class AckRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is said of a job that is done; the result is the span of the body as it was written.

    `log_before` counts the lines that were told before in this attempt: then a request that is sent
    again adds none twice.
    """

    token: _Token
    result: _Result = msgspec.Raw(b"")
    progress: _Progress | None = None
    log: _Log = []
    log_before: _Before | None = None


class ErrorRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What went wrong; the beginnings of type and message are kept, and the end of the stack."""

    type: _Text = "Error"
    message: _Text = ""
    stack: _Text = ""


_Error = Annotated[ErrorRequest, msgspec.Meta(description="an object of type, message and stack")]


class FailRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is said of a job that failed; without a delay its backoff decides."""

    token: _Token
    error: _Error = ErrorRequest()
    delay_seconds: _Delay | None = None
    final: _Flag = False
    progress: _Progress | None = None
    log: _Log = []
    log_before: _Before | None = None


class ExtendRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """For how long a lease is to last from now on."""

    token: _Token
    lease_seconds: _Lease = 30.0
    progress: _Progress | None = None
    log: _Log = []
    log_before: _Before | None = None


class ReleaseRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """After which rest a job that is given back is queued again."""

    token: _Token
    delay_seconds: _Delay = 0.0
    progress: _Progress | None = None
    log: _Log = []
    log_before: _Before | None = None


VERBS: Mapping[str, type[msgspec.Struct]] = {
    "ack": AckRequest,
    "fail": FailRequest,
    "extend": ExtendRequest,
    "release": ReleaseRequest,
}
"""What a worker says of a job that it holds, and the body of each."""

Report: TypeAlias = AckRequest | FailRequest | ExtendRequest | ReleaseRequest


class _Ack(AckRequest, kw_only=True, forbid_unknown_fields=True, frozen=True):
    id: _Id


class _Fail(FailRequest, kw_only=True, forbid_unknown_fields=True, frozen=True):
    id: _Id


class _Extend(ExtendRequest, kw_only=True, forbid_unknown_fields=True, frozen=True):
    id: _Id


class _Release(ReleaseRequest, kw_only=True, forbid_unknown_fields=True, frozen=True):
    id: _Id


class ReportsRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of POST /api/acks."""

    acks: _Reports = []
    fails: _Reports = []
    releases: _Reports = []
    extends: _Reports = []


KINDS: Mapping[str, type[_Ack | _Fail | _Extend | _Release]] = {
    "acks": _Ack,
    "fails": _Fail,
    "releases": _Release,
    "extends": _Extend,
}
"""The lists of POST /api/acks, and what is in each."""


def read_claim(body: bytes) -> ClaimRequest:
    """Return what a worker asks for, or raise BadField for what breaks a rule."""
    asked = strict.read(ClaimRequest, body) if body else ClaimRequest()
    for queue in asked.queues:
        try:
            ids.checked_name("each of queues", queue)
        except BadArgument as error:
            raise BadField("queues", str(error)) from error
    if len(set(asked.queues)) != len(asked.queues):
        raise BadField("queues", "queues must not hold a name twice")
    if len(asked.worker_id.encode()) > _WORKER_BYTES:
        raise BadField("worker_id", f"worker_id must be a text of 1 to {_WORKER_BYTES} bytes")
    return asked


def read_reports(body: bytes) -> dict[str, list[tuple[str, Report]]]:
    """Return the reports of each list with the ids of their jobs, or raise BadField.

    One that breaks a rule refuses all, and is named by its list and its place there, from 0.
    """
    asked = strict.read(ReportsRequest, body)
    lists: dict[str, list[msgspec.Raw]] = {name: getattr(asked, name) for name in KINDS}
    if sum(map(len, lists.values())) > MAX_REPORTS:
        raise BadField("body", f"the lists together can have at most {MAX_REPORTS} members")
    return {
        name: [
            _read_report(f"{name}[{index}]", KINDS[name], bytes(raw))
            for index, raw in enumerate(each)
        ]
        for name, each in lists.items()
    }


def _read_report(
    place: str, kind: type[_Ack | _Fail | _Extend | _Release], raw: bytes
) -> tuple[str, Report]:
    try:
        report = strict.read(kind, raw)
        ids.split(report.id)
    except BadField as error:
        field = place if error.field == "body" else f"{place}.{error.field}"
        raise BadField(field, f"{place}: {error}") from error
    except BadArgument as error:
        raise BadField(f"{place}.id", f"{place}: {error}") from error
    return report.id, report
