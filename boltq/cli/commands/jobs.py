"""boltq jobs."""

from typing import TYPE_CHECKING, cast

import click

from boltq.cli import options, sweep
from boltq.cli.each import end_with, for_each
from boltq.cli.listing import Paged, list_jobs
from boltq.cli.noun import Noun
from boltq.cli.screen import Zone, say
from boltq.cli.search import search
from boltq.cli.wanted import Wanted, filter_flags
from boltq.cli.watching import watch

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.filters import State

RESTING = tuple(state for state in options.STATES if state != "running")


@click.group(cls=Noun, epilog=options.example("boltq jobs --state running"))
def jobs() -> None:
    """List jobs, alter them, run them now, or delete them."""


@jobs.command(
    "list",
    epilog=options.example(
        "boltq jobs list --queue mail --state retrying --limit 50",
        "boltq jobs --state dead --error Timeout --since 2h",
        "boltq jobs --text ada@example.com --json",
        "boltq jobs list --state queued --oldest --json",
        "boltq jobs --state running --watch 1",
    ),
)
@options.queue_or_all
@click.option("--state", type=click.Choice(options.STATES), help="This state alone. [all]")
@filter_flags(text=True)
@options.listing_flags
@options.client
@watch
def list_(
    *,
    boltq: "BoltQ",
    queue: str | None,
    state: "State | None",
    wanted: Wanted,
    oldest: bool,
    limit: int,
    cursor: str,
    as_json: bool,
    zone: Zone,
) -> None:
    """List jobs, the newest of each queue first, without their payloads.

    Without a state they come in the order running, retrying, queued, scheduled, dead, completed,
    cancelled; with a filter the newest come first, whatever their state. Behind each stands what
    one asks next, and its last error. For a filter 10,000 jobs are looked at, for a text as many as
    one second allows; the last line tells how many that were, and how to go on.
    """
    states = (state,) if state else None
    flags: Paged = {"oldest": oldest, "limit": limit, "cursor": cursor}
    if wanted.is_any:
        page = list_jobs(boltq, queue, states, **flags)
    else:
        page = search(boltq, queue, states, wanted, **flags)
    page.show(as_json=as_json, zone=zone)


@jobs.command(
    epilog=options.example(
        "boltq jobs purge completed --queue mail --dry-run",
        "boltq jobs purge cancelled --queue mail --yes",
    )
)
@click.argument("state", type=click.Choice(RESTING), metavar="STATE")
@options.queue
@options.yes
@options.dry_run
@options.client
def purge(*, boltq: "BoltQ", state: str, queue: str, yes: bool, dry_run: bool) -> None:
    """Delete all jobs of a state, with all that is kept of them.

    STATE is any but running. Those that come in meanwhile stay.
    """
    sweep.purge(boltq, cast("State", state), queue, agreed_already=yes, dry_run=dry_run)


@jobs.command(
    epilog=options.example(
        "boltq jobs alter mail:order-1 --priority 9", "boltq jobs alter mail:order-1 --delay 3600"
    )
)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--priority", type=click.IntRange(0, 9), help="9 is the most urgent.")
@click.option(
    "--delay",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Due so long from now; 0 is at once.",
)
@options.client
def alter(
    ids: tuple[str, ...], *, boltq: "BoltQ", priority: int | None, delay: float | None
) -> None:
    """Change the priority of jobs that rest, or when they are due.

    A job that runs or has ended is refused; others go on.
    """
    if priority is None and delay is None:
        raise click.UsageError("say what to change: --priority or --delay")

    def one(id: str) -> None:
        boltq.alter(id, priority=priority, delay_seconds=delay)
        say(f"{id} altered")

    end_with(for_each(ids, one))


@jobs.command(epilog=options.example("boltq jobs run mail:order-1"))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@options.client
def run(ids: tuple[str, ...], *, boltq: "BoltQ") -> None:
    """Queue delayed jobs now, as if their time had come.

    A job that runs or has ended is refused; others go on.
    """

    def one(id: str) -> None:
        boltq.run_now(id)
        say(f"{id} queued now")

    end_with(for_each(ids, one))


@jobs.command(epilog=options.example("boltq jobs delete mail:order-1"))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@options.client
def delete(ids: tuple[str, ...], *, boltq: "BoltQ") -> None:
    """Delete jobs, with all that is kept of them.

    A job that runs is refused; others go on.
    """

    def one(id: str) -> None:
        boltq.purge_job(id)
        say(f"{id} deleted")

    end_with(for_each(ids, one))
