"""The log of what became of jobs: a line for each failure, for successes as many as one reads."""

import logging
from datetime import UTC, datetime

from boltq import scripts
from boltq.execution import Execution

log = logging.getLogger("boltq.worker")

LINES_A_SECOND = 20
"""Above that, successes are counted: a line costs more than a whole job."""


class Report:
    """What one worker logs of its jobs; used by one thread."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._second = 0
        self._lines = 0
        self._unlisted = 0

    def done(self, execution: Execution) -> None:
        """A job is completed."""
        second = int(execution.ended)
        if second != self._second:
            self.flush()
            self._second = second
        self._lines += 1
        if self._lines <= LINES_A_SECOND or log.isEnabledFor(logging.DEBUG):
            log.info("job done", extra=self._fields(execution))
        else:
            self._unlisted += 1

    def flush(self) -> None:
        """Tell how many were done without a line each."""
        if self._unlisted:
            extra = {"count": self._unlisted, "worker": self._worker}
            log.info("more jobs done in this second, without a line each", extra=extra)
        self._lines = self._unlisted = 0

    def failed(
        self, execution: Execution, item: scripts.FailItem, answer: scripts.FailAnswer
    ) -> None:
        """A job's try has failed; the answer says what follows."""
        fields = self._fields(execution)
        said = item.message.decode().partition("\n")[0]
        fields["error"] = f"{item.error.decode()}: {said}"
        if isinstance(answer, scripts.FailRetrying):
            at = datetime.fromtimestamp(answer.run_at_ms / 1000, UTC)
            fields["next_run"] = at.isoformat(timespec="milliseconds")
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
            "the end of a job could not be told, it runs again later: %s",
            problem,
            extra=self._fields(execution),
        )

    def _fields(self, execution: Execution) -> dict[str, object]:
        fields: dict[str, object] = {
            "job": execution.id,
            "queue": execution.queue,
            "type": execution.type,
            "attempt": execution.attempt,
            "worker": self._worker,
        }
        if execution.ended:
            fields["duration_ms"] = round((execution.ended - execution.started) * 1000, 1)
        return fields
