"""boltq workers."""

from typing import TYPE_CHECKING

import click

from boltq.cli import options, tables
from boltq.cli.noun import Noun
from boltq.cli.screen import Zone, age, at, documents
from boltq.cli.tables import Column
from boltq.job import moment_of, shown_time

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.presence import WorkerReport

COLUMNS = (
    Column("worker"),
    Column("", coloured=True),
    Column("seen", right=True),
    Column("in hand", right=True),
    Column("threads", right=True),
    Column("worked", right=True),
    Column("started"),
    Column("queues", cut=True),
    Column("runs", cut=True),
)


@click.group(cls=Noun, epilog=options.example("boltq workers"))
def workers() -> None:
    """List the workers and what they run."""


@workers.command("list", epilog=options.example("boltq workers list --json"))
@options.as_json
@options.utc
@options.client
def list_(*, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """List the workers that were heard of of late, and the jobs that they run longest.

    One of which nothing was heard for 30 seconds is silent: it has died, or cannot reach Redis.
    """
    from boltq.presence import workers as reports

    found = reports(boltq.server)
    now_ms = boltq.server.now_ms()
    if as_json:
        documents("workers", (one.to_json() for one in found), now=shown_time(moment_of(now_ms)))
    else:
        tables.show(COLUMNS, (_row(one, now_ms, zone) for one in found))


def _row(worker: "WorkerReport", now_ms: int, zone: Zone) -> tuple[str, ...]:
    silent_seconds = (moment_of(now_ms) - worker.seen_at).total_seconds()
    return (
        worker.id,
        "alive" if worker.alive else "silent",
        age(silent_seconds),
        str(worker.in_hand),
        str(worker.threads),
        str(worker.worked),
        at(worker.started_at, zone),
        ",".join(worker.queues),
        " ".join(f"{job.type}({job.id})" for job in worker.jobs),
    )
