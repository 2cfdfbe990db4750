"""Jobs and counts as people type and read them at a prompt."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
import ujson

from boltq import counts
from boltq.errors import BadArgument
from boltq.job import Job, moment_of, shown_time
from boltq.logs import printable
from boltq.scripts import Stats

SHOWN_CHARACTERS = 2000
"""What is longer is cut; --json has it whole."""


def read_json(text: str) -> bytes:
    """Return what was typed as the bytes of a payload, as they are, checked to be JSON."""
    # An argument that was no UTF-8 holds half surrogates, which stand for its bytes.
    written = text.encode("utf-8", "surrogateescape")
    try:
        written.decode()
        msgspec.json.decode(written)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadArgument(
            f"PAYLOAD must be JSON ({problem}); a text has quotes of its own: '\"hello\"'"
        ) from problem
    return written


def job_lines(job: Job) -> Iterator[str]:
    """Yield a job a member a line, then its errors, safe for a terminal."""
    members = msgspec.json.decode(job.to_json(), type=dict[str, msgspec.Raw])
    del members["errors"]
    width = max(map(len, members))
    for name, written in members.items():
        yield f"{name:{width}}  {_brief(_plain(name, bytes(written)))}"
    for error in job.errors:
        at = shown_time(moment_of(error.at_ms))
        said = f"attempt {error.attempt} at {at} on {error.worker}: {error.type}: {error.message}"
        yield _brief(said)


def stats_lines(each: Mapping[str, Stats]) -> Iterator[str]:
    """Yield a table with a queue a line, and behind it why a queue is paused."""
    rows = [[queue, *_numbers(stats)] for queue, stats in each.items()]
    width = max(map(len, (*each, "queue")))
    for queue, *numbers in (["queue", *counts.STATES], *rows):
        yield "  ".join((f"{queue:{width}}", *(f"{number:>9}" for number in numbers)))
    for queue, stats in each.items():
        if stats.paused:
            by = f" by {stats.paused_by}" if stats.paused_by else ""
            reason = f": {stats.pause_reason}" if stats.pause_reason else ""
            yield printable(f"{queue} is paused{by}{reason}")


def stats_json(each: Mapping[str, Stats]) -> str:
    """Return the counts as GET /api/stats does."""
    return ujson.dumps(counts.of_all(each), escape_forward_slashes=False)


def _numbers(stats: Stats) -> Iterable[str]:
    return (str(getattr(stats, state)) for state in counts.STATES)


def _plain(name: str, written: bytes) -> str:
    """Return a text without its quotes, anything else, and what a user sent, as it is written."""
    if written.startswith(b'"') and name not in {"payload", "result"}:
        return str(msgspec.json.decode(written))
    return written.decode()


def _brief(text: str) -> str:
    shown = printable(text[:SHOWN_CHARACTERS])
    return f"{shown}... ({len(text)} characters)" if len(text) > SHOWN_CHARACTERS else shown
