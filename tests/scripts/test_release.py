import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import (
    ReleaseAlready,
    ReleaseBack,
    ReleaseCancelled,
    ReleaseItem,
    ReleaseLeaseLost,
    ReleaseUnknown,
)

BACK, CANCELLED, ALREADY = ReleaseBack(), ReleaseCancelled(), ReleaseAlready()
LOST, UNKNOWN = ReleaseLeaseLost(), ReleaseUnknown()


def test_a_released_job_is_queued_at_its_old_place_and_no_attempt_is_used(q: QueueState) -> None:
    q.enqueue("a", payload=bytes(5000), priority=7)
    place = q.read("queued")
    q.claim("t1")
    q.silence()
    before = q.dump()
    reply = q.call(scripts.release(q.name, [ReleaseItem("a", "t1", 0)]))
    assert reply.answers == [BACK]
    tries = q.tries("a")
    assert tries == (0, 0, 0, 0, "t1", "release", [])
    after = q.dump()
    assert set(after.pop("tries")) == {"a"}
    assert after == {
        "jobs": before["jobs"],
        "payloads": before["payloads"],
        "queued": place,
        "claims": before["claims"],
        "claim_ends": before["claim_ends"],
        "stats": {"stamp": b"%d" % q.stat("stamp"), "enqueued": b"1"},
        "bell": [b"1"],
    }
    (job,) = q.claim("t2").answers
    assert (job.attempt, job.failures, job.lost) == (1, 0, 0)


def test_a_job_released_with_a_delay_is_scheduled(q: QueueState) -> None:
    q.run("a", "b", priority=9)
    assert q.release("a", "b", delay_ms=60_000) == [BACK, BACK]
    last = q.stat("stamp")
    assert q.read("scheduled") == {"a": last - 1 + 60_000 * 512, "b": last + 60_000 * 512}
    assert q.read("queued") is q.read("running") is q.read("leases") is None
    q.make_due("scheduled", "a", "b")
    assert q.claimed("t2") == ["a", "b"]


def test_each_item_has_a_delay_of_its_own(q: QueueState) -> None:
    q.run("a", "b", "c")
    items = [
        ReleaseItem("a", "t1", 0),
        ReleaseItem("b", "t1", 1),
        ReleaseItem("c", "t1", 315_360_000_000),
    ]
    assert q.call(scripts.release(q.name, items)).answers == [BACK] * 3
    last = q.stat("stamp")
    assert q.order("queued") == ["a"]
    assert q.read("scheduled") == {"b": last - 1 + 512, "c": last + 315_360_000_000 * 512}


@pytest.mark.parametrize("delay_ms", [0, 60_000])
def test_a_repeated_release_is_answered_already_and_writes_nothing(
    q: QueueState, delay_ms: int
) -> None:
    q.run("a", "b")
    items = [ReleaseItem(id, "t1", delay_ms) for id in "ab"]
    first, again = q.twice(scripts.release(q.name, items))
    assert (first.answers, again.answers) == ([BACK, BACK], [ALREADY, ALREADY])


def test_a_release_is_repeated_also_while_the_job_runs_elsewhere(q: QueueState) -> None:
    q.run("a")
    q.release("a")
    assert q.claimed("t2") == ["a"]
    before = q.dump()
    assert q.release("a") == [ALREADY]
    assert q.dump() == before
    q.ack("a", token="t2")
    assert q.release("a") == [LOST]


def test_a_job_twice_in_a_batch_is_answered_as_if_sent_one_after_the_other(q: QueueState) -> None:
    q.run("a")
    items = [ReleaseItem("a", token, 0) for token in ("t2", "t1", "t1", "t2")]
    assert q.call(scripts.release(q.name, items)).answers == [LOST, BACK, ALREADY, LOST]
    assert q.states("a") == ["queued"]


@pytest.mark.parametrize("delay_ms", [0, 60_000])
def test_a_job_whose_cancel_was_asked_ends_cancelled(q: QueueState, delay_ms: int) -> None:
    q.run("a", claim={"worker": "w 1"})
    lease = q.lease("a")
    q.cancel("a")
    q.silence()
    first, again = q.twice(scripts.release(q.name, [ReleaseItem("a", "t1", delay_ms)]))
    assert (first.answers, again.answers) == ([CANCELLED], [ALREADY])
    assert q.states("a") == ["cancelled"]
    assert q.read("cancelled") == {"a": q.stat("stamp") + HOUR_MS * 512}
    outcome = q.outcome("a")
    assert (outcome.how, outcome.at_ms, outcome.token) == ("release", first.now_ms, "t1")
    assert (outcome.claimed_ms, outcome.attempt, outcome.worker) == (lease.claimed_ms, 1, "w 1")
    assert (q.stat("cancelled"), q.tries("a").failures) == (1, 0)


@pytest.mark.parametrize("settings", [{"keep_cancelled": 0}, {"keep_cancelled_ms": 0}], ids=str)
def test_a_cancelled_job_that_is_not_to_be_kept_is_gone_at_once(
    q: QueueState, settings: dict[str, int]
) -> None:
    q.configure(**settings)
    q.run("a", payload=bytes(5000))
    q.cancel("a")
    first, again = q.twice(scripts.release(q.name, [ReleaseItem("a", "t1", 0)]))
    assert (first.answers, again.answers) == ([CANCELLED], [UNKNOWN])
    assert not set(q.dump()) - {"claims", "claim_ends", "stats", "settings", "bell"}
    assert (q.stat("cancelled"), q.stat("trimmed")) == (1, 1)


def test_each_job_of_a_batch_has_its_own_answer(q: QueueState) -> None:
    q.run("held", "done", "lapsed", "failed", "asked", token="t1")
    q.run("others", token="t2")
    q.ack("done")
    q.fail("failed")
    q.cancel("asked")
    q.make_due("running", "lapsed")
    q.enqueue("waiting")
    given = ["nothing", "done", "lapsed", "held", "failed", "asked", "others", "waiting"]
    assert q.release(*given) == [UNKNOWN, LOST, LOST, BACK, LOST, CANCELLED, LOST, LOST]
    assert {id: q.states(id) for id in given[1:]} == {
        "done": ["completed"],
        "lapsed": ["running"],
        "held": ["queued"],
        "failed": ["retrying"],
        "asked": ["cancelled"],
        "others": ["running"],
        "waiting": ["queued"],
    }


@pytest.mark.parametrize("end", ["lapse", "reap", "other-claim", "ack", "fail", "dead"])
def test_a_release_from_a_lost_lease_is_refused_and_leaves_the_job_alone(
    q: QueueState, end: str
) -> None:
    q.run("a", base_ms=0)
    if end in ("lapse", "reap", "other-claim"):
        q.make_due("running", "a")
    match end:
        case "reap":
            q.reap()
        case "other-claim":
            assert q.claimed("t2") == ["a"]
        case "ack":
            q.ack("a")
        case "fail" | "dead":
            q.fail("a", final=int(end == "dead"))
    before = q.dump()
    assert q.release("a") == [LOST]
    assert q.dump() == before


def test_a_job_that_lost_a_lease_is_handed_out_alone_also_after_a_release(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.make_due("running", "a")
    assert q.claimed("t2") == ["a"]
    q.enqueue("b")
    q.release("a", token="t2")
    assert q.claimed("t3") == ["a"]
    assert q.lease("a").attempt == 2


def test_five_hundred_jobs_are_released_at_once(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(500)]
    q.enqueue(*ids)
    places = q.read("queued")
    q.claim(limit=500)
    assert q.release(*ids) == [BACK] * 500
    assert q.read("queued") == places


def test_a_job_twice_in_a_batch_of_which_nothing_is_kept_is_unknown_the_second_time(
    q: QueueState,
) -> None:
    q.configure(keep_cancelled=0)
    q.run("a")
    q.cancel("a")
    items = [scripts.ReleaseItem("a", "t1", 0)] * 2
    reply = q.call(scripts.release(q.name, items))
    assert reply.answers == [scripts.ReleaseCancelled(), scripts.ReleaseUnknown()]
    assert "jobs" not in q.dump()
