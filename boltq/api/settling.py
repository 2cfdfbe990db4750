"""Reports of workers on their way to Redis: of one job or of many, sorted into calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from boltq import ids, scripts
from boltq.api import became
from boltq.api.became import Answer
from boltq.api.work_requests import (
    AckRequest,
    ErrorRequest,
    ExtendRequest,
    FailRequest,
    ReleaseRequest,
    Report,
)
from boltq.call import Call
from boltq.errors import BadArgument, BoltQError, TooLarge
from boltq.evalsha import Server
from boltq.job import Job, described
from boltq.notes import News, told

CALL_ITEMS = 500
INSPECT_ITEMS = 100

# More of an error is not kept, so it does not travel either.
_KIND_BYTES, _MESSAGE_BYTES, _STACK_BYTES = 200, 1000, 2800


@dataclass(slots=True)
class Settling:
    """One report on its way; `was` is what the script answered, or the refusal."""

    id: str
    report: Report
    was: Any = None

    @property
    def queue(self) -> str:
        """The job's queue."""
        return ids.split(self.id)[0]

    @property
    def inside(self) -> str:
        """The job's id inside its queue."""
        return ids.split(self.id)[1]

    @property
    def group(self) -> tuple[type, str, float]:
        """What the reports of one call have in common."""
        lease = self.report.lease_seconds if isinstance(self.report, ExtendRequest) else 0.0
        return type(self.report), self.queue, lease


def settle(server: Server, reports: Sequence[tuple[str, Report]]) -> list[Answer]:
    """Send the reports, by the ids of their jobs, and return what came of each, in order.

    Costs one round trip, and one more where a lease was lost or a report is a repeat. Raises
    Unavailable: then it is unknown what was done, and sending all again is safe.
    """
    each = [Settling(id, report) for id, report in reports]
    _send(server, list(_chunks(each)))
    # One bad item refuses its whole call, so those are sent again one by one.
    refused = [one for one in each if isinstance(one.was, BadArgument | TooLarge)]
    if len(each) > 1:
        _send(server, [[one] for one in refused])
    jobs = _look(server, [one for one in each if became.is_unclear(one.was)])
    return [became.answer(one.id, one.report, one.was, jobs.get(one.id)) for one in each]


def _chunks(each: Sequence[Settling]) -> Iterator[list[Settling]]:
    groups: dict[object, list[Settling]] = {}
    for one in each:
        groups.setdefault(one.group, []).append(one)
    for group in groups.values():
        for start in range(0, len(group), CALL_ITEMS):
            yield group[start : start + CALL_ITEMS]


def _send(server: Server, chunks: Sequence[list[Settling]]) -> None:
    if not chunks:
        return
    replies = server.call_all([_call(chunk) for chunk in chunks])
    for chunk, reply in zip(chunks, replies, strict=True):
        answers = [reply] * len(chunk) if isinstance(reply, BoltQError) else reply.answers
        for one, answer in zip(chunk, answers, strict=True):
            one.was = answer


def _call(chunk: list[Settling]) -> Call[Any]:
    first, queue = chunk[0].report, chunk[0].queue
    items: list[Any] = [_item(one.inside, one.report) for one in chunk]
    news = told([_news(one.report) for one in chunk])
    if isinstance(first, ExtendRequest):
        return scripts.extend(queue, items, lease_ms=round(first.lease_seconds * 1000), told=news)
    if isinstance(first, AckRequest):
        return scripts.ack(queue, items, told=news)
    verb = scripts.fail if isinstance(first, FailRequest) else scripts.release
    return verb(queue, items, told=news)


def _news(report: Report) -> News | None:
    if report.progress is None and not report.log:
        return None
    said = report.progress
    progress = (said.share, said.text) if said else None
    return News.of(progress, report.log, report.log_before)


def _item(inside: str, report: Report) -> object:
    if isinstance(report, AckRequest):
        return scripts.AckItem(inside, report.token, bytes(report.result))
    if isinstance(report, ExtendRequest):
        return scripts.ExtendItem(inside, report.token)
    if isinstance(report, ReleaseRequest):
        return scripts.ReleaseItem(inside, report.token, round(report.delay_seconds * 1000))
    delay = report.delay_seconds
    kind, message, stack = _cut(report.error)
    delay_ms = scripts.LEFT_OUT if delay is None else round(delay * 1000)
    return scripts.FailItem(inside, report.token, kind, message, stack, delay_ms, int(report.final))


def _cut(error: ErrorRequest) -> tuple[bytes, bytes, bytes]:
    kind = error.type.encode()[:_KIND_BYTES].decode(errors="ignore")
    message = error.message.encode()[:_MESSAGE_BYTES].decode(errors="ignore")
    stack = error.stack.encode()[-_STACK_BYTES:].decode(errors="ignore")
    return kind.encode(), message.encode(), stack.encode()


def _look(server: Server, unclear: Sequence[Settling]) -> dict[str, Job]:
    """Look at jobs whose state the answers do not tell; those that are not kept are left out."""
    queues: dict[str, list[Settling]] = {}
    for one in unclear:
        queues.setdefault(one.queue, []).append(one)
    calls = [
        scripts.inspect(
            queue,
            [scripts.InspectItem(one.inside) for one in group[start : start + INSPECT_ITEMS]],
            with_payload=0,
        )
        for queue, group in queues.items()
        for start in range(0, len(group), INSPECT_ITEMS)
    ]
    jobs: dict[str, Job] = {}
    for call, reply in zip(calls, server.call_all(calls) if calls else [], strict=True):
        if isinstance(reply, scripts.Inspected):
            found = [one for one in reply.answers if isinstance(one, scripts.InspectJob)]
            jobs |= {ids.join(call.queue, one.id): described(call.queue, one) for one in found}
    return jobs
