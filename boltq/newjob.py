"""Jobs on their way in: what a caller says of them, as the script enqueue takes it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

import ujson

from boltq import ids, scripts
from boltq.durations import in_ms
from boltq.errors import BadArgument

MOST_ITEMS = 500
MOST_BYTES = 4 * 1024 * 1024
"""The jobs and bytes that one call carries; more are sent in several."""

WHEN = ("delay", "delay_seconds", "run_at")
"""The options of which at most one says when a job is due."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pauses between tries: base * factor^(n - 1) after the n-th failure, at most the longest.

    Each varies by the jitter's share up or down. A member left out is as the queue says.
    base_seconds and max_seconds: 0 to 315,360,000. factor: 1 to 1000. jitter: 0 to 1.
    """

    base_seconds: float | None = None
    factor: float | None = None
    max_seconds: float | None = None
    jitter: float | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """One job to enqueue: its type, its payload, and what is its own.

    payload: anything that JSON can say; `raw` instead: bytes, stored as they are.
    id: made up unless given. headers: an object of at most 4096 bytes.
    """

    type: str
    payload: object = None
    id: str | None = None
    headers: Mapping[str, object] | None = None
    raw: bytes | None = None


class Options(TypedDict, total=False):
    """What holds for all jobs of one enqueue; what is left out is as the queue says.

    priority: 0 to 9, 9 the most urgent. When: delay, seconds or a timedelta up to ten years, or
    delay_seconds, the same as a number, or run_at, a time.
    max_attempts: 1 to 1000. max_lost: 0 to 1000 lost leases. timeout_seconds: 0 is without end.
    retention_seconds: how long a job is kept once completed.
    """

    priority: int | None
    delay: float | timedelta | None
    delay_seconds: float | None
    run_at: datetime | None
    max_attempts: int | None
    max_lost: int | None
    backoff: Backoff | None
    timeout_seconds: float | None
    retention_seconds: float | None


_NOTHING_CHOSEN = Backoff()


def common(options: Options, now_ms: Callable[[], int]) -> scripts.EnqueueOptions:
    """Turn options into the script's; `now_ms` asks the server's clock, needed for run_at alone."""
    if not options:
        return {}
    backoff = options.get("backoff") or _NOTHING_CHOSEN
    return {
        "priority": options.get("priority"),
        "delay_ms": _delay_ms(options, now_ms) or None,
        "max_attempts": options.get("max_attempts"),
        "max_lost": options.get("max_lost"),
        "timeout_ms": in_ms("timeout_seconds", options.get("timeout_seconds")),
        "retention_ms": in_ms("retention_seconds", options.get("retention_seconds")),
        "base_ms": in_ms("backoff.base_seconds", backoff.base_seconds),
        "factor": backoff.factor,
        "cap_ms": in_ms("backoff.max_seconds", backoff.max_seconds),
        "jitter": backoff.jitter,
    }


def item(
    queue: str,
    type: str,
    payload: object,
    *,
    id: str | None,
    headers: Mapping[str, object] | None,
    raw: bytes | None,
    new_id: Callable[[], str] = ids.new_id,
) -> scripts.EnqueueItem:
    """Make the script's item of a job, see NewJob; its id is made here, before the first send."""
    return scripts.EnqueueItem(
        new_id() if id is None else ids.within(queue, id),
        type,
        as_json("payload", payload) if raw is None else raw,
        as_json("headers", headers) if headers else b"",
    )


def items(queue: str, jobs: Iterable[NewJob]) -> Iterator[scripts.EnqueueItem]:
    """Make the items of many jobs, each as it is taken."""
    new_id = ids.stream().__next__
    for new in jobs:
        yield item(
            queue,
            new.type,
            new.payload,
            id=new.id,
            headers=new.headers,
            raw=new.raw,
            new_id=new_id,
        )


def batches(items: Iterable[scripts.EnqueueItem]) -> Iterator[list[scripts.EnqueueItem]]:
    """Cut items into what one call carries; reads ahead no further than that."""
    batch: list[scripts.EnqueueItem] = []
    size = 0
    for one in items:
        weight = len(one.payload) + len(one.headers)
        if batch and (len(batch) == MOST_ITEMS or size + weight > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += weight
    if batch:
        yield batch


def as_json(what: str, value: object) -> bytes:
    """Write a value as JSON. Raises BadArgument for what JSON cannot say, such as NaN or a set."""
    try:
        text = ujson.dumps(value, ensure_ascii=False, escape_forward_slashes=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        message = f"{what} must be what JSON can say: {problem}"
        raise BadArgument(message) from problem


def _delay_ms(options: Options, now_ms: Callable[[], int]) -> int:
    given = [name for name in WHEN if options.get(name) is not None]
    if len(given) > 1:
        raise BadArgument(f"{' and '.join(given)} exclude each other: give one of them")
    run_at = options.get("run_at")
    if run_at is not None:
        return max(0, round(run_at.timestamp() * 1000) - now_ms())
    if given == ["delay"]:
        return in_ms("delay", options["delay"]) or 0
    return in_ms("delay_seconds", options.get("delay_seconds")) or 0
