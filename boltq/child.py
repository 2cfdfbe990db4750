"""A worker as a process of its own: started again when it ends, gone when we are."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import NamedTuple

from boltq import guard

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
"""Between the end of a worker and the next: twice the pause before, unless that worker lasted."""

GRACE_SECONDS = 25.0
"""What a worker gives its jobs to finish when it is to end, unless it is told."""

END_SECONDS = 15.0
"""What it has to end beyond that: for the answers it waits for."""

LEAST_SILENCE_SECONDS = 10.0
"""A worker that shows no life for so long, and for two leases, is taken for frozen."""

USAGE = 2
"""The exit status of a worker that cannot do what it was told, now or ever."""

RECYCLE = 75
"""The exit status of a worker in whose place another is to start at once."""

LOOK_SECONDS = 0.1

AWAY_SECONDS = 1.0
"""After so long without a look we were away ourselves: so may the worker have been."""

log = logging.getLogger(__name__)


class _Started(NamedTuple):
    process: subprocess.Popen[bytes]
    life: int  # a pipe into which it writes while it lives


class WorkerProcess:
    """One worker at a time, which a job may kill without harm to us.

    arguments: of `boltq-worker`. environ: variables that it has beside ours. lease_seconds: its
    leases; for twice as long it may show no life. grace_seconds: what it gives its jobs to finish.
    lasting: False: a worker that ends by itself with 0 is through, and no other is started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        lease_seconds: float,
        grace_seconds: float = GRACE_SECONDS,
        lasting: bool = True,
    ) -> None:
        self._arguments = arguments
        self._environ = {**os.environ, **environ}
        self._silence_seconds = max(LEAST_SILENCE_SECONDS, 2 * lease_seconds)
        self._end_seconds = grace_seconds + END_SECONDS
        self._lasting = lasting

    def keep_running(self, stop: Event, hurry: Event) -> int:
        """Run a worker until `stop` is set, then let it finish; `hurry` lets it only give back.

        Must be called from a thread that lives as long as this: the kernel kills the worker with
        the thread that started it. Returns 0 when the worker ended as asked, 1 when it gave jobs
        back in a hurry or had to be killed, USAGE when it refused its arguments: then it is not
        started again.
        """
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            started_at = time.monotonic()
            with self._started() as started:
                if not self._watch(started, stop):
                    return self._end(started.process, hurry)
                status = started.process.wait()
            if status == USAGE or (status == 0 and not self._lasting):
                return status
            if status == RECYCLE:
                log.info("the worker makes room for another", extra={"exit_status": status})
                continue
            if time.monotonic() - started_at > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.error(
                "the worker ended, starting another",
                extra={"exit_status": status, "pause_seconds": pause},
            )
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return 0

    @contextmanager
    def _started(self) -> Iterator[_Started]:
        ours, its = os.pipe()
        os.set_blocking(ours, False)
        command = [sys.executable, "-m", "boltq.worker.main", "--life-fd", str(its)]
        try:
            # The leash: a guard that stands beside the worker ends it when this pipe closes.
            with subprocess.Popen(
                guard.guarded([*command, *self._arguments], signal.SIGKILL),
                stdin=subprocess.PIPE,
                pass_fds=(its,),
                env=self._environ,
                start_new_session=True,  # Ctrl-C is for us
            ) as process:
                os.close(its)
                its = -1
                yield _Started(process, ours)
        finally:
            os.close(ours)
            if its >= 0:
                os.close(its)

    def _watch(self, started: _Started, stop: Event) -> bool:
        """Wait until the worker has ended, which is True, or we are to stop; kill a frozen one."""
        process, life = started
        heard_at = float("inf")  # until its first sign of life: who knows what a start may take
        looked_at = time.monotonic()
        while process.poll() is None:
            if stop.wait(LOOK_SECONDS):
                return False
            since, looked_at = looked_at, time.monotonic()
            if looked_at - since > AWAY_SECONDS:
                heard_at += looked_at - since
            with suppress(BlockingIOError):
                if os.read(life, 4096):
                    heard_at = looked_at
            silent_seconds = looked_at - heard_at
            if silent_seconds > self._silence_seconds:
                log.error(
                    "the worker is frozen: it is killed, its jobs will run again",
                    extra={"silent_seconds": round(silent_seconds, 1)},
                )
                _kill(process)
        return True

    def _end(self, process: subprocess.Popen[bytes], hurry: Event) -> int:
        process.terminate()
        deadline = time.monotonic() + self._end_seconds
        while process.poll() is None:
            if time.monotonic() > deadline:
                log.error("the worker does not end: it is killed, its jobs will run again")
                _kill(process)
                return 1
            time.sleep(LOOK_SECONDS)
            if hurry.is_set():
                # Again and again: the kernel makes one signal of two that are pending.
                process.terminate()
        # One that had only begun knows no signals yet, and has no jobs.
        return 0 if process.returncode in {0, RECYCLE, -signal.SIGTERM} else 1


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
