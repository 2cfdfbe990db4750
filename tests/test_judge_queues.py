"""The judge of chaos: what is wrong with a whole queue or run is told, and nothing else."""

import pytest
from stories import LEASE_MS, Story, only, right

DONE = ("a", "completed", 0, 0)


@pytest.fixture
def story() -> Story:
    """A job has been enqueued."""
    story = Story()
    story.enqueue("a")
    return story


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


def test_a_lease_that_was_never_heard_of_may_have_run_out(story: Story) -> None:
    story.call("claim", "hand2", [], [], "EMPTY", tries=2, token="t0")
    story.done("a", "t1", attempt=2, lost=1)
    right(story.judged(("a", "completed", 0, 1)))


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


def test_a_fence_that_comes_twice_is_told(story: Story) -> None:
    story.claim("a", token="t1", fence=700)
    story.end("release", "a", "t1", "BACK")
    story.done("a", "t2", fence=700)
    told = story.judged(DONE).findings
    assert "two claims have the fence 700" in [one.sentence for one in told]


def test_a_claim_that_is_asked_again_and_leases_something_new_is_told(story: Story) -> None:
    story.enqueue("b")
    story.claim("a", token="t1")
    story.claim("b", token="t1")
    story.end("ack", "a", "t1", "DONE")
    story.end("ack", "b", "t1", "DONE")
    judged = story.judged(DONE, ("b", "completed", 0, 0))
    only(judged, "duplicated", "by a claim that was asked again")


def test_a_claim_that_is_asked_again_and_answers_the_same_is_right(story: Story) -> None:
    story.claim("a", token="t1", fence=700)
    story.claim("a", token="t1", fence=700)
    story.end("ack", "a", "t1", "DONE")
    right(story.judged(DONE))


def test_a_claim_that_names_a_lease_which_has_run_out_is_told(story: Story) -> None:
    story.claim("a", token="t1", lease_ms=5)
    told = story.judged(("a", "queued", 0, 1)).findings
    assert [finding.sentence for finding in told] == [
        "hand1 was told of a lease that had run out 5 ms before"
    ]


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
