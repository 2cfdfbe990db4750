"""The judge of chaos: what is wrong with the life of a job is told, and nothing else."""

import pytest
from stories import LEASE_MS, Story, only, right

DONE = ("a", "completed", 0, 0)


@pytest.fixture
def story() -> Story:
    """A job has been enqueued."""
    story = Story()
    story.enqueue("a")
    return story


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
