"""The types of jobs that every worker knows."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from boltq.execution import FailForGood, current_job
from boltq.settings import Settings
from boltq.worker.mail import Mailer

SLICE_SECONDS = 0.1
PLAYGROUND = "playground"


def handlers(settings: Settings) -> dict[str, Callable[..., Any]]:
    """Make the handlers of the built-in types echo, sleep, fail, crash and email."""
    mail = Mailer(settings).send
    return {"echo": echo, "sleep": sleep, "fail": fail, "crash": crash, "email": mail}


def echo(*payload: Any, **members: Any) -> Any:
    """Return the payload."""
    return payload[0] if payload else members


def sleep(*_payload: Any, seconds: Any = None, **_others: Any) -> dict[str, float]:
    """Do nothing for `seconds`, or until the job is cancelled."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise FailForGood('sleep takes {"seconds": s}, a number from 0')
    job, until = current_job(), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if job.cancelled:
            raise FailForGood("the sleep was cancelled")
        time.sleep(min(left, SLICE_SECONDS))
    return {"slept_seconds": float(seconds)}


def fail(*_payload: Any, times: Any = None, message: Any = "", **_others: Any) -> dict[str, int]:
    """Fail until the job has failed `times` times in its life, of which a replay is a part."""
    if isinstance(times, bool) or not isinstance(times, int) or times < 0:
        raise FailForGood('fail takes {"times": n}, an integer from 0')
    failures = current_job().failures
    if failures < times:
        raise RuntimeError(str(message) or f"failure {failures + 1} of {times}, as was asked for")
    return {"failures": failures}


def crash(*_payload: Any, times: Any = 1, **_others: Any) -> dict[str, int]:
    """Kill the worker's process until `times` attempts are gone, in the queue `playground` alone.

    So whoever may enqueue ends no worker but one that was told to attend that queue.
    """
    job = current_job()
    if job.queue != PLAYGROUND:
        raise FailForGood(f"crash ends its worker, which is for the queue {PLAYGROUND} alone")
    if isinstance(times, bool) or not isinstance(times, int) or times < 0:
        raise FailForGood('crash takes {"times": n}, an integer from 0')
    if job.attempt <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"attempt": job.attempt}
