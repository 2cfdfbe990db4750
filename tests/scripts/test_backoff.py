"""How long a job waits before its next try, after a failure or a lost lease."""

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import FailItem, FailRetrying


def pause_after_fail(
    q: QueueState, token: str = "t1", id: str = "a", delay_ms: int | str = ""
) -> int:
    item = FailItem(id, token, b"", b"", b"", delay_ms, 0)
    reply = q.call(scripts.fail(q.name, [item]))
    (answer,) = reply.answers
    assert isinstance(answer, FailRetrying)
    # A claim takes stamps too, so that a stamp may be of a later millisecond than now.
    score = q.read("retrying")[id]
    assert score == q.stat("stamp") + (answer.run_at_ms - reply.now_ms) * 512
    return answer.run_at_ms - reply.now_ms


def pauses_after_fails(q: QueueState, count: int, **options: float) -> list[int]:
    q.enqueue("a", max_attempts=1000, **options)
    pauses = []
    for n in range(count):
        assert q.claimed(f"t{n}") == ["a"]
        pauses.append(pause_after_fail(q, f"t{n}"))
        q.make_due("retrying", "a")
    return pauses


@pytest.mark.parametrize(
    ("options", "pauses"),
    [
        ({}, [1000, 2000, 4000, 8000, 16_000]),
        ({"base_ms": 100, "factor": 3}, [100, 300, 900, 2700, 8100]),
        ({"base_ms": 100, "factor": 1.5}, [100, 150, 225, 337, 506]),
        ({"base_ms": 500, "factor": 1}, [500] * 5),
        ({"cap_ms": 3000}, [1000, 2000, 3000, 3000, 3000]),
        ({"base_ms": 5000, "cap_ms": 10}, [10] * 5),
        ({"cap_ms": 0}, [0] * 5),
        ({"base_ms": 0}, [0] * 5),
        (
            {"base_ms": 1, "factor": 1000, "cap_ms": 315_360_000_000},
            [10 ** (3 * n) for n in range(4)],
        ),
        ({"base_ms": 315_360_000_000, "cap_ms": 315_360_000_000}, [315_360_000_000] * 3),
    ],
    ids=str,
)
def test_the_pause_grows_by_the_factor_up_to_the_cap(
    q: QueueState, options: dict[str, float], pauses: list[int]
) -> None:
    assert pauses_after_fails(q, len(pauses), jitter=0, **options) == pauses


def test_the_pause_is_at_most_an_hour_unless_the_job_says_otherwise(q: QueueState) -> None:
    assert pauses_after_fails(q, 14, jitter=0)[-3:] == [2_048_000, 3_600_000, 3_600_000]


def test_a_job_that_has_failed_very_often_still_waits_its_cap(q: QueueState) -> None:
    q.corrupted = True
    q.run("a", max_attempts=1000, factor=1000, jitter=0)
    q.raw.hset(q.key("tries"), "a", b"990 0 990 0 t0 fail\n")
    assert pause_after_fail(q) == 3_600_000


def test_a_job_without_backoff_that_has_failed_very_often_still_does_not_wait(
    q: QueueState,
) -> None:
    q.corrupted = True
    q.run("a", max_attempts=1000, base_ms=0, factor=1000)
    q.raw.hset(q.key("tries"), "a", b"990 0 990 0 t0 fail\n")
    assert pause_after_fail(q) == 0


def test_the_queue_says_how_long_where_the_job_does_not(q: QueueState) -> None:
    q.configure(
        job_backoff_base_ms=10, job_backoff_factor=10, job_backoff_cap_ms=500, job_backoff_jitter=0
    )
    assert pauses_after_fails(q, 4) == [10, 100, 500, 500]


def test_the_jitter_is_a_fifth_up_or_down_and_differs_from_job_to_job(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(200)]
    q.run(*ids, base_ms=100_000)
    reply = q.call(scripts.fail(q.name, [FailItem(id, "t1", b"", b"", b"", "", 0) for id in ids]))
    first = q.stat("stamp") - len(ids) + 1
    pauses = [
        (score - first - n) // 512 for n, score in enumerate(q.read("retrying")[id] for id in ids)
    ]
    assert len(reply.answers) == len(ids)
    assert min(pauses) >= 80_000
    assert max(pauses) <= 120_000
    # Spread over the whole range: 200 even draws miss a tenth at an end once in 10^9.
    assert min(pauses) < 84_000
    assert max(pauses) > 116_000
    assert len(set(pauses)) > 190


@pytest.mark.parametrize(
    ("jitter", "low", "high"), [(1, 0, 2000), (0.5, 500, 1500), (0, 1000, 1000)]
)
def test_the_jitter_of_a_job_bounds_its_pause(
    q: QueueState, jitter: float, low: int, high: int
) -> None:
    ids = [f"j{n}" for n in range(50)]
    q.run(*ids, jitter=jitter)
    for id in ids:
        assert low <= pause_after_fail(q, id=id) <= high


def test_the_jitter_of_a_job_differs_from_time_to_time(q: QueueState) -> None:
    pauses = pauses_after_fails(q, 10, base_ms=1_000_000, factor=1)
    assert len(set(pauses)) > 1


@pytest.mark.parametrize("delay_ms", [0, 1, 12_345, 315_360_000_000])
def test_a_handler_may_name_its_own_delay_which_is_taken_as_it_is(
    q: QueueState, delay_ms: int
) -> None:
    q.run("a", jitter=1, cap_ms=5)
    assert pause_after_fail(q, delay_ms=delay_ms) == delay_ms
    assert q.states("a") == ["retrying"]


def test_an_own_delay_of_nothing_is_due_at_once(q: QueueState) -> None:
    q.run("a")
    pause_after_fail(q, delay_ms=0)
    assert q.claimed("t2") == ["a"]


# --- lost leases


def test_a_lost_lease_waits_the_backoff_of_failures_and_lost_leases(q: QueueState) -> None:
    q.enqueue("a", jitter=0, max_attempts=9)
    pauses = []
    for n, end in enumerate(["lapse", "fail", "lapse", "lapse"]):
        assert q.claimed(f"t{n}") == ["a"]
        if end == "fail":
            # A failure waits by the failures alone.
            pauses.append(pause_after_fail(q, f"t{n}"))
        else:
            q.make_due("running", "a")
            q.reap()
            pauses.append((q.read("retrying")["a"] - q.stat("stamp")) / 512)
        q.make_due("retrying", "a")
    assert pauses == [1000, 1000, 4000, 8000]


def test_a_lost_lease_without_backoff_is_queued_at_once_behind_the_others(q: QueueState) -> None:
    q.run("a", base_ms=0)
    q.enqueue("b")
    q.make_due("running", "a")
    q.reap()
    assert q.states("a") == ["queued"]
    assert q.order("queued") == ["b", "a"]


def test_a_lost_lease_counts_no_failure_for_the_backoff_of_failures(q: QueueState) -> None:
    q.enqueue("a", jitter=0, max_attempts=9)
    assert q.claimed("t1") == ["a"]
    q.make_due("running", "a")
    q.reap()
    q.make_due("retrying", "a")
    assert q.claimed("t2") == ["a"]
    assert pause_after_fail(q, "t2") == 1000
