"""A server that says nothing for a while, and connections that ended without a word.

Whoever called is answered in the end, over the same client, and what he asked for was done once.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from impatient import executed, impatient
from line import Line
from queue_state import QueueState
from servers import TestServer, until
from told_apart import line, own
from workers import Gate, state, wait_for, working

from boltq import address, scripts
from boltq.errors import BoltQError, Unavailable
from boltq.evalsha import Server, sources

__all__ = ["line", "own"]

# How long the server is stopped; by hand also 10 s.
STOPPED_SECONDS = float(os.environ.get("TEST_STOPPED_SECONDS", "0.5"))


@pytest.fixture
def q(own: TestServer, queue: str) -> Iterator[QueueState]:
    """A queue, to which this is the direct way."""
    q = QueueState(own, queue)
    yield q
    q.forget()
    q.server.close()


def test_an_answer_that_is_late_is_waited_for_and_one_that_is_later_is_asked_for_again(
    own: TestServer, q: QueueState, line: Line
) -> None:
    with impatient(0.3):
        hasty = Server(address.parse(line.address))
    road = Server(address.parse(line.address))
    q.call(scripts.stats(q.name))
    q.raw.script_load(sources()["enqueue"])
    before = executed(own)
    line.slow(0.1)
    road.call(scripts.enqueue(q.name, [scripts.EnqueueItem("a", "echo", b"1", b"")], delay_ms=0))
    assert executed(own) - before == 1
    line.slow(0)
    line.hold("enqueue")

    def let_go() -> None:
        until(lambda: line.held_back >= 2)  # the answer, and that to the next try
        line.release()

    letting_go = threading.Thread(target=let_go)
    letting_go.start()
    call = scripts.enqueue(q.name, [scripts.EnqueueItem("b", "echo", b"1", b"")], delay_ms=0)
    assert hasty.call(call).answers == [scripts.EnqueueDuplicate("b")]
    letting_go.join(30)
    assert executed(own) - before > 2
    assert q.stat("enqueued") == 2
    road.close()
    hasty.close()


def tells_of_problems(road: Server) -> threading.Event:
    """Told once a try of a call has found no answer."""
    told, name = threading.Event(), road._named

    def named(problem: Exception) -> BoltQError:
        told.set()
        return name(problem)

    road._named = named  # type: ignore[method-assign]
    return told


@pytest.mark.timeout(60 + STOPPED_SECONDS)
def test_what_a_stopped_server_does_late_is_harmless(
    own: TestServer, q: QueueState, queue: str
) -> None:
    assert own.embedded
    assert own.embedded.pid
    q.enqueue(*(f"j{n}" for n in range(6)))
    with impatient(STOPPED_SECONDS / 5):
        roads = [Server(address.parse(own.address), patience_seconds=60) for _ in range(4)]
    for road in roads:
        road.ping()  # only who is connected can still send something
    item = scripts.EnqueueItem("new", "echo", b"1", b"")
    q.call(q.claim_call("t1", limit=2))
    calls = [
        q.claim_call("t2", limit=2),
        scripts.ack(queue, [scripts.AckItem("j0", "t1", b"")]),
        scripts.fail(queue, [scripts.FailItem("j1", "t1", b"E", b"m", b"s", "", 0)]),
        scripts.enqueue(queue, [item], delay_ms=0),
    ]
    for verb in ("ack", "fail", "enqueue"):
        q.raw.script_load(sources()[verb])
    before = executed(own)
    told: dict[int, Any] = {}
    given_up = [tells_of_problems(road) for road in roads]
    asking = [
        threading.Thread(target=lambda n=n: told.update({n: roads[n].call(calls[n])}))
        for n in range(4)
    ]
    os.kill(own.embedded.pid, signal.SIGSTOP)
    try:
        for thread in asking:
            thread.start()
        asking[0].join(STOPPED_SECONDS)
        until(lambda: all(event.is_set() for event in given_up))
    finally:
        os.kill(own.embedded.pid, signal.SIGCONT)
    for thread in asking:
        thread.join(30)
    assert len(told) == 4
    # What was sent while it was stopped was carried out when it went on, and then again: on a busy
    # machine, whose answers are late, more than once.
    assert executed(own) - before >= 2 * len(calls)
    assert [job.id for job in told[0].answers] == ["j2", "j3"]
    assert (q.order("running"), q.order("completed")) == (["j2", "j3"], ["j0"])
    assert (q.stat("enqueued"), q.stat("completed"), q.order("retrying")) == (7, 1, ["j1"])
    tries = q.tries("j1")
    assert tries
    assert tries.failures_ever == 1
    for road in roads:
        road.close()


def test_a_peer_that_has_gone_without_a_word_is_given_up_in_time(q: QueueState, line: Line) -> None:
    with impatient(0.2):
        road = Server(address.parse(line.address))
    road.call(scripts.stats(q.name))
    for way in ("requests", "answers"):
        line.stop(way)
    began, road.patience_seconds = time.monotonic(), 0
    with pytest.raises(Unavailable, match="Timeout"):
        road.call(scripts.stats(q.name))
    assert time.monotonic() - began < 30  # it would wait for ever
    line.release()
    road.patience_seconds = 20
    road.call(scripts.stats(q.name))
    road.close()


def test_a_worker_whose_line_is_dead_hears_of_it_and_goes_on_when_it_lives_again(
    own: TestServer, q: QueueState, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    through, gate = QueueState(own, q.name), Gate()
    q.enqueue("a", type="t")
    with impatient(0.2):
        through.server = Server(address.parse(line.address))
        with working(through, {"t": gate}):
            until(lambda: gate.came)
            for way in ("requests", "answers"):
                line.stop(way)
            gate.open.set()
            q.enqueue("b", type="t")
            until(lambda: "redis is away" in caplog.text)
            assert state(q, "a") == "running"
            line.release()
            wait_for(q, "completed", "a", "b")
    assert (len(gate.came), q.tries("a")) == (2, None)
    through.server.close()


def test_a_connection_that_the_server_closed_while_it_was_idle_is_not_noticed(
    own: TestServer, q: QueueState
) -> None:
    road = Server(address.parse(own.address), patience_seconds=0)
    road.call(scripts.stats(q.name))
    road.call_all([scripts.stats(q.name)])
    others = {client["id"] for client in q.raw.client_list()} - {str(q.raw.client_id())}
    q.raw.config_set("timeout", 1)
    try:
        until(lambda: not others & {client["id"] for client in q.raw.client_list()})
    finally:
        q.raw.config_set("timeout", 0)
    road.call(scripts.stats(q.name))
    assert q.call(scripts.stats(q.name)).queued == 0
    road.close()
