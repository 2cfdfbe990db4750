"""Some worker processes under one parent, which imports nothing of the user's."""

import logging
from collections.abc import Mapping, Sequence
from threading import Event, Thread

from boltq.child import GRACE_SECONDS, WorkerProcess
from boltq.errors import BadSetting
from boltq.settings import Settings

log = logging.getLogger(__name__)

MOST_PORT = 65535

NAME_LENGTH = 124
"""What a worker's name may have, with its process' number behind it."""


class Parent:
    """Keeps worker processes running, as many as the settings say.

    settings: those of the workers. arguments: of `boltq-worker`, for each. environ: variables that
    they have beside ours. grace_seconds: what they have to finish their jobs. burst: a worker that
    finds nothing more to do ends, and when all have, so does `keep_running`. Raises BadSetting
    where there are not as many ports as their metrics need.
    """

    def __init__(
        self,
        settings: Settings,
        arguments: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        grace_seconds: float = GRACE_SECONDS,
        burst: bool = False,
    ) -> None:
        self._processes = [
            WorkerProcess(
                [*arguments, *_name(settings, number), *_port(settings, number)],
                environ or {},
                lease_seconds=settings.lease_seconds,
                grace_seconds=grace_seconds,
                lasting=not burst,
            )
            for number in range(1, settings.processes + 1)
        ]
        self._statuses: list[int] = []

    def keep_running(self, stop: Event, hurry: Event) -> int:
        """Run the workers until `stop` is set; see WorkerProcess, whose worst status is returned.

        One that refuses its arguments ends all of them.
        """
        # The kernel kills a worker with the thread that started it: so each has one for itself.
        threads = [
            Thread(target=self._keep, args=(process, stop, hurry), name=f"worker-{number}")
            for number, process in enumerate(self._processes, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return max(self._statuses)

    def _keep(self, process: WorkerProcess, stop: Event, hurry: Event) -> None:
        status = 1
        try:
            status = process.keep_running(stop, hurry)
        except Exception:
            log.exception("the parent of a worker broke: all workers end")
        self._statuses.append(status)
        if status:
            stop.set()


def _port(settings: Settings, number: int) -> list[str]:
    """Give each of several processes a port of its own for its metrics: one after the other."""
    if settings.processes == 1 or not settings.metrics_port:
        return []
    port = settings.metrics_port + number - 1
    if port > MOST_PORT:
        raise BadSetting(
            f"BOLTQ_METRICS_PORT is {settings.metrics_port}, and {settings.processes} processes "
            f"need a port each from there on: there is none above {MOST_PORT}"
        )
    return ["--metrics-port", str(port)]


def _name(settings: Settings, number: int) -> list[str]:
    """Give each of several processes a name of its own; one that is made up has the process' id."""
    if settings.processes == 1 or "worker_id" not in settings.sources:
        return []
    return ["--worker-id", f"{settings.worker_id[:NAME_LENGTH]}-{number}"]
