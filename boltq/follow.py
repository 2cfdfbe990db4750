"""A job on its way, followed from outside until it has ended."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

import msgspec

from boltq.durations import in_seconds
from boltq.errors import JobCancelled, JobDead, WaitTimeout
from boltq.job import Job

R_co = TypeVar("R_co", covariant=True)

ENDED = frozenset({"completed", "cancelled", "dead"})
"""The states that a job leaves no more by itself; a dead one may be replayed."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.5
"""Between two looks at a job: each pause is half as long again, until the job moves on."""


class Looks(Protocol):
    """What is asked for jobs: a client."""

    def get(self, id: str, *, payload: bool = True) -> Job:
        """Show one job."""
        ...

    def cancel(self, id: str) -> Literal["cancelled", "asked", "already"]:
        """Take a job out, or ask it to stop."""
        ...


@dataclass(frozen=True, slots=True)
class Enqueued(Generic[R_co]):
    """A job that was handed in; `created` is False if its id was known already.

    R_co is what its handler returns. Keep `id` to find it from elsewhere: `BoltQ.follow(id)`.
    """

    id: str
    created: bool
    _client: Looks = field(repr=False, compare=False)

    def get(self) -> Job:
        """Show the job as it stands now. Raises UnknownJob if nothing is kept of it."""
        return self._client.get(self.id)

    def cancel(self) -> Literal["cancelled", "asked", "already"]:
        """Cancel it, as `BoltQ.cancel`."""
        return self._client.cancel(self.id)

    def states(self, timeout: float | timedelta | None = None) -> Iterator[Job]:
        """Yield the job each time its state or its attempt has changed, the last time ended.

        It is looked at, at first every few milliseconds, later twice a second: what it passes
        through between two looks is not seen. A payload above 4096 bytes is not read.
        timeout: seconds or a timedelta; None waits without end. Raises WaitTimeout after it,
        UnknownJob if nothing is kept of the job.
        """
        give_up = None if timeout is None else time.monotonic() + in_seconds("timeout", timeout)
        seen: object = None
        pause = FIRST_PAUSE_SECONDS
        while True:
            job = self._client.get(self.id, payload=False)
            if (job.state, job.attempt) != seen:
                seen, pause = (job.state, job.attempt), FIRST_PAUSE_SECONDS
                yield job
            if job.state in ENDED:
                return
            if give_up is not None:
                left = give_up - time.monotonic()
                if left <= 0:
                    raise WaitTimeout(
                        f"job {self.id} is {job.state}: it has not ended within {timeout} s"
                    )
                pause = min(pause, left)
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def wait(self, timeout: float | timedelta | None = None) -> Job:
        """Return the job once it is completed, cancelled or dead; `timeout` as in `states`."""
        *_, last = self.states(timeout)
        return last

    def result(self, timeout: float | timedelta | None = None) -> R_co:
        """Return what the handler returned, once the job is completed; `timeout` as in `states`.

        It has been through JSON: a tuple comes back as a list. It is None also where the result
        was too large to be kept. Raises JobDead and JobCancelled for a job that ended so.
        """
        job = self.wait(timeout)
        if job.state == "dead":
            raise JobDead(f"job {self.id} is dead{_last_error(job)}")
        if job.state == "cancelled":
            raise JobCancelled(f"job {self.id} was cancelled")
        return cast("R_co", _decoded(job.result))


def _last_error(job: Job) -> str:
    if not job.errors:
        return ""
    error = job.errors[-1]
    return f" after attempt {error.attempt}: {error.type}: {error.message}"


def _decoded(result: bytes | None) -> Any:
    if result is None:
        return None
    try:
        return msgspec.json.decode(result)
    except (msgspec.DecodeError, RecursionError):
        return result  # a client in another language may have acked with what is no JSON
