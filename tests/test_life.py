"""Every arrow in the picture of a job's life, one test each, on every kind of server."""

import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import (
    AckDone,
    CancelAsked,
    CancelGone,
    EnqueueCreated,
    FailCancelled,
    FailDead,
    FailRetrying,
    PurgeGone,
    ReleaseBack,
    ReleaseCancelled,
    ReplayQueued,
)

pytestmark = pytest.mark.everywhere

RESTING = ("scheduled", "queued", "retrying", "completed", "cancelled", "dead")


def bring_to(q: QueueState, state: str) -> None:
    """Bring the job `a` to a state; it is held under t1 if it runs."""
    q.enqueue("a", delay_ms=HOUR_MS if state == "scheduled" else 0, payload=b"x" * 5000)
    if state in ("running", "retrying", "completed", "dead"):
        assert q.claimed() == ["a"]
    if state == "retrying":
        q.fail("a", delay_ms=HOUR_MS)
    elif state == "completed":
        q.ack("a")
    elif state == "dead":
        q.fail("a", final=1)
    elif state == "cancelled":
        q.cancel("a")
    assert q.states("a") == [state]
    q.silence()


def test_enqueue_to_queued(q: QueueState) -> None:
    assert q.enqueue("a") == [EnqueueCreated("a")]
    assert q.states("a") == ["queued"]
    assert q.bell() == 1


def test_enqueue_with_a_delay_to_scheduled(q: QueueState) -> None:
    assert q.enqueue("a", delay_ms=HOUR_MS) == [EnqueueCreated("a")]
    assert q.states("a") == ["scheduled"]
    assert q.claimed() == []


@pytest.mark.parametrize("state", ["scheduled", "retrying"])
@pytest.mark.parametrize("by", ["promote", "claim"])
def test_a_job_whose_time_has_come_to_queued(q: QueueState, state: str, by: str) -> None:
    bring_to(q, state)
    q.make_due(state, "a")
    q.configure(paused=1)
    _ = q.promote() if by == "promote" else q.claim("t2")
    assert q.states("a") == ["queued"]


def test_queued_by_claim_to_running(q: QueueState) -> None:
    bring_to(q, "queued")
    assert q.claimed() == ["a"]
    assert q.states("a") == ["running"]
    lease = q.lease("a")
    assert lease is not None
    assert lease.token == "t1"


def test_running_by_ack_to_completed(q: QueueState) -> None:
    bring_to(q, "running")
    assert q.ack("a") == [AckDone()]
    assert q.states("a") == ["completed"]
    assert q.lease("a") is None


def test_running_by_ack_to_nothing_where_nothing_is_to_be_kept(q: QueueState) -> None:
    q.run("a", retention_ms=0)
    assert q.ack("a") == [AckDone()]
    assert not {"jobs", "outcomes", "running", "leases", "completed"} & set(q.dump())


def test_running_by_fail_to_retrying(q: QueueState) -> None:
    bring_to(q, "running")
    (answer,) = q.fail("a")
    assert isinstance(answer, FailRetrying)
    assert q.states("a") == ["retrying"]
    assert q.claimed("t2") == []


def test_running_by_fail_to_dead_when_the_attempts_are_used_up(q: QueueState) -> None:
    q.enqueue("a", max_attempts=3)
    for attempt in (1, 2, 3):
        assert q.claimed(f"t{attempt}") == ["a"]
        (answer,) = q.fail("a", token=f"t{attempt}")
        if attempt < 3:
            q.make_due("retrying", "a")
    assert answer == FailDead()
    assert q.states("a") == ["dead"]


def test_running_by_fail_to_dead_when_it_shall_never_be_tried_again(q: QueueState) -> None:
    bring_to(q, "running")
    assert q.fail("a", final=1) == [FailDead()]
    assert q.states("a") == ["dead"]


@pytest.mark.parametrize(
    ("options", "state"),
    [({}, "retrying"), ({"base_ms": 0}, "queued"), ({"max_lost": 0}, "dead")],
)
@pytest.mark.parametrize("by", ["reap", "claim"])
def test_running_past_the_lease(
    q: QueueState, options: dict[str, int], state: str, by: str
) -> None:
    q.run("a", **options)
    q.make_due("running", "a")
    q.configure(paused=1)
    _ = q.reap() if by == "reap" else q.claim("t2")
    assert q.states("a") == [state]
    assert q.lease("a") is None


def test_running_by_release_to_queued_at_its_old_place(q: QueueState) -> None:
    q.enqueue("a", "b")
    place = q.read("queued")["a"]
    q.claim(limit=1)
    assert q.release("a") == [ReleaseBack()]
    assert q.states("a") == ["queued"]
    assert q.read("queued")["a"] == place
    (first, _) = q.claim("t2").answers
    assert (first.id, first.attempt) == ("a", 1)


def test_running_by_release_with_a_delay_to_scheduled(q: QueueState) -> None:
    bring_to(q, "running")
    assert q.release("a", delay_ms=HOUR_MS) == [ReleaseBack()]
    assert q.states("a") == ["scheduled"]


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying"])
def test_resting_by_cancel_to_cancelled(q: QueueState, state: str) -> None:
    bring_to(q, state)
    assert q.cancel("a") == [CancelGone()]
    assert q.states("a") == ["cancelled"]


def test_running_is_told_of_a_cancel_by_extend(q: QueueState) -> None:
    bring_to(q, "running")
    (before,) = q.extend("a")
    assert q.cancel("a") == [CancelAsked()]
    (after,) = q.extend("a")
    assert isinstance(before, scripts.ExtendHeld)
    assert isinstance(after, scripts.ExtendHeld)
    assert (before.cancel, after.cancel) == (0, 1)
    assert q.states("a") == ["running"]


@pytest.mark.parametrize("by", ["fail", "release", "reap", "claim"])
def test_running_and_asked_to_cancelled(q: QueueState, by: str) -> None:
    bring_to(q, "running")
    q.cancel("a")
    if by == "fail":
        assert q.fail("a") == [FailCancelled()]
    elif by == "release":
        assert q.release("a", delay_ms=5) == [ReleaseCancelled()]
    else:
        q.make_due("running", "a")
        _ = q.reap() if by == "reap" else q.claim("t2")
    assert q.states("a") == ["cancelled"]
    assert q.lease("a") is None


def test_running_and_asked_by_ack_to_completed(q: QueueState) -> None:
    bring_to(q, "running")
    q.cancel("a")
    assert q.ack("a") == [AckDone()]
    assert q.states("a") == ["completed"]


def test_dead_by_replay_to_queued(q: QueueState) -> None:
    bring_to(q, "dead")
    reply = q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
    assert reply.answers == [ReplayQueued()]
    assert q.states("a") == ["queued"]
    (job,) = q.claim("t2").answers
    assert (job.attempt, job.failures) == (1, 1)


@pytest.mark.parametrize("state", RESTING)
@pytest.mark.parametrize("by", ["ids", "state"])
def test_resting_by_purge_to_nothing(q: QueueState, state: str, by: str) -> None:
    bring_to(q, state)
    if by == "ids":
        reply = q.call(scripts.purge(q.name, [scripts.PurgeItem("a")], limit=1, cursor=""))
        assert reply.answers == [PurgeGone()]
    else:
        assert q.call(scripts.purge(q.name, state=state, limit=1, cursor="")).purged == 1
    assert set(q.dump()) <= {"stats", "claims", "claim_ends"}


@pytest.mark.parametrize("state", ["completed", "cancelled", "dead"])
@pytest.mark.parametrize("by", ["reap", "claim"])
def test_ended_and_past_its_time_to_nothing(q: QueueState, state: str, by: str) -> None:
    bring_to(q, state)
    q.make_due(state, "a")
    _ = q.reap() if by == "reap" else q.claim("t2")
    assert set(q.dump()) <= {"stats", "claims", "claim_ends"}
    total = q.stat("dead_trimmed" if state == "dead" else "trimmed")
    assert total == 1
