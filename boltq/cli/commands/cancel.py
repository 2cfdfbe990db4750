"""boltq cancel."""

from typing import TYPE_CHECKING

import click

from boltq.cli import options
from boltq.cli.each import end_with, for_each
from boltq.cli.screen import say

if TYPE_CHECKING:
    from boltq.client import BoltQ

BECAME = {
    "cancelled": "cancelled",
    "asked": "runs, and was asked to stop",
    "already": "was cancelled before",
}


@click.command(epilog=options.example("boltq cancel mail:order-1"))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@options.client
def cancel(ids: tuple[str, ...], *, boltq: "BoltQ") -> None:
    """Take jobs out before they run, or ask them to stop.

    A line for each says which it was. A job that has ended is refused; others go on.
    """

    def cancel_one(id: str) -> None:
        say(f"{id} {BECAME[boltq.cancel(id)]}")

    end_with(for_each(ids, cancel_one))
