"""boltq get."""

from typing import TYPE_CHECKING

import click

from boltq.cli import options
from boltq.cli.each import end_with, for_each
from boltq.cli.jobs_shown import lines
from boltq.cli.screen import Zone, document, documents

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.job import Job


@click.command(
    epilog=options.example("boltq get mail:order-1", "boltq get mail:order-1 order-2 --json")
)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@options.as_json
@options.utc
@options.client
def get(ids: tuple[str, ...], *, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """Show jobs whole.

    ID is as enqueue printed it: outside the queue `default` it begins with the queue and a colon.
    The JSON of one job is that of the API; several are the list `jobs` of an object.
    """
    jobs: list[Job] = []

    def get_one(id: str) -> None:
        jobs.append(boltq.get(id))

    status = for_each(ids, get_one)
    if as_json and len(ids) > 1:
        documents("jobs", (job.to_json() for job in jobs))
    elif as_json and jobs:
        document(jobs[0].to_json())
    elif jobs:
        click.echo("\n\n".join("\n".join(lines(job, zone)) for job in jobs))
    end_with(status)
