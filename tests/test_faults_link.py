"""The line between a client and its server: answers lost, requests cut, silence, and its end.

After each fault the same client goes on by itself, and what it asked for was done once.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from every_verb import CASES
from impatient import executed
from line import Line
from queue_keys import PARTS
from queue_state import QueueState
from servers import TestServer
from told_apart import line, own

from boltq import address, scripts
from boltq.call import Call
from boltq.errors import BadSetting, Unavailable
from boltq.evalsha import Server, sources

__all__ = ["line", "own"]

WRITING = [name for name, case in CASES.items() if case.writes]


@pytest.fixture
def q(own: TestServer, queue: str) -> Iterator[QueueState]:
    """A queue, to which this is the direct way."""
    q = QueueState(own, queue)
    yield q
    q.forget()
    q.server.close()


@pytest.fixture
def road(line: Line) -> Iterator[Server]:
    """The way through the line; without patience, so that each call is one attempt."""
    road = Server(address.parse(line.address), patience_seconds=0)
    yield road
    road.close()


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {part for part in PARTS if before.get(part) != after.get(part)}


def steady(q: QueueState, verb: str) -> dict[str, Any]:
    """All keys of the queue; of an extend the ends, which move with the time, are left out."""
    held = q.dump()
    return {part: held[part] for part in held if verb != "extend" or part not in _MOVING}


_MOVING = ("running", "claim_ends")


@pytest.mark.parametrize("name", WRITING)
def test_a_verb_whose_answers_were_lost_has_done_its_work_once(
    q: QueueState, road: Server, line: Line, name: str
) -> None:
    case = CASES[name]
    call = case.prepare(q)
    before = q.dump()
    line.lose(case.verb, 1)
    with pytest.raises(Unavailable):
        road.call(call)
    once = steady(q, case.verb)
    assert changed(before, q.dump()) == set(case.writes.split())
    # It is sent again by us, and once more by the client.
    line.lose(case.verb, 1)
    road.patience_seconds = 10
    road.call(call)
    assert line.lost == 2
    assert steady(q, case.verb) == once


def test_what_comes_of_a_repeat_is_told_to_each_job(
    q: QueueState, road: Server, line: Line
) -> None:
    q.enqueue("a", "b", "c", "d", max_attempts=5)
    road.patience_seconds = 10
    line.lose("claim", 1)
    claimed = road.call(q.claim_call("t1", limit=4))
    assert [job.id for job in claimed.answers] == ["a", "b", "c", "d"]
    assert {job.attempt for job in claimed.answers} == {1}
    line.lose("extend", 1)
    held = [scripts.ExtendItem(id, "t1") for id in "abcd"]
    (first, *_) = road.call(scripts.extend(q.name, held, lease_ms=60_000)).answers
    assert isinstance(first, scripts.ExtendHeld)
    line.lose("ack", 1)
    told = road.call(scripts.ack(q.name, [scripts.AckItem("a", "t1", b"1")]))
    assert told.answers == [scripts.AckAlready()]
    line.lose("fail", 1)
    items = [scripts.FailItem("b", "t1", b"E", b"m", b"s", "", 0)]
    assert isinstance(road.call(scripts.fail(q.name, items)).answers[0], scripts.FailAlready)
    line.lose("release", 1)
    released = road.call(scripts.release(q.name, [scripts.ReleaseItem("c", "t1", 0)]))
    assert released.answers == [scripts.ReleaseAlready()]
    tries = q.tries("b")
    assert tries
    assert (tries.failures_ever, q.stat("completed"), line.lost) == (1, 1, 5)


def test_a_client_sends_a_request_once_an_attempt(
    own: TestServer, q: QueueState, road: Server, line: Line
) -> None:
    """The library's own retries, of which this one is made without, would run it 11 times."""
    road.call(scripts.stats(q.name))
    call = scripts.enqueue(q.name, [scripts.EnqueueItem("a", "echo", b"1", b"")], delay_ms=0)
    q.call(scripts.stats(q.name))
    before = executed(own)
    line.lose("enqueue", 10**6)
    q.raw.script_load(sources()["enqueue"])
    for attempt in (1, 2):
        with pytest.raises(Unavailable):
            road.call(call)
        assert executed(own) - before == attempt
    with pytest.raises(Unavailable):
        road.call_all([call, scripts.stats(q.name)])
    assert q.stat("enqueued") == 1


def test_no_address_brings_the_librarys_own_retries_back(road: Server) -> None:
    for asked in ("?retry=3", "?retry_on_timeout=true"):
        with pytest.raises(BadSetting):
            address.parse(f"redis://localhost:6379/0{asked}")
    retry = road._redis.get_retry()
    assert retry.get_retries() == 0


def test_a_request_that_breaks_off_at_any_byte_is_not_done_and_the_next_try_does_it(
    q: QueueState, road: Server, line: Line
) -> None:
    items = [scripts.EnqueueItem("a", "echo", bytes(300), b"{}")]
    call = scripts.enqueue(q.name, items, delay_ms=0)
    road.call(
        scripts.enqueue(q.name, [scripts.EnqueueItem("known", "echo", b"1", b"")], delay_ms=0)
    )
    size, before = len(b"".join(_packed(road, call))), q.dump()
    assert size > 600
    for cut in [*range(60), *range(60, size - 60, 41), *range(size - 60, size)]:
        road.ping()  # so that what is cut is no greeting
        line.cut(cut)
        with pytest.raises(Unavailable):
            road.call(call)
    assert q.dump() == before
    road.ping()
    line.cut(size - 1)
    road.patience_seconds = 10
    assert road.call(call).answers == [scripts.EnqueueCreated("a")]


def _packed(road: Server, call: Call[Any]) -> list[bytes]:
    connection = road._redis.connection_pool.make_connection()
    return list(connection.pack_command(*road.command(call)))


@pytest.mark.parametrize("piece_bytes", [1, 7])
def test_answers_that_come_in_pieces_are_read_whole(
    q: QueueState, road: Server, line: Line, piece_bytes: int
) -> None:
    payloads = [b"\0\r\n$1\r\n*1\r\n", b"", b"\r\n" * 50]
    items = [scripts.EnqueueItem(f"j{n}", "echo", payloads[n], b"") for n in range(3)]
    line.slow(0.0001, piece_bytes)
    made = road.call(scripts.enqueue(q.name, items, delay_ms=0))
    assert made.answers == [scripts.EnqueueCreated(f"j{n}") for n in range(3)]
    claimed = road.call(q.claim_call("t1", limit=3))
    assert [job.payload for job in claimed.answers] == payloads
    acks = [scripts.AckItem(f"j{n}", "t1", payloads[n]) for n in range(3)]
    acked, stats = road.call_all([scripts.ack(q.name, acks), scripts.stats(q.name)])
    assert acked.answers == [scripts.AckDone()] * 3
    assert stats.enqueued_total == 3
    shown = road.call(scripts.inspect(q.name, [scripts.InspectItem("j2")], with_payload=1))
    assert shown.answers[0].payload == payloads[2]
