"""boltq workers."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from boltq.cli import options, tables
from boltq.cli.each import end_with, for_each
from boltq.cli.noun import Noun
from boltq.cli.screen import Zone, age, at, documents, say
from boltq.cli.tables import Column
from boltq.cli.watching import watch
from boltq.job import moment_of, shown_time

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.orders import Event
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


EVENTS = (
    Column("time"),
    Column("worker"),
    Column("", coloured=True),
    Column("by", cut=True),
    Column("process", cut=True),
)

names = click.argument(
    "workers",
    metavar="WORKER...",
    nargs=-1,
    required=True,
    shell_complete=options.completed_by(lambda boltq: (one.id for one in boltq.workers())),
)
by = click.option("--by", default="", help="Who asks, for people.")


@click.group(cls=Noun, epilog=options.example("boltq workers"))
def workers() -> None:
    """List the workers and what they run; let them rest, go on or end."""


@workers.command(
    "list", epilog=options.example("boltq workers list --json", "boltq workers --watch")
)
@options.as_json
@options.utc
@options.client
@watch
def list_(*, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """List the workers that were heard of of late, and the jobs that they run longest.

    One of which nothing was heard for 30 seconds is silent: it has died, or cannot reach Redis.
    """
    from boltq.presence import workers as reports

    found = reports(boltq.server)
    now_ms = boltq.server.now_ms()
    if as_json:
        events = [event.shown() for event in boltq.worker_history()]
        now = shown_time(moment_of(now_ms))
        documents("workers", (one.to_json() for one in found), history=events, now=now)
    else:
        tables.show(COLUMNS, (_row(one, now_ms, zone) for one in found))


@workers.command(epilog=options.example("boltq workers history --limit 20"))
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How many at most.",
)
@options.as_json
@options.utc
@options.client
def history(*, boltq: "BoltQ", limit: int, as_json: bool, zone: Zone) -> None:
    """Show what became of workers, the last first: who started, was asked to stop, was lost."""
    events = boltq.worker_history(limit)
    if as_json:
        documents("history", map(_event, events))
    else:
        tables.show(
            EVENTS,
            (
                (
                    at(moment_of(event.at_ms), zone),
                    event.worker,
                    event.what,
                    event.by,
                    f"{event.host}:{event.pid}" if event.pid else "",
                )
                for event in events
            ),
        )


@workers.command(epilog=options.example("boltq workers quiet web1-4711-5f2c1a --by Ada"))
@names
@by
@options.client
def quiet(*, boltq: "BoltQ", workers: tuple[str, ...], by: str) -> None:
    """Let workers claim nothing more; each finishes what it holds, and stays.

    A worker hears of it within 10 s.
    """
    end_with(for_each(workers, lambda name: _ask(boltq.quiet_worker, name, "to be quiet", by)))


@workers.command(epilog=options.example("boltq workers stop web1-4711-5f2c1a"))
@names
@by
@options.client
def stop(*, boltq: "BoltQ", workers: tuple[str, ...], by: str) -> None:
    """Let workers end as at SIGTERM: each finishes what it runs, and gives back the rest.

    The parent of its process, if it has one, starts another. A worker hears of it within 10 s.
    """
    end_with(for_each(workers, lambda name: _ask(boltq.stop_worker, name, "to stop", by)))


@workers.command(epilog=options.example("boltq workers resume web1-4711-5f2c1a"))
@names
@options.client
def resume(*, boltq: "BoltQ", workers: tuple[str, ...]) -> None:
    """Let quiet workers claim again. A worker hears of it within 10 s."""

    def ask(worker: str) -> None:
        boltq.resume_worker(worker)
        say(f"{worker} is asked to claim again")

    end_with(for_each(workers, ask))


def _ask(give: Callable[..., None], worker: str, what: str, by: str) -> None:
    give(worker, by=by)
    say(f"{worker} is asked {what}")


def _event(event: "Event") -> bytes:
    return json.dumps(event.shown()).encode()


def _status(worker: "WorkerReport") -> str:
    if not worker.alive:
        return "silent"
    return "alive" if worker.status == "working" else worker.status


def _row(worker: "WorkerReport", now_ms: int, zone: Zone) -> tuple[str, ...]:
    silent_seconds = (moment_of(now_ms) - worker.seen_at).total_seconds()
    return (
        worker.id,
        _status(worker),
        age(silent_seconds),
        str(worker.in_hand),
        str(worker.threads),
        str(worker.worked),
        at(worker.started_at, zone),
        ",".join(worker.queues),
        " ".join(f"{job.type}({job.id})" for job in worker.jobs),
    )
