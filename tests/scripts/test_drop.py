"""drop: an empty queue goes with all its keys; one that keeps a job stays as it is."""

import pytest
from queue_keys import HOUR_MS, STATES
from queue_state import QueueState

from boltq import scripts


def emptied(q: QueueState) -> None:
    """Leave a key of each part that an empty queue can have."""
    q.configure(job_priority=7)
    q.run("a")
    q.ack("a")
    q.enqueue("b")
    q.call(q.operate_call("purge", "dead"))
    for state in ("completed", "queued"):
        q.call(scripts.purge(q.name, [], state=state, limit=10, cursor=""))
    assert set(q.dump()) >= {"settings", "stats", "operations", "claims", "claim_ends", "bell"}


def later_stamp(q: QueueState) -> None:
    """Let the clock be past the last stamp."""
    q.raw.hincrby(q.key("stats"), "stamp", -HOUR_MS * 512)


def test_an_empty_queue_goes_whole(q: QueueState) -> None:
    emptied(q)
    later_stamp(q)
    reply, _ = q.twice(scripts.drop(q.name))
    assert isinstance(reply, scripts.Dropped)
    assert q.dump() == {}


def test_a_queue_that_was_never_there_is_dropped_too(q: QueueState) -> None:
    assert isinstance(q.call(scripts.drop(q.name)), scripts.Dropped)
    assert q.dump() == {}


@pytest.mark.parametrize("state", STATES)
def test_a_queue_that_keeps_a_job_stays_as_it_is(q: QueueState, state: str) -> None:
    if state in ("queued", "scheduled", "cancelled"):
        q.enqueue("a", delay_ms=HOUR_MS if state == "scheduled" else 0)
    else:
        q.run("a")
    if state == "cancelled":
        q.cancel("a")
    if state == "completed":
        q.ack("a")
    if state in ("retrying", "dead"):
        q.fail("a", final=int(state == "dead"))
    assert q.order(state) == ["a"]
    before = q.dump()
    reply = q.call(scripts.drop(q.name))
    assert isinstance(reply, scripts.NotEmpty)
    assert reply.jobs == 1
    assert q.dump() == before


def test_a_job_in_no_set_and_one_without_a_record_are_jobs_that_are_kept(q: QueueState) -> None:
    q.corrupted = True
    q.raw.hset(q.key("jobs"), "a", "x")
    assert q.send("drop")[0] == b"NOT_EMPTY"
    q.raw.delete(q.key("jobs"))
    for state in STATES:
        q.raw.zadd(q.key(state), {"a": 1, "b": 2})
        assert q.send("drop")[2] == 2
        q.raw.delete(q.key(state))
    assert q.send("drop")[0] == b"DROPPED"


def test_the_stamp_stays_where_the_clock_would_not_go_on_from_it(q: QueueState) -> None:
    emptied(q)
    q.raw.hincrby(q.key("stats"), "stamp", HOUR_MS * 512)
    stamp = q.dump()["stats"]["stamp"]
    q.call(scripts.drop(q.name))
    assert q.dump() == {"stats": {"stamp": stamp}}
    q.enqueue("a")
    assert int(q.dump()["stats"]["stamp"]) > int(stamp)


def test_what_a_lost_worker_reports_after_it_finds_nothing(q: QueueState) -> None:
    q.run("a", "b")
    q.ack("a", "b")
    q.call(scripts.purge(q.name, [], state="completed", limit=10, cursor=""))
    q.call(scripts.drop(q.name))
    assert isinstance(q.ack("a")[0], scripts.AckUnknown)
    assert q.claimed("t1") == []
