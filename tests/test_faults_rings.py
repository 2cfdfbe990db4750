"""Rings that say two things, or are heard by nobody: jobs are done all the same, and in time."""

import time
from unittest.mock import patch

from queue_state import QueueState
from servers import until
from workers import wait_for, working

from boltq import scripts
from boltq.call import Call
from boltq.evalsha import sources
from boltq.worker import turns


def wait_until_idle(q: QueueState) -> None:
    until(lambda: q.raw.info("clients")["blocked_clients"])


def queues_of(q: QueueState) -> list[str]:
    """Two: whoever works on one alone sends its claim behind its wait, and needs no ring for it."""
    return [q.name, f"{q.name}-2"]


def at_one_instant(q: QueueState, *calls: Call[object], silently: bool = False) -> None:
    """Make calls in one transaction; silently: what would ring is heard in it, too."""
    pipe = q.raw.pipeline(transaction=True)
    for call in calls:
        q.raw.script_load(sources()[call.script])
        pipe.execute_command(*q.server.command(call))
    if silently:
        pipe.delete(q.key("bell"))
    pipe.execute()


def enqueue(q: QueueState, id: str, delay_ms: int) -> Call[object]:
    return scripts.enqueue(q.name, [scripts.EnqueueItem(id, "t", b"{}", b"")], delay_ms=delay_ms)


def test_a_delayed_job_is_in_time_though_its_ring_led_to_another_job(q: QueueState) -> None:
    with (
        patch.object(turns, "LOOK_SECONDS", 60),  # else it would look anyway, if late
        working(q, {"t": lambda: None}, lease_seconds=60, queues=queues_of(q)),
    ):
        wait_until_idle(q)
        began = time.monotonic()
        at_one_instant(q, enqueue(q, "later", 300), enqueue(q, "now", 0))
        wait_for(q, "completed", "now", "later")
        assert time.monotonic() - began > 0.3


def test_a_job_whose_ring_was_lost_is_done_within_10_s(q: QueueState) -> None:
    """As when the worker that heard it is killed; the second is one whose time it knew alone."""
    assert turns.LOOK_SECONDS <= 5
    with (
        patch.object(turns, "LOOK_SECONDS", 0.4),
        working(q, {"t": lambda: None}, lease_seconds=60, queues=queues_of(q)),
    ):
        wait_until_idle(q)
        at_one_instant(q, enqueue(q, "now", 0), enqueue(q, "later", 100), silently=True)
        wait_for(q, "completed", "now", "later")
