"""What a job has been through, in the order of time, as far as it is kept."""

from boltq.api.merged import ENDED
from boltq.job import Job, JobError, moment_of, shown_time

LOST = "LeaseLost"
"""The type of the error that a lost lease leaves with a job."""


def shown(job: Job) -> dict[str, object]:
    """Return a job's events, oldest first, and how many of its failures are not kept any more."""
    events: list[tuple[float, dict[str, object]]] = []

    def add(what: str, moment: object, **members: object) -> None:
        if moment is not None:
            told = {name: value for name, value in members.items() if value not in (None, "")}
            event = {"what": what, "at": shown_time(moment), **told}  # type: ignore[arg-type]
            events.append((moment.timestamp(), event))  # type: ignore[attr-defined]

    def add_errors(errors: list[JobError]) -> None:
        for error in errors:
            told = {"attempt": error.attempt, "worker": error.worker, "error": _error(error)}
            add(_what(error), moment_of(error.at_ms), **told)

    # What is of the same millisecond stays in the order in which it is put here.
    add("created", job.created_at)
    earlier, of_last = _by_attempt(job)
    add_errors(earlier)
    add("started", job.started_at, attempt=job.attempt, worker=job.worker)
    add_errors(of_last)
    if job.state in ENDED:
        add(job.state, job.finished_at, worker=job.worker)
    elif job.state in ("scheduled", "retrying"):
        add("due", job.run_at)
    elif job.state == "running":
        add("lease_ends", job.lease_expires_at, worker=job.worker)
    events.sort(key=lambda event: event[0])
    return {
        "id": job.id,
        "queue": job.queue,
        "type": job.type,
        "state": job.state,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "failures": job.failures,
        "lost": job.lost,
        "timeline": [event for _, event in events],
        "not_kept": max(0, job.failures + job.lost - len(job.errors)),
    }


def _by_attempt(job: Job) -> tuple[list[JobError], list[JobError]]:
    """Return the errors of the attempts before the last, and those of the last."""
    of_last = [error for error in job.errors if error.attempt == job.attempt]
    return [error for error in job.errors if error not in of_last], of_last


def _what(error: JobError) -> str:
    return "lost" if error.type == LOST else "failed"


def _error(error: JobError) -> dict[str, object]:
    return {"type": error.type, "message": error.message, "stack": error.stack}
