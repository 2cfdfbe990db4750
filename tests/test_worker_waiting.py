"""The line of jobs in front of the handler threads."""

import threading
from queue import Empty, SimpleQueue

import pytest
from queue_state import QueueState
from servers import until
from workers import wait_for, working

from boltq.execution import Execution
from boltq.worker.waiting import NO_MORE, Waiting


def jobs(count: int) -> list[Execution]:
    return [
        Execution("q", f"a{n}", "t", "email", b"", b"", 1, 0, 0, n, 0.0, 0.0) for n in range(count)
    ]


def taker(line: Waiting, into: SimpleQueue[Execution | None]) -> threading.Thread:
    thread = threading.Thread(target=lambda: into.put(line.take()), daemon=True)
    thread.start()
    return thread


class Bell(SimpleQueue[None]):
    """Counts who came to wait for it."""

    came = 0

    def get(self, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002
        self.came += 1
        super().get(block, timeout)


def test_as_many_slow_jobs_as_threads_run_at_once(q: QueueState) -> None:
    all_here = threading.Barrier(5)
    ids = [f"a{n}" for n in range(5)]
    with working(q, {"t": lambda: all_here.wait(30) and None}, threads=5):
        q.enqueue(*ids, type="t")
        wait_for(q, "completed", *ids)


def test_the_first_that_came_is_taken_first_and_the_last_given_back_first() -> None:
    line, [a, b, c, d] = Waiting(), jobs(4)
    line.put([a, b])
    line.put([c, d])
    assert line.take() is a
    assert line.take_back(1) == [d]
    assert line.take_back() == [c, b]
    assert line.take_back() == []


def test_one_put_wakes_a_thread_for_each_job_that_is_left_behind() -> None:
    line, taken = Waiting(), SimpleQueue[Execution | None]()
    line._bell = bell = Bell()
    threads = [taker(line, taken) for _ in range(4)]
    until(lambda: bell.came == 4)  # who comes later takes a job without being woken
    line.put(jobs(4))
    for thread in threads:
        thread.join(10)
    assert sorted(one.fence for one in (taken.get_nowait() for _ in range(4)) if one) == [
        0,
        1,
        2,
        3,
    ]


def test_what_ends_a_thread_is_not_given_back() -> None:
    line, taken = Waiting(), SimpleQueue[Execution | None]()
    line.put([NO_MORE])
    line.put(one := jobs(1))
    assert line.take_back() == one
    taker(line, taken).join(10)
    assert taken.get_nowait() is NO_MORE


def test_nobody_is_woken_for_nothing_more_than_once() -> None:
    """A ring that is left over from jobs which are gone sends no thread round and round."""
    line, taken = Waiting(), SimpleQueue[Execution | None]()
    line._bell = bell = Bell()
    line.put(jobs(2))
    line.put(jobs(2))
    assert len(line.take_back()) == 4
    thread = taker(line, taken)
    until(lambda: bell.came == 2)  # heard the ring, and waits for the next
    with pytest.raises(Empty):
        taken.get(timeout=0.05)
    assert bell.empty()
    assert bell.came == 2
    line.put([NO_MORE])
    thread.join(10)
