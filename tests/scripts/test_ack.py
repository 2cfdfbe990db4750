from typing import Any

import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.errors import TooLarge
from boltq.scripts import AckAlready, AckDone, AckItem, AckLeaseLost, AckUnknown

DONE, ALREADY, LOST, UNKNOWN = AckDone(), AckAlready(), AckLeaseLost(), AckUnknown()


def test_an_acked_job_is_completed_and_kept_with_its_outcome_for_an_hour(q: QueueState) -> None:
    q.run("a", claim={"worker": "host 1"})
    lease, before = q.lease("a"), q.dump()
    reply = q.call(scripts.ack(q.name, [AckItem("a", "t1", b'{"r":\n\x001}')]))
    assert reply.answers == [DONE]
    stamp = q.stat("stamp")
    outcome = q.outcome("a")
    assert (outcome.how, outcome.at_ms) == ("ack", reply.now_ms)
    assert (outcome.token, outcome.attempt, outcome.worker) == ("t1", 1, "host 1")
    assert outcome.claimed_ms == lease.claimed_ms
    assert outcome.result == b'{"r":\n\x001}'
    after = q.dump()
    assert set(after.pop("outcomes")) == {"a"}
    assert after == {
        "jobs": before["jobs"],
        "completed": {"a": stamp + HOUR_MS * 512},
        "claims": before["claims"],
        "claim_ends": before["claim_ends"],
        "stats": {"stamp": b"%d" % stamp, "enqueued": b"1", "completed": b"1"},
        "bell": [b"1"],
    }


def test_a_repeated_ack_is_answered_already_and_writes_nothing(q: QueueState) -> None:
    q.run("a", "b")
    items = [AckItem("a", "t1", b"1"), AckItem("b", "t1", b"2")]
    first, again = q.twice(scripts.ack(q.name, items))
    assert first.answers == [DONE, DONE]
    assert again.answers == [ALREADY, ALREADY]
    # Whatever the repeat says, the first result stays.
    assert q.ack("a", result=b"other") == [ALREADY]
    assert q.outcome("a").result == b"1"


def test_each_job_of_a_batch_has_its_own_answer(q: QueueState) -> None:
    q.run("held", "done", "lapsed", token="t1")
    q.run("others", token="t2")
    q.enqueue("waiting")
    q.ack("done")
    q.make_due("running", "lapsed")
    given = ["held", "nothing", "lapsed", "done", "others", "waiting"]
    assert q.ack(*given) == [DONE, UNKNOWN, LOST, ALREADY, LOST, LOST]
    assert {id: q.states(id) for id in given if id != "nothing"} == {
        "held": ["completed"],
        "lapsed": ["running"],
        "done": ["completed"],
        "others": ["running"],
        "waiting": ["queued"],
    }


@pytest.mark.parametrize(
    ("tokens", "answers"),
    [
        (["t1", "t1"], [DONE, ALREADY]),
        (["t1", "t1", "t1"], [DONE, ALREADY, ALREADY]),
        (["t1", "t2"], [DONE, LOST]),
        (["t2", "t1"], [LOST, DONE]),
        (["t2", "t1", "t2", "t1"], [LOST, DONE, LOST, ALREADY]),
    ],
)
def test_a_job_twice_in_a_batch_is_answered_as_if_sent_one_after_the_other(
    q: QueueState, tokens: list[str], answers: list[Any]
) -> None:
    q.run("a")
    reply = q.call(
        scripts.ack(q.name, [AckItem("a", token, b"%d" % n) for n, token in enumerate(tokens)])
    )
    assert reply.answers == answers
    assert q.outcome("a").result == b"%d" % tokens.index("t1")
    assert q.stat("completed") == 1


@pytest.mark.parametrize("end", ["lapse", "reap", "fail", "release", "other-claim"])
def test_an_ack_from_a_lost_lease_is_refused_and_leaves_the_job_alone(
    q: QueueState, end: str
) -> None:
    q.run("a", base_ms=0)
    match end:
        case "lapse":
            q.make_due("running", "a")
        case "reap":
            q.make_due("running", "a")
            q.reap()
        case "fail":
            q.fail("a")
        case "release":
            q.release("a")
        case "other-claim":
            q.make_due("running", "a")
            assert q.claimed("t2") == ["a"]
    before = q.dump()
    assert q.ack("a") == [LOST]
    assert q.dump() == before


def test_the_holder_acks_after_another_was_refused(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.make_due("running", "a")
    q.claim("t2")
    assert q.ack("a", token="t1") == [LOST]
    assert q.ack("a", token="t2") == [DONE]
    assert q.ack("a", token="t1") == [LOST]
    assert q.ack("a", token="t2") == [ALREADY]
    assert q.outcome("a").token == "t2"


def test_an_ack_of_a_job_that_ended_otherwise_under_the_same_lease_is_refused(
    q: QueueState,
) -> None:
    q.run("a", "b")
    q.fail("a", final=1)
    q.cancel("b")
    q.release("b")
    before = q.dump()
    assert q.ack("a", "b") == [LOST, LOST]
    assert q.dump() == before


def test_an_ack_wins_over_a_cancel_that_was_asked(q: QueueState) -> None:
    q.run("a")
    q.cancel("a")
    assert q.ack("a") == [DONE]
    assert q.states("a") == ["completed"]
    assert q.stat("cancelled") == 0


# --- how long, and how much, is kept


@pytest.mark.parametrize("how", ["of the job", "of the queue", "by number"])
def test_a_job_that_is_not_to_be_kept_is_gone_with_its_ack(q: QueueState, how: str) -> None:
    if how == "of the queue":
        q.configure(keep_completed_ms=0)
    if how == "by number":
        q.configure(keep_completed=0)
    q.enqueue("a", payload=bytes(5000), **({"retention_ms": 0} if how == "of the job" else {}))
    q.claim("t0")
    q.fail("a", token="t0", delay_ms=0)
    q.claim("t1")
    items = [AckItem("a", "t1", b"1"), AckItem("a", "t1", b"1"), AckItem("a", "t2", b"")]
    first, again = q.twice(scripts.ack(q.name, items))
    # For who repeats its own ack, unknown means settled.
    assert first.answers == [DONE, UNKNOWN, UNKNOWN]
    assert again.answers == [UNKNOWN] * 3
    assert q.stat("completed") == 1
    left = set(q.dump())
    assert left <= {"claims", "claim_ends", "stats", "settings", "bell"}


def test_a_job_is_kept_as_long_as_it_says_itself(q: QueueState) -> None:
    q.configure(keep_completed_ms=1000)
    q.run("own", token="t1", retention_ms=315_360_000_000)
    q.run("queues", token="t2")
    q.ack("own")
    own = q.stat("stamp")
    q.ack("queues", token="t2")
    assert q.read("completed") == {
        "own": own + 315_360_000_000 * 512,
        "queues": q.stat("stamp") + 1000 * 512,
    }


def test_the_oldest_completed_job_goes_when_there_are_too_many(q: QueueState) -> None:
    q.configure(keep_completed=1)
    q.run("a", "b", "c", payload=bytes(5000))
    assert q.ack("b") == [DONE]
    assert q.order("completed") == ["b"]
    assert q.ack("a", "c") == [DONE, DONE]
    assert q.order("completed") == ["c"]
    assert set(q.read("jobs")) == set(q.read("outcomes")) == {"c"}
    assert (q.stat("completed"), q.stat("trimmed")) == (3, 2)
    assert q.ack("b") == [UNKNOWN]


def test_an_ack_above_the_number_to_keep_forgets_all_jobs_past_their_time(q: QueueState) -> None:
    q.configure(keep_completed=2)
    q.run("old", "older", "new")
    q.ack("old", "older")
    q.make_due("completed", "old", "older")
    q.ack("new")
    assert q.order("completed") == ["new"]
    assert (set(q.read("jobs")), q.stat("trimmed")) == ({"new"}, 2)


def test_an_ack_leaves_jobs_past_their_time_to_the_next_claim(q: QueueState) -> None:
    q.run("old", "new")
    q.ack("old")
    q.make_due("completed", "old")
    q.ack("new")
    assert q.order("completed") == ["old", "new"]
    q.claim("t2")
    assert q.order("completed") == ["new"]


@pytest.mark.parametrize(("settings", "limit"), [({}, 65_536), ({"result_bytes": 3}, 3)])
def test_a_result_above_the_queues_limit_refuses_the_batch(
    q: QueueState, settings: dict[str, int], limit: int
) -> None:
    q.configure(**settings)
    q.run("a", "b")
    before = q.dump()
    items = [AckItem("a", "t1", bytes(limit)), AckItem("b", "t1", bytes(limit + 1))]
    with pytest.raises(TooLarge) as refused:
        q.call(scripts.ack(q.name, items))
    assert str(refused.value) == (
        f"item 2: result has {limit + 1} bytes, queue {q.name} takes at most {limit}"
    )
    assert q.dump() == before
    assert q.ack("a", "b", result=bytes(limit)) == [DONE, DONE]


def test_five_hundred_jobs_are_acked_at_once(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(500)]
    q.enqueue(*ids, payload=bytes(4097))
    q.claim(limit=500)
    assert q.ack(*ids) == [DONE] * 500
    assert q.order("completed") == ids
    assert q.read("running") is q.read("leases") is q.read("payloads") is None
