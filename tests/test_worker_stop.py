"""How a worker ends: nothing is lost, and nothing that was not finished uses an attempt."""

import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from queue_keys import stamp_of
from queue_state import QueueState
from servers import until
from workers import (
    ALONE,
    KEPT,
    WITH_A_CLAIM,
    Gate,
    command,
    errors,
    listens,
    state,
    wait_for,
    working,
)

from boltq.worker import Worker, current_job, fetch

Handler = Callable[..., Any]


@pytest.fixture
def gate() -> Gate:
    return Gate()


def stopping(worker: Worker, *arguments: Any) -> threading.Thread:
    """Stop it on another thread, which is returned once no more is claimed."""
    thread = threading.Thread(target=worker.stop, args=arguments)
    thread.start()
    until(worker._fetcher._stopping.is_set)
    return thread


def test_a_job_in_work_is_finished_within_the_grace(q: QueueState, gate: Gate) -> None:
    q.enqueue("a", "b", type="t")
    with working(q, {"t": gate}, threads=1) as worker:
        until(lambda: gate.came)
        thread = stopping(worker, 20)
        gate.open.set()
        thread.join(30)
        assert state(q, "a") == "completed"
        assert state(q, "b") == "queued"


def test_a_job_that_does_not_finish_is_given_back_with_no_attempt_used(
    q: QueueState, gate: Gate
) -> None:
    q.enqueue("a", type="t", max_attempts=1)
    with working(q, {"t": gate}) as worker:
        until(lambda: gate.came)
        assert not worker.stop(grace_seconds=0.1)
        assert state(q, "a") == "queued"
        gate.open.set()  # what the handler returns now, nobody hears
    attempts: list[int] = []
    with working(q, {"t": lambda: attempts.append(current_job().attempt)}):
        wait_for(q, "completed", "a")
    assert attempts == [1]
    assert errors(q, "a") == []


def test_jobs_that_no_handler_has_begun_are_given_back_at_once(q: QueueState, gate: Gate) -> None:
    q.enqueue(*(f"fast{n}" for n in range(400)), type="fast")
    q.enqueue("block", *(f"slow{n}" for n in range(30)), type="slow")
    handlers: dict[str, Handler] = {"fast": int, "slow": gate}
    with working(q, handlers, threads=1, lease_seconds=60) as worker:
        until(lambda: gate.came)
        thread = stopping(worker, 20)
        wait_for(q, "queued", *(f"slow{n}" for n in range(30)))
        assert state(q, "block") == "running"
        gate.open.set()
        thread.join(30)
        assert state(q, "block") == "completed"


def test_leases_are_kept_alive_until_the_last_handler_has_ended(q: QueueState, gate: Gate) -> None:
    q.enqueue("a", type="t")
    with working(q, {"t": gate}, lease_seconds=KEPT) as worker:
        until(lambda: gate.came)
        thread, moment = stopping(worker, 20), stamp_of(q.now_ms())
        until(lambda: q.read("running")["a"] > moment + KEPT * 1000 * 512)
        gate.open.set()
        thread.join(30)
        assert state(q, "a") == "completed"


@pytest.mark.parametrize("lease_seconds", [ALONE, WITH_A_CLAIM])
def test_a_ring_that_is_heard_after_the_stop_is_passed_on(
    q: QueueState, lease_seconds: float
) -> None:
    with working(q, {"t": lambda: None}, lease_seconds=lease_seconds) as worker:
        listening = listens(worker)
        fetch.BLOCK_SECONDS = 2.0  # put back at the end of the block
        assert listening.wait(10)
        thread = stopping(worker, 20)
        q.enqueue("a", type="t")
        thread.join(30)
    assert state(q, "a") == "queued"
    assert q.bell() == 1


def test_who_waits_for_a_worker_waits_until_it_has_stopped(q: QueueState) -> None:
    with working(q, {}) as worker:
        waiting = threading.Thread(target=worker.join)
        waiting.start()
        assert waiting.is_alive()
        worker.stop()
        waiting.join(30)
        assert not waiting.is_alive()


APP = """
import time
from boltq import BoltQ

app = BoltQ()

@app.job("hang")
def hang():
    open("begun.txt", "w").close()
    while True:
        time.sleep(0.05)
"""


def wait_until_begun(folder: Path) -> None:
    """A job that is claimed alone is given back at once, whatever the grace."""
    until((folder / "begun.txt").exists)


def end(process: subprocess.Popen[str], number: signal.Signals) -> int:
    process.send_signal(number)
    return process.wait(30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_ends_at_a_signal(
    q: QueueState, tmp_path: Path, number: signal.Signals
) -> None:
    with command(q, folder=tmp_path) as process:
        until(lambda: "worker started" in (tmp_path / "log.txt").read_text())
        assert end(process, number) == 0
    log = (tmp_path / "log.txt").read_text()
    assert "worker stopped" in log
    assert "Traceback" not in log


def test_a_signal_gives_back_what_the_grace_was_too_short_for(
    q: QueueState, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    q.enqueue("a", type="hang", max_attempts=1)
    with command(q, "app:app", "--grace-seconds", "0.3", folder=tmp_path) as process:
        wait_until_begun(tmp_path)
        assert end(process, signal.SIGTERM) == 0
    assert state(q, "a") == "queued"
    assert errors(q, "a") == []


def test_a_second_signal_ends_it_at_once_and_gives_back_all_the_same(
    q: QueueState, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    q.enqueue("a", type="hang", max_attempts=1)
    with command(q, "app:app", "--grace-seconds", "600", folder=tmp_path) as process:
        wait_until_begun(tmp_path)
        process.send_signal(signal.SIGTERM)
        # Two of a kind that are not taken yet are one to the system.
        until(lambda: "stopping" in (tmp_path / "log.txt").read_text())
        assert end(process, signal.SIGTERM) == 1
    assert state(q, "a") == "queued"
    assert re.search(r"worker stopped .*cut_off=1", (tmp_path / "log.txt").read_text())
