"""Handlers that never return, and threads that are lost: the worker keeps its places."""

import threading
from pathlib import Path

import pytest
from queue_state import QueueState
from servers import until
from workers import KEPT, Gate, claims_no_more, command, errors, state, wait_for, working

from boltq.worker import lasting, watch
from boltq.worker.fetch import REPLACE


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_stuck_handler_loses_its_place_to_another_thread_and_is_logged_with_its_stack(
    q: QueueState, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    q.enqueue("stuck", type="t", timeout_ms=100, max_lost=0)
    q.enqueue("after", type="free")
    with working(q, {"t": gate, "free": lambda: None}, threads=1, lease_seconds=KEPT) as worker:
        wait_for(q, "completed", "after")
        assert worker._crew.stuck == 1
        until(lambda: "a handler is stuck" in caplog.text)
        logged = next(vars(each) for each in caplog.records if "is stuck" in each.getMessage())
        assert logged["job"] == f"{q.name}:stuck"
        assert "self.open.wait(50)" in logged["stack"]
        assert len(logged["stack"].encode()) <= 4096
        assert gate.came[0].remaining() == 0
        gate.open.set()
        until(lambda: worker._crew.stuck == 0)
        until(lambda: sum("handler-" in one.name for one in threading.enumerate()) == 1)
    assert caplog.text.count("a handler is stuck") == 1
    until(lambda: q.reap() and state(q, "stuck") == "dead")


@pytest.mark.parametrize(("has_parent", "stuck"), [(True, 2), (False, 20)])
def test_a_worker_whose_threads_are_all_stuck_ends_for_another(
    q: QueueState,
    gate: Gate,
    has_parent: bool,  # noqa: FBT001 - the parameter
    stuck: int,
) -> None:
    # More of them than it takes: on a busy machine some lose their leases before they have begun.
    ids = [f"s{n}" for n in range(3 * stuck)]
    q.enqueue(*ids, type="t", timeout_ms=20, max_lost=0)
    with working(q, {"t": gate}, lease_seconds=0.3, has_parent=has_parent) as worker:
        until(worker._wake.is_set)
        assert worker.reason == REPLACE
        assert stuck <= worker._crew.stuck <= stuck + 2  # what was in hand when there were enough
        assert not worker.stop()
        gate.open.set()


def test_a_worker_that_is_to_be_replaced_claims_nothing_more_and_finishes_what_it_has(
    q: QueueState, gate: Gate
) -> None:
    q.enqueue("a", type="t")
    with working(q, {"t": gate}) as worker:
        until(lambda: gate.came)
        claiming_no_more = claims_no_more(worker)
        worker._fetcher.replace()
        until(claiming_no_more.is_set)  # while it is listening still, it would answer a ring
        q.enqueue("b", type="t")
        assert not worker._wake.wait(0.3)
        gate.open.set()
        until(worker._wake.is_set)
        assert worker.reason == REPLACE
    assert (state(q, "a"), state(q, "b")) == ("completed", "queued")


def test_a_handler_within_its_timeout_is_never_taken_for_stuck(q: QueueState, gate: Gate) -> None:
    q.enqueue("a", type="t", timeout_ms=0)
    q.enqueue("b", type="t", timeout_ms=60_000)
    with working(q, {"t": gate}) as worker:
        until(lambda: len(gate.came) == 2)
        for execution in gate.came:
            execution.lease_gone = True
        moment = threading.Event()
        assert not moment.wait(0.3)
        assert worker._crew.stuck == 0
        gate.open.set()


APP = """
import ctypes, time
from boltq import BoltQ

app = BoltQ()

@app.job("die")
def die():
    ctypes.CDLL(None).pthread_exit(None)

@app.job("hang")
def hang():
    time.sleep(60)

@app.job("free")
def free():
    pass
"""


def test_a_handler_thread_that_dies_fails_its_job_and_is_replaced(
    q: QueueState, tmp_path: Path
) -> None:
    if not lasting.TASKS.exists():
        pytest.skip("SKIPPED: only Linux tells which threads are there")
    (tmp_path / "app.py").write_text(APP)
    q.enqueue("a", type="die", max_attempts=1)
    q.enqueue("b", type="hang", timeout_ms=100, max_lost=0)
    q.enqueue("c", type="free")
    flags = ("--threads", "1", "--lease-seconds", f"{KEPT:g}")
    with command(q, "app:app", *flags, folder=tmp_path) as process:
        wait_for(q, "dead", "a")
        wait_for(q, "completed", "c")
        assert process.poll() is None
    assert [error["type"] for error in errors(q, "a")] == ["ThreadDied"]
    log = (tmp_path / "log.txt").read_text()
    assert log.count("a handler thread died") == 1
    assert 'stack=""' in log  # to look for it could end the process
