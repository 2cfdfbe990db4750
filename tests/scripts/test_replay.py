"""replay: dead jobs are queued again with fresh attempts, and nothing of their past is lost."""

from queue_keys import PRIORITY_STEP, stamp_of
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.scripts import FailDead, ReplayNotDead, ReplayQueued, ReplayUnknown


def bury(q: QueueState, *ids: str, **options: int) -> None:
    """Let jobs die, one after the other, in this order."""
    q.run(*ids, token=f"bury-{ids[0]}", **options)
    assert q.fail(*ids, token=f"bury-{ids[0]}", final=1) == [FailDead()] * len(ids)
    q.silence()


def replay(q: QueueState, *ids: str, limit: int = 100, cursor: str = "") -> scripts.Replayed:
    items = [scripts.ReplayItem(id) for id in ids]
    return q.call(scripts.replay(q.name, items, limit=limit, cursor=cursor))


def test_a_dead_job_is_queued_at_the_end_with_fresh_attempts_and_its_history(
    q: QueueState,
) -> None:
    bury(q, "a", priority=6, payload=b"x" * 5000)
    q.enqueue("b", priority=6)
    q.silence()
    before, tries = q.dump(), q.tries("a")
    assert tries is not None
    assert (tries.failures, tries.failures_ever) == (1, 1)
    reply = replay(q, "a")
    assert (reply.replayed, reply.cursor, reply.answers) == (1, "", [ReplayQueued()])
    after, fresh = q.dump(), q.tries("a")
    stamp = int(after["stats"].pop("stamp"))
    assert max(stamp_of(reply.now_ms), int(before["stats"].pop("stamp"))) <= stamp
    assert after["queued"].pop("a") == 3 * PRIORITY_STEP + stamp
    assert fresh == tries._replace(failures=0)
    assert after.pop("bell") == [b"1"]
    assert after["stats"].pop("replayed") == b"1"
    assert after.pop("tries") != before.pop("tries")
    del before["dead"], before["outcomes"]
    assert after == before
    assert q.states("a") == ["queued"]


def test_a_replayed_job_has_all_its_attempts_and_tells_of_all_its_failures(q: QueueState) -> None:
    bury(q, "a", max_attempts=2)
    replay(q, "a")
    for attempt in (1, 2):
        (job,) = q.claim(f"again-{attempt}").answers
        assert (job.attempt, job.failures, job.lost) == (attempt, attempt, 0)
        answers = q.fail("a", token=f"again-{attempt}", delay_ms=1)
        assert (answers == [FailDead()]) == (attempt == 2)
        if attempt == 1:
            q.make_due("retrying", "a")
    tries = q.tries("a")
    assert tries is not None
    assert (tries.failures, tries.failures_ever) == (2, 3)
    assert [error["attempt"] for error in tries.errors] == [1, 1, 2]


def test_a_job_buried_by_lost_leases_has_none_lost_after_a_replay(q: QueueState) -> None:
    q.run("a", "b", max_lost=0)
    q.make_due("running", "a", "b")
    q.reap()
    assert q.order("dead") == ["a", "b"]
    assert replay(q, "a", "b").replayed == 2
    tries = q.tries("a")
    assert tries is not None
    assert (tries.lost, tries.lost_ever) == (0, 1)
    jobs = q.claim("t2").answers
    assert [(job.id, job.attempt, job.lost) for job in jobs] == [("a", 1, 0), ("b", 1, 0)]


def test_a_job_that_is_not_dead_is_named_with_its_state_and_left_alone(q: QueueState) -> None:
    q.run("retrying", "running", "completed", "cancelled", "dead")
    q.fail("retrying")
    q.fail("dead", final=1)
    q.ack("completed")
    q.cancel("cancelled")
    q.release("cancelled")
    q.enqueue("queued")
    q.enqueue("scheduled", delay_ms=9000)
    others = ("scheduled", "queued", "running", "retrying", "completed", "cancelled")
    before = q.dump()
    reply = replay(q, *others, "unknown")
    assert reply.answers == [*map(ReplayNotDead, others), ReplayUnknown()]
    assert reply.replayed == 0
    assert q.dump() == before


def test_of_a_queue_that_has_nothing_nothing_is_replayed_and_nothing_written(
    q: QueueState,
) -> None:
    assert replay(q)[1:] == (0, "", [])
    assert replay(q, "a")[1:] == (0, "", [ReplayUnknown()])
    assert q.dump() == {}


def test_replaying_twice_is_the_same_as_once(q: QueueState) -> None:
    bury(q, "a", "b")
    call = scripts.replay(
        q.name, [scripts.ReplayItem("a"), scripts.ReplayItem("b")], limit=1, cursor=""
    )
    first, second = q.twice(call)
    assert first.answers == [ReplayQueued()] * 2
    assert second.answers == [ReplayNotDead("queued")] * 2
    assert second.replayed == 0
    assert q.stat("replayed") == 2


def test_an_id_twice_in_a_batch_is_answered_as_if_sent_twice(q: QueueState) -> None:
    bury(q, "a", "b")
    answers = replay(q, "b", "a", "b").answers
    assert answers == [ReplayQueued(), ReplayQueued(), ReplayNotDead("queued")]
    assert q.order("queued") == ["b", "a"]
    assert q.stat("replayed") == 2


def test_without_ids_all_are_replayed_in_steps_oldest_first(q: QueueState) -> None:
    ids = ["e", "d", "c", "b", "a"]
    bury(q, *ids)
    cursor, steps = "", []
    while True:
        reply = replay(q, limit=2, cursor=cursor)
        assert reply.answers == []
        steps.append(reply.replayed)
        cursor = reply.cursor
        if not cursor:
            break
    assert steps == [2, 2, 1]
    assert q.order("queued") == ids
    assert "dead" not in q.dump()
    assert q.stat("replayed") == 5


def test_a_sweep_whose_steps_are_each_sent_twice_replays_each_job_once(q: QueueState) -> None:
    bury(q, "a", "b", "c", "d", "e")
    cursor = ""
    while True:
        replay(q, limit=1, cursor=cursor)
        cursor = replay(q, limit=1, cursor=cursor).cursor
        if not cursor:
            break
    assert q.order("queued") == ["a", "b", "c", "d", "e"]
    assert q.stat("replayed") == 5


def test_a_job_that_dies_while_a_sweep_goes_on_is_left_to_the_next(q: QueueState) -> None:
    bury(q, "a", "b", "c")
    # Kept for less time than those before it: it stands in the middle of what is swept.
    q.raw.zadd(q.key("dead"), {"c": 2**52})
    first = replay(q, limit=1)
    until(lambda: q.now_ms() > first.now_ms)
    assert q.claimed("t2") == ["a"]
    q.fail("a", token="t2", final=1)
    second = replay(q, limit=9, cursor=first.cursor)
    assert (second.replayed, second.cursor) == (2, "")
    assert q.states("a") == ["dead"]
    assert replay(q).replayed == 1


def test_one_step_replays_500_at_most(q: QueueState) -> None:
    ids = [f"j{n:03}" for n in range(501)]
    q.enqueue(*ids[:500])
    q.enqueue(ids[500])
    q.claim(limit=500)
    q.claim("t2")
    q.fail(*ids[:500], final=1)
    q.fail(ids[500], token="t2", final=1)
    reply = replay(q, limit=500)
    assert reply.replayed == 500
    assert replay(q, limit=500, cursor=reply.cursor)[1:] == (1, "", [])
    assert q.order("queued") == ids
