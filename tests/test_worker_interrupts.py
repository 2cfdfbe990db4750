"""Ctrl-C at any moment: what was not finished is queued as before, and has used nothing."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from queue_state import QueueState
from servers import until
from workers import command

INTERRUPTS = int(os.environ.get("TEST_INTERRUPTS", "5"))
"""The issue's figure is 200, for a longer run."""

APP = """
import time
from boltq import BoltQ

app = BoltQ()

@app.job("short")
def short():
    time.sleep(0.02)

@app.job("long")
def long():
    time.sleep(60)
"""


def interrupt(process: subprocess.Popen[str], some: random.Random, longest: float) -> int:
    """Press Ctrl-C at a random moment, and perhaps once more."""
    for seconds in [longest, 0.3][: some.randint(1, 2)]:
        moment = time.monotonic() + some.uniform(0, seconds)
        until(lambda: time.monotonic() > moment or process.poll() is not None)  # noqa: B023
        process.send_signal(signal.SIGINT)
    return process.wait(30)


@pytest.mark.timeout(60 + 10 * INTERRUPTS)
def test_an_interrupt_at_any_moment_leaves_no_job_running_and_uses_no_attempt(
    q: QueueState, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    some, statuses = random.Random(INTERRUPTS), Counter[int]()
    log, started = tmp_path / "log.txt", 0
    for n in range(INTERRUPTS):
        if len(q.order("queued")) < 20:
            q.enqueue(*(f"s{n}-{m}" for m in range(50)), f"l{n}", type="short", max_attempts=1)
            q.enqueue(f"l{n}-long", type="long", max_attempts=1)
        before = {*q.order("queued"), *q.order("completed")}
        flags = ["--threads", "2", "--grace-seconds", "0.5"]
        if n % 4 == 3:
            flags += ["--processes", "2"]
        with command(q, "app:app", *flags, folder=tmp_path) as process:
            if n % 3:  # else it may come before the worker has begun, which takes a second or more
                started += 1 + (n % 4 == 3)
                until(lambda: log.read_text().count("worker started") >= started)  # noqa: B023
            statuses[interrupt(process, some, 0.8 if n % 3 else 2.0)] += 1
        started = log.read_text().count("worker started")
        assert q.order("running") == [], n
        assert {*q.order("queued"), *q.order("completed")} == before, n
        for id in q.order("queued"):
            tries = q.tries(id)
            assert tries is None or (tries.failures_ever, tries.lost, tries.errors) == (0, 0, []), n
    # Ended in order, in a hurry, or before it knew of signals, whose end is Python's own.
    assert set(statuses) <= {0, 1, -signal.SIGINT}
    assert "broke" not in log.read_text()
    print(f"{dict(statuses)}; {q.stat('completed')} jobs completed")  # noqa: T201
