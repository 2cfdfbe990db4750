"""`--burst`: a worker that ends when there is nothing more to do."""

import time
from collections.abc import Callable
from pathlib import Path

from queue_state import QueueState
from servers import TestServer, until
from workers import command, state, working

from boltq import BoltQ
from boltq.worker import Worker, current_job
from boltq.worker.fetch import DONE

Private = Callable[..., TestServer]


def ended(worker: Worker) -> bool:
    return worker._wake.is_set()


def test_a_burst_ends_with_0_when_all_jobs_are_done(q: QueueState, tmp_path: Path) -> None:
    ids = [f"a{n}" for n in range(700)]
    q.enqueue(*ids[:500], type="echo")
    q.enqueue(*ids[500:], type="echo")
    q.enqueue("later", type="echo", delay_ms=3_600_000)
    with command(q, "--burst", folder=tmp_path) as process:
        assert process.wait(20) == 0
    assert len(q.order("completed")) == 700
    assert state(q, "later") == "scheduled"


def test_a_burst_does_what_its_own_jobs_enqueue_and_what_is_due(q: QueueState) -> None:
    app = BoltQ(q.server.address.shown)

    def chain(left: int) -> None:
        if left:
            app.enqueue("t", {"left": left - 1}, queue=q.name)

    def fail_once() -> None:
        if not current_job().failures:
            raise ValueError

    q.enqueue("a", type="t", payload=b'{"left": 5}')
    q.enqueue("b", type="f", base_ms=0)
    with working(q, {"t": chain, "f": fail_once}, burst=True) as worker:
        until(lambda: ended(worker))
        assert worker.reason == DONE
    assert len(q.order("completed")) == 7
    app.close()


def test_a_burst_waits_for_the_jobs_in_hand_and_does_what_comes_of_them(q: QueueState) -> None:
    def work() -> None:
        moment = time.monotonic()
        until(lambda: time.monotonic() > moment + 0.4)
        q.enqueue("b", type="free")

    q.enqueue("a", type="t")
    with working(q, {"t": work, "free": lambda: None}, burst=True) as worker:
        until(lambda: ended(worker))
    # In either order: the other thread may be through before this one has told its end.
    assert sorted(q.order("completed")) == ["a", "b"]


def test_a_paused_queue_is_empty_for_a_burst(q: QueueState) -> None:
    q.enqueue("a", type="t")
    q.configure(paused=1)
    with working(q, {"t": lambda: None}, burst=True) as worker:
        until(lambda: ended(worker))
    assert state(q, "a") == "queued"


def test_a_burst_waits_for_a_server_that_is_away(private_server: Private, queue: str) -> None:
    server = private_server("valkey", persistent=True)
    q = QueueState(server, queue)
    q.enqueue("a", type="t")
    assert server.embedded
    server.embedded.stop()
    with working(q, {"t": lambda: None}, burst=True) as worker:
        assert not worker._wake.wait(0.6)
        server.embedded.start()
        until(lambda: ended(worker))
    assert state(q, "a") == "completed"


def test_a_burst_that_may_not_claim_does_not_seem_done(q: QueueState, tmp_path: Path) -> None:
    q.corrupted = True  # no script of this level may look at it any more
    q.enqueue("a", type="echo")
    q.raw.hset(q.key("settings"), "needs", 99)  # what newer scripts would have written
    with command(q, "--burst", folder=tmp_path) as process:
        assert process.wait(20) == 1
    assert "no jobs can be had" in (tmp_path / "log.txt").read_text()
    assert q.order("queued") == ["a"]
