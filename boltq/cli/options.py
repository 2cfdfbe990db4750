"""Flags that several commands have, and what they turn into."""

from collections.abc import Callable, Iterable
from datetime import UTC
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from boltq.cli.screen import Zone, tell
from boltq.errors import BadSetting, BoltQError
from boltq.ids import checked_name

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.settings import Settings

Command = Callable[..., None]
Completion = Callable[[click.Context, click.Parameter, str], list[str]]

PATIENCE_SECONDS = 2.0
"""For how long somebody at a prompt waits for a server that does not answer."""

MOST_LISTED = 10_000

STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, its times in UTC.")


def example(*commands: str) -> str:
    """Write examples as the end of a command's help."""
    return "\n".join(("\b", *(f"Example: {command}" for command in commands)))


def _zone(_ctx: click.Context, _param: click.Parameter, value: bool) -> Zone:  # noqa: FBT001 - click's signature
    return UTC if value else None


utc = click.option(
    "--utc", "zone", is_flag=True, callback=_zone, help="Times in UTC, not in your zone."
)


def _queue(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return value and checked_name("queue", value)


def completed_by(names: Callable[["BoltQ"], Iterable[str]]) -> Completion:
    """Return what completes a name in a shell: it asks the server, and is quiet if that is away."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        from boltq.client import BoltQ

        try:
            told = {flag: ctx.params.get(flag) for flag in ("redis_addr", "prefix", "data_dir")}
            boltq = BoltQ(settings=settings(told), patience_seconds=0.0)
            try:
                return [name for name in names(boltq) if name.startswith(incomplete)]
            finally:
                boltq.close()
        except (BoltQError, click.UsageError):
            return []

    return complete


_queues = completed_by(lambda boltq: boltq.queues())
queue = click.option(
    "--queue",
    default="default",
    show_default=True,
    callback=_queue,
    shell_complete=_queues,
    help="Which queue.",
)
queue_or_all = click.option(
    "--queue",
    callback=_queue,
    shell_complete=_queues,
    help="This queue alone. [all that are in use]",
)
queue_argument = click.argument("queue", metavar="QUEUE", callback=_queue, shell_complete=_queues)
timeout = click.option(
    "--timeout", type=click.FloatRange(0), metavar="SECONDS", help="To wait at most. [no end]"
)
dry_run = click.option("--dry-run", is_flag=True, help="Say how many, and touch nothing.")
yes = click.option("--yes", is_flag=True, help="Do not ask; needed where there is nobody to ask.")


def server_flags(command: Command) -> Command:
    """Add what says which server, and where on it."""
    for option in (
        click.option("--data-dir", help="Folder of the embedded server. [.boltq]"),
        click.option("--prefix", help="What the keys begin with. [boltq]"),
        click.option(
            "--redis-addr", help="host:port or a URL; may hold a password, seen by others."
        ),
    ):
        command = option(command)
    return command


def listening_flags(command: Command) -> Command:
    """Add what a program that serves the API can be told."""
    for option in (
        click.option("--log", help="text or json. [text]"),
        click.option("--host", "api_host", help="Where the API listens. [127.0.0.1]"),
        click.option("--port", "api_port", help="Its port; 0 is any free one. [8080]"),
    ):
        command = option(command)
    return command


def listing_flags(command: Command) -> Command:
    """Add what a list of jobs can be told."""
    for option in (
        utc,
        as_json,
        click.option("--cursor", default="", help="Go on where the page before ended."),
        click.option("--oldest", is_flag=True, help="The oldest first."),
        click.option(
            "--limit",
            type=click.IntRange(1, MOST_LISTED),
            default=20,
            show_default=True,
            help="How many at most.",
        ),
    ):
        command = option(command)
    return command


def client(command: Command) -> Command:
    """Add the flags of the server, and turn them into a client: the argument `boltq`."""

    @wraps(command)
    def with_client(
        *args: Any, redis_addr: str | None, prefix: str | None, data_dir: str | None, **kwargs: Any
    ) -> None:
        flags = {"redis_addr": redis_addr, "prefix": prefix, "data_dir": data_dir}
        command(*args, boltq=connected(settings(flags)), **kwargs)

    return server_flags(with_client)


def settings(flags: dict[str, Any]) -> "Settings":
    """Read the settings; one that breaks its rule is a wrong usage."""
    from boltq.settings import Settings

    try:
        return Settings.load(flags)
    except BadSetting as refusal:
        raise click.UsageError(str(refusal)) from refusal


def listening_settings(flags: dict[str, Any]) -> "Settings":
    """Read the settings of a program that serves the API, and who they let in."""
    from boltq.api.access import Access

    told = settings(flags)
    try:
        Access.of(told, ())
    except BadSetting as refusal:
        raise click.UsageError(str(refusal)) from refusal
    return told


def connected(settings: "Settings") -> "BoltQ":
    """Make a client, which is closed when the command ends; say where it looks if nobody said."""
    from boltq import locate
    from boltq.client import BoltQ

    boltq = BoltQ(settings=settings, patience_seconds=PATIENCE_SECONDS)
    click.get_current_context().call_on_close(boltq.close)
    if explained := locate.explained(settings, boltq.server.address):
        tell(explained)
    return boltq
