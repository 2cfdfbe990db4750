"""boltq top."""

import sys
from typing import TYPE_CHECKING

import click

from boltq.cli import options

if TYPE_CHECKING:
    from boltq.client import BoltQ


@click.command(epilog=options.example("boltq top", "boltq top --every 0.5"))
@click.option(
    "--every",
    type=click.FloatRange(0.5, 3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="From one look at the server to the next.",
)
@options.client
def top(*, boltq: "BoltQ", every: float) -> None:
    """Watch queues, workers and jobs; pause and replay by a key.

    The queues with the longest waits come first. Each look costs a script a queue, whatever the
    queues hold, and a few calls more.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "top needs a terminal; for programs there are `boltq queues --json` and `--watch`"
        )
    from boltq.cli.top.steer import Top

    Top(boltq, every).run()
