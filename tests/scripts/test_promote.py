import pytest
from queue_keys import PRIORITY_STEP
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import Promoted


def test_what_is_due_is_queued_by_its_priority_and_the_time_it_was_due(q: QueueState) -> None:
    q.run("retry", priority=9)
    q.fail("retry", delay_ms=30_000)
    q.enqueue("delayed", payload=bytes(5000), delay_ms=60_000)
    q.enqueue("later", delay_ms=60_000)
    q.make_due("retrying", "retry")
    q.raw.zadd(q.key("scheduled"), {"delayed": 77})
    q.silence()
    before = q.dump()
    reply = q.call(scripts.promote(q.name, limit=100))
    assert reply == Promoted(reply.now_ms, promoted=2, more=0)
    after = q.dump()
    assert after.pop("queued") == {"retry": 0, "delayed": 5 * PRIORITY_STEP + 77}
    assert after.pop("bell") == [b"1"]
    del before["retrying"], before["scheduled"]["delayed"]
    assert after == before


def test_a_repeated_promote_finds_nothing_and_writes_nothing(q: QueueState) -> None:
    q.enqueue("a", delay_ms=60_000)
    q.make_due("scheduled", "a")
    first, again = q.twice(scripts.promote(q.name, limit=1))
    assert (first.promoted, again.promoted) == (1, 0)


def test_nothing_due_writes_nothing(q: QueueState) -> None:
    q.enqueue("a", delay_ms=60_000)
    q.run("b")
    q.fail("b")
    q.enqueue("c")
    before = q.dump()
    reply = q.promote()
    assert reply == Promoted(reply.now_ms, 0, 0)
    assert q.dump() == before


def test_an_empty_queue_stays_without_keys(q: QueueState) -> None:
    reply = q.promote()
    assert reply == Promoted(reply.now_ms, 0, 0)
    assert q.dump() == {}


@pytest.mark.parametrize("part", ["scheduled", "retrying"])
def test_no_more_than_the_limit_of_each_set_moves_and_more_is_told(
    q: QueueState, part: str
) -> None:
    ids = ["a", "b", "c"]
    if part == "scheduled":
        q.enqueue(*ids, delay_ms=60_000)
    else:
        q.run(*ids)
        q.fail(*ids)
    q.make_due(part, *ids)
    told = [(reply.promoted, reply.more) for reply in (q.promote(2), q.promote(2), q.promote(2))]
    assert told == [(2, 1), (1, 0), (0, 0)]
    assert q.order("queued") == ids


def test_the_limit_holds_for_each_set_by_itself(q: QueueState) -> None:
    q.run("r1", "r2")
    q.fail("r1", "r2")
    q.enqueue("s1", "s2", delay_ms=60_000)
    q.make_due("retrying", "r1", "r2")
    q.make_due("scheduled", "s1", "s2")
    reply = q.promote(1)
    assert (reply.promoted, reply.more) == (2, 1)
    assert q.order("queued") == ["r1", "s1"]


def test_the_longest_due_is_promoted_first(q: QueueState) -> None:
    q.enqueue("a", "b", "c", delay_ms=60_000)
    q.raw.zadd(q.key("scheduled"), {"a": 3, "b": 1, "c": 2})
    assert q.promote(2).promoted == 2
    assert q.order("queued") == ["b", "c"]


def test_a_promoted_job_keeps_its_tries(q: QueueState) -> None:
    q.run("a")
    q.fail("a")
    tries = q.tries("a")
    q.make_due("retrying", "a")
    q.promote()
    assert q.tries("a") == tries
    assert q.claim("t2").answers[0].attempt == 2


def test_a_paused_queue_is_promoted_too(q: QueueState) -> None:
    q.enqueue("a", delay_ms=60_000)
    q.make_due("scheduled", "a")
    q.configure(paused=1)
    assert q.promote().promoted == 1
    assert q.states("a") == ["queued"]


def test_an_entry_without_a_record_is_dropped_and_counted(q: QueueState) -> None:
    q.enqueue("a", "b", delay_ms=60_000)
    q.make_due("scheduled", "a", "b")
    q.raw.hdel(q.key("jobs"), "a")
    q.promote()
    assert q.order("queued") == ["b"]
    assert (q.read("scheduled"), q.stat("missing")) == (None, 1)


def test_five_hundred_jobs_are_promoted_at_once(q: QueueState) -> None:
    ids = [f"j{n:03d}" for n in range(500)]
    q.enqueue(*ids, delay_ms=60_000)
    q.make_due("scheduled", *ids)
    reply = q.promote(500)
    assert (reply.promoted, reply.more) == (500, 0)
    assert q.order("queued") == ids
