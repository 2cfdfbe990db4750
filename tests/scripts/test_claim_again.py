"""A claim that is sent again: its reply was lost, and nobody may lose or share a job for that."""

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import Claimed


def ids(reply: scripts.ClaimReply) -> list[str]:
    assert isinstance(reply, Claimed)
    return [job.id for job in reply.answers]


def test_a_repeated_claim_answers_the_same_and_writes_nothing(q: QueueState) -> None:
    q.enqueue("a", payload=b"\0\n", headers=b"h")
    q.enqueue("b", payload=bytes(5000))
    q.enqueue("c")
    first, again = q.twice(q.claim_call("t1", limit=2))
    assert isinstance(again, Claimed)
    assert again.answers == first.answers
    assert ids(again) == ["a", "b"]
    assert q.order("queued") == ["c"]


@pytest.mark.parametrize(
    "other",
    [
        {"limit": 1},
        {"limit": 500},
        {"max_bytes": 1},
        {"lease_ms": 86_400_000},
        {"lease_ms": 100},
        {"worker": "someone else"},
    ],
    ids=str,
)
def test_whatever_a_repeated_claim_asks_it_gets_what_it_holds(
    q: QueueState, other: dict[str, object]
) -> None:
    q.enqueue("a", "b", "c")
    first = q.claim("t1", limit=2)
    left = q.dump()
    assert q.claim("t1", **other).answers == first.answers
    assert q.dump() == left


def test_a_claim_is_repeated_also_when_the_queue_is_paused(q: QueueState) -> None:
    q.enqueue("a", "b")
    first = q.claim("t1", limit=1)
    q.configure(paused=1)
    left = q.dump()
    assert q.claim("t1").answers == first.answers
    assert q.dump() == left


def test_a_claim_is_remembered_for_as_long_as_a_lease_of_it_was_extended(q: QueueState) -> None:
    q.run("a", token="t1", claim={"lease_ms": 1000})
    q.extend("a", lease_ms=500_000)
    first_end = q.read("claim_ends")["t1"]
    assert first_end == q.read("running")["a"]
    q.enqueue("b")
    assert q.claimed("t2", limit=1) == ["b"]
    q.enqueue("c")
    assert ids(q.claim("t1")) == ["a"]
    assert q.order("queued") == ["c"]


def test_a_repeated_claim_moves_nothing_that_is_due(q: QueueState) -> None:
    q.run("lapsed", token="t0")
    q.run("a", token="t1")
    q.enqueue("delayed", delay_ms=60_000)
    q.make_due("running", "lapsed")
    q.make_due("scheduled", "delayed")
    left = q.dump()
    assert ids(q.claim("t1")) == ["a"]
    assert q.dump() == left


@pytest.mark.parametrize("end", ["ack", "fail", "release", "lapse", "reap"])
def test_a_repeated_claim_answers_only_what_is_still_leased_under_it(
    q: QueueState, end: str
) -> None:
    q.run("a", "b", "c")
    held = {job.id: job for job in q.claim("t1").answers}
    match end:
        case "ack":
            q.ack("b")
        case "fail":
            q.fail("b")
        case "release":
            q.release("b")
        case _:
            q.make_due("running", "b")
    if end == "reap":
        q.reap()
    again = q.claim("t1")
    assert ids(again) == ["a", "c"]
    assert again.answers == [held["a"], held["c"]]


def test_a_repeated_claim_may_answer_no_job_at_all(q: QueueState) -> None:
    q.run("a")
    q.ack("a")
    q.enqueue("b")
    reply = q.claim("t1")
    assert reply == Claimed(reply.now_ms, 0, [])
    assert q.states("b") == ["queued"]


def test_a_job_that_went_to_another_claim_is_not_answered_to_the_first(q: QueueState) -> None:
    q.run("a", "b")
    q.release("a")
    assert q.claimed("t2") == ["a"]
    assert ids(q.claim("t1")) == ["b"]
    assert ids(q.claim("t2")) == ["a"]
    assert (q.lease("a").token, q.lease("b").token) == ("t2", "t1")


def test_a_token_that_begins_like_another_is_another(q: QueueState) -> None:
    q.run("a", token="t1")
    q.enqueue("b")
    assert q.claimed("t1.1") == ["b"]
    assert ids(q.claim("t1")) == ["a"]
    assert q.ack("b", token="t1") == [scripts.AckLeaseLost()]


def test_a_repeated_claim_tells_the_lease_as_it_has_been_extended(q: QueueState) -> None:
    q.run("a", "b", claim={"lease_ms": 1000})
    (held,) = q.extend("b", lease_ms=500_000)
    before = q.dump()
    again = {job.id: job.lease_end_ms for job in q.claim("t1").answers}
    assert again["b"] == held.lease_end_ms
    assert again["a"] < held.lease_end_ms - 400_000
    assert q.dump() == before


def test_a_repeated_claim_tells_the_attempt_and_the_fence_of_its_lease(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.fail("a")
    q.make_due("retrying", "a")
    first, again = q.twice(q.claim_call("t2"))
    (job,) = again.answers
    assert (job.attempt, job.failures, job.lost) == (2, 1, 0)
    assert job.fence == q.lease("a").fence
    assert again.answers == first.answers


def test_a_claim_that_found_nothing_may_find_something_when_it_is_repeated(q: QueueState) -> None:
    # Nothing was leased under the token, so nothing has to be remembered of it.
    assert q.claimed("t1") == []
    q.enqueue("a")
    assert q.claimed("t1") == ["a"]


def test_the_memory_of_a_claim_lasts_as_long_as_its_leases(q: QueueState) -> None:
    q.run("a", token="t1", claim={"lease_ms": 50_000})
    end = q.read("running")["a"]
    assert q.read("claim_ends") == {"t1": end}
    q.claim("t2")
    assert q.read("claims") == {"t1": b"a"}
