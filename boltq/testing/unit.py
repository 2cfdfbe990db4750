"""A handler called alone, without a server."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from boltq import execution as executions
from boltq import ids, newjob
from boltq.errors import BadArgument
from boltq.execution import Execution


@contextmanager
def current(
    *,
    attempt: int = 1,
    failures: int | None = None,
    lost: int = 0,
    headers: Mapping[str, object] | None = None,
    id: str | None = None,
    type: str = "test",
    timeout_seconds: float = 0.0,
    cancelled: bool = False,
) -> Iterator[Execution]:
    """Let `current_job()` find a job inside the block, as if its handler was called there.

        with testing.current(attempt=2, headers={"lang": "fr"}):
            send_email("a@example.com")

    A function that was declared with `with_job=True` is called in the same way, without the job.
    Nothing is enqueued, no middleware runs, and what the function raises reaches the test.

    Args:
        attempt: from 1.
        failures: of all time; None: the attempts before this one, without those that were lost.
        lost: how many leases were lost before.
        headers: as they would be enqueued: what JSON can say.
        id: as it is known outside, its queue before a colon; made up unless given.
        type: the type of the job.
        timeout_seconds: how long the handler may take, from now; 0 is without end.
        cancelled: whether somebody has asked the job to stop.

    Yields the job, an Execution. Raises BadArgument for an attempt below 1 or an id that is none.
    """
    if attempt < 1:
        raise BadArgument(f"attempt must be 1 or more: the first is 1; it is {attempt}")
    queue, inner_id = ids.split(ids.new_id() if id is None else id)
    execution = Execution(
        queue=queue,
        inner_id=inner_id,
        token=ids.new_token(),
        type=ids.checked_type(type),
        payload=b"null",
        raw_headers=newjob.as_json("headers", headers) if headers else b"",
        attempt=attempt,
        failures=max(0, attempt - 1 - lost) if failures is None else failures,
        lost=lost,
        fence=1,
        timeout_seconds=timeout_seconds,
        deadline=math.inf,
        started=time.monotonic(),
        cancelled=cancelled,
    )
    before = executions.running()
    executions.enter(execution)
    try:
        yield execution
    finally:
        executions.enter(before)
