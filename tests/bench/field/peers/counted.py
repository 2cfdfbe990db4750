"""What a handler does in every library: nothing, but for noting when the first and last one ran.

FIELD_JOBS: how many there are. FIELD_TOLD: the file that is told the seconds between the two.
FIELD_FORKS: set where each job runs in a process of its own, which then notes its time there. A job
that was sent at a pace says when; then the file is told the seconds that each waited.
"""

import itertools
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

PAYLOAD = {"recipient": "user@example.com", "subject": "Hello", "body": "x" * 140}

PAUSE_SECONDS = 0.05
"""20 jobs a second, each up to half as long before or after its time: no rhythm is met."""

_jobs = int(os.environ.get("FIELD_JOBS", "0"))
_told = os.environ.get("FIELD_TOLD", "")
_forks = "FIELD_FORKS" in os.environ
_numbers = itertools.count(1)
_began = [0.0]
_waited: list[float] = []


def count(sent_ns: int = 0) -> None:
    """Count one job; next() of a counter needs no lock among threads.

    sent_ns: the clock's time before it was sent at a pace; else 0.
    """
    if sent_ns:
        _waited.append((time.monotonic_ns() - sent_ns) / 1e9)
    if _forks:
        with open(_told, "a") as told:  # noqa: PTH123 - one write of a line, which no other breaks
            told.write(f"{time.time()}\n")
        return
    n = next(_numbers)
    if n == 1:
        _began[0] = time.perf_counter()
    if n == _jobs:
        took = time.perf_counter() - _began[0]
        lines = _waited or [0, took]
        Path(f"{_told}.new").write_text("".join(f"{line}\n" for line in lines))
        Path(f"{_told}.new").rename(_told)


def timed(enqueue: Callable[[], object]) -> None:
    """Call what enqueues all jobs, and print how many seconds it took."""
    began = time.perf_counter()
    enqueue()
    print(time.perf_counter() - began)


def paced(send: Callable[..., object], jobs: int) -> None:
    """Send jobs one after the other, 20 a second; each says when it was sent."""
    for _ in range(jobs):
        time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
        send(**PAYLOAD, sent_ns=time.monotonic_ns())
