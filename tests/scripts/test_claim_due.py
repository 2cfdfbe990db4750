"""What a claim does before it takes jobs: whoever knows no other verb still sees all move on."""

import pytest
from queue_keys import PRIORITY_STEP
from queue_state import QueueState

from boltq.scripts import Empty


def test_a_claim_hands_out_what_has_just_become_due(q: QueueState) -> None:
    q.run("retry")
    q.fail("retry")
    q.enqueue("delayed", delay_ms=60_000, priority=9)
    q.make_due("retrying", "retry")
    q.make_due("scheduled", "delayed")
    assert q.claimed("t2") == ["delayed", "retry"]


def test_a_claim_moves_a_hundred_of_each_kind_at_most(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(150)]
    q.enqueue(*ids, delay_ms=60_000)
    q.make_due("scheduled", *ids)
    assert len(q.claimed("t1", limit=500)) == 100
    assert len(q.read("scheduled")) == 50
    q.make_due("running", *q.order("running"))
    assert len(q.claimed("t2", limit=500)) == 50
    assert q.stat("lost") == 100
    assert len(q.read("retrying")) == 100


def test_a_claim_trims_what_is_past_its_time(q: QueueState) -> None:
    for n, end in enumerate(["completed", "dead", "cancelled"]):
        q.run(end, token=f"t{n}")
        if end == "completed":
            q.ack(end, token=f"t{n}")
        elif end == "dead":
            q.fail(end, token=f"t{n}", final=1)
        else:
            q.cancel(end)
            q.release(end, token=f"t{n}")
        q.make_due(end, end)
    q.claim("t9")
    left = q.dump()
    assert not set(left) & {"jobs", "outcomes", "tries", "completed", "dead", "cancelled"}
    assert (q.stat("trimmed"), q.stat("dead_trimmed")) == (2, 1)


def test_a_claim_forgets_the_claims_whose_leases_have_ended(q: QueueState) -> None:
    q.corrupted = True
    q.run("a", token="t1")
    q.run("b", token="t2")
    q.make_due("claim_ends", "t1")
    q.claim("t3")
    assert q.read("claims") == {"t2": b"b"}
    assert set(q.read("claim_ends")) == {"t2"}


def test_an_entry_without_a_record_is_dropped_and_counted(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    q.raw.hdel(q.key("jobs"), "a", "c")
    q.silence()
    reply = q.claim("t1")
    assert ([job.id for job in reply.answers], reply.more) == (["b"], 0)
    assert (q.read("queued"), q.read("bell")) == (None, None)
    assert q.stat("missing") == 2


def test_a_queue_of_entries_without_records_is_empty_and_looked_at_again_at_once(
    q: QueueState,
) -> None:
    q.corrupted = True
    q.enqueue("a", "b")
    q.raw.delete(q.key("jobs"))
    reply = q.claim("t1", limit=1)
    assert reply == Empty(reply.now_ms, 0)
    assert q.order("queued") == ["b"]


@pytest.mark.parametrize(
    ("end", "settings", "kept"),
    [
        ("dead", {"keep_dead": 1}, ["j3"]),
        ("dead", {"keep_dead_ms": 0}, []),
        ("cancelled", {"keep_cancelled": 1}, ["j3"]),
        ("cancelled", {"keep_cancelled_ms": 0}, []),
    ],
)
def test_what_a_claim_itself_ends_is_bounded_where_nobody_else_reaps(
    q: QueueState, end: str, settings: dict[str, int], kept: list[str]
) -> None:
    q.configure(**settings)
    for n in range(4):
        q.run(f"j{n}", token=f"t{n}", max_lost=0)
        if end == "cancelled":
            q.cancel(f"j{n}")
        q.make_due("running", f"j{n}")
        q.claim(f"empty{n}")
        assert len(q.order(end)) == len(kept)
    assert q.order(end) == kept
    assert set(q.read("jobs") or ()) == set(q.read("outcomes") or ()) == set(kept)


def test_a_claim_that_reaps_takes_numbers_after_those_of_what_it_reaped(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.make_due("running", "a")
    (job,) = q.claim("t2").answers
    lease = q.lease("a")
    assert lease
    assert lease.place % PRIORITY_STEP < job.fence <= q.stat("stamp")
