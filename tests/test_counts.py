"""What queues hold, in numbers."""

from boltq import counts
from boltq.scripts import Stats

MOMENT_MS = 1_800_000_000_000


def stats(now_ms: int, queued: int = 1, wait_ms: int = 0) -> Stats:
    none = Stats(*[0] * len(Stats._fields))
    return none._replace(now_ms=now_ms, queued=queued, oldest_queued_ms=wait_ms)


def test_the_queue_whose_oldest_job_came_first_is_first_and_idle_ones_are_last() -> None:
    each = {
        "idle": stats(MOMENT_MS, queued=0),
        "new": stats(MOMENT_MS, wait_ms=10),
        "also-idle": stats(MOMENT_MS + 90, queued=0),
        "just-now": stats(MOMENT_MS),
        "old": stats(MOMENT_MS, wait_ms=5000),
    }
    found = [queue for queue, _ in counts.longest_wait_first(each)]
    assert found == ["old", "new", "just-now", "also-idle", "idle"]


def test_a_queue_that_was_looked_at_later_does_not_change_places_with_one_that_waits_longer() -> (
    None
):
    each = {"b": stats(MOMENT_MS, wait_ms=8), "a": stats(MOMENT_MS + 7, wait_ms=13)}
    assert [queue for queue, _ in counts.longest_wait_first(each)] == ["b", "a"]
    later = {"b": stats(MOMENT_MS + 600, wait_ms=608), "a": stats(MOMENT_MS + 500, wait_ms=506)}
    assert [queue for queue, _ in counts.longest_wait_first(later)] == ["b", "a"]


def test_queues_whose_jobs_came_at_the_same_moment_stand_by_name() -> None:
    each = {"b": stats(MOMENT_MS + 7, wait_ms=7), "a": stats(MOMENT_MS)}
    assert [queue for queue, _ in counts.longest_wait_first(each)] == ["a", "b"]
