"""What queues hold, in numbers: the same JSON in the API and on the command line."""

from collections import Counter
from collections.abc import Iterable, Mapping

from boltq.job import moment_of, shown_time
from boltq.scripts import Stats

STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")


def of_queue(stats: Stats) -> dict[str, object]:
    """Return the stats of a queue as they are shown, without what does not apply."""
    shown: dict[str, object] = {
        name: count for name, count in stats._asdict().items() if _is_sum(name)
    }
    shown["lapsed"] = stats.lapsed
    shown["oldest_queued_seconds"] = stats.oldest_queued_ms / 1000
    if stats.next_due_ms:
        shown["next_due_at"] = shown_time(moment_of(stats.next_due_ms))
    shown["paused"] = bool(stats.paused)
    if stats.paused:
        shown["paused_at"] = shown_time(moment_of(stats.paused_at_ms))
        shown |= {"pause_reason": stats.pause_reason, "paused_by": stats.paused_by}
    return shown


def of_all(each: Mapping[str, Stats]) -> dict[str, object]:
    """Return the sums over queues, with what each of them holds as `queues`."""
    queues = {queue: of_queue(stats) for queue, stats in each.items()}
    return {**_together(each.values()), "queues": queues}


def longest_wait_first(each: Mapping[str, Stats]) -> list[tuple[str, Stats]]:
    """Return the queues, those first whose oldest job was queued earliest, the idle ones by name.

    By the moment, not by the wait: each queue is looked at a little later than the one before,
    and queues would change places from look to look.
    """

    def place(one: tuple[str, Stats]) -> tuple[bool, int, str]:
        queue, stats = one
        return not stats.queued, stats.now_ms - stats.oldest_queued_ms if stats.queued else 0, queue

    return sorted(each.items(), key=place)


def _together(each: Iterable[Stats]) -> dict[str, int]:
    sums = Counter(dict.fromkeys(filter(_is_sum, Stats._fields), 0))  # also of no queue at all
    for stats in each:
        sums.update({name: n for name, n in stats._asdict().items() if _is_sum(name)})
    return dict(sums)


def _is_sum(name: str) -> bool:
    return name in STATES or name.endswith("_total")
