"""The bell rings when there is new work or work is due earlier, once, and never without reason."""

import pytest
from queue_state import QueueState


@pytest.fixture
def quiet(q: QueueState) -> QueueState:
    """A queue with work of every kind that is not due, and a bell that nobody waits to hear."""
    q.run("asked", "held", "other", token="t1", base_ms=90_000, jitter=0, max_attempts=9)
    q.run("retry", token="t2")
    q.fail("retry", token="t2", delay_ms=60_000)
    q.enqueue("delayed", delay_ms=60_000)
    q.cancel("asked")
    q.silence()
    return q


def test_an_enqueue_rings(quiet: QueueState) -> None:
    quiet.enqueue("a", "b")
    assert quiet.bell() == 1


def test_a_bell_that_rings_already_is_not_rung_again(quiet: QueueState) -> None:
    for id in ("a", "b", "c"):
        quiet.enqueue(id)
        quiet.release("held")
    assert quiet.bell() == 1


def test_a_claim_that_leaves_jobs_does_not_ring_a_bell_that_rings_already(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    assert q.bell() == 1
    for token in ("t1", "t2"):
        q.claim(token, limit=1)
        assert q.bell() == 1


def test_a_duplicate_does_not_ring(quiet: QueueState) -> None:
    quiet.enqueue("held", "delayed", "retry")
    quiet.enqueue("held", delay_ms=1)
    assert quiet.bell() == 0


@pytest.mark.parametrize(("delay_ms", "rings"), [(30_000, 1), (90_000, 0)])
def test_a_delayed_enqueue_rings_if_it_is_due_before_all_other_delayed_jobs(
    quiet: QueueState, delay_ms: int, rings: int
) -> None:
    quiet.enqueue("a", delay_ms=delay_ms)
    assert quiet.bell() == rings


def test_the_first_delayed_job_rings(q: QueueState) -> None:
    q.enqueue("a", delay_ms=315_360_000_000)
    assert q.bell() == 1


@pytest.mark.parametrize(("delay_ms", "rings"), [("", 0), (30_000, 1), (90_000, 0), (0, 1)])
def test_a_fail_rings_if_the_next_try_is_due_before_all_others(
    quiet: QueueState, delay_ms: int, rings: int
) -> None:
    quiet.fail("held", "other", delay_ms=delay_ms)
    assert quiet.bell() == rings


def test_a_fail_rings_by_the_earliest_of_its_batch(quiet: QueueState) -> None:
    quiet.send(
        "fail",
        b"",
        *("held", "t1", b"", b"", b"", 90_000, 0),
        *("other", "t1", b"", b"", b"", 1, 0),
    )
    assert quiet.bell() == 1


def test_a_fail_that_buries_or_cancels_does_not_ring(quiet: QueueState) -> None:
    quiet.fail("asked", "held", final=1)
    assert quiet.bell() == 0


@pytest.mark.parametrize(("delay_ms", "rings"), [(0, 1), (30_000, 1), (90_000, 0)])
def test_a_release_rings_if_the_job_is_queued_or_due_before_all_other_delayed_jobs(
    quiet: QueueState, delay_ms: int, rings: int
) -> None:
    quiet.release("held", delay_ms=delay_ms)
    assert quiet.bell() == rings


def test_a_release_rings_by_any_of_its_batch(quiet: QueueState) -> None:
    quiet.send("release", "", *("held", "t1", 30_000), *("other", "t1", 90_000))
    assert quiet.bell() == 1


def test_a_release_that_cancels_does_not_ring(quiet: QueueState) -> None:
    quiet.release("asked")
    assert quiet.bell() == 0


@pytest.mark.parametrize("part", ["scheduled", "retrying"])
def test_a_promote_rings_if_it_queued_a_job(quiet: QueueState, part: str) -> None:
    quiet.promote()
    assert quiet.bell() == 0
    quiet.make_due(part, "delayed" if part == "scheduled" else "retry")
    quiet.promote()
    assert quiet.bell() == 1


def test_a_reap_rings_if_it_gave_a_job_back(quiet: QueueState) -> None:
    quiet.corrupted = True
    quiet.reap()
    assert quiet.bell() == 0
    quiet.make_due("running", "held")
    quiet.raw.delete(quiet.key("retrying"))
    quiet.reap()
    assert (quiet.order("retrying"), quiet.bell()) == (["held"], 1)


def test_a_reap_rings_if_it_queued_a_job(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.silence()
    q.make_due("running", "a")
    q.reap()
    assert (q.order("queued"), q.bell()) == (["a"], 1)


def test_a_claim_that_leaves_jobs_rings_so_that_the_next_worker_wakes(quiet: QueueState) -> None:
    quiet.enqueue("a", "b", "c")
    bells = []
    for n in range(3):
        quiet.silence()
        quiet.claim(f"c{n}", limit=1)
        bells.append(quiet.bell())
    assert bells == [1, 1, 0]


def test_a_claim_that_stopped_at_its_bytes_or_before_a_suspect_rings(q: QueueState) -> None:
    q.corrupted = True
    q.enqueue("a", "b", payload=bytes(5000))
    q.silence()
    q.claim("t1", max_bytes=5000)
    assert q.bell() == 1
    q.raw.hset(q.key("tries"), "c", b"0 1 0 1 t9 reap\n")
    q.enqueue("c")
    q.silence()
    assert (q.claimed("t2"), q.bell()) == (["b"], 1)


def test_a_claim_that_finds_nothing_does_not_ring(quiet: QueueState) -> None:
    assert (quiet.claimed("t9"), quiet.bell()) == ([], 0)


def test_a_claim_that_takes_all_that_has_become_due_does_not_ring(quiet: QueueState) -> None:
    quiet.make_due("scheduled", "delayed")
    quiet.make_due("retrying", "retry")
    assert (quiet.claimed("t9"), quiet.bell()) == (["delayed", "retry"], 0)


@pytest.mark.parametrize("verb", ["ack", "extend"])
def test_verbs_that_make_no_work_do_not_ring(quiet: QueueState, verb: str) -> None:
    getattr(quiet, verb)("held", "asked")
    assert quiet.bell() == 0


@pytest.mark.parametrize("verb", ["ack", "fail", "extend", "release"])
def test_what_is_refused_does_not_ring(quiet: QueueState, verb: str) -> None:
    getattr(quiet, verb)("held", "nothing", "delayed", token="t9")
    assert quiet.bell() == 0


def test_one_ring_after_another_wakes_as_many_workers_as_there_are_jobs(q: QueueState) -> None:
    q.enqueue("a", "b", "c", "d")
    took = []
    while q.raw.lpop(q.key("bell")):
        took.append(q.claimed(f"t{len(took)}", limit=1))
    assert took == [["a"], ["b"], ["c"], ["d"]]
