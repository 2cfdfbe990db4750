"""boltq dead."""

from typing import TYPE_CHECKING

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


@click.group(cls=Noun, epilog=options.example("boltq dead --queue mail"))
def dead() -> None:
    """List dead jobs, queue them again, or delete them."""


@dead.command(
    "list",
    epilog=options.example(
        "boltq dead list --queue mail --json", "boltq dead --error Timeout --since 7d"
    ),
)
@options.queue_or_all
@filter_flags(text=True)
@options.listing_flags
@options.client
@watch
def list_(
    *,
    boltq: "BoltQ",
    queue: str | None,
    wanted: Wanted,
    oldest: bool,
    limit: int,
    cursor: str,
    as_json: bool,
    zone: Zone,
) -> None:
    """List the jobs whose attempts are used up, the last to die of each queue first.

    For a filter 10,000 jobs are looked at, for a text as many as one second allows; the last line
    tells how many that were, and how to go on.
    """
    flags: Paged = {"oldest": oldest, "limit": limit, "cursor": cursor}
    if wanted.is_any:
        page = list_jobs(boltq, queue, ("dead",), **flags)
    else:
        page = search(boltq, queue, ("dead",), wanted, **flags)
    page.show(as_json=as_json, zone=zone)


@dead.command(
    epilog=options.example(
        "boltq dead replay mail:order-1",
        "boltq dead replay --all --queue mail --dry-run",
        "boltq dead replay --all --queue mail",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--all", "every", is_flag=True, help="All that are dead now, of one queue.")
@options.queue
@options.dry_run
@options.client
def replay(ids: tuple[str, ...], *, boltq: "BoltQ", every: bool, queue: str, dry_run: bool) -> None:
    """Queue dead jobs again, with fresh attempts; their history is kept.

    Either the jobs named, or with --all those of a queue, which --dry-run only counts.
    """
    if every == bool(ids):
        raise click.UsageError("name jobs, or say --all")
    if every:
        sweep.replay(boltq, queue, dry_run=dry_run)
        return
    if dry_run:
        raise click.UsageError("--dry-run goes with --all")

    def again(id: str) -> None:
        boltq.replay(id)
        say(f"{id} queued again")

    end_with(for_each(ids, again))


@dead.command(
    epilog=options.example(
        "boltq dead purge --queue mail --dry-run", "boltq dead purge --queue mail --yes"
    )
)
@options.queue
@options.yes
@options.dry_run
@options.client
def purge(*, boltq: "BoltQ", queue: str, yes: bool, dry_run: bool) -> None:
    """Delete all dead jobs of a queue."""
    sweep.purge(boltq, "dead", queue, agreed_already=yes, dry_run=dry_run)
