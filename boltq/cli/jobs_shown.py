"""Jobs as people read them: whole, a member a line, or one of many, in a row."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from boltq.cli import tables
from boltq.cli.screen import Zone, age, at, brief
from boltq.cli.tables import Column
from boltq.job import Job, moment_of

COLUMNS = (
    Column("id"),
    Column("type", cut=True),
    Column("state", coloured=True),
    Column("attempt", right=True),
    Column("age", right=True),
    Column("", cut=True),
)


def show_rows(jobs: Iterable[Job], now: datetime, zone: Zone) -> None:
    """Print a table with a job a row."""
    tables.show(COLUMNS, (_row(job, now, zone) for job in jobs))


def one_line(job: Job) -> str:
    """Return the least that tells a job from others."""
    return brief("  ".join(filter(None, (job.id, job.type, _last_error(job)))))


def lines(job: Job, zone: Zone) -> Iterator[str]:
    """Yield a job a member a line, then its errors and its log, safe for a terminal."""
    members = msgspec.json.decode(job.to_json(), type=dict[str, msgspec.Raw])
    del members["errors"]
    members.pop("log", None)
    width = max(map(len, members))
    for name, written in members.items():
        yield f"{name:{width}}  {brief(_plain(job, name, bytes(written), zone))}"
    for error in job.errors:
        moment = at(moment_of(error.at_ms), zone, "milliseconds")
        said = f"attempt {error.attempt} at {moment} on {error.worker}: "
        yield brief(f"{said}{error.type}: {error.message}")
    for line in job.log:
        yield brief(f"{at(moment_of(line.at_ms), zone, 'milliseconds')}  {line.line}")


def _row(job: Job, now: datetime, zone: Zone) -> tuple[str, ...]:
    created = (now - job.created_at).total_seconds()
    attempt = f"{job.attempt}/{job.max_attempts}"
    return job.id, job.type, job.state, attempt, age(created), _note(job, zone)


def _note(job: Job, zone: Zone) -> str:
    """Return what one asks next about a job of this state, then why it failed last."""
    said = [_last_error(job)]
    if job.state in {"scheduled", "retrying"} and job.run_at:
        said.insert(0, f"due {at(job.run_at, zone)}")
    elif job.state == "running" and job.worker:
        said.insert(0, f"on {job.worker}{', asked to stop' if job.cancel_asked else ''}")
    elif job.state == "dead" and job.finished_at:
        said.insert(0, f"died {at(job.finished_at, zone)}")
    return brief("; ".join(filter(None, said)))


def _last_error(job: Job) -> str:
    if not job.errors:
        return ""
    error = job.errors[-1]
    first, _, _ = error.message.partition("\n")
    return f"{error.type}: {first}"


def _plain(job: Job, name: str, written: bytes, zone: Zone) -> str:
    """Return a text without its quotes, anything else, and what a user sent, as it is written."""
    if isinstance(moment := getattr(job, name, None), datetime):
        return at(moment, zone, "milliseconds")
    if name == "progress" and job.progress:
        told = job.progress
        return f"{told.progress:.0%} {told.text}".rstrip()
    if written.startswith(b'"') and name not in {"payload", "result"}:
        return str(msgspec.json.decode(written))
    return written.decode()
