"""boltq jobs."""

from typing import TYPE_CHECKING, cast

import click

from boltq.cli import options, sweep
from boltq.cli.listing import list_jobs
from boltq.cli.noun import Noun
from boltq.cli.screen import Zone
from boltq.cli.watching import watch

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.filters import State

RESTING = tuple(state for state in options.STATES if state != "running")


@click.group(cls=Noun, epilog=options.example("boltq jobs --state running"))
def jobs() -> None:
    """List jobs by state, or delete all of a state."""


@jobs.command(
    "list",
    epilog=options.example(
        "boltq jobs list --queue mail --state retrying --limit 50",
        "boltq jobs list --state queued --oldest --json",
        "boltq jobs --state running --watch 1",
    ),
)
@options.queue_or_all
@click.option("--state", type=click.Choice(options.STATES), help="This state alone. [all]")
@options.listing_flags
@options.client
@watch
def list_(
    *,
    boltq: "BoltQ",
    queue: str | None,
    state: "State | None",
    oldest: bool,
    limit: int,
    cursor: str,
    as_json: bool,
    zone: Zone,
) -> None:
    """List jobs, the newest of each queue first, without their payloads.

    Without a state they come in the order running, retrying, queued, scheduled, dead, completed,
    cancelled. Behind each stands what one asks next, and its last error.
    """
    states = (state,) if state else None
    page = list_jobs(boltq, queue, states, oldest=oldest, limit=limit, cursor=cursor)
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
