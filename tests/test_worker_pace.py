"""How many jobs a worker holds ahead of its threads, and which of them it gives back."""

from collections.abc import Iterator
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from queue_state import QueueState
from servers import until
from workers import Gate, errors, wait_for, working

from boltq.execution import Execution
from boltq.worker.leases import Leases
from boltq.worker.pace import FEWEST, GIVE_WAY_SECONDS, MOST_AHEAD, WINDOW_SECONDS, Pace
from boltq.worker.perform import Ended, Performer
from boltq.worker.surplus import AWAY_SECONDS, LOOK_SECONDS, Surplus


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What the time is; its one member may be moved."""
    now = [1000.0]
    for module in ("pace", "surplus"):
        told = SimpleNamespace(monotonic=lambda: now[0])
        monkeypatch.setattr(f"boltq.worker.{module}.time", told)
    return now


def work(
    pace: Pace, clock: list[float], *, jobs: int, seconds: float, each_seconds: float = 0.0
) -> None:
    """Let so many handlers end, evenly over the time, which took so long each."""
    for _ in range(round(seconds / WINDOW_SECONDS)):
        count = round(jobs * WINDOW_SECONDS / seconds)
        pace.worked(count, count * each_seconds)
        clock[0] += WINDOW_SECONDS * 1.001
        pace.room(held=0)


def test_a_slow_worker_claims_for_its_threads_alone_and_a_fast_one_ahead(
    clock: list[float],
) -> None:
    pace = Pace(4)
    assert pace.room(held=0) == 4
    assert pace.room(held=4) == 0
    work(pace, clock, jobs=100_000, seconds=1.0)
    assert pace.room(held=0) == 4 + MOST_AHEAD
    assert pace.room(held=4 + MOST_AHEAD - FEWEST) == FEWEST
    assert pace.room(held=5 + MOST_AHEAD - FEWEST) == 0  # too few to be worth a claim
    work(pace, clock, jobs=0, seconds=2.0)
    assert pace.room(held=3) == 1
    assert pace.room(held=4) == 0


def test_a_few_slow_jobs_among_fast_ones_show_in_the_pace(clock: list[float]) -> None:
    """Else a burst of fast ones would have many claimed, to wait for the slow one behind them."""
    pace = Pace(1)
    for _ in range(20):
        pace.worked(40, 0.0)  # within 5 ms, which would be 8,000 a second
        work(pace, clock, jobs=0, seconds=0.05)
    pace.worked(40, 0.0)
    work(pace, clock, jobs=0, seconds=0.005)
    assert 30 <= pace.ahead < 60  # 50 ms at 800 a second, and what the last burst adds


def test_jobs_that_take_long_are_not_claimed_ahead_however_many_threads_there_are(
    clock: list[float],
) -> None:
    pace = Pace(100)
    work(pace, clock, jobs=4000, seconds=2.0)  # 50 ms each
    assert pace.room(held=100) == 0
    assert pace.room(held=99) == 1


def test_jobs_of_which_some_are_slow_are_not_claimed_ahead_though_many_threads_do_many(
    clock: list[float],
) -> None:
    """One of twenty takes 0.1 s, the rest 1 ms: a claim for each costs little beside them."""
    pace = Pace(8)
    work(pace, clock, jobs=1600, seconds=2.0, each_seconds=0.006)
    assert pace.room(held=0) == 8
    work(pace, clock, jobs=14_000, seconds=2.0, each_seconds=0.0011)
    assert pace.room(held=0) > 300


def test_what_was_fast_and_is_slow_is_not_claimed_ahead_any_more(clock: list[float]) -> None:
    pace = Pace(4)
    work(pace, clock, jobs=10_000, seconds=1.0)
    assert pace.room(held=4) > 100
    pace.slowed()
    assert pace.room(held=4) == 0
    assert pace.room(held=3) == 1


def test_a_worker_gives_way_to_the_job_that_ends_its_rest_and_to_no_other(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are more, each pause would keep some of them waiting."""
    pauses: list[float] = []
    monkeypatch.setattr("boltq.worker.pace.time.sleep", pauses.append, raising=False)
    pace = Pace(4)
    pace.give_way(held=1)
    assert pauses == []
    pace.give_way(held=0)
    pace.give_way(held=-1)  # some of what was handed on has ended
    assert pauses == [GIVE_WAY_SECONDS] * 2
    work(pace, clock, jobs=10_000, seconds=1.0)
    pace.give_way(held=0)
    assert len(pauses) == 2


class Held:
    """Jobs that wait for threads that have others, and who looks after them."""

    def __init__(self, jobs: int) -> None:
        self.ended = SimpleQueue[Ended | None]()
        leases = Leases(30.0)
        self.pace = Pace(4)
        self.performer = Performer({}, leases, self.ended)
        self.surplus = Surplus(self.performer, self.pace)
        held = [
            Execution("q", f"a{n}", "t", "email", b"", b"", 1, 0, 0, n, 0.0, 0.0)
            for n in range(jobs)
        ]
        leases.add(held)
        self.performer.take(held)

    def look(self) -> int:
        """Look once; returns how many were given back."""
        before = self.ended.qsize()
        self.surplus.look()
        return self.ended.qsize() - before


def test_behind_threads_that_all_have_slow_jobs_nothing_waits(clock: list[float]) -> None:
    held = Held(10)
    assert held.look() == 0
    for _ in range(5):  # a job ends now and then
        clock[0] += LOOK_SECONDS * 1.01
        held.performer.waiting.take()
        assert held.look() == 0
    clock[0] += LOOK_SECONDS * 1.01
    assert held.look() == 0
    clock[0] += LOOK_SECONDS * 1.01
    assert held.look() == 5
    assert not held.surplus.look()


def test_a_process_that_stood_still_does_not_give_its_jobs_back_for_that(
    clock: list[float],
) -> None:
    held = Held(10)
    for _ in range(20):
        assert held.look() == 0
        clock[0] += AWAY_SECONDS * 1.01
    assert len(held.performer.waiting) == 10


def test_more_than_a_second_of_work_does_not_wait(clock: list[float]) -> None:
    held = Held(500)
    held.look()
    told = []
    for _ in range(60):
        clock[0] += LOOK_SECONDS * 1.01
        if held.performer.waiting.take():
            held.pace.worked(1, 0.0)
        told.append(held.look())
    given_back = [count for count in told if count]
    assert sum(told[:24]) == 0
    assert sum(given_back) == pytest.approx(500 - 100 - 30, abs=10)  # at about 100 a second
    assert len(held.performer.waiting) < 100


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_jobs_that_wait_behind_slow_ones_are_for_another_worker(q: QueueState, gate: Gate) -> None:
    for batch in range(4):
        q.enqueue(*(f"fast{batch}-{n}" for n in range(500)), type="fast")
    q.enqueue("block", type="slow")
    q.enqueue(*(f"more{n}" for n in range(200)), type="fast")
    # After a third of the lease the heartbeat would give them back.
    with working(q, {"fast": int, "slow": gate}, threads=1, lease_seconds=600):
        until(lambda: gate.came)
        until(lambda: q.raw.zcard(q.key("running")) == 1)
        assert q.raw.zcard(q.key("queued")) == 200
        with working(q, {"fast": int}, worker_id="w2"):
            wait_for(q, "completed", *(f"more{n}" for n in range(200)))
        gate.open.set()
    assert errors(q, "more0") == []
