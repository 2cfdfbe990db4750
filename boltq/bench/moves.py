"""The moves of jobs that parts have in common: in batches, by the scripts or by plain commands."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from boltq import ids, scripts
from boltq.bench.site import Site
from boltq.call import Call
from boltq.newjob import NewJob

PAYLOAD = {"recipient": "user@example.com", "subject": "Hello", "body": "x" * 140}
RAW = b'{"recipient":"user@example.com","subject":"Hello","body":"' + b"x" * 140 + b'"}'
"""The same as it is stored: about 200 bytes, the size that the figures of the design speak of."""

NOOP = "bench:noop"
LEASE_MS = 3_600_000
MAX_BYTES = 4_000_000
MOST = 500
"""The jobs of one call at most."""


def batches(count: int, size: int) -> Iterator[int]:
    """Cut a number of jobs into batches of a size, and the rest."""
    for begin in range(0, count, size):
        yield min(size, count - begin)


def fill(site: Site, queue: str, count: int, *, kind: str = NOOP, delay: float = 0) -> None:
    """Enqueue jobs, in batches of 500; delay: in seconds."""
    jobs = (NewJob(kind, raw=RAW) for _ in range(count))
    site.client.enqueue_many(jobs, queue=queue, delay_seconds=delay)


def enqueue(queue: str, size: int) -> Call[scripts.EnqueueReply]:
    """Make the call that enqueues so many."""
    items = [scripts.EnqueueItem(id, NOOP, RAW, b"") for id in ids.new_ids(size)]
    return scripts.enqueue(queue, items)


def claim(queue: str, token: str, size: int, lease_ms: int = LEASE_MS) -> Any:
    """Make the call that claims so many."""
    return scripts.claim(
        queue, token=token, worker="bench", lease_ms=lease_ms, limit=size, max_bytes=MAX_BYTES
    )


def claimed(site: Site, queue: str, size: int, lease_ms: int = LEASE_MS) -> list[scripts.AckItem]:
    """Claim so many, and return by what they are acked; none if the queue gave none."""
    token = ids.new_token()
    reply = site.server.call(claim(queue, token, size, lease_ms))
    if not isinstance(reply, scripts.Claimed):
        return []
    return [scripts.AckItem(job.id, token, b"") for job in reply.answers]


def claim_all(site: Site, queue: str, size: int = 100) -> list[scripts.AckItem]:
    """Claim all that is queued."""
    held: list[scripts.AckItem] = []
    while more := claimed(site, queue, size):
        held += more
    return held


def complete(site: Site, queue: str, count: int) -> None:
    """Let jobs live whole lives, so many."""
    for size in batches(count, MOST):
        fill(site, queue, size)
        site.server.call(scripts.ack(queue, claimed(site, queue, size)))


def each(items: Sequence[Any], size: int, call: Callable[[Sequence[Any]], object]) -> None:
    """Do something with items, so many at a time."""
    for begin in range(0, len(items), size):
        call(items[begin : begin + size])
