"""step, step_replay: the next jobs of an operation, each done once, whoever drives it."""

import json
import threading
from typing import Any

import pytest
from queue_keys import HOUR_MS, PRIORITY_STEP
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.scripts import Replays, StepEnded, StepReplayEnded, StepUnknown


def kept(q: QueueState, id: str = "o1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(q.read("operations")[id])
    return found


def begin(q: QueueState, action: str, state: str, **asked: Any) -> None:
    """Begin an operation, a millisecond after all that is there."""
    before = q.now_ms()
    until(lambda: q.now_ms() > before)
    assert isinstance(q.call(q.operate_call(action, state, **asked)), scripts.Started)
    begun = q.now_ms()
    until(lambda: q.now_ms() > begun)
    q.silence()


def step(q: QueueState, limit: int = 500, *, id: str = "o1") -> Any:
    reply = q.call(scripts.step(q.name, id_=id, limit=limit))
    if isinstance(reply, Replays):
        return q.call(scripts.step_replay(q.name, id_=id, limit=limit))
    return reply


def drive(q: QueueState, limit: int = 500) -> list[int]:
    """Step until the operation has ended; how many were done or counted in each step."""
    done = []
    while "ended_ms" not in kept(q):
        reply = step(q, limit)
        assert reply.operation == q.read("operations")["o1"]
        done.append(reply.done)
    return done


def put(q: QueueState, state: str, *ids: str, **options: Any) -> None:
    """Put jobs into a state, dead and retrying ones with the error E."""
    token = f"put-{ids[0]}"
    if state in ("scheduled", "queued"):
        q.enqueue(*ids, delay_ms=HOUR_MS if state == "scheduled" else 0, **options)
        return
    q.run(*ids, token=token, **options)
    match state:
        case "retrying" | "dead":
            q.fail(*ids, token=token, error=b"E", delay_ms=HOUR_MS, final=int(state == "dead"))
        case "completed":
            q.ack(*ids, token=token, result=b"done")
        case "cancelled":
            q.cancel(*ids)
            q.release(*ids, token=token)


def test_dead_jobs_are_queued_again_as_by_replay(q: QueueState) -> None:
    put(q, "dead", "c", "b", "a", priority=6, payload=b"x" * 5000)
    begin(q, "replay", "dead")
    before = q.dump()
    assert drive(q, limit=2) == [2, 1]
    after = q.dump()
    assert q.order("queued") == ["c", "b", "a"]
    assert [score // PRIORITY_STEP for score in after.pop("queued").values()] == [3, 3, 3]
    tries = q.tries("a")
    assert tries is not None
    assert (tries.failures, tries.failures_ever, len(tries.errors)) == (0, 1, 1)
    assert after["stats"].pop("replayed") == b"3"
    assert after.pop("bell") == [b"1"]
    assert (kept(q)["done"], kept(q)["looked_at"], kept(q)["status"]) == (3, 3, "finished")
    for part in ("dead", "outcomes"):
        del before[part]
    for part in ("operations", "tries", "stats"):
        del before[part], after[part]
    assert after == before


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying"])
def test_jobs_are_cancelled_as_by_cancel(q: QueueState, state: str) -> None:
    put(q, state, "a", "b")
    begin(q, "cancel", state)
    assert drive(q) == [2]
    assert q.order("cancelled") == ["a", "b"]
    assert q.states("a") == ["cancelled"]
    outcome = q.outcome("a")
    assert outcome is not None
    assert (outcome.how, outcome.token) == ("cancel", "-")
    assert q.stat("cancelled") == 2
    assert q.bell() == 0
    assert q.read("cancelled")["a"] < q.read("cancelled")["b"]


def test_cancelled_jobs_are_trimmed_as_the_queue_says(q: QueueState) -> None:
    q.configure(keep_cancelled=1)
    put(q, "queued", "a", "b", "c")
    begin(q, "cancel", "queued")
    drive(q)
    assert (q.order("cancelled"), q.stat("trimmed")) == (["c"], 2)


@pytest.mark.parametrize(
    "state", ["scheduled", "queued", "retrying", "completed", "cancelled", "dead"]
)
def test_jobs_are_purged_with_all_that_is_kept_of_them(q: QueueState, state: str) -> None:
    put(q, state, "a", "b", payload=b"x" * 5000)
    begin(q, "purge", state)
    assert drive(q) == [2]
    assert set(q.dump()) - {"claims", "claim_ends"} == {"stats", "operations"}
    assert q.stat("purged") == 2


@pytest.mark.parametrize("state", ["scheduled", "retrying"])
def test_delayed_jobs_run_now_with_the_turn_of_now_or_of_their_due_time(
    q: QueueState, state: str
) -> None:
    put(q, state, "a", "b", "c", priority=6)
    q.make_due(state, "c")
    begin(q, "run_now", state)
    q.enqueue("later", priority=6)
    q.silence()
    assert drive(q) == [3]
    assert q.order("queued") == ["c", "later", "a", "b"]
    assert q.read("queued")["c"] == 3 * PRIORITY_STEP
    assert q.bell() == 1
    assert q.read("queued")["b"] % PRIORITY_STEP == int(q.read("stats")["stamp"])


@pytest.mark.parametrize(("limit", "steps"), [(1, 6), (2, 4), (500, 1)])
def test_only_what_the_filter_asks_for_is_touched_and_the_rest_is_counted_as_skipped(
    q: QueueState, limit: int, steps: int
) -> None:
    for n in range(6):
        put(q, "dead", f"j{n}", type="mail" if n % 2 else "other")
    begin(q, "purge", "dead", type_="mail", error=b"E", since_ms=1)
    assert len(drive(q, limit=limit)) in (steps, steps + 1)
    assert q.order("dead") == ["j0", "j2", "j4"]
    told = kept(q)
    assert (told["done"], told["skipped"], told["looked_at"], told["total"]) == (3, 3, 6, 6)


@pytest.mark.parametrize("asked", [{"error": b"F"}, {"since_ms": 2**50}, {"until_ms": 1}])
def test_what_no_job_is_like_ends_without_doing_anything(
    q: QueueState, asked: dict[str, Any]
) -> None:
    put(q, "dead", "a", "b")
    begin(q, "replay", "dead", **asked)
    assert drive(q) == [0]
    assert q.order("dead") == ["a", "b"]
    assert q.bell() == 0


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_a_dry_run_only_counts(q: QueueState, limit: int) -> None:
    put(q, "dead", "a", "b", type="mail")
    put(q, "dead", "c")
    begin(q, "replay", "dead", dry_run=1, type_="mail", rate=1, expected=7)
    before = q.dump()
    assert sum(drive(q, limit)) == 2
    told = kept(q)
    assert (told["counted"], told["done"], told["status"]) == (2, 0, "finished")
    assert {**q.dump(), "operations": 0} == {**before, "operations": 0}


@pytest.mark.parametrize(("expected", "status", "left"), [(2, "finished", 1), (3, "refused", 3)])
def test_jobs_are_counted_before_anything_is_done_if_a_count_is_expected(
    q: QueueState, expected: int, status: str, left: int
) -> None:
    put(q, "dead", "a", "b", type="mail")
    put(q, "dead", "c")
    begin(q, "purge", "dead", type_="mail", expected=expected)
    assert step(q, 2).done == 2
    assert q.order("dead") == ["a", "b", "c"]
    counted = json.loads(step(q, 2).operation)
    assert (counted["counted"], counted["looked_at"]) == (2, 0 if expected == 2 else 3)
    assert q.order("dead") == ["a", "b", "c"]
    drive(q, 2)
    told = kept(q)
    assert (told["status"], told["counted"], len(q.order("dead"))) == (status, 2, left)
    assert told["done"] == (2 if expected == 2 else 0)


@pytest.mark.parametrize("state", ["queued", "scheduled", "retrying", "completed", "dead"])
def test_what_comes_after_the_start_is_not_touched(q: QueueState, state: str) -> None:
    put(q, state, "a", "b")
    q.enqueue("old", delay_ms=HOUR_MS)
    begin(q, "purge", state)
    if state != "scheduled":
        q.alter("old", delay_ms=0)
    if state in ("retrying", "completed", "dead"):
        assert "old" in q.claimed("t9")
        if state == "completed":
            q.ack("old", token="t9")
        else:
            q.fail("old", token="t9", delay_ms=1000, final=int(state == "dead"))
    put(q, state, "new")
    # The first in the sweep, where it is by its score alone.
    if state != "queued":
        q.raw.zadd(q.key(state), {"new": q.read(state)["a"] + 1})
    drive(q, limit=1)
    assert not q.states("a")
    assert not q.states("b")
    assert q.states("new") == [state]
    if state != "scheduled":
        assert q.states("old") == [state]


def test_a_queue_that_grows_faster_than_an_operation_goes_does_not_keep_it_running(
    q: QueueState,
) -> None:
    put(q, "queued", "a", "b", "c")
    begin(q, "cancel", "queued")
    steps = 0
    while "ended_ms" not in kept(q):
        step(q, 1)
        steps += 1
        q.enqueue(f"more-{steps}", f"and-{steps}")
    assert steps <= 4
    assert q.order("cancelled") == ["a", "b", "c"]


def test_any_number_of_drivers_do_each_job_once(q: QueueState) -> None:
    ids = [f"j{n:03}" for n in range(300)]
    put(q, "dead", *ids)
    begin(q, "replay", "dead")
    done: list[int] = []

    def drives() -> None:
        while True:
            reply = step(q, 7)
            if isinstance(reply, StepReplayEnded | StepEnded):
                return
            done.append(reply.done)

    drivers = [threading.Thread(target=drives) for _ in range(4)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert sum(done) == q.stat("replayed") == kept(q)["done"] == 300
    assert q.order("queued") == ids


def pace(q: QueueState, **members: int) -> None:
    line = json.dumps(kept(q) | members, separators=(",", ":"))
    q.raw.hset(q.key("operations"), "o1", line)


def test_a_rate_holds_for_all_steps_together(q: QueueState) -> None:
    put(q, "dead", *(f"j{n:02}" for n in range(40)))
    begin(q, "replay", "dead", rate=10)
    pace(q, paced_us=q.now_ms() * 1000 - 500_000)
    first = step(q)
    assert 5 <= first.done <= 9
    told = json.loads(first.operation)
    assert told["paced_us"] - first.now_ms * 1000 > -100_000
    second = step(q)
    assert second.done == 0 or second.now_ms - first.now_ms >= 1
    assert 0 < second.wait_ms <= 100
    # Whoever comes a day later has a second's worth, not a day's.
    pace(q, paced_us=q.now_ms() * 1000 - 24 * HOUR_MS * 1000)
    assert step(q).done == 10
    assert (kept(q)["paced_us"] // 1000) - q.now_ms() <= 0


def test_a_step_whose_rate_allows_nothing_writes_nothing_and_tells_how_long_to_wait(
    q: QueueState,
) -> None:
    put(q, "dead", "a", "b")
    begin(q, "purge", "dead", rate=1)
    pace(q, paced_us=q.now_ms() * 1000 + 5_000_000)
    before = q.dump()
    reply = step(q)
    assert reply.done == 0
    assert 5000 < reply.wait_ms <= 6000
    assert q.dump() == before


def test_a_rate_does_not_hold_back_what_is_not_done(q: QueueState) -> None:
    for n in range(5):
        put(q, "dead", f"j{n}", type="other")
    begin(q, "purge", "dead", rate=1, type_="mail")
    pace(q, paced_us=q.now_ms() * 1000 - 1_000_000)
    assert drive(q) == [0]


def test_a_stopped_operation_does_nothing_more(q: QueueState) -> None:
    put(q, "dead", "a", "b", "c")
    begin(q, "replay", "dead")
    assert step(q, 1).done == 1
    q.call(scripts.stop(q.name, id_="o1"))
    before = q.dump()
    told = kept(q)
    assert (told["status"], told["done"]) == ("stopped", 1)
    assert isinstance(step(q), StepEnded)
    assert isinstance(
        q.call(scripts.step_replay(q.name, id_="o1", limit=5)), scripts.StepReplayEnded
    )
    assert q.dump() == before


def test_step_leaves_replays_to_step_replay_and_that_does_nothing_else(q: QueueState) -> None:
    put(q, "dead", "a")
    put(q, "queued", "b")
    begin(q, "replay", "dead")
    q.call(q.operate_call("cancel", "queued", "o2"))
    before = q.dump()
    assert isinstance(q.call(scripts.step(q.name, id_="o1", limit=5)), Replays)
    assert isinstance(q.call(scripts.step_replay(q.name, id_="o2", limit=5)), StepReplayEnded)
    assert isinstance(step(q, id="none"), StepUnknown)
    assert q.dump() == before


def test_an_operation_that_cannot_be_read_is_unknown_to_every_verb(q: QueueState) -> None:
    q.corrupted = True
    q.raw.hset(q.key("operations"), "o1", "{}")
    assert isinstance(step(q), StepUnknown)
    assert isinstance(q.call(scripts.stop(q.name, id_="o1")), scripts.StopUnknown)


def test_a_step_that_reads_large_results_ends_where_it_was_enough(q: QueueState) -> None:
    q.configure(result_bytes=700_000)
    ids = [f"j{n}" for n in range(9)]
    put(q, "queued", *ids)
    q.claim()
    q.ack(*ids, result=b"x" * 700_000)
    begin(q, "purge", "completed")
    assert drive(q) == [6, 3]
    assert (kept(q)["looked_at"], kept(q)["skipped"]) == (9, 0)


def test_an_entry_whose_job_is_missing_is_passed_over(q: QueueState) -> None:
    q.corrupted = True
    put(q, "dead", "a", "b")
    q.raw.hdel(q.key("jobs"), "a")
    begin(q, "replay", "dead")
    assert drive(q) == [1]
    assert (q.order("dead"), q.order("queued")) == (["a"], ["b"])


def run(q: QueueState, worker: str, *ids: str, **options: Any) -> None:
    """Let a worker hold jobs, each under a token of its own."""
    for id in ids:
        q.run(id, token=f"of-{id}", claim={"worker": worker}, **options)


def asked(q: QueueState) -> set[str]:
    return {id for id in q.order("running") if (lease := q.lease(id)) and lease.cancel}


def test_running_jobs_are_asked_to_stop_and_go_on_until_they_do(q: QueueState) -> None:
    run(q, "w1", "a", "b")
    run(q, "w1", "mail", type="mail")
    begin(q, "cancel", "running", type_="echo")
    assert sum(drive(q, 1)) == 2
    assert (asked(q), q.stat("cancelled")) == ({"a", "b"}, 0)
    (answer,) = q.extend("a", token="of-a")
    assert isinstance(answer, scripts.ExtendHeld)
    assert answer.cancel == 1
    q.release("a", token="of-a")
    assert q.states("a") == ["cancelled"]


def test_a_running_job_whose_lease_is_extended_meanwhile_is_asked_too_and_once(
    q: QueueState,
) -> None:
    run(q, "w1", "a", "b", "c")
    begin(q, "cancel", "running")
    q.extend("b", token="of-b", lease_ms=HOUR_MS)
    assert step(q, 1).done == 1
    q.extend("a", token="of-a", lease_ms=2 * HOUR_MS)
    q.extend("c", token="of-c", lease_ms=3 * HOUR_MS)
    assert sum(drive(q, 1)) == 2
    assert asked(q) == {"a", "b", "c"}
    assert (kept(q)["done"], kept(q)["skipped"]) == (3, 1)


def test_a_job_that_was_claimed_after_the_operation_began_is_not_asked(q: QueueState) -> None:
    run(q, "w1", "a")
    q.enqueue("later")
    begin(q, "cancel", "running")
    assert q.claimed("t-later") == ["later"]
    drive(q)
    assert asked(q) == {"a"}


def test_an_operation_is_for_the_jobs_of_one_worker(q: QueueState) -> None:
    run(q, "w1", "a", "done-1", "dead-1")
    run(q, "w2", "b", "done-2", "dead-2")
    for n in (1, 2):
        q.ack(f"done-{n}", token=f"of-done-{n}")
        q.fail(f"dead-{n}", token=f"of-dead-{n}", final=1)
    for action, state in (("cancel", "running"), ("purge", "completed"), ("replay", "dead")):
        begin(q, action, state, id=action, worker="w2")
        reply = step(q, id=action)
        assert (reply.done, kept(q, action)["skipped"]) == (1, 1), action
    assert asked(q) == {"b"}
    assert q.order("completed") == ["done-1"]
    assert (q.order("dead"), q.states("dead-2")) == (["dead-1"], ["queued"])


def test_an_operation_that_an_older_script_began_names_no_worker_and_goes_on(q: QueueState) -> None:
    put(q, "dead", "a", "b")
    begin(q, "purge", "dead")
    line = kept(q)
    del line["worker"]
    q.raw.hset(q.key("operations"), "o1", json.dumps(line))
    assert drive(q) == [2]
