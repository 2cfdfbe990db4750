"""What a handler does in every library: nothing, but for noting when the first and last one ran.

FIELD_JOBS: how many there are. FIELD_TOLD: the file that is told the seconds between the two.
FIELD_FORKS: set where each job runs in a process of its own, which then notes its time there.
"""

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

PAYLOAD = {"recipient": "user@example.com", "subject": "Hello", "body": "x" * 140}

_jobs = int(os.environ.get("FIELD_JOBS", "0"))
_told = os.environ.get("FIELD_TOLD", "")
_forks = "FIELD_FORKS" in os.environ
_numbers = itertools.count(1)
_began = [0.0]


def count() -> None:
    """Count one job; next() of a counter needs no lock among threads."""
    if _forks:
        with open(_told, "a") as told:  # noqa: PTH123 - one write of a line, which no other breaks
            told.write(f"{time.time()}\n")
        return
    n = next(_numbers)
    if n == 1:
        _began[0] = time.perf_counter()
    if n == _jobs:
        took = time.perf_counter() - _began[0]
        Path(f"{_told}.new").write_text(f"0\n{took}\n")
        Path(f"{_told}.new").rename(_told)


def timed(enqueue: Callable[[], object]) -> None:
    """Call what enqueues all jobs, and print how many seconds it took."""
    began = time.perf_counter()
    enqueue()
    print(time.perf_counter() - began)
