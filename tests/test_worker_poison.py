"""A job that kills the process of its worker, each time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from queue_state import QueueState
from servers import until
from workers import command, errors, state, wait_for

APP = """
import os
from boltq import BoltQ

app = BoltQ()

@app.job("poison")
def poison():
    os._exit(9)

@app.job("harmless")
def harmless():
    return "fine"
"""
JOBS = int(os.environ.get("TEST_POISON_JOBS", "100"))
"""The issue's figure is 1000, for a longer run."""
MAX_LOST = 3


@pytest.fixture
def jobs(q: QueueState, tmp_path: Path) -> Iterator[list[str]]:
    (tmp_path / "app.py").write_text(APP)
    harmless = [f"a{n}" for n in range(JOBS - 1)]
    options = {"max_lost": MAX_LOST, "base_ms": 1, "jitter": 0.0}
    q.enqueue(*harmless[: JOBS // 2], type="harmless", **options)
    q.enqueue("poison", type="poison", **options)
    q.enqueue(*harmless[JOBS // 2 :], type="harmless", **options)
    return harmless


def test_a_job_that_kills_its_worker_is_buried_and_takes_no_other_with_it(
    q: QueueState, tmp_path: Path, jobs: list[str]
) -> None:
    deaths = 0
    while state(q, "poison") != "dead":
        assert deaths <= MAX_LOST + 1
        with command(
            q, "app:app", "--threads", "4", "--lease-seconds", "4", folder=tmp_path
        ) as process:
            until(lambda: process.poll() is not None or state(q, "poison") == "dead")
            deaths += process.poll() == 9
            if process.poll() is None:
                wait_for(q, "completed", *jobs)
    assert deaths == MAX_LOST + 1
    assert [error["type"] for error in errors(q, "poison")] == ["LeaseLost"] * (MAX_LOST + 1)
    assert {job: errors(q, job) for job in jobs if len(errors(q, job)) > 1} == {}
