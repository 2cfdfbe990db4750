"""A job on its way in: enqueued and looked at in one round trip."""

from typing import Any, Unpack

from boltq import ids, newjob, scripts
from boltq.client import BoltQ
from boltq.errors import BoltQError, Unavailable
from boltq.follow import Enqueued
from boltq.job import Job, described


def enter(
    boltq: BoltQ, new: newjob.NewJob, *, queue: str, **options: Unpack[newjob.Options]
) -> tuple[Enqueued[Any], Job | None]:
    """Enqueue a job, and show it as it stood right after.

    The job is None where the look failed, or came too early: of two scripts that go out together,
    one that had to be loaded first, or sent on to where its queue has moved, runs last. Raises as
    BoltQ.enqueue.
    """
    item = newjob.item(queue, new)
    inside = str(item.id)
    common = newjob.common(options, boltq.server.now_ms)
    calls: list[Any] = [
        scripts.enqueue(queue, [item], **common),
        scripts.inspect(queue, [scripts.InspectItem(inside)], with_payload=1),
    ]
    try:
        reply, seen = boltq.server.call_all(calls)
        if isinstance(reply, BoltQError):
            raise reply
    except Unavailable as problem:
        raise Unavailable(str(problem), (ids.join(queue, inside),)) from problem
    boltq.server.note_queue(queue, reply.now_ms)
    created = isinstance(reply.answers[0], scripts.EnqueueCreated)
    answer = seen.answers[0] if isinstance(seen, scripts.Inspected) else None
    job = described(queue, answer) if isinstance(answer, scripts.InspectJob) else None
    return Enqueued(ids.join(queue, inside), created, boltq), job
