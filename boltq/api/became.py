"""What a worker is told of each job that it reported on, and of one whose lease it has lost."""

from typing import Any, TypeAlias

from boltq import scripts
from boltq.api.work_requests import ReleaseRequest, Report
from boltq.errors import BoltQError, Corrupt, LeaseLost, UnknownJob
from boltq.job import Job, moment_of, shown_time

Answer: TypeAlias = dict[str, object] | BoltQError
"""The members of what is told, or the refusal."""

_LOST = (
    scripts.AckLeaseLost,
    scripts.FailLeaseLost,
    scripts.ExtendLeaseLost,
    scripts.ReleaseLeaseLost,
)
_ALREADY = (scripts.AckAlready, scripts.FailAlready, scripts.ReleaseAlready)
_UNKNOWN = (
    scripts.AckUnknown,
    scripts.FailUnknown,
    scripts.ExtendUnknown,
    scripts.ReleaseUnknown,
)
_CANCELLED = (scripts.FailCancelled, scripts.ReleaseCancelled)


class LeaseGone(LeaseLost):
    """A lease is lost; `members` say how the job stands now."""

    def __init__(self, sentence: str, members: dict[str, object]) -> None:
        super().__init__(sentence)
        self.members = members


def is_unclear(was: object) -> bool:
    """Whether a script's answer leaves open how the job stands now."""
    return isinstance(was, (*_LOST, *_ALREADY))


def answer(id: str, report: Report, was: Any, job: Job | None) -> Answer:
    """Return what is told of a job; `was` is what a script answered, `job` how it is."""
    if isinstance(was, BoltQError):
        return was
    if isinstance(was, _UNKNOWN):
        return UnknownJob(f"job {id} is not known: it never was, or is no longer kept")
    if isinstance(was, _LOST):
        return _lost(id, job)
    if isinstance(was, _ALREADY):
        return {"id": id, **_standing(job), "already": True}
    return {"id": id, **_done(report, was)}


def _done(report: Report, was: Any) -> dict[str, object]:
    if isinstance(was, scripts.ExtendHeld):
        end = shown_time(moment_of(was.lease_end_ms))
        return {"state": "running", "lease_expires_at": end, "cancel_asked": bool(was.cancel)}
    if isinstance(was, scripts.FailRetrying):
        return {"state": "retrying", "run_at": shown_time(moment_of(was.run_at_ms))}
    if isinstance(was, scripts.ReleaseBack):
        delayed = isinstance(report, ReleaseRequest) and report.delay_seconds > 0
        return {"state": "scheduled" if delayed else "queued"}
    if isinstance(was, scripts.AckDone):
        return {"state": "completed"}
    if isinstance(was, scripts.FailDead):
        return {"state": "dead"}
    if isinstance(was, _CANCELLED):
        return {"state": "cancelled"}
    raise Corrupt(f"a script answered {type(was).__name__}, which is not known here")


def _standing(job: Job | None) -> dict[str, object]:
    """Return how a job stands, as its own JSON names it; nothing if it could not be looked at."""
    if job is None:
        return {}
    standing: dict[str, object] = {"state": job.state, "attempt": job.attempt}
    if job.worker:
        standing["worker"] = job.worker
    for name in ("run_at", "started_at", "finished_at", "lease_expires_at"):
        moment = getattr(job, name)
        if moment is not None:
            standing[name] = shown_time(moment)
    return standing


def _lost(id: str, job: Job | None) -> LeaseGone:
    sentence = f"job {id} is not leased under this token"
    return LeaseGone(sentence + (f": {_story(job)}" if job else ""), _standing(job))


def _story(job: Job) -> str:
    shown = _standing(job)
    if job.state == "running":
        began = f"attempt {job.attempt}, begun at {shown.get('started_at')} by {job.worker}"
        return f"what runs now, or ran last, is {began}, leased until {shown['lease_expires_at']}"
    if job.state in ("completed", "cancelled", "dead"):
        return f"it is {job.state} since {shown.get('finished_at')}"
    if job.state in ("scheduled", "retrying"):
        return f"it is {job.state}, to be queued at {shown.get('run_at')}"
    return "it is queued"
