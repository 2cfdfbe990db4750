"""The log of what became of jobs: a line for each failure, for successes as many as one reads."""

import logging
import time
from collections.abc import Callable

from boltq import logs, scripts
from boltq.execution import Execution
from boltq.job import moment_of, shown_time

log = logging.getLogger("boltq.worker")

LINES_A_SECOND = 20


class _Often:
    """What happens often has some lines a second; what is more is counted.

    tell_more: is given the count of those that had none, when their second is over.
    """

    def __init__(self, lines_a_second: int, tell_more: Callable[[int], None]) -> None:
        self._lines_a_second = lines_a_second
        self._tell_more = tell_more
        self._second = 0
        self._lines = 0
        self._unlisted = 0

    def has_line(self, second: int) -> bool:
        """Say that it happens in that second; returns whether with a line of its own."""
        if second != self._second:
            self.flush()
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines <= self._lines_a_second or log.isEnabledFor(logging.DEBUG):
            return True
        self._unlisted += 1
        return False

    def flush_at(self) -> float | None:
        """Return when to flush, at the latest; None: nothing is counted."""
        return self._second + 1.0 if self._unlisted else None

    def flush(self) -> None:
        """Tell how many had no line."""
        count, self._unlisted = self._unlisted, 0
        if count:
            self._tell_more(count)


class Report:
    """What one worker logs of its jobs; used by one thread.

    worker: its name. lines_a_second: 0 to 100,000, how many jobs that are done, and how many that
    are given back, have a line of their own; more are counted, since a line costs more than a whole
    job. Failures always have one.
    """

    def __init__(self, worker: str, lines_a_second: int = LINES_A_SECOND) -> None:
        self._worker = worker
        self._done = _Often(lines_a_second, self._more_done)
        self._back = _Often(lines_a_second, self._more_given_back)

    def done(self, execution: Execution) -> None:
        """A job is completed."""
        if self._done.has_line(int(execution.ended)):
            log.info("job done", extra=self._fields(execution))

    def _more_done(self, count: int) -> None:
        log.info("more jobs done", extra={"count": count, "worker": self._worker})

    def _more_given_back(self, count: int) -> None:
        log.info("more jobs given back", extra={"count": count, "worker": self._worker})

    def flush_seconds(self) -> float | None:
        """Return in how many seconds to flush, if no job ends before; None: nothing is counted."""
        times = [at for at in (self._done.flush_at(), self._back.flush_at()) if at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def flush(self) -> None:
        """Tell how many there were without a line each."""
        self._done.flush()
        self._back.flush()

    def failed(
        self, execution: Execution, item: scripts.FailItem, answer: scripts.FailAnswer
    ) -> None:
        """A job's try has failed; the answer says what follows."""
        fields = self._fields(execution)
        said = item.message.decode().partition("\n")[0]
        fields["error"] = f"{item.error.decode()}: {said}"
        if isinstance(answer, scripts.FailRetrying):
            fields["next_run"] = shown_time(moment_of(answer.run_at_ms))
            log.warning("job failed", extra=fields)
        elif isinstance(answer, scripts.FailDead):
            log.error("job dead", extra=fields)
        else:
            log.info("job cancelled", extra=fields)

    def given_back(self, execution: Execution, *, cancelled: bool, delay_ms: int) -> None:
        """A job was released, or cancelled by that."""
        fields = self._fields(execution)
        if cancelled:
            log.info("job cancelled", extra=fields)
        elif execution.ended:  # by its handler, which wants to be called again
            log.info("job put off", extra={**fields, "delay_ms": delay_ms})
        elif delay_ms:
            log.warning("no handler for this type: job given back", extra=fields)
        elif self._back.has_line(int(time.monotonic())):
            log.info("job given back", extra=fields)

    def lease_lost(self, execution: Execution) -> None:
        """A job ended, but its lease was lost before: what came of it is not heard."""
        log.warning("the lease was lost before the job ended", extra=self._fields(execution))

    def dropped(self, execution: Execution, problem: Exception) -> None:
        """A job's end could not be told: it will run again when its lease has run out."""
        log.error(
            "the end of a job could not be told, it runs again later",
            extra={**self._fields(execution), "error": str(problem)},
        )

    def _fields(self, execution: Execution) -> dict[str, object]:
        fields = logs.of_job(execution)
        fields["worker"] = self._worker
        if execution.ended:
            fields["duration_ms"] = round((execution.ended - execution.started) * 1000, 1)
        return fields
