"""boltq operations."""

from typing import TYPE_CHECKING, get_args

import click
import msgspec

from boltq.cli import options, tables
from boltq.cli.exits import Exit
from boltq.cli.noun import Noun
from boltq.cli.progress import progress
from boltq.cli.screen import Zone, at, document, documents, say, tell
from boltq.cli.tables import Column
from boltq.cli.wanted import Wanted, filter_flags
from boltq.cli.watching import watch as watched
from boltq.operation import Action

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.operation import Operation

COLUMNS = (
    Column("id"),
    Column("action"),
    Column("of", cut=True),
    Column("status", coloured=True),
    Column("done", right=True),
    Column("looked at", right=True),
    Column("total", right=True),
    Column("started"),
    Column("by", cut=True),
)

operation_id = click.argument("id", metavar="ID")


@click.group(cls=Noun, epilog=options.example("boltq operations"))
def operations() -> None:
    """Replay, cancel, purge or run now many jobs at once."""


@operations.command("list", epilog=options.example("boltq operations list --queue mail --json"))
@options.queue_or_all
@options.as_json
@options.utc
@options.client
@watched
def list_(*, boltq: "BoltQ", queue: str | None, as_json: bool, zone: Zone) -> None:
    """List the operations that are kept, the newest first: 100 of a queue."""
    found = boltq.operations(queue) if queue else boltq.operations_of_all()
    if as_json:
        documents("operations", map(_json, found))
    else:
        tables.show(COLUMNS, (_row(one, zone) for one in found))


@operations.command(epilog=options.example("boltq operations show mail:replay-1"))
@operation_id
@options.as_json
@options.utc
@options.client
def show(id: str, *, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """Show how far an operation is."""
    _tell(boltq.operation(id), as_json=as_json, zone=zone)


@operations.command(
    epilog=options.example(
        "boltq operations begin replay dead --queue mail --error Timeout --dry-run",
        "boltq operations begin replay dead --queue mail --expect 1 --rate 50 --by Ada",
        "boltq operations begin cancel running --worker web1-4711-5f2c1a",
    )
)
@click.argument("action", type=click.Choice(get_args(Action)), metavar="ACTION")
@click.argument("state", type=click.Choice(options.STATES), metavar="STATE")
@options.queue
@filter_flags(text=False)
@options.dry_run
@click.option(
    "--expect", type=click.IntRange(0), metavar="COUNT", help="Begin only if there are so many."
)
@click.option(
    "--rate",
    type=click.IntRange(0, 100_000),
    default=0,
    metavar="JOBS",
    help="So many a second at most. [any]",
)
@click.option("--by", default="", help="Who, for people.")
@click.option("--id", help="An id of your own: the same again begins nothing. [made up]")
@click.option("--leave", is_flag=True, help="Only begin it: an API that runs does the rest.")
@options.yes
@options.as_json
@options.utc
@options.client
def begin(
    action: Action,
    state: str,
    *,
    boltq: "BoltQ",
    queue: str,
    wanted: Wanted,
    dry_run: bool,
    expect: int | None,
    rate: int,
    by: str,
    id: str | None,
    leave: bool,
    yes: bool,
    as_json: bool,
    zone: Zone,
) -> None:
    """Do something to all jobs of a state that the filter means, in small steps.

    ACTION is replay (dead jobs), cancel (any that have not ended), purge (any that rest) or run_now
    (scheduled, retrying). Jobs that come into the state later are not touched. Ctrl-C ends this
    command, not the operation: it goes on when somebody watches it, or an API runs.
    """
    if action == "purge" and not (yes or dry_run) and expect is None:
        raise click.UsageError("this deletes jobs: say --yes, or --expect how many there are")
    operation = boltq.start_operation(
        action,
        state,
        queue=queue,
        id=id,
        rate=rate,
        expected=expect,
        dry_run=dry_run,
        by=by,
        worker=wanted.worker or "",
        **wanted.narrowed(boltq),
    )
    if not leave:
        operation = _drive(boltq, operation)
    _tell(operation, as_json=as_json, zone=zone)
    click.get_current_context().exit(_status(operation))


@operations.command(epilog=options.example("boltq operations watch mail:replay-1"))
@operation_id
@options.as_json
@options.utc
@options.client
def watch(id: str, *, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """Show how an operation goes on until it has ended, and help it on.

    Any number may watch: each job is done once, and the rate holds for all. Ctrl-C leaves it.
    """
    operation = _drive(boltq, boltq.operation(id))
    _tell(operation, as_json=as_json, zone=zone)
    click.get_current_context().exit(_status(operation))


@operations.command(epilog=options.example("boltq operations stop mail:replay-1"))
@operation_id
@options.as_json
@options.utc
@options.client
def stop(id: str, *, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """End an operation; what it has done stays."""
    _tell(boltq.stop_operation(id), as_json=as_json, zone=zone)


def _drive(boltq: "BoltQ", operation: "Operation") -> "Operation":
    """Drive an operation until it has ended, and show how far it is."""
    if operation.ended:
        return operation
    tell(f"operation {operation.id} has begun; Ctrl-C leaves it as it is")
    looked_at = operation.looked_at
    with progress(f"{operation.action} {operation.state}", operation.total) as advance:
        advance(looked_at)
        for step in boltq.run_operation(operation.id):
            advance(max(0, step.looked_at - looked_at))
            operation, looked_at = step, step.looked_at
    return operation


def _status(operation: "Operation") -> Exit:
    return Exit.CONFLICT if operation.status == "refused" else Exit.OK


def _tell(operation: "Operation", *, as_json: bool, zone: Zone) -> None:
    if as_json:
        document(_json(operation))
    else:
        tables.show(COLUMNS, [_row(operation, zone)])
        if operation.dry_run:
            say(f"{operation.counted} jobs would be meant; nothing was done")
        elif operation.status == "refused":
            tell(f"{operation.counted} jobs are meant, not {operation.expected}: nothing was done")


def _json(operation: "Operation") -> bytes:
    from boltq.api.operations import shown

    return msgspec.json.encode(shown(operation))


def _row(operation: "Operation", zone: Zone) -> tuple[str, ...]:
    return (
        operation.id,
        operation.action,
        " ".join(
            filter(None, (operation.state, operation.type, operation.error, operation.worker))
        ),
        operation.status,
        str(operation.counted if operation.dry_run else operation.done),
        str(operation.looked_at),
        str(operation.total),
        at(operation.started_at, zone),
        operation.by,
    )
