"""The app of the workers in a chaos run; its handler does as the payload says."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.chaos import payloads
from rig.chaos.history import History
from rig.chaos.record import RecordedServer

from boltq import BoltQ, Execution, FailForGood, Retry, address

name = f"{os.environ['CHAOS_NAME']}-{os.getpid()}"
history = History(Path(os.environ["CHAOS_HISTORY"]), name)
app = BoltQ()
app.server = RecordedServer(address.parse(os.environ["REDIS_ADDR"]), history, name)


@app.around
def noted(job: Execution, call: Callable[[], Any]) -> Any:
    """Note when a run begins and how it ends."""
    whole = payloads.is_whole(job.inner_id, job.payload)
    told = {
        "who": name,
        "queue": job.queue,
        "items": [[job.inner_id, job.token, job.attempt, job.fence]],
    }
    history.write("began", **told, word="" if whole else "SPOILED")
    try:
        result = call()
    except BaseException as problem:
        history.write("ended", **told, word=type(problem).__name__)
        raise
    history.write("ended", **told, word="done")
    return result


@app.job("work", with_job=True)
def work(
    job: Execution, *, do: str, seconds: float = 0.0, times: int = 0, **_others: object
) -> str:
    """Take some time, and fail, go back or kill the process as told."""
    time.sleep(seconds)
    if do == "poison":
        os._exit(payloads.POISONED)
    if do == "fail" and job.attempt <= times:
        raise ValueError(f"attempt {job.attempt} was to fail")
    if do == "never":
        raise FailForGood("it was never to be done")
    if do == "again" and job.fence % 2:
        raise Retry("not yet", after_seconds=0.2, count=False)
    return "done"
