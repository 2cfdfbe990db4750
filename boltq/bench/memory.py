"""How many bytes of the server a job takes, by its state."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from boltq import ids, scripts
from boltq.bench.figure import Taken, Trial
from boltq.bench.moves import LEASE_MS, NOOP, RAW, claim_all, each, fill
from boltq.bench.plan import Plan
from boltq.bench.site import Site

MOST_JOBS = 10_000
"""As many as a queue keeps of those completed or cancelled."""

LEAST_BYTES = 1
"""A job; what a key takes that grows with none of them is left out."""

HOUR_SECONDS = 3600
BATCH = 100
STACK = b'  File "mail.py", line 7, in send\n    server.send(message)\n' * 3
QUEUED = "queued, by which the server grew beyond the record"

Build = Callable[[Site, str, int], None]


@contextmanager
def weighing(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials: jobs in each state, and nothing else in their queue."""
    count = min(plan.jobs, MOST_JOBS)
    yield [Trial(state, partial(_weigh, site, state, count)) for state in STATES]


def _weigh(site: Site, state: str, count: int) -> list[Taken]:
    queue = site.queue("memory")
    before = site.server.memory_bytes(queue)
    STATES[state](site, queue, count)
    grown = (site.server.memory_bytes(queue) - before) / count
    parts = {part: size / count for part, size in site.server.bytes_by_part(queue).items()}
    taken = [Taken(state, "bytes a job", sum(parts.values()))]
    taken += [
        Taken(f"{state}: in {part}", "bytes a job", size)
        for part, size in parts.items()
        if size >= LEAST_BYTES
    ]
    if state == "queued":
        # By how much the server grew: no more than this can be hidden from MEMORY USAGE.
        taken.append(Taken(QUEUED, "bytes a job", grown - _record_bytes(site, queue)))
    site.forget(queue)
    return taken


def _record_bytes(site: Site, queue: str) -> int:
    """Return the bytes of one job's record: its header, the end of that line, its payload."""
    listed = site.server.call(
        scripts.list_(queue, state="queued", order="oldest", limit=1, cursor="")
    )
    asked = [scripts.InspectItem(job.id) for job in listed.answers]
    (job,) = site.server.call(scripts.inspect(queue, asked, with_payload=1)).answers
    assert isinstance(job, scripts.InspectJob)
    return len(job.header) + 1 + len(job.payload)


def _scheduled(site: Site, queue: str, count: int) -> None:
    fill(site, queue, count, delay=HOUR_SECONDS)


def _running(site: Site, queue: str, count: int) -> None:
    fill(site, queue, count)
    claim_all(site, queue, BATCH)


def _completed(site: Site, queue: str, count: int) -> None:
    fill(site, queue, count)
    held = claim_all(site, queue, BATCH)
    each(held, BATCH, lambda items: site.server.call(scripts.ack(queue, items)))


def _cancelled(site: Site, queue: str, count: int) -> None:
    gone = [scripts.CancelItem(id) for id in ids.new_ids(count)]
    items = [scripts.EnqueueItem(item.id, NOOP, RAW, b"") for item in gone]
    each(items, BATCH, lambda some: site.server.call(scripts.enqueue(queue, some)))
    each(gone, BATCH, lambda some: site.server.call(scripts.cancel(queue, some)))


def _failed(site: Site, queue: str, count: int, *, final: int) -> None:
    fill(site, queue, count)
    held = claim_all(site, queue, BATCH)

    def fail(items: Sequence[scripts.AckItem]) -> None:
        failed = [
            scripts.FailItem(
                item.id, item.token, b"SMTPError", b"try later", STACK, LEASE_MS, final
            )
            for item in items
        ]
        site.server.call(scripts.fail(queue, failed))

    each(held, BATCH, fail)


STATES: dict[str, Build] = {
    "scheduled": _scheduled,
    "queued": fill,
    "running": _running,
    "retrying": partial(_failed, final=0),
    "completed": _completed,
    "cancelled": _cancelled,
    "dead": partial(_failed, final=1),
}
