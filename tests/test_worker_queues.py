"""Several queues for one worker: by weight, or strictly one before the other."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from queue_keys import Roads
from queue_state import QueueState
from servers import TestServer, until
from workers import Gate, working

from boltq.worker import current_job
from boltq.worker.turns import Turns


@pytest.fixture
def other(server: TestServer, queue: str, roads: Roads) -> Iterator[QueueState]:
    """A second queue."""
    state = QueueState(server, f"{queue}-other", roads)
    yield state
    state.forget()


@dataclass
class Note:
    """A handler that takes a moment and remembers the queue of each job."""

    seconds: float = 0.0
    ran: list[str] = field(default_factory=list)

    def __call__(self) -> None:
        time.sleep(self.seconds)
        self.ran.append(current_job().queue)


def fill(q: QueueState, jobs: int) -> None:
    q.enqueue(*(f"a{n}" for n in range(jobs)), type="t")


@pytest.mark.parametrize("seconds", [0.0, 0.03])
def test_queues_share_a_worker_by_their_weights(
    q: QueueState, other: QueueState, seconds: float
) -> None:
    jobs = 160 if seconds else 6000
    for start in range(0, jobs, 500):
        for queue in (q, other):
            queue.enqueue(*(f"a{n}" for n in range(start, min(jobs, start + 500))), type="t")
    note = Note(seconds)
    with working(q, {"t": note}, queues={q.name: 3, other.name: 1}, threads=4):
        until(lambda: len(note.ran) >= jobs)
    counted = Counter(note.ran[:jobs])
    assert 0.6 < counted[q.name] / jobs < 0.9  # they are claimed some at a time


def test_slow_jobs_of_one_queue_leave_threads_to_the_others(
    q: QueueState, other: QueueState
) -> None:
    fill(q, 10)
    fill(other, 10)
    gate = Gate()
    with working(q, {"t": gate}, queues={q.name: 3, other.name: 1}, threads=8, lease_seconds=60):
        until(lambda: len(gate.came) == 8)
        assert Counter(job.queue for job in gate.came) == {q.name: 6, other.name: 2}
        gate.open.set()


def test_strictly_a_queue_has_its_turn_when_those_before_it_are_empty(
    q: QueueState, other: QueueState
) -> None:
    fill(other, 30)
    fill(q, 30)
    note = Note(0.002)
    with working(q, {"t": note}, queues=[q.name, other.name], strict=True, threads=1):
        until(lambda: len(note.ran) == 60)
    assert note.ran == [q.name] * 30 + [other.name] * 30


@pytest.mark.parametrize("strict", [True, False])
def test_a_job_that_comes_while_another_queue_has_many_does_not_wait_for_their_end(
    q: QueueState,
    other: QueueState,
    strict: bool,  # noqa: FBT001 - the parameter
) -> None:
    fill(other, 200)
    note = Note(0.01)
    with working(q, {"t": note}, queues=[q.name, other.name], strict=strict, threads=1):
        until(lambda: len(note.ran) > 20)
        q.enqueue("urgent", type="t")
        came = len(note.ran)
        until(lambda: q.name in note.ran)
    assert note.ran.index(q.name) < came + 40


def test_strictly_the_ring_of_a_queue_that_has_to_wait_is_left_for_other_workers() -> None:
    turns = Turns(dict.fromkeys("abc", 1), strict=True)
    for queue in "abc":
        turns.rests(queue, 60)
    turns.has_jobs("b")
    assert turns.next() == "b"
    assert turns.unheard("b") == ["a"]
    assert Turns({"a": 1, "b": 1}).unheard("a") == []


def test_turns_are_by_jobs_taken_and_one_that_was_idle_has_saved_up_nothing() -> None:
    turns = Turns({"a": 2, "b": 1})
    turns.rests("b", 60)
    for _ in range(50):
        assert turns.next() == "a"
        turns.took("a", 10)
    turns.has_jobs("b")
    taken = Counter[str]()
    for _ in range(30):
        queue = str(turns.next())
        turns.took(queue, 10)
        taken[queue] += 10
    assert 190 <= taken["a"] <= 210
    assert taken["b"] == 300 - taken["a"]
