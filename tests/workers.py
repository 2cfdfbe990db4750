"""A worker in this process, or one of its own, on a real server; it ends when the block does."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.worker import Execution, Worker, current_job, fetch

Handlers = Mapping[str, Callable[..., Any]]


class Gate:
    """A handler that waits until it is let through, and remembers who came."""

    def __init__(self) -> None:
        self.came: list[Execution] = []
        self.open = threading.Event()

    def __call__(self, **_members: Any) -> str:
        self.came.append(current_job())
        assert self.open.wait(50)
        return "through"


@contextmanager
def working(q: QueueState, handlers: Handlers, **options: Any) -> Iterator[Worker]:
    """A worker of the queue, ended with all that it holds given back."""
    told = {"queues": [q.name], "threads": 2, "worker_id": "w1", **options}
    worker = Worker(q.server, handlers, **told)
    # So that it ends within that time of a stop.
    with patch.object(fetch, "BLOCK_SECONDS", 0.05):
        worker.start()
        try:
            yield worker
        finally:
            worker.stop(grace_seconds=0)


def listens(worker: Worker) -> threading.Event:
    """Told once the worker has begun a long wait for a bell, alone or with a claim behind it."""
    listening, wait, then = threading.Event(), worker._bells.wait, worker._bells.then

    def waiting(queues: list[str], seconds: float) -> str | None:
        if seconds > 1:
            listening.set()
        return wait(queues, seconds)

    def claiming(call: Any, timeout_seconds: float) -> Any:
        if timeout_seconds > 1:
            listening.set()
        return then(call, timeout_seconds)

    worker._bells.wait, worker._bells.then = waiting, claiming  # type: ignore[method-assign]
    return listening


def claims_no_more(worker: Worker) -> threading.Event:
    """Told once the worker has seen that it is to claim nothing: from then on it hears no ring."""
    seen, room = threading.Event(), worker._fetcher._room

    def looking() -> int:
        found = room()
        if worker._fetcher._ending or worker._fetcher._is_quiet:
            seen.set()
        return found

    worker._fetcher._room = looking  # type: ignore[method-assign]
    return seen


KEPT = 4.0
"""A lease, in seconds, that its worker does not lose by being away for 2: it is extended when a
third of it has passed."""

ALONE, WITH_A_CLAIM = 10.0, 60.0
"""Leases, in seconds, with which a worker of one queue waits for its bell so."""


@contextmanager
def command(
    q: QueueState, *arguments: str, folder: Path, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """`boltq-worker` as a process in a folder, its log in `log.txt` there; killed if it lasts."""
    told = {
        "REDIS_ADDR": q.server.address.shown,
        "BOLTQ_QUEUES": q.name,
        # As here, where it may name a mutant.
        "PYTHONPATH": os.environ.get("PYTHONPATH", str(Path(__file__).parent.parent)),
        **environ,
    }
    known = {name: text for name, text in os.environ.items() if not name.startswith("BOLTQ_")}
    with (folder / "log.txt").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "boltq.worker.main", *arguments],
            cwd=folder,
            env={**known, **told},
            stdout=log,
            stderr=log,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def state(q: QueueState, id: str) -> str:
    """The state of a job, asked in one step: raw keys may change between two looks at them."""
    answer = q.call(scripts.inspect(q.name, [scripts.InspectItem(id)], with_payload=0)).answers[0]
    return answer.state if isinstance(answer, scripts.InspectJob) else "unknown"


def wait_for(q: QueueState, wanted: str, *ids: str, seconds: float = 30.0) -> None:
    """Wait until all these jobs are in that state."""
    until(lambda: all(state(q, id) == wanted for id in ids), seconds)


def errors(q: QueueState, id: str) -> list[dict[str, Any]]:
    """What is kept of the job's failures and lost leases; for a job that rests."""
    tries = q.tries(id)
    return tries.errors if tries else []
