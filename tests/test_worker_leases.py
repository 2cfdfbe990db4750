"""The leases of a worker: kept while a handler runs, and lost with all that follows from it."""

import time

import pytest
from queue_keys import stamp_of
from queue_state import QueueState
from servers import until
from workers import KEPT, Gate, errors, state, wait_for, working

from boltq.execution import Execution
from boltq.worker import current_job, fetch
from boltq.worker.leases import Leases
from boltq.worker.settle import Settled, Settler
from boltq.worker.suspect import Suspect


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_job_that_takes_longer_than_its_lease_keeps_it(q: QueueState, gate: Gate) -> None:
    q.enqueue("a", type="t")
    with working(q, {"t": gate}, lease_seconds=KEPT):
        until(lambda: gate.came)
        first_end = q.read("running")["a"]
        until(lambda: stamp_of(q.now_ms()) > first_end)
        gate.open.set()
        wait_for(q, "completed", "a")
    assert len(gate.came) == 1
    assert errors(q, "a") == []


def test_a_worker_that_lost_the_lease_does_not_ack(
    q: QueueState, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    q.enqueue("a", type="t", base_ms=60_000)
    with working(q, {"t": gate}, lease_seconds=KEPT):
        until(lambda: gate.came)
        q.make_due("running", "a")
        q.reap()
        until(lambda: gate.came[0].lease_gone)
        assert gate.came[0].remaining() == 0
        gate.open.set()
        until(lambda: "the lease was lost before the job ended" in caplog.text)
    assert state(q, "a") == "retrying"
    assert [error["type"] for error in errors(q, "a")] == ["LeaseLost"]


def test_an_ack_after_another_took_the_job_over_is_refused_and_logged(
    q: QueueState, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    q.enqueue("a", type="t", base_ms=0)
    with working(q, {"t": gate}, lease_seconds=60, threads=1):
        until(lambda: gate.came)
        q.make_due("running", "a")
        q.reap()
        assert q.claimed("other", limit=1) == ["a"]
        gate.open.set()  # no heartbeat has told it yet
        until(lambda: "the lease was lost before the job ended" in caplog.text)
        lease = q.lease("a")
    assert lease is not None
    assert lease.token == "other"


def test_a_job_is_told_that_it_is_to_stop_and_ends_cancelled(q: QueueState) -> None:
    def run_until_told() -> None:
        until(lambda: current_job().cancelled)
        raise InterruptedError("as I was told")

    q.enqueue("a", type="t")
    with working(q, {"t": run_until_told}, lease_seconds=KEPT):
        wait_for(q, "running", "a")
        q.cancel("a")
        wait_for(q, "cancelled", "a")


def test_a_job_that_finishes_although_cancelled_is_completed(q: QueueState, gate: Gate) -> None:
    q.enqueue("a", type="t")
    with working(q, {"t": gate}, lease_seconds=KEPT):
        until(lambda: gate.came)
        q.cancel("a")
        until(lambda: gate.came[0].cancelled)
        gate.open.set()
        wait_for(q, "completed", "a")


def test_past_its_timeout_a_job_loses_its_lease_and_what_it_returns_then_is_not_heard(
    q: QueueState, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    q.enqueue("a", type="t", timeout_ms=200, max_lost=0)
    with working(q, {"t": gate}, lease_seconds=KEPT):
        wait_for(q, "dead", "a")
        assert gate.came[0].remaining() == 0
        gate.open.set()
        until(lambda: "the lease was lost before the job ended" in caplog.text)
    assert state(q, "a") == "dead"
    assert caplog.text.count("past its timeout") == 1
    assert [error["type"] for error in errors(q, "a")] == ["LeaseLost"]


def test_without_a_timeout_a_job_may_run_on(q: QueueState, gate: Gate) -> None:
    q.enqueue("a", type="t", timeout_ms=0)
    with working(q, {"t": gate}, lease_seconds=KEPT):
        until(lambda: gate.came)
        first_end = q.read("running")["a"]
        until(lambda: q.read("running")["a"] > first_end)
        gate.open.set()
        wait_for(q, "completed", "a")


def test_jobs_that_wait_behind_slow_ones_are_given_back_for_others(
    q: QueueState, gate: Gate
) -> None:
    """Fast jobs lead the worker to claim ahead; then the slow ones must not wait for its thread."""
    q.enqueue(*(f"fast{n}" for n in range(400)), type="fast")
    q.enqueue("block", type="slow")
    q.enqueue(*(f"slow{n}" for n in range(30)), type="slow")
    with working(q, {"fast": int, "slow": gate}, threads=1, lease_seconds=KEPT):
        until(lambda: gate.came)
        until(lambda: q.raw.zcard(q.key("running")) == 1)
        assert q.raw.zcard(q.key("queued")) == 30
        # Nor does it claim them again, and again give them back.
        moment, claims = time.monotonic(), q.raw.hkeys(q.key("claims"))
        until(lambda: time.monotonic() > moment + 0.7)
        assert set(q.raw.hkeys(q.key("claims"))) <= set(claims)
        gate.open.set()
        wait_for(q, "completed", *(f"slow{n}" for n in range(30)))
    assert len(gate.came) == 31


def test_a_job_that_lost_a_lease_is_given_no_new_company_until_it_has_ended(
    q: QueueState, gate: Gate
) -> None:
    q.run("suspect", type="t", base_ms=0)
    q.make_due("running", "suspect")
    q.reap()
    q.enqueue("a", "b", type="free")
    free: list[str] = []

    def note() -> None:
        free.append(current_job().inner_id)

    with working(q, {"t": gate, "free": note}, threads=4, lease_seconds=60):
        until(lambda: gate.came)
        assert gate.came[0].lost == 1
        moment = time.monotonic()
        until(lambda: time.monotonic() > moment + 0.3)
        assert free == []
        gate.open.set()
        until(lambda: len(free) == 2)


def test_a_job_that_lost_a_lease_keeps_others_away_until_its_end_is_told() -> None:
    """Else the next that ends the process would cost it another lease."""
    leases = Leases(30.0)
    now = time.monotonic()
    other, lost = (
        Execution("q", id, "t", "email", b"", b"", 1, 0, id == "lost", 1, 0.0, now + 30)
        for id in ("other", "lost")
    )
    suspect = Suspect(leases)
    for one in (other, lost):
        leases.add([one])
        suspect.look_for([one])
    assert suspect.runs
    assert leases.end(lost)
    assert suspect.runs
    leases.settled(1)
    assert not suspect.runs
    assert leases.end(other)
    assert not suspect.runs  # it is over for good


def test_jobs_that_lost_a_lease_follow_one_another_without_a_pause(
    q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"a{n}" for n in range(10)]
    q.run(*names, type="t", base_ms=0)
    q.make_due("running", *names)
    q.reap()
    settle = Settler._settle

    def later(self: Settler, jobs: list[Settled]) -> list[Settled]:
        time.sleep(0.03)  # so that others look for room before the end is told
        return settle(self, jobs)

    monkeypatch.setattr(Settler, "_settle", later)
    with working(q, {"t": lambda: None}, lease_seconds=60):
        fetch.BLOCK_SECONDS = 6.0  # put back at the end of the block
        # It would be twice that if nobody told that the one before is told.
        wait_for(q, "completed", *names, seconds=30)


def test_a_job_that_lost_a_lease_holds_up_others_for_a_lease_time_at_most(
    q: QueueState, gate: Gate
) -> None:
    q.run("suspect", type="t", base_ms=0)
    q.make_due("running", "suspect")
    q.reap()
    q.enqueue("a", type="free")
    with working(q, {"t": gate, "free": lambda: None}, lease_seconds=KEPT):
        wait_for(q, "completed", "a")
        assert state(q, "suspect") == "running"
        gate.open.set()
