"""A cancel and the report of a worker cross: whichever comes first, both hear the truth."""

from collections.abc import Callable

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import (
    AckAlready,
    AckDone,
    AckLeaseLost,
    CancelAlready,
    CancelAsked,
    CancelFinished,
    CancelGone,
    FailAlready,
    FailCancelled,
    FailDead,
    FailLeaseLost,
    FailRetrying,
    ReleaseAlready,
    ReleaseBack,
    ReleaseCancelled,
    ReleaseLeaseLost,
)

pytestmark = pytest.mark.everywhere


def reap(q: QueueState) -> None:
    q.make_due("running", "a")
    assert q.reap().reaped == 1


def test_ack_then_cancel(q: QueueState) -> None:
    q.run("a")
    assert q.ack("a") == [AckDone()]
    assert q.cancel("a") == [CancelFinished("completed")]
    assert q.ack("a") == [AckAlready()]
    assert q.states("a") == ["completed"]
    assert (q.stat("completed"), q.stat("cancelled")) == (1, 0)


def test_cancel_then_ack(q: QueueState) -> None:
    q.run("a")
    assert q.cancel("a") == [CancelAsked()]
    assert q.ack("a", result=b"done") == [AckDone()]
    assert q.cancel("a") == [CancelFinished("completed")]
    outcome = q.outcome("a")
    assert outcome is not None
    assert (outcome.how, outcome.result) == ("ack", b"done")
    assert (q.stat("completed"), q.stat("cancelled")) == (1, 0)


def test_fail_then_cancel(q: QueueState) -> None:
    q.run("a")
    (answer,) = q.fail("a")
    assert isinstance(answer, FailRetrying)
    assert q.cancel("a") == [CancelGone()]
    assert q.fail("a") == [FailAlready()]
    assert q.states("a") == ["cancelled"]
    assert (q.stat("failed"), q.stat("cancelled")) == (1, 1)


def test_the_last_fail_then_cancel(q: QueueState) -> None:
    q.run("a", max_attempts=1)
    assert q.fail("a") == [FailDead()]
    assert q.cancel("a") == [CancelFinished("dead")]
    assert q.states("a") == ["dead"]


@pytest.mark.parametrize("final", [0, 1])
def test_cancel_then_fail(q: QueueState, final: int) -> None:
    q.run("a")
    assert q.cancel("a") == [CancelAsked()]
    assert q.fail("a", final=final) == [FailCancelled()]
    assert q.fail("a", final=final) == [FailAlready()]
    assert q.cancel("a") == [CancelAlready()]
    outcome, tries = q.outcome("a"), q.tries("a")
    assert outcome is not None
    assert tries is not None
    assert (outcome.how, outcome.token, tries.failures, len(tries.errors)) == ("fail", "t1", 1, 1)
    assert (q.stat("failed"), q.stat("cancelled"), q.stat("died")) == (1, 1, 0)


@pytest.mark.parametrize("delay_ms", [0, 5000])
def test_release_then_cancel(q: QueueState, delay_ms: int) -> None:
    q.run("a")
    assert q.release("a", delay_ms=delay_ms) == [ReleaseBack()]
    assert q.cancel("a") == [CancelGone()]
    assert q.release("a", delay_ms=delay_ms) == [ReleaseAlready()]
    assert q.states("a") == ["cancelled"]


@pytest.mark.parametrize("delay_ms", [0, 5000])
def test_cancel_then_release(q: QueueState, delay_ms: int) -> None:
    q.run("a")
    assert q.cancel("a") == [CancelAsked()]
    assert q.release("a", delay_ms=delay_ms) == [ReleaseCancelled()]
    assert q.release("a", delay_ms=delay_ms) == [ReleaseAlready()]
    assert q.cancel("a") == [CancelAlready()]
    assert q.states("a") == ["cancelled"]
    assert q.stat("cancelled") == 1


def test_reap_then_cancel(q: QueueState) -> None:
    q.run("a")
    reap(q)
    assert q.cancel("a") == [CancelGone()]
    assert q.ack("a") == [AckLeaseLost()]
    assert q.states("a") == ["cancelled"]
    assert (q.stat("lost"), q.stat("cancelled")) == (1, 1)


def test_a_burial_by_reap_then_cancel(q: QueueState) -> None:
    q.run("a", max_lost=0)
    reap(q)
    assert q.cancel("a") == [CancelFinished("dead")]
    assert q.states("a") == ["dead"]


@pytest.mark.parametrize("options", [{}, {"max_lost": 0}, {"base_ms": 0}])
def test_cancel_then_reap(q: QueueState, options: dict[str, int]) -> None:
    q.run("a", **options)
    assert q.cancel("a") == [CancelAsked()]
    reap(q)
    assert q.cancel("a") == [CancelAlready()]
    outcome = q.outcome("a")
    assert outcome is not None
    assert (outcome.how, q.states("a")) == ("reap", ["cancelled"])
    assert (q.stat("lost"), q.stat("cancelled"), q.stat("died")) == (1, 1, 0)


def test_a_cancel_of_a_lease_that_ran_out_unseen_is_asked_and_reap_ends_it(q: QueueState) -> None:
    q.run("a")
    q.make_due("running", "a")
    assert q.cancel("a") == [CancelAsked()]
    assert q.ack("a") == [AckLeaseLost()]
    q.reap()
    assert q.states("a") == ["cancelled"]


LATE: dict[str, Callable[[QueueState], object]] = {
    "ack": lambda q: q.ack("a") == [AckLeaseLost()],
    "fail": lambda q: q.fail("a") == [FailLeaseLost()],
    "release": lambda q: q.release("a") == [ReleaseLeaseLost()],
}


@pytest.mark.parametrize("verb", LATE)
def test_a_late_report_after_cancel_and_reap_changes_nothing(q: QueueState, verb: str) -> None:
    q.run("a")
    q.cancel("a")
    reap(q)
    before = q.dump()
    assert LATE[verb](q)
    assert q.dump() == before


def test_a_cancel_asked_of_one_lease_is_not_asked_of_the_next(q: QueueState) -> None:
    q.run("a")
    q.cancel("a")
    q.fail("a")
    q.call(scripts.purge(q.name, [scripts.PurgeItem("a")], limit=1, cursor=""))
    q.run("a", token="t2")
    lease = q.lease("a")
    assert lease is not None
    assert lease.cancel == 0
