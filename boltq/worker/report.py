"""The log of what became of jobs: a line for each failure, for successes as many as one reads."""

import logging
import time

from boltq import logs, scripts
from boltq.execution import Execution
from boltq.job import moment_of, shown_time

log = logging.getLogger("boltq.worker")

LINES_A_SECOND = 20


class Report:
    """What one worker logs of its jobs; used by one thread.

    worker: its name. lines_a_second: 0 to 100,000, how many jobs that are done have a line of their
    own; more are counted, since a line costs more than a whole job. Failures always have one.
    """

    def __init__(self, worker: str, lines_a_second: int = LINES_A_SECOND) -> None:
        self._worker = worker
        self._lines_a_second = lines_a_second
        self._second = 0
        self._lines = 0
        self._unlisted = 0

    def done(self, execution: Execution) -> None:
        """A job is completed."""
        second = int(execution.ended)
        if second != self._second:
            self.flush()
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines <= self._lines_a_second or log.isEnabledFor(logging.DEBUG):
            log.info("job done", extra=self._fields(execution))
        else:
            self._unlisted += 1

    def flush_seconds(self) -> float | None:
        """Return in how many seconds to flush, if no job ends before; None: nothing is counted."""
        return max(0.0, self._second + 1 - time.monotonic()) if self._unlisted else None

    def flush(self) -> None:
        """Tell how many were done without a line each."""
        if self._unlisted:
            log.info("more jobs done", extra={"count": self._unlisted, "worker": self._worker})
        self._unlisted = 0

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
        else:
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
