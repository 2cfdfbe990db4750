"""The handlers of the benchmark, for the worker processes that it starts."""

import time
from typing import Any

from boltq.client import BoltQ

PAUSE_SECONDS = 0.001
SLOW_SECONDS = 0.1
SQUARES = 10_000
"""About half a millisecond of Python."""

app = BoltQ()


@app.job("bench:noop")
def noop(**_payload: Any) -> None:
    """Do nothing."""


@app.job("bench:pause")
def pause(**_payload: Any) -> None:
    """Wait, as for a database."""
    time.sleep(PAUSE_SECONDS)


@app.job("bench:compute")
def compute(**_payload: Any) -> int:
    """Compute, which no other thread of the process can do meanwhile."""
    return sum(n * n for n in range(SQUARES))


@app.job("bench:late")
def late(sent_ns: int) -> int:
    """Tell how many nanoseconds ago the job was sent, by the clock that all processes share."""
    return time.monotonic_ns() - sent_ns


@app.job("bench:mixed")
def mixed(sent_ns: int, *, is_slow: bool) -> tuple[int, bool]:
    """Wait shortly or long; tell how many nanoseconds ago the job was sent, and which it is."""
    late_ns = time.monotonic_ns() - sent_ns
    time.sleep(SLOW_SECONDS if is_slow else PAUSE_SECONDS)
    return late_ns, is_slow


@app.job("bench:cpu")
def cpu() -> float:
    """Tell how many seconds of processor this process has used so far."""
    return time.process_time()
