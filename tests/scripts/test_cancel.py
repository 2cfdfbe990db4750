"""cancel: jobs that rest are taken out, those that run are asked to stop."""

import pytest
from queue_keys import HOUR_MS, stamp_of
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import CancelAlready, CancelAsked, CancelFinished, CancelGone, CancelUnknown


def rest(q: QueueState, state: str, id: str = "a") -> None:
    """Bring a job to a state in which it rests before its end."""
    if state == "retrying":
        q.run(id, token=f"run-{id}")
        q.fail(id, token=f"run-{id}", delay_ms=HOUR_MS)
    else:
        q.enqueue(id, delay_ms=HOUR_MS if state == "scheduled" else 0)
    assert q.states(id) == [state]
    q.silence()


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying"])
def test_a_job_that_rests_is_cancelled_at_once_and_kept_for_an_hour(
    q: QueueState, state: str
) -> None:
    rest(q, state)
    before = q.dump()
    reply = q.call(scripts.cancel(q.name, [scripts.CancelItem("a")]))
    assert reply.answers == [CancelGone()]
    assert q.states("a") == ["cancelled"]
    outcome = q.outcome("a")
    assert outcome is not None
    assert (outcome.how, outcome.at_ms, outcome.token) == ("cancel", reply.now_ms, "-")
    assert (outcome.attempt, outcome.worker, outcome.result) == (0, "", b"")
    after = q.dump()
    stamp = int(after["stats"].pop("stamp"))
    assert stamp > int(before["stats"].pop("stamp"))
    assert after.pop("cancelled") == {"a": stamp + HOUR_MS * 512}
    assert stamp_of(reply.now_ms) <= stamp < stamp_of(reply.now_ms + 1)
    assert list(after.pop("outcomes")) == ["a"]
    del before[state]
    before["stats"]["cancelled"] = b"1"
    assert after == before


def test_a_running_job_is_asked_and_nothing_else_of_it_changes(q: QueueState) -> None:
    q.run("a", "b", claim={"worker": "a worker 1 0 1"})
    before, lease = q.dump(), q.lease("a")
    assert lease is not None
    assert q.cancel("a") == [CancelAsked()]
    assert q.lease("a") == lease._replace(cancel=1)
    after = q.dump()
    assert after["leases"].pop("a") != before["leases"].pop("a")
    assert after == before


@pytest.mark.parametrize("state", ["completed", "dead"])
def test_a_job_that_has_ended_is_named_with_its_end(q: QueueState, state: str) -> None:
    q.run("a")
    _ = q.ack("a") if state == "completed" else q.fail("a", final=1)
    before = q.dump()
    assert q.cancel("a") == [CancelFinished(state)]
    assert q.dump() == before


def test_of_a_job_that_is_not_kept_nothing_is_known_and_nothing_written(q: QueueState) -> None:
    assert q.cancel("a", "a", "b") == [CancelUnknown()] * 3
    assert q.dump() == {}


def test_asking_twice_is_the_same_as_once(q: QueueState) -> None:
    rest(q, "retrying")
    rest(q, "scheduled", "b")
    q.run("c")
    call = scripts.cancel(q.name, [scripts.CancelItem(id) for id in "abcd"])
    first, second = q.twice(call)
    assert first.answers == [CancelGone(), CancelGone(), CancelAsked(), CancelUnknown()]
    assert second.answers == [CancelAlready(), CancelAlready(), CancelAsked(), CancelUnknown()]


def test_an_id_twice_in_a_batch_is_answered_as_if_sent_twice(q: QueueState) -> None:
    q.run("a")
    q.enqueue("b")
    answers = q.cancel("b", "a", "b", "a")
    assert answers == [CancelGone(), CancelAsked(), CancelAlready(), CancelAsked()]
    assert q.stat("cancelled") == 1


@pytest.mark.parametrize("limit", ["keep_cancelled", "keep_cancelled_ms"])
def test_where_nothing_is_kept_an_id_twice_in_a_batch_is_unknown_the_second_time(
    q: QueueState, limit: str
) -> None:
    q.configure(**{limit: 0})
    q.enqueue("a", payload=b"x" * 5000)
    assert q.cancel("a", "a") == [CancelGone(), CancelUnknown()]
    assert q.cancel("a") == [CancelUnknown()]
    assert set(q.dump()) == {"stats", "settings", "bell"}
    assert (q.stat("cancelled"), q.stat("trimmed")) == (1, 1)


def test_the_queue_says_how_long_and_how_many_cancelled_jobs_are_kept(q: QueueState) -> None:
    q.configure(keep_cancelled=2, keep_cancelled_ms=5000)
    rest(q, "retrying", "a")
    q.enqueue("b", "c", "d", payload=b"x" * 5000)
    assert q.cancel("a") == [CancelGone()]
    q.cancel("c", "b", "d")
    assert q.order("cancelled") == ["b", "d"]
    left = q.dump()
    for part in ("jobs", "payloads", "outcomes", "cancelled"):
        assert set(left[part]) == {"b", "d"}
    assert "tries" not in left
    assert (q.stat("cancelled"), q.stat("trimmed")) == (4, 2)
    assert left["cancelled"]["d"] == int(left["stats"]["stamp"]) + 5000 * 512


def test_cancelled_jobs_past_their_time_go_with_the_next_cancel(q: QueueState) -> None:
    q.enqueue("a", "b")
    q.cancel("a")
    q.make_due("cancelled", "a")
    q.cancel("b")
    assert q.order("cancelled") == ["b"]
    assert set(q.dump()["jobs"]) == {"b"}


def test_a_cancelled_job_is_not_claimed_and_its_neighbours_are(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    q.cancel("b")
    assert q.claimed() == ["a", "c"]
    assert q.claimed("t2") == []
