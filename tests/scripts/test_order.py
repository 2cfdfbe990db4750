"""Which job comes first: first in, first out within a priority; and the stamp behind it."""

import pytest
from queue_keys import HOUR_MS, PRIORITY_STEP, stamp_of
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.scripts import Claimed


def test_jobs_of_a_priority_come_in_the_order_of_their_arrival(q: QueueState) -> None:
    # Ids whose own order is another one.
    ids = [f"{(n * 7919) % 1000:03d}" for n in range(100)]
    for first in range(0, 100, 25):
        q.enqueue(*ids[first : first + 25])
    assert [id for n in range(10) for id in q.claimed(f"t{n}", limit=10)] == ids


def test_jobs_of_one_millisecond_come_in_the_order_of_their_arrival(q: QueueState) -> None:
    # One round trip: dozens of calls in each millisecond, and an order of the ids that is another.
    ids = [f"{(n * 7919) % 1000:03d}" for n in range(200)]
    calls = [
        scripts.enqueue(q.name, [scripts.EnqueueItem(id, "echo", b"", b"")], delay_ms=0)
        for id in ids
    ]
    q.server.call_all(calls)
    stamps = [score % PRIORITY_STEP for score in q.read("queued").values()]
    assert len({stamp // 512 for stamp in stamps}) < len(set(stamps)) == 200
    assert q.claimed(limit=200) == ids


def test_the_more_urgent_come_first_and_within_a_priority_the_older(q: QueueState) -> None:
    for round_ in "ab":
        for priority in (0, 5, 9, 4, 1, 8, 3, 7, 2, 6):
            q.enqueue(f"{round_}{priority}", priority=priority)
    expected = [f"{round_}{priority}" for priority in range(9, -1, -1) for round_ in "ab"]
    assert q.claimed(limit=100) == expected


def test_the_score_of_a_queued_job_is_its_priority_and_its_stamp(q: QueueState) -> None:
    for priority in range(10):
        q.enqueue(f"p{priority}", priority=priority)
        stamp = q.stat("stamp")
        assert q.read("queued")[f"p{priority}"] == (9 - priority) * PRIORITY_STEP + stamp
    assert stamp < PRIORITY_STEP


def test_each_job_of_a_batch_takes_the_next_stamp(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    scores = list(q.read("queued").values())
    assert scores == [scores[0], scores[0] + 1, scores[0] + 2]
    assert q.stat("stamp") == scores[2] % PRIORITY_STEP


def test_jobs_of_equal_delay_keep_the_order_of_their_arrival(q: QueueState) -> None:
    ids = [f"{(n * 7919) % 1000:03d}" for n in range(20)]
    for id in ids:
        q.enqueue(id, delay_ms=1)
    assert q.order("scheduled") == ids
    until(lambda: q.promote() and not q.read("scheduled"))
    assert q.claimed(limit=20) == ids


def test_delayed_jobs_are_queued_by_the_time_they_were_due(q: QueueState) -> None:
    q.enqueue("later", delay_ms=20)
    q.enqueue("sooner", delay_ms=1)
    due = q.read("scheduled")
    until(lambda: q.promote() and not q.read("scheduled"))
    assert q.read("queued") == {id: 5 * PRIORITY_STEP + score for id, score in due.items()}
    # In that order, unless this machine took 19 ms between the two.
    assert q.claimed() == sorted(due, key=due.__getitem__)


def test_a_delayed_job_stands_between_those_before_and_after_its_time(q: QueueState) -> None:
    q.enqueue("before")
    q.enqueue("delayed", delay_ms=1)
    due = q.read("scheduled")["delayed"]
    until(lambda: stamp_of(q.now_ms()) > due)
    q.enqueue("after")
    q.promote()
    assert q.order("queued") == ["before", "delayed", "after"]


def test_a_promoted_job_keeps_its_priority(q: QueueState) -> None:
    for priority in (0, 4, 9):
        q.enqueue(f"p{priority}", priority=priority, delay_ms=60_000)
    q.make_due("scheduled", "p0", "p4", "p9")
    q.promote()
    assert q.read("queued") == {"p9": 0, "p4": 5 * PRIORITY_STEP, "p0": 9 * PRIORITY_STEP}


def test_a_retried_job_keeps_its_priority(q: QueueState) -> None:
    q.run("urgent", priority=9)
    q.fail("urgent", delay_ms=0)
    q.enqueue("normal")
    assert q.claimed("t2") == ["urgent", "normal"]


AHEAD = stamp_of(1_735_689_600_000) + 2**48


def test_stamps_go_on_from_the_last_when_the_clock_is_behind(q: QueueState) -> None:
    q.raw.hset(q.key("stats"), "stamp", AHEAD)
    q.enqueue("a", "b")
    q.enqueue("c", delay_ms=1000)
    assert q.read("queued") == {
        "a": 5 * PRIORITY_STEP + AHEAD + 1,
        "b": 5 * PRIORITY_STEP + AHEAD + 2,
    }
    assert q.read("scheduled") == {"c": AHEAD + 3 + 512_000}
    assert q.stat("stamp") == AHEAD + 3


@pytest.mark.parametrize("verb", ["ack", "fail", "release", "reap", "cancel"])
def test_no_verb_lets_the_stamp_run_back(q: QueueState, verb: str) -> None:
    q.run("a", "b")
    q.raw.hset(q.key("stats"), "stamp", AHEAD)
    match verb:
        case "ack":
            q.ack("a", "b")
        case "fail":
            q.fail("a", "b")
        case "release":
            q.release("a", "b", delay_ms=1)
        case "reap":
            q.make_due("running", "a", "b")
            q.reap()
        case "cancel":
            q.release("a", "b")
            q.raw.hset(q.key("stats"), "stamp", AHEAD)
            q.cancel("a", "b")
    assert q.stat("stamp") == AHEAD + 2
    assert q.enqueue("c")
    assert q.read("queued")["c"] == 5 * PRIORITY_STEP + AHEAD + 3


@pytest.mark.parametrize("verb", ["fail", "release", "reap"])
def test_what_is_not_to_be_kept_goes_at_once_also_when_the_clock_is_behind(
    q: QueueState, verb: str
) -> None:
    q.configure(keep_dead_ms=0, keep_cancelled_ms=0)
    q.run("a", max_lost=0)
    q.raw.hset(q.key("stats"), "stamp", AHEAD)
    if verb == "reap":
        q.make_due("running", "a")
        q.reap()
    elif verb == "release":
        q.cancel("a")
        q.release("a")
    else:
        q.fail("a", final=1)
    assert q.read("jobs") is None


def test_fences_only_grow_also_when_the_clock_is_behind(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    fences = [q.claim("t1", limit=1).answers[0].fence]
    q.raw.hset(q.key("stats"), "stamp", AHEAD)
    fences += [job.fence for job in q.claim("t2", limit=2).answers]
    q.release("a", "b", token="t2")
    q.release("a", token="t1")
    fences += [job.fence for job in q.claim("t3", limit=1).answers]
    assert fences[1:3] == [AHEAD + 1, AHEAD + 2]
    assert fences == sorted(set(fences))
    assert len(fences) == 4


def test_the_stamp_follows_the_clock_when_it_is_behind_it(q: QueueState) -> None:
    q.raw.hset(q.key("stats"), "stamp", stamp_of(q.now_ms() - HOUR_MS))
    before = stamp_of(q.now_ms())
    q.enqueue("a")
    assert q.stat("stamp") >= before


def test_a_released_job_returns_to_its_old_place(q: QueueState) -> None:
    q.enqueue("a", "b", "c", "d")
    places = q.read("queued")
    assert q.claimed("t1", limit=3) == ["a", "b", "c"]
    q.enqueue("e")
    q.release("b", "a")
    assert {id: q.read("queued")[id] for id in "abd"} == {id: places[id] for id in "abd"}
    assert q.claimed("t2") == ["a", "b", "d", "e"]


def test_a_job_that_is_released_again_and_again_keeps_its_place(q: QueueState) -> None:
    q.enqueue("a", "b")
    place = q.read("queued")["a"]
    for n in range(5):
        assert q.claimed(f"t{n}", limit=1) == ["a"]
        q.release("a", token=f"t{n}")
    assert q.read("queued")["a"] == place


def test_a_job_that_failed_stands_behind_those_that_waited_when_it_was_due(q: QueueState) -> None:
    q.enqueue("a", "b")
    assert q.claimed(limit=1) == ["a"]
    q.fail("a", delay_ms=0)
    reply = q.claim("t2")
    assert isinstance(reply, Claimed)
    assert [job.id for job in reply.answers] == ["b", "a"]
