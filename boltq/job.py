"""A job as people and programs see it: the same JSON in the API, in Python and at a prompt."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from boltq import ids, scripts


class Header(msgspec.Struct, frozen=True):
    """The line of JSON that a script wrote at enqueue; what it leaves out has the default below."""

    type: str
    created_ms: int
    priority: int = 4
    max_attempts: int = 3
    max_lost: int = 5
    timeout_ms: int = 3_600_000
    retention_ms: int | None = None
    backoff_base_ms: int = 1000
    backoff_factor: float = 2.0
    backoff_cap_ms: int = 3_600_000
    backoff_jitter: float = 0.2
    headers_bytes: int = 0
    payload_bytes: int | None = None


class JobError(msgspec.Struct, frozen=True):
    """One failure of a job, or one lost lease (its type is then LeaseLost)."""

    attempt: int
    type: str
    message: str
    stack: str
    worker: str
    at_ms: int


class Progress(msgspec.Struct, frozen=True):
    """What a handler said last of how far it is: 0 to 1, at what, in which attempt, and when."""

    progress: float
    text: str
    attempt: int
    at_ms: int


class LogLine(msgspec.Struct, frozen=True):
    """One line of a job's own log."""

    at_ms: int
    attempt: int
    line: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stood when it was asked for; None is: not known, or not so far.

    `payload`, `result` and `headers` are the bytes that were handed in, not re-encoded.
    `attempt` is the present or the last one, 0 before the first. `failures` and `lost` count of all
    time, also before a replay. `place` is another once the job has moved, or was altered, extended
    or asked to stop; it is not shown in JSON.
    """

    id: str
    queue: str
    type: str
    state: str
    priority: int
    attempt: int
    failures: int
    max_attempts: int
    created_at: datetime
    run_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lease_expires_at: datetime | None = None
    kept_until: datetime | None = None
    worker: str | None = None
    payload: bytes | None = None
    result: bytes | None = None
    headers: bytes | None = None
    lost: int = 0
    fence: int | None = None
    cancel_asked: bool = False
    timeout_seconds: float | None = None
    errors: list[JobError] = field(default_factory=list)
    place: str = ""
    progress: Progress | None = None
    log: list[LogLine] = field(default_factory=list)

    def to_json(self) -> bytes:
        """Write the job as JSON: times RFC 3339 in UTC, members that are not known left out.

        The payload stands in it byte for byte; one that is no JSON is shown as `payload_base64`.
        Costs O(bytes of the job).
        """
        members: dict[str, object] = {"id": self.id, "queue": self.queue, "type": self.type}
        members |= spliced("payload", self.payload) | spliced("headers", self.headers)
        members |= {"state": self.state, "priority": self.priority, "attempt": self.attempt}
        members |= {"failures": self.failures, "max_attempts": self.max_attempts}
        if self.lost:
            members["lost"] = self.lost
        if self.cancel_asked:
            members["cancel_asked"] = True
        for name in (
            "created_at",
            "run_at",
            "started_at",
            "finished_at",
            "lease_expires_at",
            "kept_until",
        ):
            moment = getattr(self, name)
            if moment is not None:
                members[name] = shown_time(moment)
        if self.worker:
            members["worker"] = self.worker
        members |= self._noted()
        members |= spliced("result", self.result)
        members["errors"] = [
            {
                "attempt": error.attempt,
                "type": error.type,
                "message": error.message,
                "stack": error.stack,
                "worker": error.worker,
                "at": shown_time(moment_of(error.at_ms)),
            }
            for error in self.errors
        ]
        return msgspec.json.encode(members)

    def _noted(self) -> dict[str, object]:
        told: dict[str, object] = {}
        if self.progress is not None:
            said = self.progress
            at = shown_time(moment_of(said.at_ms))
            told["progress"] = {
                "share": said.progress,
                "text": said.text,
                "attempt": said.attempt,
                "at": at,
            }
        if self.log:
            told["log"] = [
                {"at": shown_time(moment_of(one.at_ms)), "attempt": one.attempt, "line": one.line}
                for one in self.log
            ]
        return told


def moment_of(time_ms: int) -> datetime:
    """Turn the server's milliseconds into a time."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def shown_time(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_HEADER = msgspec.json.Decoder(Header)
_ERROR = msgspec.json.Decoder(JobError)
_PROGRESS = msgspec.json.Decoder(Progress)
_LINE = msgspec.json.Decoder(LogLine)


def read_header(line: bytes) -> Header:
    """Read the line of JSON with which a script describes a job."""
    return _HEADER.decode(line)


def described(queue: str, item: scripts.InspectJob | scripts.ListJob) -> Job:
    """Make a Job of what the scripts inspect and list tell."""
    header = read_header(item.header)
    # Not splitlines, which would cut at a U+2028 in a message, too.
    errors = item.errors.decode("utf-8", "replace").split("\n")
    told = (item.progress, item.log) if isinstance(item, scripts.InspectJob) else (b"", b"")
    progress, log = _told(*told)
    return Job(
        id=ids.join(queue, item.id),
        queue=queue,
        type=header.type,
        state=item.state,
        priority=header.priority,
        attempt=item.attempt,
        failures=item.failures,
        max_attempts=header.max_attempts,
        created_at=moment_of(header.created_ms),
        run_at=_moment(item.run_at_ms),
        started_at=_moment(item.started_ms),
        finished_at=_moment(item.ended_ms),
        lease_expires_at=_moment(item.lease_end_ms),
        kept_until=_moment(item.kept_until_ms),
        worker=item.worker or None,
        payload=item.payload if item.has_payload else None,
        result=item.result or None,
        headers=item.headers or None,
        lost=item.lost,
        fence=item.fence or None,
        cancel_asked=bool(item.cancel),
        timeout_seconds=header.timeout_ms / 1000 or None,
        errors=[_ERROR.decode(line) for line in errors if line],
        place=item.place,
        progress=progress,
        log=log,
    )


def _told(entry: bytes, log: bytes) -> tuple[Progress | None, list[LogLine]]:
    """Read what a handler told, as the script inspect gives it."""
    said = entry.decode("utf-8", "replace")
    lines = log.decode("utf-8", "replace").split("\n")
    return (
        _PROGRESS.decode(said) if '"progress":' in said else None,
        [_LINE.decode(line) for line in lines if line],
    )


def _moment(time_ms: int) -> datetime | None:
    return moment_of(time_ms) if time_ms else None


def spliced(name: str, raw: bytes | None) -> dict[str, object]:
    """Return the member under which bytes are shown: as they are, or in base64 if no JSON."""
    if raw is None:
        return {}
    try:
        raw.decode()
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {f"{name}_base64": base64.b64encode(raw).decode("ascii")}
    return {name: msgspec.Raw(raw)}
