"""stats: counts, totals and ages of a queue, without touching it."""

import pytest
from queue_keys import HOUR_MS, PRIORITY_STEP, STATES
from queue_state import QueueState

from boltq import scripts

TOTALS = (
    *("enqueued", "completed", "failed", "lost", "died", "cancelled"),
    *("replayed", "purged", "trimmed", "dead_trimmed", "missing"),
)


def stats(q: QueueState) -> scripts.Stats:
    before = q.dump()
    reply = q.call(scripts.stats(q.name))
    assert q.dump() == before
    return reply


def known(reply: scripts.Stats) -> dict[str, object]:
    """All that is neither zero nor empty, without the times."""
    times = ("now_ms", "oldest_queued_ms", "next_due_ms", "paused_at_ms")
    members = reply._asdict().items()
    return {name: value for name, value in members if value and name not in times}


def test_an_empty_queue_counts_nothing_and_is_not_made(q: QueueState) -> None:
    reply = stats(q)
    assert known(reply) == {}
    assert (reply.oldest_queued_ms, reply.next_due_ms, reply.paused_at_ms) == (0, 0, 0)
    assert q.dump() == {}


def test_each_state_is_counted_as_its_set_is_long(q: QueueState) -> None:
    q.corrupted = True
    for number, state in enumerate(STATES, 1):
        q.raw.zadd(q.key(state), {f"{state}-{n}": n for n in range(number)})
    reply = stats(q)
    assert [getattr(reply, state) for state in STATES] == [1, 2, 3, 4, 5, 6, 7]


def test_the_totals_tell_what_happened_since_the_queue_exists(q: QueueState) -> None:
    q.configure(keep_completed=0, keep_dead=1)
    q.run("acked", "failed", "lost", "asked", max_attempts=5, max_lost=5)
    q.run("dies", "dies-too", token="t2")
    q.enqueue("scheduled", delay_ms=HOUR_MS)
    q.enqueue("purged", "resting", "gone")
    q.ack("acked")
    q.fail("failed", delay_ms=HOUR_MS)
    q.make_due("running", "lost")
    q.reap()
    q.cancel("asked", "resting")
    q.release("asked")
    q.make_due("cancelled", "resting")
    q.reap()
    q.fail("dies", "dies-too", token="t2", final=1)
    q.call(scripts.replay(q.name, limit=10, cursor=""))
    q.call(scripts.purge(q.name, [scripts.PurgeItem("purged")], limit=1, cursor=""))
    q.raw.hdel(q.key("jobs"), "gone")
    assert q.claimed("t3") == ["dies-too"]
    assert known(stats(q)) == {
        "scheduled": 1,
        "retrying": 2,
        "running": 1,
        "cancelled": 1,
        "enqueued_total": 10,
        "completed_total": 1,
        "failed_total": 3,
        "lost_total": 1,
        "died_total": 2,
        "cancelled_total": 2,
        "replayed_total": 1,
        "purged_total": 1,
        "trimmed_total": 1,
        "dead_trimmed_total": 1,
        "missing_total": 1,
    }


def test_every_total_stands_in_its_own_place(q: QueueState) -> None:
    q.corrupted = True
    q.raw.hset(q.key("stats"), mapping={name: n for n, name in enumerate(TOTALS, 1)})
    reply = stats(q)
    assert [getattr(reply, f"{name}_total") for name in TOTALS] == list(range(1, 12))


@pytest.mark.parametrize("priorities", [(9, 0), (0, 9), (5, 4)])
def test_the_oldest_queued_job_counts_whatever_its_priority(
    q: QueueState, priorities: tuple[int, int]
) -> None:
    old, young = priorities
    q.enqueue("old", priority=old)
    q.enqueue("young", priority=young)
    scores = q.read("queued")
    assert scores["old"] // PRIORITY_STEP == 9 - old
    q.raw.zadd(q.key("queued"), {"old": scores["old"] - 70_000 * 512})
    assert 70_000 <= stats(q).oldest_queued_ms < 75_000


def test_a_clock_that_ran_ahead_makes_no_negative_age(q: QueueState) -> None:
    q.enqueue("a")
    q.raw.zadd(q.key("queued"), {"a": q.read("queued")["a"] + 70_000 * 512})
    assert stats(q).oldest_queued_ms == 0


def test_the_next_due_is_the_first_of_scheduled_and_retrying(q: QueueState) -> None:
    q.enqueue("later", delay_ms=50_000)
    created = q.header("later")["created_ms"]
    assert stats(q).next_due_ms == created + 50_000
    q.run("a")
    (answer,) = q.fail("a", delay_ms=20_000)
    assert isinstance(answer, scripts.FailRetrying)
    assert stats(q).next_due_ms == answer.run_at_ms
    q.enqueue("sooner", delay_ms=1000)
    assert stats(q).next_due_ms == q.header("sooner")["created_ms"] + 1000


def test_leases_past_their_end_are_told_beside_all_that_run(q: QueueState) -> None:
    q.run("a", "b", "c")
    q.make_due("running", "a", "c")
    reply = stats(q)
    assert (reply.running, reply.lapsed) == (3, 2)


def test_a_pause_is_told_with_why_who_and_since_when(q: QueueState) -> None:
    told = q.configure(paused=1, pause_reason="mail is düwn", paused_by="ann")
    reply = stats(q)
    assert (reply.paused, reply.pause_reason, reply.paused_by) == (1, "mail is düwn", "ann")
    assert reply.paused_at_ms == int(told["paused_at_ms"])
    q.configure(paused=0)
    assert known(stats(q)) == {}
