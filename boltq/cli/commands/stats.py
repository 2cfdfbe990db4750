"""boltq stats."""

import json
from typing import TYPE_CHECKING

import click

from boltq.cli import options, tables
from boltq.cli.commands.queues import paused_since
from boltq.cli.screen import Zone, document, say
from boltq.cli.tables import Column
from boltq.cli.watching import watch

if TYPE_CHECKING:
    from boltq.client import BoltQ


@click.command(
    epilog=options.example("boltq stats", "boltq stats --queue mail --json", "boltq stats --watch")
)
@options.queue_or_all
@options.as_json
@options.utc
@options.client
@watch
def stats(*, boltq: "BoltQ", queue: str | None, as_json: bool, zone: Zone) -> None:
    """Count the jobs of queues by state."""
    from boltq import counts

    each = {queue: boltq.stats(queue)} if queue else boltq.stats_of_all()
    if as_json:
        document(json.dumps(counts.of_all(each), ensure_ascii=False).encode())
        return
    columns = (Column("queue"), *(Column(state, right=True) for state in options.STATES))
    tables.show(
        columns,
        (
            (name, *(str(getattr(found, state)) for state in options.STATES))
            for name, found in each.items()
        ),
    )
    for name, found in each.items():
        if found.paused:
            say(f"{name} is {paused_since(found, zone)}")
