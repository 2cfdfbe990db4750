"""Clocks that step: nothing comes early or twice, the order holds, and everything goes on."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from audited import sound
from clock import Clock, stepping
from queue_keys import HOUR_MS, stamp_of
from queue_state import QueueState
from servers import TestServer, process_server, until
from workers import KEPT, Gate, command, wait_for, working

from boltq import BoltQ, scripts

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture(scope="module", params=["redis", "valkey"])
def stepped(request: pytest.FixtureRequest) -> Iterator[tuple[TestServer, Clock]]:
    """A server whose clock steps when told to."""
    if request.param not in (request.config.getoption("--servers") or request.param).split(","):
        pytest.skip("not asked for")
    with stepping() as clock, process_server(request.param) as server:
        yield server, clock


class StepOf:
    """The clock of the server that a queue is on; a step is done once the server shows it."""

    def __init__(self, q: QueueState, clock: Clock) -> None:
        self.q, self.clock = q, clock

    def step(self, seconds: int) -> None:
        self.clock.step(seconds, self.q.now_ms)


@pytest.fixture
def q(stepped: tuple[TestServer, Clock], queue: str) -> Iterator[QueueState]:
    state = QueueState(stepped[0], queue)
    yield state
    sound(state)
    state.forget()
    state.server.close()


@pytest.fixture
def clock(stepped: tuple[TestServer, Clock], q: QueueState) -> StepOf:
    return StepOf(q, stepped[1])


def lease_end(q: QueueState, id: str) -> int:
    end: int = q.read("running")[id]
    return end


def test_the_servers_clock_really_steps(q: QueueState, clock: StepOf) -> None:
    before = q.now_ms()
    clock.step(-HOUR)
    assert before - HOUR_MS <= q.now_ms() < before - HOUR_MS + 60_000
    clock.step(HOUR)
    assert before <= q.now_ms() < before + 60_000


def test_after_a_step_back_nothing_delayed_comes_early(q: QueueState, clock: StepOf) -> None:
    q.run("retried")
    q.fail("retried", delay_ms=60_000)
    q.enqueue("delayed", delay_ms=60_000)
    clock.step(-HOUR)
    assert (q.promote().promoted, q.claimed("t2")) == (0, [])
    # It waits for the old time, not for a new one; so do those that come now, by the stamp.
    q.enqueue("late", delay_ms=1000)
    clock.step(HOUR - 30)
    assert q.promote().promoted == 0
    clock.step(32)
    assert q.promote().promoted == 1
    clock.step(60)
    assert (q.promote().promoted, q.claimed("t3")) == (2, ["late", "retried", "delayed"])


def test_after_a_step_back_the_order_is_that_of_arrival(q: QueueState, clock: StepOf) -> None:
    q.enqueue("a", "b")
    stamp, fence = q.stat("stamp"), q.claim("t1", limit=1).answers[0].fence
    clock.step(-HOUR)
    q.enqueue("c")
    clock.step(-HOUR)
    q.enqueue("d")
    assert q.stat("stamp") > stamp
    q.release("a")
    reply = q.claim("t2")
    assert [job.id for job in reply.answers] == ["a", "b", "c", "d"]
    assert min(job.fence for job in reply.answers) > fence
    q.enqueue("e")
    clock.step(2 * HOUR)
    q.enqueue("f")
    assert q.claimed("t3") == ["e", "f"]


def test_after_a_step_back_a_lease_lasts_no_longer_than_the_step_and_itself(
    q: QueueState, clock: Clock
) -> None:
    q.run("old", claim={"lease_ms": 30_000})
    end = lease_end(q, "old")
    clock.step(-HOUR)
    q.run("new", token="t2", claim={"lease_ms": 30_000})
    most = stamp_of(q.now_ms() + HOUR_MS + 30_000) + 512
    for _ in range(20):
        assert isinstance(q.extend("old")[0], scripts.ExtendHeld)
        assert isinstance(q.extend("new", token="t2")[0], scripts.ExtendHeld)
    # An extension is by the clock as it is: it moves no end of before the step.
    assert lease_end(q, "old") == end
    assert end < lease_end(q, "new") <= most
    assert q.ack("old") == q.ack("new", token="t2") == [scripts.AckDone()]


def test_after_a_step_back_a_lost_job_comes_again_when_its_lease_has_run_out(
    q: QueueState, clock: Clock
) -> None:
    q.run("a", claim={"lease_ms": 1000}, base_ms=0)
    clock.step(-HOUR)
    assert (q.reap().reaped, q.claimed("t2")) == (0, [])
    clock.step(HOUR + 2)
    assert q.claimed("t2") == ["a"]
    assert q.ack("a") == [scripts.AckLeaseLost()]
    assert q.ack("a", token="t2") == [scripts.AckDone()]


def test_after_a_step_back_no_age_and_no_wait_is_negative(q: QueueState, clock: StepOf) -> None:
    q.enqueue("a")
    clock.step(-HOUR)
    told = q.call(scripts.stats(q.name))
    assert (told.queued, told.oldest_queued_ms) == (1, 0)
    assert q.claimed() == ["a"]
    reply = q.claim("t2")
    assert isinstance(reply, scripts.Empty)
    assert 0 < reply.wait_ms <= 60_000


@pytest.mark.parametrize("verb", ["ack", "fail", "extend", "release"])
def test_after_a_step_forward_a_token_is_stale_before_and_after_the_job_is_given_anew(
    q: QueueState, clock: StepOf, verb: str
) -> None:
    q.run("a", base_ms=0)
    clock.step(2 * HOUR)
    before = q.dump()
    for _ in range(2):
        assert type(getattr(q, verb)("a")[0]).__name__ == f"{verb.capitalize()}LeaseLost"
    assert q.dump() == before
    assert q.claimed("t2") == ["a"]
    assert type(getattr(q, verb)("a")[0]).__name__ == f"{verb.capitalize()}LeaseLost"
    assert q.ack("a", token="t2") == [scripts.AckDone()]


def test_after_a_step_forward_each_lease_is_lost_once_and_no_attempt_is_used(
    q: QueueState, clock: Clock
) -> None:
    ids = [f"j{n}" for n in range(5)]
    q.run(*ids, base_ms=0)
    clock.step(2 * HOUR)
    assert (q.reap().reaped, q.reap().reaped) == (5, 0)
    assert q.stat("lost") == 5
    for n, id in enumerate(ids):
        (job,) = q.claim(f"again{n}").answers
        assert (job.id, job.attempt, job.failures, job.lost) == (id, 2, 0, 1)


def test_however_often_the_clock_steps_a_job_is_leased_a_bounded_number_of_times(
    q: QueueState, clock: Clock
) -> None:
    q.enqueue("a", max_lost=3, max_attempts=2, base_ms=0)
    leases = 0
    for n in range(10):
        leases += len(q.claimed(f"t{n}"))
        if n == 1:
            assert isinstance(q.fail("a", token="t1", delay_ms=0)[0], scripts.FailRetrying)
        clock.step(-2 * HOUR if n % 3 == 2 else 2 * HOUR)
    clock.step(10 * HOUR)
    assert q.claimed("last") == []
    assert q.states("a") == ["dead"]
    tries = q.tries("a")
    assert (tries.failures, tries.lost) == (1, 4)
    assert leases == 5


@pytest.mark.parametrize("seconds", [-HOUR, 2 * HOUR])
def test_a_worker_goes_on_through_a_step_and_a_job_in_hand_ends_once(
    q: QueueState, clock: StepOf, seconds: int
) -> None:
    gate, done = Gate(), []
    options = {"lease_seconds": KEPT, "queues": [q.name]}
    with working(q, {"wait": gate, "echo": lambda **_: done.append(1)}, **options):
        q.enqueue("held", type="wait", base_ms=0)
        until(lambda: gate.came)
        clock.step(seconds)
        # Set back, its lease is good; set forward, it ran out, and the job is run once more.
        runs = 1 if seconds < 0 else 2
        until(lambda: len(gate.came) == runs)
        gate.open.set()
        for n in range(3):
            q.enqueue(f"after{n}")
        wait_for(q, "completed", "held", "after0", "after1", "after2")
    assert (len(gate.came), len(done), q.stat("lost")) == (runs, 3, runs - 1)


@pytest.mark.parametrize("seconds", [-DAY, DAY])
def test_a_worker_whose_clock_is_wrong_by_a_day_works_as_any(
    server: TestServer, queue: str, tmp_path: Path, seconds: int
) -> None:
    q = QueueState(server, queue)
    with stepping(told=False) as clock:
        clock.step(seconds)
        environ = {**clock.environ, "BOLTQ_LEASE_SECONDS": f"{KEPT:g}"}
        with command(q, folder=tmp_path, **environ) as worker:
            q.enqueue("now", type="sleep", payload=b'{"seconds":0}')
            q.enqueue("later", type="sleep", payload=b'{"seconds":0}', delay_ms=300)
            wait_for(q, "completed", "now", "later")
            assert worker.poll() is None
    for id in ("now", "later"):
        outcome = q.outcome(id)
        assert abs(outcome.at_ms - q.now_ms()) < 60_000
    assert q.tries("now") is None
    sound(q)
    q.forget()


@pytest.mark.parametrize("seconds", [-DAY, DAY])
def test_a_client_whose_clock_is_wrong_by_a_day_delays_by_the_servers(
    server: TestServer, queue: str, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + seconds)
    q = QueueState(server, queue)
    app = BoltQ(server.address)
    run_at = datetime.fromtimestamp(q.now_ms() / 1000 + 60, UTC)
    app.enqueue("echo", queue=queue, id="delayed", delay_seconds=60)
    app.enqueue("echo", queue=queue, id="at", run_at=run_at)
    app.enqueue("echo", queue=queue, id="now")
    for due in q.read("scheduled").values():
        assert abs(due - stamp_of(q.now_ms() + 60_000)) < 30_000 * 512
    (job,) = q.claim(lease_ms=30_000).answers
    assert job.id == "now"
    assert abs(job.lease_end_ms - q.now_ms() - 30_000) < 20_000
    app.close()
    sound(q)
    q.forget()
