"""A queue as full as it may become: made by BoltQ's own scripts, time moved by scores."""

from collections.abc import Iterator, Sequence

from queue_keys import HOUR_MS, stamp_of
from queue_state import QueueState

from boltq import scripts

BATCH = 500
AT_ONCE = 10  # batches in one round trip
PAYLOAD = b'{"to":"ada@example.com","text":"' + 150 * b"x" + b'"}'

STACK = b"s" * 4000


def load(q: QueueState, jobs: int, due: int) -> None:
    """Let jobs wait; so many more each are delayed, retried, leased, dead. Some have 1 MiB."""
    q.configure(job_max_attempts=1000, job_max_lost=1000)
    bury(q, due)
    enqueue(q, "retried", due)
    for token, ids in claim_all(q, "r"):
        q.server.call_all(
            [
                scripts.fail(
                    q.name,
                    [scripts.FailItem(id, token, b"E", b"no", b"stack", HOUR_MS, 0) for id in ids],
                )
            ]
        )
    enqueue(q, "leased", due)
    for _ in claim_all(q, "l"):
        pass
    enqueue(q, "delayed", due, delay_ms=HOUR_MS)
    call_off_large(q, min(300, jobs // 100))
    enqueue(q, "waiting", jobs)


def bury(q: QueueState, count: int) -> None:
    """Let jobs be kept as dead, each with an error and its stack."""
    enqueue(q, "buried", count)
    for token, ids in claim_all(q, "b"):
        items = [scripts.FailItem(id, token, b"E", b"no", STACK, 0, 1) for id in ids]
        q.call(scripts.fail(q.name, items))


def call_off_large(q: QueueState, count: int) -> None:
    """Let jobs with a payload of 1 MiB be kept as cancelled."""
    for n in range(count):
        q.enqueue(f"large-{n:03}", payload=bytes(2**20))
        q.cancel(f"large-{n:03}")


def enqueue(q: QueueState, name: str, count: int, *, delay_ms: int = 0) -> None:
    """Enqueue jobs with a payload of 200 bytes, named by a number of seven digits."""
    calls = []
    for start in range(0, count, BATCH):
        items = [
            scripts.EnqueueItem(f"{name}-{n:07}", "email", PAYLOAD, b"")
            for n in range(start, min(start + BATCH, count))
        ]
        calls.append(scripts.enqueue(q.name, items, delay_ms=delay_ms))
        if len(calls) == AT_ONCE:
            q.server.call_all(calls)
            calls = []
    if calls:
        q.server.call_all(calls)


def claim_all(q: QueueState, prefix: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Claim all that is queued for a day; gives each token and its jobs."""
    n = 0
    while ids := q.claimed(f"{prefix}{n}", limit=BATCH, lease_ms=86_400_000):
        yield f"{prefix}{n}", ids
        n += 1


def let_come(q: QueueState, part: str) -> None:
    """Move the time of all in a set into the second that has just gone by, in their order."""
    count = q.raw.zcard(q.key(part))
    first = stamp_of(q.now_ms() - 1000)
    for start in range(0, count, 10_000):
        ids = q.raw.zrange(q.key(part), start, start + 9_999)
        scores = {id: first + (start + n) * 512_000 // count for n, id in enumerate(ids)}
        q.raw.zadd(q.key(part), scores)
