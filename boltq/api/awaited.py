"""Which of what requests wait for has come: jobs that have ended, events that have happened."""

from collections.abc import Iterable

from boltq import ids, scripts
from boltq.evalsha import Server
from boltq.follow import ENDED

Feed = tuple[str, str]
"""A queue, and the id of its last event that is known."""

INSPECT_ITEMS = 100


def ended(asking: Server, jobs: Iterable[str]) -> set[str]:
    """Return which of the jobs have ended, or are not kept any more; at most one round trip.

    Jobs of which the answer has no room to tell are among them: who waits for one asks himself.
    """
    queues: dict[str, list[str]] = {}
    for job in jobs:
        queues.setdefault(ids.split(job)[0], []).append(job)
    groups = [
        (queue, group[start : start + INSPECT_ITEMS])
        for queue, group in queues.items()
        for start in range(0, len(group), INSPECT_ITEMS)
    ]
    calls = [
        scripts.inspect(
            queue, [scripts.InspectItem(ids.split(job)[1]) for job in group], with_payload=0
        )
        for queue, group in groups
    ]
    found: set[str] = set()
    replies = asking.call_all(calls) if calls else []
    for (_, group), reply in zip(groups, replies, strict=True):
        # A queue that refuses answers the request itself, when it is run again.
        answers = reply.answers if isinstance(reply, scripts.Inspected) else [None] * len(group)
        for job, answer in zip(group, answers, strict=True):
            goes_on = isinstance(answer, scripts.InspectJob) and answer.state not in ENDED
            if not goes_on:
                found.add(job)
    return found


def happened(asking: Server, feeds: Iterable[Feed]) -> set[Feed]:
    """Return those feeds that have gone on; at most one round trip, one call a queue."""
    wanted = set(feeds)
    queues = sorted({queue for queue, _ in wanted})
    calls = [scripts.events(queue, after="", limit=1) for queue in queues]
    replies = asking.call_all(calls) if calls else []
    last = {
        queue: reply.last if isinstance(reply, scripts.Events) else None
        for queue, reply in zip(queues, replies, strict=True)
    }
    return {(queue, known) for queue, known in wanted if last[queue] != known}
