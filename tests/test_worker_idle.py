"""What a worker costs that has nothing to do."""

import time
from contextlib import ExitStack
from itertools import pairwise
from types import SimpleNamespace

import pytest
from queue_state import QueueState
from servers import until
from workers import wait_for, working

from boltq.evalsha import Bells
from boltq.worker import Worker, fetch, turns
from boltq.worker.claim import Send, Taken
from boltq.worker.turns import LOOK_SECONDS, MOST_LOOK_SECONDS, Turns


def wait_until_idle(q: QueueState, workers: int = 1) -> None:
    until(lambda: q.raw.info("clients")["blocked_clients"] == workers)


def calls(q: QueueState, *commands: str) -> int:
    """How often the server was sent these, or a script that sent them."""
    told = q.raw.info("commandstats")
    return sum(told.get(f"cmdstat_{one}", {"calls": 0})["calls"] for one in commands)


def claims_of(worker: Worker) -> list[str]:
    """The queues that it claims from now on."""
    claimed: list[str] = []
    claim = worker._fetcher._claimer.claim

    def note(queue: str, limit: int, send: Send | None = None) -> Taken:
        claimed.append(queue)
        return claim(queue, limit, send)

    worker._fetcher._claimer.claim = note  # type: ignore[method-assign]
    return claimed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def looks(clock: list[float], queues: int, seconds: float) -> dict[str, list[float]]:
    """When a worker of so many idle queues, in so much time, looks at each."""
    of_worker = Turns({f"q{n}": 1 for n in range(queues)})
    until_then = clock[0] + seconds
    seen: dict[str, list[float]] = {queue: [] for queue in of_worker.queues}
    while clock[0] < until_then:
        while queue := of_worker.next():
            seen[queue].append(clock[0])
            clock[0] += 0.003
            of_worker.rests(queue, 3600.0)
        clock[0] += max(0.001, of_worker.rest_seconds())
    return seen


def test_a_worker_makes_no_more_than_two_calls_a_second(q: QueueState) -> None:
    def made() -> int:
        return calls(q, "blpop", "exists", "evalsha", "time", "hset")

    block_seconds = fetch.BLOCK_SECONDS
    with working(q, {"t": lambda: None}):
        fetch.BLOCK_SECONDS = block_seconds  # put back at the end of the block
        wait_until_idle(q)
        began, before = time.monotonic(), made()
        until(lambda: time.monotonic() > began + 3 and made() > before)
        more, took = made() - before, time.monotonic() - began
    assert more <= 2 * took


def test_a_thousand_idle_queues_are_each_looked_at_once_a_minute(clock: list[float]) -> None:
    seen = looks(clock, queues=1000, seconds=600)
    assert sum(map(len, seen.values())) <= 1000 * (1 + 600 / MOST_LOOK_SECONDS)
    for times in seen.values():
        pauses = [later - former for former, later in pairwise(times)]
        assert max(pauses) <= MOST_LOOK_SECONDS + 3  # as long as all of them take


def test_a_few_idle_queues_are_each_looked_at_every_five_seconds(clock: list[float]) -> None:
    seen = looks(clock, queues=10, seconds=60)
    for times in seen.values():
        assert 11 <= len(times) <= 60 / LOOK_SECONDS + 1


def test_many_queues_are_noted_in_as_many_calls_as_one(q: QueueState) -> None:
    names = [f"{q.name}-{n}" for n in range(50)]
    before = calls(q, "zadd", "zremrangebyscore", "zremrangebyrank")
    q.server.registry.note_queues(names, q.server.now_ms())
    q.server.registry.note_queues(names, q.server.now_ms())
    assert calls(q, "zadd", "zremrangebyscore", "zremrangebyrank") == before + 3
    assert set(names) <= set(q.server.queues())
    for name in names:
        q.server.registry.forget_queue(name)


def test_a_ring_wakes_one_worker(q: QueueState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LOOK_SECONDS", 60)  # else they would look anyway
    with ExitStack() as stack:
        # Of two queues: that of one has its claim behind its wait, and a ring goes to one wait.
        told = {"queues": [q.name, f"{q.name}-2"]}
        workers = [stack.enter_context(working(q, {"t": lambda: None}, **told)) for _ in range(4)]
        fetch.BLOCK_SECONDS = 2.0  # put back at the end of the blocks
        wait_until_idle(q, 4)
        claimed = [claims_of(worker) for worker in workers]
        q.enqueue("a", type="t")
        wait_for(q, "completed", "a")
        wait_until_idle(q, 4)
        assert sum(1 for queues in claimed if queues) == 1


def test_who_listens_while_there_are_jobs_elsewhere_does_not_block(q: QueueState) -> None:
    """A server with nothing else to do sees only each 0.1 s that a block is over."""
    bells = Bells(q.server)
    try:
        before = calls(q, "blpop")
        assert bells.wait([q.name, "other"], 0.0) is None
        assert calls(q, "blpop") == before
        q.enqueue("a", type="t")
        assert bells.wait([q.name, "other"], 0.0) == q.name
        assert bells.wait([q.name, "other"], 0.0) is None
    finally:
        bells.close()


def test_the_queues_that_are_listened_to_may_change(q: QueueState) -> None:
    bells = Bells(q.server)
    queues = ["other"]
    try:
        q.enqueue("a", type="t")
        assert bells.wait(queues, 0.0) is None
        queues.append(q.name)
        assert bells.wait(queues, 0.0) == q.name
    finally:
        bells.close()
