import pytest
from queue_keys import Lease, stamp_of
from queue_state import QueueState

from boltq.scripts import Claimed, ClaimJob, Empty, Paused


def test_a_claimed_job_is_handed_out_whole_and_leased(q: QueueState) -> None:
    q.enqueue("a", payload=b"[1]", headers=b"h", retention_ms=5)
    record, place = q.read("jobs"), q.read("queued")["a"]
    q.silence()
    reply = q.claim("t1", worker="host 1 \u00e9", lease_ms=30_000)
    fence = q.stat("stamp")
    end = fence + 30_000 * 512
    header = record["a"].split(b"\n")[0]
    assert reply == Claimed(
        now_ms=reply.now_ms,
        more=0,
        answers=[
            ClaimJob(
                *("a", header, b"h", b"[1]", 1, 0, 0, fence, reply.now_ms + 30_000, b"%d" % place)
            )
        ],
    )
    assert 0 <= fence - stamp_of(reply.now_ms) < 512
    assert q.lease("a") == Lease(
        *("t1", "5", fence, 1, reply.now_ms, place), cancel=0, worker="host 1 \u00e9"
    )
    left = q.dump()
    assert set(left.pop("leases")) == {"a"}
    assert left == {
        "jobs": record,
        "running": {"a": end},
        "claims": {"t1": b"a"},
        "claim_ends": {"t1": end},
        "stats": {"stamp": b"%d" % fence, "enqueued": b"1"},
    }


def test_a_claim_takes_no_more_than_its_limit_and_tells_that_more_are_left(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    reply = q.claim("t1", limit=2)
    assert isinstance(reply, Claimed)
    assert [job.id for job in reply.answers] == ["a", "b"]
    assert reply.more == 1
    assert q.order("queued") == ["c"]
    assert q.order("running") == ["a", "b"]
    assert q.read("claims") == {"t1": b"a b"}
    assert q.claim("t2", limit=2).more == 0
    assert q.read("claims") == {"t1": b"a b", "t2": b"c"}


def test_the_fence_of_each_job_is_its_own_and_grows(q: QueueState) -> None:
    q.enqueue("a", "b")
    fences = [job.fence for job in q.claim("t1").answers]
    assert fences == [q.stat("stamp") - 1, q.stat("stamp")]
    assert [q.lease(id).fence for id in "ab"] == fences
    assert q.read("claim_ends") == {"t1": q.read("running")["b"]}


def test_an_empty_queue_answers_empty_and_writes_nothing(q: QueueState) -> None:
    reply = q.claim()
    assert reply == Empty(reply.now_ms, wait_ms=60_000)
    assert q.dump() == {}


def test_five_hundred_jobs_can_be_claimed_at_once(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(501)]
    q.enqueue(*ids[:250], payload=b"x" * 5000)
    q.enqueue(*ids[250:])
    assert q.claimed(limit=500) == ids[:500]
    assert len(q.read("leases")) == len(q.read("running")) == 500


# --- how long to wait


@pytest.mark.parametrize("part", ["scheduled", "retrying", "running"])
def test_empty_tells_how_long_until_the_first_job_is_due(q: QueueState, part: str) -> None:
    if part == "scheduled":
        q.enqueue("a", delay_ms=20_000)
    else:
        q.run("a", claim={"lease_ms": 20_000})
    if part == "retrying":
        q.fail("a", delay_ms=20_000)
    due = q.read(part)["a"]
    reply = q.claim("t2")
    assert isinstance(reply, Empty)
    assert (
        stamp_of(reply.now_ms + reply.wait_ms) <= due < stamp_of(reply.now_ms + reply.wait_ms + 1)
    )
    assert 19_000 < reply.wait_ms <= 20_001


def test_the_wait_ends_with_the_first_of_all_that_are_due(q: QueueState) -> None:
    q.run("a", claim={"lease_ms": 50_000})
    q.enqueue("b", delay_ms=30_000)
    q.enqueue("c", delay_ms=40_000)
    reply = q.claim("t2")
    assert isinstance(reply, Empty)
    assert 29_000 < reply.wait_ms <= 30_001


def test_nobody_is_told_to_wait_longer_than_a_minute(q: QueueState) -> None:
    q.enqueue("a", delay_ms=90_000)
    reply = q.claim()
    assert reply == Empty(reply.now_ms, 60_000)


# --- pause


def test_a_paused_queue_hands_nothing_out_and_says_why(q: QueueState) -> None:
    q.enqueue("a")
    q.configure(paused=1, pause_reason="moving house", paused_by="me")
    before = q.dump()
    reply = q.claim()
    assert reply == Paused(reply.now_ms, 60_000, "moving house")
    assert q.dump() == before


def test_a_paused_queue_still_moves_what_is_due(q: QueueState) -> None:
    q.run("lapsed", "retry", base_ms=0)
    q.fail("retry")
    q.enqueue("delayed", delay_ms=60_000)
    q.make_due("running", "lapsed")
    q.make_due("scheduled", "delayed")
    q.make_due("retrying", "retry")
    q.configure(paused=1)
    reply = q.claim("t2")
    assert reply == Paused(reply.now_ms, 60_000, "")
    assert sorted(q.order("queued")) == ["delayed", "lapsed", "retry"]
    assert q.read("claims") == {"t1": b"lapsed retry"}
    q.configure(paused=0)
    assert [q.claimed(token) for token in ("t3", "t4")] == [["delayed", "retry"], ["lapsed"]]


def test_paused_tells_how_long_until_something_is_due(q: QueueState) -> None:
    q.enqueue("a", delay_ms=20_000)
    q.configure(paused=1)
    reply = q.claim()
    assert isinstance(reply, Paused)
    assert 19_000 < reply.wait_ms <= 20_001


# --- attempts


def test_the_attempt_counts_failures_and_lost_leases_and_not_releases(q: QueueState) -> None:
    q.enqueue("a", max_attempts=9, base_ms=0)
    told = []
    for n, end in enumerate(["fail", "release", "lapse", "fail", "lapse", "release", "ack"]):
        token = f"t{n}"
        (job,) = q.claim(token).answers
        told.append((job.attempt, job.failures, job.lost))
        assert q.lease("a").attempt == job.attempt
        if end == "fail":
            q.fail("a", token=token)
            q.make_due("retrying", "a")
        elif end == "release":
            q.release("a", token=token)
        elif end == "lapse":
            q.make_due("running", "a")
        else:
            q.ack("a", token=token)
    assert told == [(1, 0, 0), (2, 1, 0), (2, 1, 0), (3, 1, 1), (4, 2, 1), (5, 2, 2), (5, 2, 2)]
    assert q.outcome("a").attempt == 5


def test_a_claimed_job_tells_since_when_it_was_due_also_when_the_claim_is_repeated(
    q: QueueState,
) -> None:
    q.enqueue("urgent", priority=9)
    q.enqueue("later", delay_ms=60_000)
    q.make_due("scheduled", "later")
    due = q.read("scheduled")["later"]
    reply = q.claim("t1")
    assert isinstance(reply, Claimed)
    places = {job.id: int(job.queued_place) for job in reply.answers}
    assert places["later"] == (9 - 4) * 2**49 + due
    assert places["urgent"] < 2**49
    again = q.claim("t1")
    assert isinstance(again, Claimed)
    assert {job.id: int(job.queued_place) for job in again.answers} == places
