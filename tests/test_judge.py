"""The judge of chaos: each kind of wrong is told from a history that holds it and nothing else."""

import pytest
from rig.chaos.judge import Judgement
from stories import LEASE_MS, Story

DONE = ("a", "completed", 0, 0)


@pytest.fixture
def story() -> Story:
    """A job has been enqueued."""
    story = Story()
    story.enqueue("a")
    return story


def only(judged: Judgement, kind: str, says: str, also: str = "") -> None:
    """Fail unless there is one finding, of this kind, and it says so.

    also: one of another kind, that comes with it: what was counted does not fit either.
    """
    kinds = [finding.kind for finding in judged.findings]
    assert sorted(kinds) == sorted([kind, *also.split()]), judged.findings
    assert says in judged.findings[kinds.index(kind)].sentence


def right(judged: Judgement) -> None:
    assert judged.findings == []


# --- what is right


def test_a_job_that_is_enqueued_claimed_run_and_acked_is_right(story: Story) -> None:
    story.done("a", "t1", who="worker1-7.1")
    judged = story.judged(DONE)
    right(judged)
    assert judged.numbers == {"jobs": 1, "claims": 1, "runs": 1, "faults": 0, "leases_lost": 0}


def test_a_failure_a_release_and_a_lease_that_ran_out_explain_further_runs(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("fail", "a", "t1", "RETRYING")
    story.claim("a", token="t2", attempt=2, failures=1)
    story.end("release", "a", "t2", "BACK")
    story.claim("a", token="t3", attempt=2, failures=1)
    story.passes(LEASE_MS / 1000)
    story.end("ack", "a", "t3", "LEASE_LOST")
    story.done("a", "t4", attempt=3, failures=1, lost=1)
    judged = story.judged(("a", "completed", 1, 1))
    right(judged)
    assert judged.numbers["leases_lost"] == 1


def test_calls_at_the_same_time_may_have_come_either_way(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("release", "a", "t1", "")
    story.claim("a", token="t2")
    story.end("ack", "a", "t2", "DONE")
    right(story.judged(DONE))


def test_a_call_without_an_answer_may_be_carried_out_much_later(story: Story) -> None:
    story.end("ack", "a", "t1", "")
    story.claim("a", token="t1")
    right(story.judged(DONE))


def test_what_was_sent_again_may_have_been_carried_out_before(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("fail", "a", "t1", "LEASE_LOST", tries=2)
    story.done("a", "t2", attempt=2, failures=1)
    right(story.judged(("a", "completed", 1, 0)))


# --- lost, unexpected, undone


def test_a_job_that_was_created_and_is_nowhere_is_lost(story: Story) -> None:
    only(story.judged(enqueued_total=0), "lost", "producer1 was answered CREATED", "counters")


def test_a_job_that_was_known_already_and_is_nowhere_is_lost() -> None:
    story = Story()
    story.enqueue("a", word="DUPLICATE")
    only(story.judged(), "lost", "DUPLICATE")


def test_a_job_that_was_seen_completed_and_then_went_unpurged_is_lost(story: Story) -> None:
    story.done("a", "t1")
    story.note("kept", "keeper", queue="busy", items=[["a", "completed", 1, 0, 0]])
    judged = story.judged(enqueued_total=0)
    only(judged, "lost", "is in no state any more", "counters")


def test_a_purged_job_is_not_lost(story: Story) -> None:
    story.done("a", "t1")
    story.note("kept", "keeper", queue="busy", items=[["a", "completed", 1, 0, 0]])
    story.wish("purge", "a", "GONE")
    story.totals["purged"] = 1
    right(story.judged())


def test_a_job_that_nobody_enqueued_is_unexpected() -> None:
    story = Story()
    story.done("a", "t1")
    only(story.judged(DONE, enqueued_total=1), "unexpected", "nobody enqueued it", "counters")


def test_a_completed_job_that_is_handed_out_is_unexpected(story: Story) -> None:
    story.done("a", "t1")
    story.claim("a", token="t2")
    only(story.judged(DONE), "unexpected", "after it was completed", "attempts")


def test_a_cancelled_job_that_is_handed_out_is_unexpected(story: Story) -> None:
    story.wish("cancel", "a", "GONE")
    story.claim("a", token="t1")
    only(story.judged(("a", "cancelled", 0, 0)), "unexpected", "after it was cancelled", "attempts")


def test_a_dead_job_is_handed_out_only_after_a_replay(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("fail", "a", "t1", "DEAD")
    story.wish("replay", "a", "QUEUED")
    story.totals["replayed"] = 1
    story.done("a", "t2", failures=1)
    right(story.judged(("a", "completed", 1, 0)))
    story.events = [event for event in story.events if event.verb != "replay"]
    kinds = {finding.kind for finding in story.judged(("a", "completed", 1, 0)).findings}
    assert kinds == {"unexpected", "undone", "counters"}


def test_an_acked_job_in_another_state_is_undone(story: Story) -> None:
    story.done("a", "t1")
    only(story.judged(("a", "queued", 0, 0)), "undone", "as completed, and is queued")


def test_a_job_that_nobody_acked_and_is_completed_is_unexpected(story: Story) -> None:
    only(story.judged(DONE), "unexpected", "nobody acked it")


def test_a_job_that_nobody_cancelled_and_is_cancelled_is_unexpected(story: Story) -> None:
    only(story.judged(("a", "cancelled", 0, 0)), "unexpected", "nobody asked for it")


def test_a_job_that_is_dead_for_no_reason_is_unexpected(story: Story) -> None:
    only(story.judged(("a", "dead", 0, 0)), "unexpected", "no failure")


def test_a_run_under_a_token_of_no_claim_is_unexpected(story: Story) -> None:
    story.done("a", "t1")
    story.run("a", "t2")
    only(story.judged(DONE), "unexpected", "under t2, which never held it")


def test_an_ack_of_a_worker_that_did_not_run_the_job_is_unexpected(story: Story) -> None:
    story.claim("a", token="t1", who="worker1-7.1")
    story.end("ack", "a", "t1", "DONE", "worker1-7.2")
    only(story.judged(DONE), "unexpected", "without having run it")


# --- leases


def test_a_second_run_without_a_cause_is_told(story: Story) -> None:
    story.claim("a", token="t1", who="worker1-7.1")
    story.passes(LEASE_MS / 1000)
    story.done("a", "t2", attempt=2, lost=1)
    only(story.judged(("a", "completed", 0, 1)), "duplicated", "which nothing had ended")


def test_a_second_run_because_of_a_fault_is_right(story: Story) -> None:
    story.claim("a", token="t1", who="worker1-7.1")
    story.fault("worker_killed", 0.1)
    story.passes(LEASE_MS / 1000)
    story.done("a", "t2", attempt=2, lost=1)
    right(story.judged(("a", "completed", 0, 1)))


def test_two_creations_of_one_job_are_told(story: Story) -> None:
    story.enqueue("a")
    story.done("a", "t1")
    only(story.judged(DONE), "duplicated", "it was created 2 times", "counters")


def test_two_runs_under_one_lease_are_told(story: Story) -> None:
    story.claim("a", token="t1", who="worker1-7.1")
    story.run("a", "t1")
    story.run("a", "t1")
    story.end("ack", "a", "t1", "DONE")
    only(story.judged(DONE), "duplicated", "twice under one lease")


def test_two_holders_are_told(story: Story) -> None:
    story.claim("a", token="t1")
    story.claim("a", token="t2")
    story.end("ack", "a", "t2", "DONE")
    only(story.judged(("a", "completed", 0, 1)), "two_holders", "980 ms before the lease of hand1")


def test_an_extended_lease_counts_to_its_new_end(story: Story) -> None:
    story.claim("a", token="t1")
    story.passes(0.9)
    story.end("extend", "a", "t1", "HELD")
    story.passes(0.9)
    story.done("a", "t2", attempt=2, lost=1)
    only(story.judged(("a", "completed", 0, 1)), "two_holders", "ms before the lease")


def test_runs_that_overlap_while_the_first_lease_was_not_over_are_told(story: Story) -> None:
    story.claim("a", token="t1", who="worker1-7.1")
    story.begins("a", "t1")
    story.end("release", "a", "t1", "BACK")
    story.claim("a", token="t2", who="worker2-8.1")
    story.run("a", "t2", who="worker2-8")
    story.note("ended", "worker1-7", queue="busy", items=[["a", "t1"]], word="done")
    story.end("ack", "a", "t2", "DONE", "worker2-8.2")
    only(story.judged(DONE), "overlap", "before worker1-7 had ended")


@pytest.mark.parametrize(
    ("verb", "word"),
    [("ack", "DONE"), ("fail", "RETRYING"), ("release", "BACK"), ("extend", "HELD")],
)
def test_a_stale_call_that_is_accepted_is_told(story: Story, verb: str, word: str) -> None:
    story.claim("a", token="t1")
    story.passes(LEASE_MS / 1000)
    story.claim("a", token="t2", attempt=2, lost=1)
    story.end(verb, "a", "t1", word)
    told = story.judged(("a", "queued", int(verb == "fail"), 1))
    stale = [finding.sentence for finding in told.findings if finding.kind == "stale"]
    assert any("when hand1 had it under t2" in sentence for sentence in stale)


def test_a_call_after_the_end_of_its_lease_that_is_accepted_is_told(story: Story) -> None:
    story.claim("a", token="t1")
    story.passes(LEASE_MS / 1000)
    story.end("ack", "a", "t1", "DONE")
    only(story.judged(DONE), "stale", "ms after its lease had run out")


def test_a_token_that_never_held_the_job_and_is_accepted_is_told(story: Story) -> None:
    story.end("ack", "a", "t1", "DONE")
    only(story.judged(DONE), "stale", "which never held it")


def test_a_lease_that_is_ended_twice_is_told(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("release", "a", "t1", "BACK")
    story.end("ack", "a", "t1", "DONE")
    sentences = [finding.sentence for finding in story.judged(DONE).findings]
    assert "one lease was ended more than once: ack DONE, release BACK" in sentences


def test_a_held_lease_that_is_refused_is_told(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("ack", "a", "t1", "LEASE_LOST")
    story.passes(LEASE_MS / 1000)
    only(story.judged(("a", "queued", 0, 1)), "refused", "under t1, which held it")


# --- attempts, payloads, order, fences, counters


def test_attempts_above_their_bound_are_told(story: Story) -> None:
    story.done("a", "t1", attempt=4, failures=0)
    only(story.judged(DONE), "attempts", "after 3 of 3 failures")


def test_lost_leases_above_their_bound_are_told(story: Story) -> None:
    story.done("a", "t1", attempt=7, lost=6)
    told = story.judged(("a", "completed", 0, 6)).findings
    assert [finding.kind for finding in told] == ["attempts", "attempts"]
    assert "after 6 lost leases" in told[0].sentence
    assert "more than ran out" in told[1].sentence


def test_a_failure_that_is_counted_twice_is_told(story: Story) -> None:
    story.claim("a", token="t1")
    story.end("fail", "a", "t1", "RETRYING")
    story.done("a", "t2", attempt=2, failures=1)
    only(story.judged(("a", "completed", 2, 0)), "attempts", "2 failures, and 1 to 1 were sent")


def test_a_lost_lease_that_is_not_counted_is_told(story: Story) -> None:
    story.claim("a", token="t1")
    story.passes(LEASE_MS / 1000)
    story.done("a", "t2", attempt=2, lost=0, failures=1)
    only(story.judged(DONE), "attempts", "fewer than ran out")


def test_a_payload_that_came_otherwise_than_it_was_sent_is_told(story: Story) -> None:
    story.done("a", "t1", whole=0)
    only(story.judged(DONE), "payload", "not what was sent")


def test_a_later_job_that_is_claimed_first_is_told(story: Story) -> None:
    story.enqueue("b")
    story.done("b", "t1")
    story.done("a", "t2")
    only(story.judged(DONE, ("b", "completed", 0, 0)), "order", "before a, which was enqueued")


def test_a_batch_out_of_its_order_is_told() -> None:
    story = Story()
    story.enqueue("a", "b")
    story.done("b", "t1")
    story.done("a", "t2")
    only(story.judged(DONE, ("b", "completed", 0, 0)), "order", "an earlier one of its batch")


def test_an_urgent_job_that_is_passed_over_is_told(story: Story) -> None:
    story.enqueue("b", priority=9)
    story.done("a", "t1")
    story.done("b", "t2")
    only(story.judged(DONE, ("b", "completed", 0, 0)), "order", "before b, which is more urgent")


def test_a_delayed_job_may_be_passed_over(story: Story) -> None:
    story.enqueue("b", delay_ms=1000, priority=9)
    story.done("a", "t1")
    story.done("b", "t2")
    right(story.judged(DONE, ("b", "completed", 0, 0)))


def test_a_fence_that_does_not_grow_is_told(story: Story) -> None:
    story.enqueue("b")
    story.done("a", "t1", fence=500)
    story.done("b", "t2", fence=400)
    told = story.judged(DONE, ("b", "completed", 0, 0)).findings
    assert "a claim got 400 after another had got 500" in [one.sentence for one in told]


def test_a_job_that_is_handed_out_in_a_pause_is_told(story: Story) -> None:
    story.call("configure", "rig", [], [], "CONFIGURED", paused="1")
    story.done("a", "t1")
    story.call("configure", "rig", [], [], "CONFIGURED", paused="0")
    only(story.judged(DONE), "unexpected", "while the queue was paused")


@pytest.mark.parametrize(
    "name", ["enqueued", "completed", "failed", "lost", "died", "cancelled", "trimmed", "missing"]
)
def test_a_total_that_is_not_what_is_there_is_told(story: Story, name: str) -> None:
    story.done("a", "t1")
    told = story.judged(DONE, **{f"{name}_total": 7}).findings
    assert {finding.kind for finding in told} == {"counters"}
    assert any(f"{name}_total is 7" in finding.sentence for finding in told)


# --- progress, and what the rig itself finds


def test_a_worker_that_does_not_go_on_after_a_fault_is_told(story: Story) -> None:
    for worker in ("worker1", "worker2"):
        story.note("started", worker)
    story.passes(1.0)
    story.fault("server_away", 1.0)
    story.passes(2.0)
    story.done("a", "t1", who="worker1-7.1")
    story.passes(11.0)
    story.note("load ended", "rig")
    judged = story.judged(DONE)
    only(judged, "progress", "no run for 13.0 s after server_away")
    assert judged.findings[0].id == "worker2"
    assert round(judged.longest_seconds, 1) == 2.0


def test_a_worker_that_was_killed_by_the_fault_is_not_waited_for(story: Story) -> None:
    story.note("started", "worker1")
    story.passes(1.0)
    story.note("fault", "rig", n=9, word="worker_killed")
    story.note("gone", "worker1")
    story.note("healed", "rig", n=9, word="worker_killed")
    story.passes(11.0)
    story.note("load ended", "rig")
    story.done("a", "t1")
    right(story.judged(DONE))


def test_what_fsck_and_the_rig_found_is_told(story: Story) -> None:
    story.done("a", "t1")
    story.note("faulty", "a", queue="busy", word="job a of busy: it is in two sets")
    story.note("wrong", "crew", word="worker1 ended by itself with status 1")
    told = story.judged(DONE).findings
    assert [finding.kind for finding in told] == ["fsck", "rig"]


def test_jobs_are_judged_part_by_part_as_well_as_all_at_once() -> None:
    from rig.chaos.judge import judge

    story = Story()
    for n in range(40):
        story.enqueue(f"j{n}")
        story.claim(f"j{n}", token=f"t{n}", whole=n % 2)
        story.end("ack", f"j{n}", f"t{n}", "DONE")
    whole = story.judged(*((f"j{n}", "completed", 0, 0) for n in range(40)))
    parts = judge(lambda: story.events, 1.0, jobs_at_once=7)
    assert len(whole.findings) == 20
    assert sorted(parts.findings) == sorted(whole.findings)
    assert parts.numbers == whole.numbers
