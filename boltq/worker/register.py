"""Telling people that this worker is there: its entry in the registry."""

import os
import socket
import time
from collections.abc import Mapping

from boltq import __version__, presence
from boltq.evalsha import Server
from boltq.execution import Execution
from boltq.worker.crew import Crew
from boltq.worker.leases import Leases
from boltq.worker.pace import Pace

REGISTER_SECONDS = 10.0
"""How old the entry becomes, while Redis answers."""


class Register:
    """The entry of one worker, written by one thread, with the connections of that.

    queues: name -> weight.
    """

    def __init__(
        self,
        server: Server,
        worker_id: str,
        queues: Mapping[str, int],
        threads: int,
        *,
        leases: Leases,
        pace: Pace,
        crew: Crew,
    ) -> None:
        self._server = server
        self._worker_id = worker_id
        self._queues = dict(queues)
        self._threads = threads
        self._leases = leases
        self._pace = pace
        self._crew = crew
        self._started_ms = 0
        self._again_at = 0.0

    def is_due(self, within_seconds: float) -> bool:
        """Whether the entry is to be written before so long has passed."""
        return time.monotonic() + within_seconds >= self._again_at

    def write(self) -> None:
        """Write the entry, and which queues are served. Raises Unavailable."""
        moment = time.monotonic()
        now_ms = self._server.now_ms()
        self._started_ms = self._started_ms or now_ms
        report = self._report(now_ms, moment)
        self._server.registry.note_worker(self._worker_id, report.to_bytes(), now_ms)
        for queue in self._queues:
            self._server.note_queue(queue, now_ms)
        self._again_at = moment + REGISTER_SECONDS

    def leave(self) -> None:
        """Take the entry out: this worker ends."""
        self._server.registry.forget_worker(self._worker_id)

    def _report(self, now_ms: int, moment: float) -> presence.Report:
        held = self._leases.all()
        at_work = sorted((one for one in held if one.started), key=_started)
        return presence.Report(
            id=self._worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            queues=self._queues,
            threads=self._threads,
            started_ms=self._started_ms,
            in_hand=len(held),
            worked=self._pace.worked_ever,
            stuck=self._crew.stuck,
            jobs=[
                presence.ReportedJob(
                    one.id, one.type, now_ms - max(0, round((moment - one.started) * 1000))
                )
                for one in at_work[: presence.MOST_JOBS]
            ],
        )


def _started(execution: Execution) -> float:
    return execution.started
