"""A worker whose server goes away, and answers that are lost on the way."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from line import line_to
from queue_state import QueueState
from servers import TestServer, until
from workers import Gate, errors, state, wait_for, working

from boltq import address
from boltq.evalsha import Server

Private = Callable[..., TestServer]


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_worker_goes_on_by_itself_when_the_server_is_back(
    private_server: Private, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server = private_server("redis", persistent=True)
    q = QueueState(server, queue)
    q.enqueue("before", type="t")
    assert server.embedded
    with working(q, {"t": lambda: None}):
        wait_for(q, "completed", "before")
        server.embedded.kill()
        until(lambda: "redis is away" in caplog.text)
        server.embedded.start()
        q.enqueue("after", type="t")
        wait_for(q, "completed", "after")
    assert caplog.text.count("redis is away") == caplog.text.count("redis is back") == 1


def test_a_worker_may_start_before_its_server(private_server: Private, queue: str) -> None:
    server = private_server("valkey", persistent=True)
    q = QueueState(server, queue)
    q.enqueue("a", type="t")
    assert server.embedded
    server.embedded.stop()
    with working(q, {"t": lambda: None}):
        server.embedded.start()
        wait_for(q, "completed", "a")


def test_an_ack_is_kept_until_the_server_is_back(
    private_server: Private, queue: str, gate: Gate
) -> None:
    server = private_server("valkey", persistent=True)
    q = QueueState(server, queue)
    q.enqueue("a", type="t")
    assert server.embedded
    with working(q, {"t": gate}, lease_seconds=20):
        until(lambda: gate.came)
        server.embedded.stop()
        gate.open.set()
        server.embedded.start()
        wait_for(q, "completed", "a")
    assert len(gate.came) == 1
    assert errors(q, "a") == []


def test_an_ack_that_cannot_be_told_within_the_lease_is_dropped_and_the_job_runs_again(
    private_server: Private, queue: str, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server = private_server("valkey", persistent=True)
    q = QueueState(server, queue)
    q.enqueue("a", type="t", base_ms=1)
    assert server.embedded
    with working(q, {"t": gate}, lease_seconds=0.9):
        until(lambda: gate.came)
        server.embedded.stop()
        gate.open.set()
        until(lambda: "the end of a job could not be told" in caplog.text)
        server.embedded.start()
        wait_for(q, "completed", "a")
    q.server.close()
    # On a busy machine it may lose more leases than that one, and before its handler has begun.
    lost = [error["type"] for error in errors(q, "a")]
    assert 2 <= len(gate.came) <= 1 + len(lost)
    assert set(lost) == {"LeaseLost"}


@pytest.mark.parametrize("losses", [1, 8])
def test_a_claim_whose_answers_are_lost_leases_no_more_than_it_asked_for(
    private_server: Private, queue: str, tmp_path: Path, losses: int
) -> None:
    server = private_server("redis")
    q = QueueState(server, queue)
    q.enqueue(*(f"a{n}" for n in range(9)), type="t", timeout_ms=0)
    running: list[int] = []
    go = threading.Event()
    assert server.embedded

    def wait() -> None:
        running.append(len(q.read("running")))
        go.wait(20)

    with line_to(server.embedded.socket_path, tmp_path) as line:
        line.lose("claim", losses)
        through = QueueState(server, queue)
        through.server = Server(address.parse(line.address))
        with working(through, {"t": wait}, threads=3, lease_seconds=30):
            until(lambda: len(running) == 3)
            assert len(q.read("running")) == 3
            go.set()
            wait_for(q, "completed", *(f"a{n}" for n in range(9)))
    assert line.lost == losses
    assert running[:3] == [3, 3, 3]
    assert all(q.tries(f"a{n}") is None for n in range(9))


def test_an_ack_and_a_fail_whose_answers_are_lost_count_once(
    private_server: Private, queue: str, tmp_path: Path
) -> None:
    server = private_server("valkey")
    q = QueueState(server, queue)
    assert server.embedded

    def fail() -> None:
        raise ValueError

    with line_to(server.embedded.socket_path, tmp_path) as line:
        through = QueueState(server, queue)
        through.server = Server(address.parse(line.address))
        with working(through, {"ok": lambda: "yes", "bad": fail}):
            line.lose("ack", 2)
            q.enqueue("a", type="ok")
            wait_for(q, "completed", "a")
            until(lambda: line.lost == 2)
            line.lose("fail", 2)
            q.enqueue("b", type="bad")
            wait_for(q, "retrying", "b")
            until(lambda: line.lost == 4)
    assert q.stat("completed") == 1
    tries = q.tries("b")
    assert tries is not None
    assert tries.failures_ever == 1


def test_the_answer_to_a_claim_that_comes_after_the_stop_is_given_back(
    private_server: Private, queue: str, tmp_path: Path
) -> None:
    server = private_server("valkey")
    q = QueueState(server, queue)
    q.enqueue("a", type="t")
    ran: list[str] = []
    assert server.embedded
    with line_to(server.embedded.socket_path, tmp_path) as line:
        line.hold("claim")
        through = QueueState(server, queue)
        through.server = Server(address.parse(line.address))
        with working(through, {"t": lambda: ran.append("x")}) as worker:
            assert line.held.wait(30)
            assert state(q, "a") == "running"
            stopping = threading.Thread(target=worker.stop, args=(10,))
            stopping.start()
            until(worker._fetcher._stopping.is_set)
            line.release()
            stopping.join(30)
    assert ran == []
    assert state(q, "a") == "queued"
    tries = q.tries("a")
    assert tries is not None
    assert (tries.how, tries.failures, tries.lost) == ("release", 0, 0)


def test_a_stop_while_the_server_is_away_ends_in_time(
    private_server: Private, queue: str, gate: Gate
) -> None:
    server = private_server("valkey", persistent=True)
    q = QueueState(server, queue)
    q.enqueue("a", type="t")
    assert server.embedded
    with working(q, {"t": gate}) as worker:
        until(lambda: gate.came)
        server.embedded.stop()
        hurry = threading.Event()
        hurry.set()
        assert not worker.stop(10, hurry)
        gate.open.set()
    server.embedded.start()
    assert state(q, "a") == "running"  # nobody could be told: its lease will run out
