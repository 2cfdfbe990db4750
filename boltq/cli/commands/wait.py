"""boltq wait."""

from typing import TYPE_CHECKING

import click

from boltq.cli import options
from boltq.cli.each import end_with
from boltq.cli.waiting import wait_for

if TYPE_CHECKING:
    from boltq.client import BoltQ


@click.command(epilog=options.example("boltq wait mail:order-1 --timeout 60"))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@options.timeout
@options.as_json
@options.client
def wait(ids: tuple[str, ...], *, boltq: "BoltQ", timeout: float | None, as_json: bool) -> None:
    """Wait until jobs have ended, and print their results.

    The result of each is JSON on a line of its own, in the order of the ids; with --json the jobs
    are printed as get prints them, when all have ended or the time is over, without payloads above
    4096 bytes. The exit status is 6 if one is dead or cancelled, else 7 if one has not ended.
    """
    end_with(wait_for(boltq, ids, timeout_seconds=timeout, as_json=as_json))
