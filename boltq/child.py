"""The worker of `boltq up`: a process of its own, started again when it ends, gone when we are."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from threading import Event

from boltq import guard

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
"""Between the end of a worker and the next: twice the pause before, unless that worker lasted."""

END_SECONDS = 40.0
"""What a worker has to end: its own grace time, and the answers it waits for."""

USAGE = 2
"""The exit status of a worker that cannot do what it was told, now or ever."""

LOOK_SECONDS = 0.1

log = logging.getLogger(__name__)


class WorkerProcess:
    """One worker at a time, which a job may kill without harm to us.

    arguments: of `boltq-worker`. environ: variables that it has beside ours.
    """

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", "boltq.worker.main", *arguments]
        self._environ = {**os.environ, **environ}

    def keep_running(self, stop: Event, hurry: Event) -> int:
        """Run a worker until `stop` is set, then let it finish; `hurry` lets it only give back.

        Must be called from a thread that lives as long as this: the kernel kills the worker with
        the thread that started it. Returns 0 when the worker ended as asked, 1 when it gave jobs
        back in a hurry or had to be killed, USAGE when it refused its arguments: then it is not
        started again.
        """
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            started = time.monotonic()
            # The leash: a guard that stands beside the worker ends it when this pipe closes.
            with subprocess.Popen(
                guard.guarded(self._command, signal.SIGKILL),
                stdin=subprocess.PIPE,
                env=self._environ,
                start_new_session=True,  # Ctrl-C is for us
            ) as process:
                while process.poll() is None:
                    if stop.wait(LOOK_SECONDS):
                        return _end(process, hurry)
            if process.returncode == USAGE:
                return USAGE
            if time.monotonic() - started > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.error(
                "the worker ended, starting another",
                extra={"exit": process.returncode, "pause_seconds": pause},
            )
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return 0


def _end(process: subprocess.Popen[bytes], hurry: Event) -> int:
    process.terminate()
    deadline = time.monotonic() + END_SECONDS
    while process.poll() is None:
        if time.monotonic() > deadline:
            log.error("the worker does not end: it is killed, its jobs will run again")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return 1
        time.sleep(LOOK_SECONDS)
        if hurry.is_set():
            # Again and again: the kernel makes one signal of two that are pending.
            process.terminate()
    # One that had only begun knows no signals yet, and has no jobs.
    return 0 if process.returncode in {0, -signal.SIGTERM} else 1
