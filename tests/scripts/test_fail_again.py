"""A failure that is reported again, by its own lease or by one that was lost."""

from typing import Any

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import (
    FailAlready,
    FailCancelled,
    FailDead,
    FailItem,
    FailLeaseLost,
    FailRetrying,
    FailUnknown,
)

DEAD, CANCELLED, ALREADY = FailDead(), FailCancelled(), FailAlready()
LOST, UNKNOWN = FailLeaseLost(), FailUnknown()


def fail_item(id: str = "a", token: str = "t1", **other: Any) -> FailItem:
    item = FailItem(id, token, b"ValueError", b"no", b"line 1", delay_ms="", final=0)
    return item._replace(**other)


@pytest.mark.parametrize("options", [{}, {"max_attempts": 1}], ids=["retried", "dead"])
def test_a_repeated_fail_is_answered_already_and_uses_no_attempt(
    q: QueueState, options: dict[str, int]
) -> None:
    q.run("a", "b", **options)
    _, again = q.twice(scripts.fail(q.name, [fail_item("a"), fail_item("b")]))
    assert again.answers == [ALREADY, ALREADY]
    assert q.tries("a").failures == 1


def test_a_fail_is_repeated_also_while_the_next_try_runs(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.fail("a")
    assert q.claimed("t2") == ["a"]
    before = q.dump()
    assert q.fail("a") == [ALREADY]
    assert q.dump() == before
    q.ack("a", token="t2")
    assert q.fail("a") == [LOST]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["t1", "t1"], [FailRetrying, FailAlready]),
        (["t1", "t2"], [FailRetrying, FailLeaseLost]),
        (["t2", "t1", "t1"], [FailLeaseLost, FailRetrying, FailAlready]),
    ],
)
def test_a_job_twice_in_a_batch_is_answered_as_if_sent_one_after_the_other(
    q: QueueState, tokens: list[str], expected: list[type]
) -> None:
    q.run("a")
    reply = q.call(scripts.fail(q.name, [fail_item("a", token) for token in tokens]))
    assert [type(answer) for answer in reply.answers] == expected
    assert q.tries("a").failures == q.stat("failed") == 1


def test_each_job_of_a_batch_has_its_own_answer(q: QueueState) -> None:
    q.run("retried", "last", "done", "lapsed", "asked", token="t1", max_attempts=2)
    q.run("others", token="t2")
    q.enqueue("waiting")
    q.ack("done")
    q.cancel("asked")
    q.make_due("running", "lapsed")
    given = ["nothing", "retried", "last", "done", "lapsed", "asked", "others", "waiting"]
    items = [fail_item(id, final=int(id == "last")) for id in given]
    answers = q.call(scripts.fail(q.name, items)).answers
    assert isinstance(answers.pop(1), FailRetrying)
    assert answers == [UNKNOWN, DEAD, LOST, LOST, CANCELLED, LOST, LOST]
    assert {id: q.states(id) for id in given[1:]} == {
        "retried": ["retrying"],
        "last": ["dead"],
        "done": ["completed"],
        "lapsed": ["running"],
        "asked": ["cancelled"],
        "others": ["running"],
        "waiting": ["queued"],
    }


@pytest.mark.parametrize("end", ["lapse", "reap", "ack", "release", "other-claim"])
def test_a_fail_from_a_lost_lease_is_refused_and_leaves_the_job_alone(
    q: QueueState, end: str
) -> None:
    q.run("a", base_ms=0)
    if end in ("lapse", "reap", "other-claim"):
        q.make_due("running", "a")
    match end:
        case "reap":
            q.reap()
        case "ack":
            q.ack("a")
        case "release":
            q.release("a")
        case "other-claim":
            assert q.claimed("t2") == ["a"]
    before = q.dump()
    assert q.fail("a") == [LOST]
    assert q.dump() == before


@pytest.mark.parametrize("verb", ["fail", "release"])
def test_a_report_is_repeated_also_when_the_job_was_cancelled_since(
    q: QueueState, verb: str
) -> None:
    q.run("a")
    getattr(q, verb)("a")
    q.cancel("a")
    assert q.states("a") == ["cancelled"]
    before = q.dump()
    (answer,) = getattr(q, verb)("a")
    assert type(answer).__name__ == f"{verb.capitalize()}Already"
    assert q.ack("a") == [scripts.AckLeaseLost()]
    assert q.dump() == before


def test_a_job_twice_in_a_batch_of_which_nothing_is_kept_is_unknown_the_second_time(
    q: QueueState,
) -> None:
    q.configure(keep_dead=0, keep_cancelled=0)
    q.run("a", "b")
    q.cancel("b")
    items = [fail_item("a", final=1), fail_item("b"), fail_item("a", final=1), fail_item("b")]
    reply = q.call(scripts.fail(q.name, items))
    assert reply.answers == [DEAD, CANCELLED, UNKNOWN, UNKNOWN]
    assert "jobs" not in q.dump()
