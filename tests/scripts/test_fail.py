from typing import Any

import pytest
from queue_keys import HOUR_MS, stamp_of
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import (
    FailAlready,
    FailCancelled,
    FailDead,
    FailItem,
    FailRetrying,
    FailUnknown,
)

DEAD, CANCELLED, ALREADY = FailDead(), FailCancelled(), FailAlready()
UNKNOWN = FailUnknown()
DEAD_MS = 90 * 24 * HOUR_MS


def fail_item(id: str = "a", token: str = "t1", **other: Any) -> FailItem:
    item = FailItem(id, token, b"ValueError", b"no", b"line 1", delay_ms="", final=0)
    return item._replace(**other)


def test_a_failed_job_is_retried_after_its_backoff_and_its_error_is_kept(q: QueueState) -> None:
    q.run("a", jitter=0, claim={"worker": "host 1"})
    before = q.dump()
    reply = q.call(scripts.fail(q.name, [fail_item()]))
    assert reply.answers == [FailRetrying(reply.now_ms + 1000)]
    stamp = q.stat("stamp")
    tries = q.tries("a")
    assert (tries.failures, tries.lost, tries.failures_ever, tries.lost_ever) == (1, 0, 1, 0)
    assert (tries.token, tries.how) == ("t1", "fail")
    assert tries.errors == [
        {
            "attempt": 1,
            "type": "ValueError",
            "message": "no",
            "stack": "line 1",
            "worker": "host 1",
            "at_ms": reply.now_ms,
        }
    ]
    after = q.dump()
    assert set(after.pop("tries")) == {"a"}
    assert after == {
        "jobs": before["jobs"],
        "retrying": {"a": stamp + 512_000},
        "claims": before["claims"],
        "claim_ends": before["claim_ends"],
        "stats": {"stamp": b"%d" % stamp, "enqueued": b"1", "failed": b"1"},
        "bell": [b"1"],
    }


def test_a_job_whose_attempts_are_used_up_is_dead_and_kept_for_ninety_days(q: QueueState) -> None:
    q.run("a", max_attempts=1, payload=bytes(5000), claim={"worker": "host 1"})
    lease, before = q.lease("a"), q.dump()
    reply = q.call(scripts.fail(q.name, [fail_item()]))
    assert reply.answers == [DEAD]
    stamp, outcome = q.stat("stamp"), q.outcome("a")
    assert (outcome.how, outcome.at_ms, outcome.result) == ("fail", reply.now_ms, b"")
    assert (outcome.token, outcome.attempt, outcome.worker) == ("t1", 1, "host 1")
    assert outcome.claimed_ms == lease.claimed_ms
    after = q.dump()
    assert set(after.pop("tries")) == set(after.pop("outcomes")) == {"a"}
    assert after == {
        "jobs": before["jobs"],
        "payloads": before["payloads"],
        "dead": {"a": stamp + DEAD_MS * 512},
        "claims": before["claims"],
        "claim_ends": before["claim_ends"],
        "stats": {"stamp": b"%d" % stamp, "enqueued": b"1", "failed": b"1", "died": b"1"},
        "bell": [b"1"],
    }


def test_a_job_is_tried_as_often_as_its_attempts_say_and_no_more(q: QueueState) -> None:
    q.enqueue("a", max_attempts=4, base_ms=0)
    answers = []
    while q.claimed(f"t{len(answers)}"):
        answers += q.fail("a", token=f"t{len(answers)}")
    assert [type(answer) for answer in answers] == [FailRetrying] * 3 + [FailDead]
    assert [error["attempt"] for error in q.tries("a").errors] == [1, 2, 3, 4]


def test_a_lost_lease_uses_no_attempt_but_counts_in_the_number_of_the_attempt(
    q: QueueState,
) -> None:
    q.enqueue("a", max_attempts=2, base_ms=0)
    for token in ("t1", "t2"):
        assert q.claimed(token) == ["a"]
        q.make_due("running", "a")
    assert q.claimed("t3") == ["a"]
    (answer,) = q.fail("a", token="t3")
    assert isinstance(answer, FailRetrying)
    assert q.claimed("t4") == ["a"]
    assert q.fail("a", token="t4") == [DEAD]
    assert [error["attempt"] for error in q.tries("a").errors] == [1, 2, 3, 4]
    assert (q.tries("a").failures, q.tries("a").lost) == (2, 2)


def test_a_final_failure_buries_the_job_whatever_attempts_are_left(q: QueueState) -> None:
    q.run("a", max_attempts=1000)
    assert q.fail("a", final=1, delay_ms=5) == [DEAD]
    assert q.states("a") == ["dead"]
    assert q.tries("a").failures == 1


@pytest.mark.parametrize("final", [0, 1])
def test_a_job_whose_cancel_was_asked_ends_cancelled(q: QueueState, final: int) -> None:
    q.run("a")
    q.cancel("a")
    first, again = q.twice(scripts.fail(q.name, [fail_item(final=final)]))
    assert (first.answers, again.answers) == ([CANCELLED], [ALREADY])
    assert q.read("cancelled") == {"a": q.stat("stamp") + HOUR_MS * 512}
    outcome = q.outcome("a")
    assert (outcome.how, outcome.token, outcome.attempt) == ("fail", "t1", 1)
    assert q.tries("a").failures == 1
    assert (q.stat("cancelled"), q.stat("failed"), q.stat("died")) == (1, 1, 0)
    assert q.states("a") == ["cancelled"]


# --- what is kept


def test_dead_jobs_above_their_number_go_oldest_first_and_are_counted(q: QueueState) -> None:
    q.configure(keep_dead=1)
    q.run("a", "b", "c", payload=bytes(5000))
    assert q.fail("b", final=1) == [DEAD]
    assert q.fail("a", "c", final=1) == [DEAD, DEAD]
    assert q.order("dead") == ["c"]
    kept = [set(q.read(part)) for part in ("jobs", "payloads", "tries", "outcomes")]
    assert kept == [{"c"}] * 4
    assert (q.stat("died"), q.stat("dead_trimmed"), q.stat("trimmed")) == (3, 2, 0)
    assert q.fail("a", "b", final=1) == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("settings", [{"keep_dead": 0}, {"keep_dead_ms": 0}], ids=str)
def test_dead_jobs_that_are_not_to_be_kept_are_gone_at_once(
    q: QueueState, settings: dict[str, int]
) -> None:
    q.configure(**settings)
    q.run("a", payload=bytes(5000))
    first, again = q.twice(scripts.fail(q.name, [fail_item(final=1), fail_item(final=1)]))
    assert (first.answers, again.answers) == ([DEAD, UNKNOWN], [UNKNOWN, UNKNOWN])
    assert set(q.dump()) == {"claims", "claim_ends", "stats", "settings", "bell"}


@pytest.mark.parametrize("settings", [{"keep_cancelled": 0}, {"keep_cancelled_ms": 0}], ids=str)
def test_cancelled_jobs_that_are_not_to_be_kept_are_gone_at_once(
    q: QueueState, settings: dict[str, int]
) -> None:
    q.configure(**settings)
    q.run("a", payload=bytes(5000))
    q.cancel("a")
    first, again = q.twice(scripts.fail(q.name, [fail_item()]))
    assert (first.answers, again.answers) == ([CANCELLED], [UNKNOWN])
    assert set(q.dump()) == {"claims", "claim_ends", "stats", "settings", "bell"}
    assert (q.stat("cancelled"), q.stat("trimmed")) == (1, 1)


def test_five_hundred_jobs_fail_at_once(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(500)]
    q.enqueue(*ids, jitter=0, base_ms=20_000)
    q.claim(limit=500)
    answers = q.fail(*ids)
    first = q.stat("stamp") - 499
    assert list(q.read("retrying").items()) == [
        (id, first + n + 20_000 * 512) for n, id in enumerate(ids)
    ]
    assert all(stamp_of(answer.run_at_ms) <= first + 500 + 20_000 * 512 for answer in answers)
