"""The judge of chaos: what is wrong with who held a job is told, and nothing else."""

import pytest
from stories import LEASE_MS, Story, only, right

DONE = ("a", "completed", 0, 0)


@pytest.fixture
def story() -> Story:
    """A job has been enqueued."""
    story = Story()
    story.enqueue("a")
    return story


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
