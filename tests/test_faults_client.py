"""What a client does to itself: more threads than connections, forks, and the collector of garbage.

After each fault the same client goes on by itself: nothing is made anew.
"""

import gc
import os
import threading
from collections.abc import Callable

import pytest
from line import Line
from queue_state import QueueState
from servers import until
from told_apart import ask, heard, line, own, q

from boltq import address
from boltq.errors import Unavailable
from boltq.evalsha import Server

__all__ = ["line", "own", "q"]


def test_more_threads_than_connections_wait_for_each_other(q: QueueState) -> None:
    q.server._redis.connection_pool.max_connections = 2
    told: list[tuple[int, bytes]] = []
    problems: list[BaseException] = []

    def work(n: int) -> None:
        try:
            told.extend((n, heard(q.call(ask(q, n)))) for _ in range(5))
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is told below
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(n % 20,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert problems == []
    assert len(told) == 32 * 5
    assert all(answer == b"%d" % n for n, answer in told)


def test_who_finds_no_connection_within_the_patience_is_told_so(q: QueueState, line: Line) -> None:
    few = Server(address.parse(line.address), patience_seconds=0.1)
    few._redis.connection_pool.max_connections = 1
    few.call(ask(q, 0))
    line.hold("inspect")
    waiting = threading.Thread(target=few.call, args=(ask(q, 1),))
    waiting.start()
    assert line.held.wait(30)
    with pytest.raises(Unavailable, match="Too many connections"):
        few.call(ask(q, 2))
    line.release()
    waiting.join(30)
    assert heard(few.call(ask(q, 3))) == b"3"
    few.close()


def test_connections_that_were_lost_are_not_counted(q: QueueState) -> None:
    pool = q.server._redis.connection_pool
    pool.disconnect()
    pool.max_connections = 3
    gc.freeze()  # what there was before is not looked through each time
    try:
        for _ in range(10):
            gc.collect()
            pool.get_connection()  # by who is broken off before he can give it back
        gc.collect()
    finally:
        gc.unfreeze()
    assert heard(q.call(ask(q, 3))) == b"3"


def test_connections_are_kept_for_the_next_call_and_closed_with_the_client(q: QueueState) -> None:
    def connected() -> set[str]:
        return {client["id"] for client in q.raw.client_list()}

    before = connected()
    road = Server(q.server.address)
    for n in range(20):
        assert heard(road.call(ask(q, n))) == b"%d" % n
        road.call_all([ask(q, n), ask(q, n)])
        road.ping()
    (ours,) = connected() - before
    road.close()
    until(lambda: ours not in connected())
    assert heard(road.call(ask(q, 7))) == b"7"  # it may go on
    road.close()


def test_the_collector_of_garbage_may_run_at_any_moment(q: QueueState) -> None:
    """Clients that were dropped are closed by it, whatever lock is held then."""
    told: list[bytes] = []

    def work() -> None:
        for n in range(20):
            road = Server(q.server.address)
            circle: list[object] = [road]
            circle.append(circle)  # so that only the collector finds it
            told.append(heard(road.call(ask(q, n))))

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
    finally:
        gc.set_threshold(*before)
    assert sorted(told) == sorted([b"%d" % n for n in range(20)] * 4)


def forked(holds: Callable[[], bool]) -> int:
    """Look in a child whether something holds: then it ends with 0. Never does it go on as us."""
    child = os.fork()
    if not child:
        status = 1
        try:
            status = int(not holds())
        finally:
            os._exit(status)
    return child


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_was_forked_asks_over_connections_of_its_own(q: QueueState) -> None:
    q.call(ask(q, 0))
    before = q.raw.info("stats")["total_connections_received"]

    def all_are_right() -> bool:
        return all(heard(q.call(ask(q, n % 20))) == b"%d" % (n % 20) for n in range(50))

    child = forked(all_are_right)
    for n in range(50):
        assert heard(q.call(ask(q, n % 20))) == b"%d" % (n % 20)
    assert os.waitpid(child, 0)[1] == 0
    assert q.raw.info("stats")["total_connections_received"] > before


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_keeps_no_connection_that_its_parent_was_using(q: QueueState) -> None:
    pool = q.server._redis.connection_pool
    taken = pool.get_connection()

    def keeps_its_own() -> bool:
        own = pool.get_connection()
        pool.release(own)
        pool.release(taken)
        return pool.get_connection() is own

    child = forked(keeps_its_own)
    assert os.waitpid(child, 0)[1] == 0
    pool.release(taken)  # and to its parent it is as good as before
    assert pool.get_connection() is taken
    pool.release(taken)
    assert heard(q.call(ask(q, 7))) == b"7"
