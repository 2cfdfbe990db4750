"""purge: jobs that rest are deleted with all that is kept of them."""

from collections.abc import Iterable

import pytest
from queue_keys import HOUR_MS, STATES
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.scripts import PurgeGone, PurgeRunning, PurgeUnknown

RESTING = tuple(state for state in STATES if state != "running")
LARGE = b"x" * 5000


def purge(
    q: QueueState,
    *ids: str,
    state: str | None = None,
    limit: int = 100,
    cursor: str = "",
) -> scripts.Purged:
    items = [scripts.PurgeItem(id) for id in ids]
    return q.call(scripts.purge(q.name, items, state=state, limit=limit, cursor=cursor))


def fill(q: QueueState, numbers: Iterable[int]) -> None:
    """Put a job `STATE-n` with a large payload into each set, in the order of the numbers."""
    q.configure(keep_payloads=1)
    for n in numbers:
        names = [f"{state}-{n}" for state in ("completed", "cancelled", "dead", "retrying")]
        q.run(*names, f"running-{n}", token=f"t{n}", payload=LARGE)
        q.ack(names[0], token=f"t{n}", result=b"done")
        q.cancel(names[1])
        q.release(names[1], token=f"t{n}")
        q.fail(names[2], token=f"t{n}", final=1)
        q.fail(names[3], token=f"t{n}", delay_ms=HOUR_MS)
        q.enqueue(f"scheduled-{n}", payload=LARGE, delay_ms=HOUR_MS)
    for n in numbers:
        q.enqueue(f"queued-{n}", payload=LARGE)
    for state in STATES:
        assert q.order(state) == [f"{state}-{n}" for n in numbers]


@pytest.mark.parametrize("state", RESTING)
def test_a_job_that_rests_goes_with_all_that_is_kept_of_it_and_no_other_does(
    q: QueueState, state: str
) -> None:
    fill(q, [1])
    before = q.dump()
    reply = purge(q, f"{state}-1")
    assert (reply.purged, reply.cursor, reply.answers) == (1, "", [PurgeGone()])
    after = q.dump()
    del before[state]
    for part in ("jobs", "payloads", "outcomes", "tries"):
        before[part].pop(f"{state}-1", None)
    del before["stats"]["stamp"], after["stats"]["stamp"]
    assert after["stats"].pop("purged") == b"1"
    assert after == before


def test_all_that_a_queue_holds_but_its_totals_can_be_purged(q: QueueState) -> None:
    fill(q, [1, 2])
    q.release("running-1", token="t1")
    q.release("running-2", token="t2")
    for state in RESTING:
        assert purge(q, state=state).cursor == ""
    assert set(q.dump()) == {"claims", "claim_ends", "stats", "settings", "bell"}
    assert q.stat("purged") == 14


def test_a_running_job_and_one_that_is_not_kept_are_left_as_they_are(q: QueueState) -> None:
    q.run("a")
    before = q.dump()
    assert purge(q, "a", "b")[1:] == (0, "", [PurgeRunning(), PurgeUnknown()])
    assert q.dump() == before


def test_an_id_twice_in_a_batch_is_answered_as_if_sent_twice(q: QueueState) -> None:
    q.enqueue("a", "b")
    answers = purge(q, "b", "a", "b").answers
    assert answers == [PurgeGone(), PurgeGone(), PurgeUnknown()]
    assert q.stat("purged") == 2


def test_purging_twice_is_the_same_as_once(q: QueueState) -> None:
    q.enqueue("a", "b")
    call = scripts.purge(q.name, [scripts.PurgeItem("a")], limit=1, cursor="")
    first, second = q.twice(call)
    assert (first.answers, second.answers) == ([PurgeGone()], [PurgeUnknown()])


def test_a_purged_id_is_free_again(q: QueueState) -> None:
    q.run("a")
    q.fail("a", final=1)
    purge(q, "a")
    assert q.enqueue("a") == [scripts.EnqueueCreated("a")]
    (job,) = q.claim("t2").answers
    assert (job.attempt, job.failures) == (1, 0)


@pytest.mark.parametrize("state", RESTING)
def test_a_state_is_swept_in_steps_that_end_and_no_other_is_touched(
    q: QueueState, state: str
) -> None:
    fill(q, range(5))
    before = q.dump()
    cursor, steps = "", []
    while True:
        reply = purge(q, state=state, limit=2, cursor=cursor)
        assert reply.answers == []
        steps.append(reply.purged)
        cursor = reply.cursor
        if not cursor:
            break
    assert steps == [2, 2, 1]
    after = q.dump()
    gone = before.pop(state)
    for part in ("jobs", "payloads", "outcomes", "tries"):
        before[part] = {id: kept for id, kept in before[part].items() if id not in gone}
    del before["stats"]["stamp"], after["stats"]["stamp"]
    assert after["stats"].pop("purged") == b"5"
    assert after == before


def test_a_job_that_was_made_after_the_sweep_began_is_left(q: QueueState) -> None:
    q.enqueue("a", "b", "c", priority=5)
    first = purge(q, state="queued", limit=1)
    until(lambda: q.now_ms() > first.now_ms)
    q.enqueue("between", priority=5)
    q.raw.zadd(q.key("queued"), {"between": q.read("queued")["b"]})
    q.enqueue("behind", priority=1)
    second = purge(q, state="queued", limit=9, cursor=first.cursor)
    assert (second.purged, second.cursor) == (2, "")
    assert q.order("queued") == ["between", "behind"]


def test_an_entry_whose_job_is_missing_is_purged_too(q: QueueState) -> None:
    q.enqueue("a", "b")
    q.raw.hdel(q.key("jobs"), "a", "b")
    assert purge(q, "a").answers == [PurgeGone()]
    assert purge(q, state="queued").purged == 1
    assert "queued" not in q.dump()


def test_an_empty_state_is_swept_at_once_and_nothing_is_written(q: QueueState) -> None:
    assert purge(q, state="dead")[1:] == (0, "", [])
    assert q.dump() == {}


def test_one_step_purges_500_at_most(q: QueueState) -> None:
    ids = [f"j{n:03}" for n in range(501)]
    q.enqueue(*ids[:500])
    q.enqueue(ids[500])
    reply = purge(q, state="queued", limit=500)
    assert reply.purged == 500
    assert purge(q, state="queued", limit=500, cursor=reply.cursor)[1:] == (1, "", [])


@pytest.mark.parametrize("argv", [("", "1", ""), ("dead", "1", "", "a", "")])
def test_neither_a_state_nor_ids_is_refused_and_so_are_both(
    q: QueueState, argv: tuple[str, ...]
) -> None:
    q.run("a")
    q.fail("a", final=1)
    assert q.send("purge", *argv) == [b"BAD_ARGUMENT", b"purge takes either a state or ids"]
    assert q.states("a") == ["dead"]


@pytest.mark.parametrize("state", RESTING)
def test_a_job_is_purged_only_where_it_was_seen(q: QueueState, state: str) -> None:
    fill(q, [1])
    id = f"{state}-1"
    here = q.place(id)
    items = [scripts.PurgeItem(id, f"{here}1"), scripts.PurgeItem(id, here)]
    reply = q.call(scripts.purge(q.name, items, limit=1, cursor=""))
    assert reply.answers == [scripts.PurgeMoved(here), PurgeGone()]
    assert (reply.purged, q.states(id)) == (1, [])


def test_a_job_that_has_left_its_place_stays_as_it_is_and_its_place_is_told(q: QueueState) -> None:
    q.enqueue("a")
    seen = q.place("a")
    q.alter("a", priority=9)
    before, now = q.dump(), q.place("a")
    call = scripts.purge(q.name, [scripts.PurgeItem("a", seen)], limit=1, cursor="")
    assert q.call(call).answers == [scripts.PurgeMoved(now)]
    assert q.dump() == before


def test_a_purge_of_a_place_that_is_sent_again_finds_no_job(q: QueueState) -> None:
    q.enqueue("a")
    call = scripts.purge(q.name, [scripts.PurgeItem("a", q.place("a"))], limit=1, cursor="")
    first, second = q.twice(call)
    assert (first.answers, second.answers) == ([PurgeGone()], [PurgeUnknown()])
