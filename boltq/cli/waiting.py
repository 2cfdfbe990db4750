"""Waiting for jobs at a prompt: their results as they end, and a status that says how."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from boltq.cli.exits import Exit
from boltq.cli.screen import document, documents, tell
from boltq.errors import WaitTimeout

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.job import Job


def wait_for(
    boltq: "BoltQ", ids: Sequence[str], *, timeout_seconds: float | None, as_json: bool
) -> Exit:
    """Wait until all have ended; print each one's result, or with JSON the jobs as they stand then.

    timeout_seconds: for all together; None is without end. Raises UnknownJob where nothing is kept
    of a job. Returns JOB_FAILED if one is dead or cancelled, else TIMED_OUT if one has not ended.
    """
    end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    jobs, statuses = [], set()
    for id in ids:
        job, status = _ended(boltq, id, end)
        if status == Exit.TIMED_OUT:
            tell(f"job {id} is {job.state}: it has not ended within {timeout_seconds:g} s")
        elif status == Exit.JOB_FAILED:
            tell(f"job {id} is {job.state}{_why(job)}")
        if status == Exit.OK and not as_json:
            document(job.result or b"null")
        jobs.append(job)
        statuses.add(status)
    if as_json and len(ids) == 1:
        document(jobs[0].to_json())
    elif as_json:
        documents("jobs", (job.to_json() for job in jobs))
    return next((bad for bad in (Exit.JOB_FAILED, Exit.TIMED_OUT) if bad in statuses), Exit.OK)


def _ended(boltq: "BoltQ", id: str, end: float | None) -> tuple["Job", Exit]:
    try:
        job = boltq.wait(id, None if end is None else max(0.0, end - time.monotonic()))
    except WaitTimeout:
        return boltq.get(id), Exit.TIMED_OUT
    return job, Exit.OK if job.state == "completed" else Exit.JOB_FAILED


def _why(job: "Job") -> str:
    if not job.errors:
        return ""
    error = job.errors[-1]
    return f" after attempt {error.attempt}: {error.type}: {error.message}"
