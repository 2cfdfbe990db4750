import pytest
from queue_keys import stamp_of
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.scripts import ExtendHeld, ExtendItem, ExtendLeaseLost, ExtendUnknown

LOST, UNKNOWN = ExtendLeaseLost(), ExtendUnknown()


def test_an_extended_lease_ends_that_much_later_and_its_claim_is_remembered(q: QueueState) -> None:
    q.run("a", "b")
    before = q.dump()
    reply = q.call(scripts.extend(q.name, [ExtendItem("a", "t1")], lease_ms=60_000))
    assert reply.answers == [ExtendHeld(reply.now_ms + 60_000, 0)]
    after = q.dump()
    assert after["running"].pop("a") == stamp_of(reply.now_ms + 60_000)
    assert after.pop("claim_ends") == {"t1": stamp_of(reply.now_ms + 60_000)}
    del before["running"]["a"], before["claim_ends"]
    assert after == before


def test_a_lease_is_never_shortened(q: QueueState) -> None:
    q.run("a", claim={"lease_ms": 60_000})
    before = q.dump()
    (held,) = q.extend("a", lease_ms=100)
    assert q.dump() == before
    score = before["running"]["a"]
    assert stamp_of(held.lease_end_ms) <= score < stamp_of(held.lease_end_ms + 1)


def test_a_repeated_extend_holds_the_lease_at_least_as_long(q: QueueState) -> None:
    q.run("a")
    call = scripts.extend(q.name, [ExtendItem("a", "t1")], lease_ms=50_000)
    (first,), left = q.call(call).answers, q.dump()
    (again,) = q.call(call).answers
    assert first.lease_end_ms <= again.lease_end_ms <= first.lease_end_ms + 2000
    after = q.dump()
    for part in ("running", "claim_ends"):
        assert min(after.pop(part).values()) >= min(left.pop(part).values())
    assert after == left


def test_the_lease_may_be_given_its_longest_from_now(q: QueueState) -> None:
    q.run("a")
    reply = q.call(scripts.extend(q.name, [ExtendItem("a", "t1")], lease_ms=86_400_000))
    assert reply.answers[0].lease_end_ms == reply.now_ms + 86_400_000


def test_extend_tells_that_a_cancel_was_asked(q: QueueState) -> None:
    q.run("a", "b")
    q.cancel("b")
    assert [held.cancel for held in q.extend("a", "b")] == [0, 1]
    assert [held.cancel for held in q.extend("b", "a")] == [1, 0]
    assert q.states("b") == ["running"]


def test_each_job_of_a_batch_has_its_own_answer(q: QueueState) -> None:
    q.run("held", "done", "failed", "lapsed", "given-back", token="t1")
    q.ack("done")
    q.fail("failed")
    q.release("given-back", delay_ms=1000)
    q.run("others", token="t2")
    q.enqueue("waiting")
    q.make_due("running", "lapsed")
    before = q.dump()
    given = ["nothing", "lapsed", "held", "done", "failed", "given-back", "others", "waiting"]
    answers = q.extend(*given, lease_ms=40_000)
    assert [answer for answer in answers if not isinstance(answer, ExtendHeld)] == [
        *(UNKNOWN, LOST, LOST, LOST, LOST, LOST, LOST)
    ]
    assert isinstance(answers[2], ExtendHeld)
    after = q.dump()
    assert after["running"].pop("held") > before["running"].pop("held")
    assert after["claim_ends"].pop("t1") > before["claim_ends"].pop("t1")
    assert after == before


def test_a_job_twice_in_a_batch_is_held_twice(q: QueueState) -> None:
    q.run("a")
    items = [ExtendItem("a", "t1"), ExtendItem("a", "t2"), ExtendItem("a", "t1")]
    reply = q.call(scripts.extend(q.name, items, lease_ms=40_000))
    held = ExtendHeld(reply.now_ms + 40_000, 0)
    assert reply.answers == [held, LOST, held]


def test_a_lease_that_ran_out_is_not_revived_though_nobody_has_reaped_it(q: QueueState) -> None:
    q.run("a")
    q.make_due("running", "a")
    before = q.dump()
    assert q.extend("a") == [LOST]
    assert q.dump() == before
    assert q.reap().reaped == 1


def test_a_job_that_was_not_to_be_kept_is_unknown(q: QueueState) -> None:
    q.run("a", retention_ms=0)
    q.ack("a")
    assert q.extend("a") == [UNKNOWN]


@pytest.mark.parametrize("token", ["t", "t11", "T1", "t1."])
def test_only_the_very_token_holds_the_lease(q: QueueState, token: str) -> None:
    q.run("a")
    assert q.extend("a", token=token) == [LOST]


def test_an_extended_job_can_be_acked_after_its_first_end(q: QueueState) -> None:
    q.run("a", claim={"lease_ms": 100})
    first_end = q.read("running")["a"]
    q.extend("a", lease_ms=40_000)
    until(lambda: stamp_of(q.now_ms()) > first_end)
    assert q.reap().reaped == 0
    assert q.ack("a") == [scripts.AckDone()]
