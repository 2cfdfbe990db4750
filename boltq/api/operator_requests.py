"""What operators may ask: the members of their bodies, with their rules."""

from typing import Annotated

import msgspec

from boltq import ids
from boltq.api import strict
from boltq.api.problems import BadField
from boltq.api.requests import (
    Id,
    Moment,
    Name,
    Person,
    Priority,
    Seconds,
    Type,
    check_bytes,
    read_queue,
)
from boltq.counts import STATES
from boltq.errors import BadArgument

_ERROR_BYTES = 200
_MOST = 2**53 - 1

# Which state goes with which action, and what a name may hold, is asked of others, after this.
_State = Annotated[
    str, msgspec.Meta(description="a state of jobs", extra_json_schema={"enum": list(STATES)})
]
_RestingState = Annotated[
    str,
    msgspec.Meta(
        description="a state in which jobs do not run",
        extra_json_schema={"enum": [state for state in STATES if state != "running"]},
    ),
]
_Action = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A(replay|cancel|purge|run_now)\Z",
        description="one of replay, cancel, purge and run_now",
    ),
]
_Error = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[^\x00-\x1f\x7f]{1,200}\Z",
        description=f"a text of 1 to {_ERROR_BYTES} bytes, no control characters",
    ),
]
_Worker = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[^\x00-\x1f\x7f]{1,128}\Z",
        description="a text of 1 to 128 bytes, no control characters",
    ),
]
_Flag = Annotated[bool, msgspec.Meta(description="true or false")]
_Count = Annotated[
    int, msgspec.Meta(ge=0, le=_MOST, description=f"a whole number from 0 to {_MOST}")
]
_Rate = Annotated[
    int,
    msgspec.Meta(ge=0, le=100_000, description="a whole number from 0, which is any, to 100000"),
]


class AlterRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of PATCH /api/jobs/{id}."""

    priority: Priority | None = None
    delay_seconds: Seconds | None = None
    run_at: Moment | None = None


class FilterRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which jobs of a queue; what is left out is any, but for the state."""

    state: _State | None = None
    type: Type | None = None
    error: _Error | None = None
    worker: _Worker | None = None
    since: Moment | None = None
    until: Moment | None = None


_Filter = Annotated[
    FilterRequest,
    msgspec.Meta(description="an object of state, type, error, worker, since and until"),
]


class OperationRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of POST /api/operations. With an id of one's own the request may be repeated."""

    action: _Action
    queue: Name = ids.DEFAULT_QUEUE
    filter: _Filter = FilterRequest()
    dry_run: _Flag = False
    expected_count: _Count | None = None
    rate_per_second: _Rate = 0
    by: Person = ""
    id: Id | None = None

    @property
    def state(self) -> str | None:
        """The state that is meant: of what is replayed there is but one."""
        return self.filter.state or ("dead" if self.action == "replay" else None)


class PurgeRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of POST /api/queues/{queue}/purge."""

    state: _RestingState
    expected_count: _Count | None = None
    by: Person = ""


class AskRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body by which something is asked of a worker, which may be left out."""

    by: Person = ""


def read_ask(body: bytes) -> AskRequest:
    """Return who asks, or raise BadField for what breaks a rule."""
    asked = strict.read(AskRequest, body) if body else AskRequest()
    check_bytes("by", asked.by)
    return asked


def read_alter(body: bytes) -> AlterRequest:
    """Return what a job is to be, or raise BadField for what breaks a rule."""
    asked = strict.read(AlterRequest, body)
    if asked.delay_seconds is not None and asked.run_at is not None:
        raise BadField("run_at", "run_at cannot stand beside delay_seconds: give one of them")
    if asked == AlterRequest():
        raise BadField("body", "the body must have a priority, delay_seconds or run_at")
    return asked


def read_operation(body: bytes) -> OperationRequest:
    """Return what is to be done to many jobs, or raise BadField for what breaks a rule."""
    asked = strict.read(OperationRequest, body)
    read_queue(asked.queue)
    check_bytes("by", asked.by)
    if asked.state is None:
        raise BadField("filter.state", "filter.state must be given: which jobs are meant")
    error = asked.filter.error
    if asked.filter.worker:
        check_bytes("filter.worker", asked.filter.worker)
    if error and len(error.encode()) > _ERROR_BYTES:
        raise BadField("filter.error", f"filter.error must have at most {_ERROR_BYTES} bytes")
    try:
        if asked.filter.type is not None:
            ids.checked_type(asked.filter.type)
    except BadArgument as refused:
        raise BadField("filter.type", str(refused)) from refused
    try:
        if asked.id is not None:
            ids.within(asked.queue, asked.id)
    except BadArgument as refused:
        raise BadField("id", str(refused)) from refused
    return asked


def read_purge(queue: str, body: bytes) -> OperationRequest:
    """Return the operation by which jobs are deleted, or raise BadField for what breaks a rule."""
    asked = strict.read(PurgeRequest, body)
    check_bytes("by", asked.by)
    return OperationRequest(
        action="purge",
        queue=queue,
        filter=FilterRequest(state=asked.state),
        expected_count=asked.expected_count,
        by=asked.by,
    )
