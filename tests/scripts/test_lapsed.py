"""A lease holds until its end and not a moment longer, whether or not anybody has reaped it."""

import pytest
from queue_keys import stamp_of
from queue_state import QueueState
from servers import until

VERBS = ["ack", "fail", "extend", "release"]


def lease_ends(q: QueueState, score: int) -> None:
    q.raw.zadd(q.key("running"), {"a": score})


@pytest.mark.parametrize("verb", VERBS)
def test_a_lease_that_ended_a_moment_ago_is_lost(q: QueueState, verb: str) -> None:
    q.run("a", "b")
    lease_ends(q, stamp_of(q.now_ms()) - 1)
    before = q.dump()
    (answer,) = getattr(q, verb)("a")
    assert type(answer).__name__ == f"{verb.capitalize()}LeaseLost"
    assert q.dump() == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_lease_that_ends_soon_is_held_also_when_another_has_run_out(
    q: QueueState, verb: str
) -> None:
    q.run("a", "lapsed")
    lease_ends(q, stamp_of(q.now_ms() + 5000))
    q.make_due("running", "lapsed")
    held, lost = getattr(q, verb)("a", "lapsed")
    assert type(held) is not type(lost)
    assert type(lost).__name__ == f"{verb.capitalize()}LeaseLost"


@pytest.mark.parametrize("verb", ["reap", "claim"])
def test_what_ended_a_moment_ago_is_reaped_and_what_ends_soon_is_not(
    q: QueueState, verb: str
) -> None:
    q.run("a")
    lease_ends(q, stamp_of(q.now_ms() + 5000))
    _ = q.reap() if verb == "reap" else q.claim("t2")
    assert q.states("a") == ["running"]
    lease_ends(q, stamp_of(q.now_ms()) - 1)
    _ = q.reap() if verb == "reap" else q.claim("t3")
    assert q.states("a") == ["retrying"]


@pytest.mark.parametrize("part", ["scheduled", "retrying"])
@pytest.mark.parametrize("verb", ["promote", "claim"])
def test_what_is_due_is_queued_and_what_is_due_soon_is_not(
    q: QueueState, part: str, verb: str
) -> None:
    q.enqueue("a", delay_ms=60_000 if part == "scheduled" else 0)
    if part == "retrying":
        q.claim("t1")
        q.fail("a", delay_ms=60_000)
    q.raw.zadd(q.key(part), {"a": stamp_of(q.now_ms() + 5000)})
    _ = q.promote() if verb == "promote" else q.claim("t2")
    assert q.states("a") == [part]
    q.raw.zadd(q.key(part), {"a": stamp_of(q.now_ms())})
    _ = q.promote() if verb == "promote" else q.claim("t3")
    assert q.states("a") == ["queued" if verb == "promote" else "running"]


def test_a_lease_runs_out_by_the_clock_of_the_server(q: QueueState) -> None:
    q.run("a", claim={"lease_ms": 100})
    end = q.read("running")["a"]
    until(lambda: stamp_of(q.now_ms()) > end)
    assert q.reap().reaped == 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("token", ["t1", "t123", "T12"])
def test_a_token_is_the_whole_token_and_not_how_one_begins(
    q: QueueState, verb: str, token: str
) -> None:
    q.run("a", token="t12")
    before = q.dump()
    (answer,) = getattr(q, verb)("a", token=token)
    assert type(answer).__name__ == f"{verb.capitalize()}LeaseLost"
    assert q.dump() == before


@pytest.mark.parametrize("record", [b"", b"{", b"[1]", b"null\n", b'{"type":"echo"'])
@pytest.mark.parametrize("verb", ["reap", "fail"])
def test_a_job_whose_record_was_damaged_is_tried_again_by_the_defaults(
    q: QueueState, record: bytes, verb: str
) -> None:
    q.corrupted = True
    q.run("a")
    q.raw.hset(q.key("jobs"), "a", record)
    if verb == "fail":
        q.fail("a")
    else:
        q.make_due("running", "a")
        assert q.reap().reaped == 1
    assert q.states("a") == ["retrying"]
    q.make_due("retrying", "a")
    q.enqueue("b")
    assert sorted(q.claimed("t2") + q.claimed("t3")) == ["a", "b"]
