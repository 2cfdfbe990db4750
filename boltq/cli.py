"""The command `boltq`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from boltq import __version__
from boltq.errors import BadSetting, BoltQError, Unavailable

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

SERVER_FLAGS = ("redis_addr", "prefix", "data_dir")

PATIENCE_SECONDS = 2.0
"""For how long somebody at a prompt waits for a server that does not answer."""


class Commands(click.Group):
    """The commands, whose refusals are a sentence and exit status 1, or 2 for a wrong usage."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BoltQError as refusal:
            raise click.ClickException(str(refusal)) from refusal


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Run BoltQ and look into it. Settings come from flags, else the environment, else `.env`."""


def _server_flags(command: Command) -> Command:
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


def _listening_flags(command: Command) -> Command:
    """Add what a program that serves the API can be told."""
    for option in (
        click.option("--log", help="text or json. [text]"),
        click.option("--host", "api_host", help="Where the API listens. [127.0.0.1]"),
        click.option("--port", "api_port", help="Its port; 0 is any free one. [8080]"),
    ):
        command = option(command)
    return command


def _settings(flags: dict[str, Any]) -> "Settings":
    from boltq.settings import Settings

    try:
        return Settings.load(flags)
    except BadSetting as refusal:
        raise click.UsageError(str(refusal)) from refusal


def _client(settings: "Settings", patience_seconds: float = PATIENCE_SECONDS) -> "BoltQ":
    from boltq import locate
    from boltq.client import BoltQ

    boltq = BoltQ(settings=settings, patience_seconds=patience_seconds)
    if explained := locate.explained(settings, boltq.server.address):
        click.echo(f"boltq: {explained}", err=True)
    return boltq


@main.command(epilog="Example: boltq up shop.jobs:app --port 8081")
@click.argument("app", required=False, metavar="[MODULE:APP]")
@click.option("--no-worker", is_flag=True, help="Only the API, and the server if it is embedded.")
@click.option("--embedded", is_flag=True, help="The embedded server, whatever REDIS_ADDR says.")
@_listening_flags
@_server_flags
def up(app: str | None, *, no_worker: bool, embedded: bool, **flags: Any) -> None:
    """Run the API, a worker, and a server if none is named.

    The server is REDIS_ADDR if that is given, else an embedded Valkey in the data folder. The
    worker does the jobs of the BoltQ object APP in MODULE, and those of the built-in types. SIGTERM
    or Ctrl-C ends it: running jobs have 25 s to finish, others are given back.
    """
    if app and no_worker:
        raise click.UsageError("MODULE:APP is for the worker, which --no-worker leaves out")
    if embedded:
        if flags["redis_addr"]:
            raise click.UsageError("--embedded and --redis-addr exclude each other")
        flags["redis_addr"] = ""
    from boltq.up import run

    sys.exit(run(_settings(flags), app, with_worker=not no_worker, say=click.echo))


@main.command(epilog="Example: boltq api --port 8081 --redis-addr localhost:6379")
@_listening_flags
@_server_flags
def api(**flags: Any) -> None:
    """Run the HTTP API alone."""
    settings = _settings(flags)
    boltq = _client(settings)
    from boltq.api.main import run

    run(settings, boltq)


@main.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def worker(arguments: tuple[str, ...]) -> None:
    """Run a worker alone; the same as boltq-worker."""
    from boltq.worker.main import main as boltq_worker

    boltq_worker(list(arguments), prog_name="boltq worker")


@main.group()
def export() -> None:
    """Write out what clients in other languages need."""


@export.command(epilog="Example: boltq export scripts ./boltq-scripts")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def scripts(folder: Path) -> None:
    """Write the Lua scripts, as EVALSHA runs them, and manifest.json into a folder.

    scripts.txt has a line for each script: its name, version, SHA-1, and the keys in their order.
    """
    from boltq.export import export_scripts

    for name in export_scripts(folder):
        click.echo(str(folder / name))


@main.command(
    epilog="Example: boltq enqueue email "
    """'{"recipient": "a@example.com", "subject": "Hi", "body": "..."}' --queue mail"""
)
@click.argument("type")
@click.argument("payload", default="null")
@click.option("--queue", default="default", show_default=True, help="Where to.")
@click.option("--id", help="Its id, so that repeating this adds nothing. [made up]")
@click.option("--priority", type=int, help="0 to 9, 9 the most urgent. [4]")
@click.option("--delay", "delay_seconds", type=float, help="Seconds until it may run. [0]")
@click.option("--max-attempts", type=int, help="Failures after which it is dead. [3]")
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON instead of its id.")
@_server_flags
def enqueue(type: str, payload: str, *, as_json: bool, **given: Any) -> None:
    """Add a job and print its id.

    TYPE says which handler does it. PAYLOAD is JSON, kept as it is written; without one it is null.
    """
    from boltq.ids import checked_name
    from boltq.terminal import read_json

    settings = _settings({name: given.pop(name) for name in SERVER_FLAGS})
    checked_name("queue", given["queue"])
    raw = read_json(payload)
    boltq = _client(settings)
    try:
        enqueued = boltq.enqueue(type, raw=raw, **given)
    except Unavailable as refusal:
        id = refusal.unknown_ids[0]
        raise Unavailable(f"{refusal} To be sure, repeat it with --id {id}") from refusal
    if not enqueued.created:
        click.echo("boltq: a job of this id is there already; nothing was added", err=True)
    click.echo(boltq.get(enqueued.id).to_json() if as_json else enqueued.id)


@main.command(epilog="Example: boltq get mail:20261124201500-4k2m9x7q0a1bc --json")
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="The same JSON as the API's.")
@_server_flags
def get(id: str, *, as_json: bool, **flags: Any) -> None:
    """Show one job.

    ID is as enqueue printed it: outside the queue `default` it begins with the queue and a colon.
    """
    from boltq.terminal import job_lines

    job = _client(_settings(flags)).get(id)
    click.echo(job.to_json() if as_json else "\n".join(job_lines(job)))


@main.command(epilog="Example: boltq stats --queue mail --json")
@click.option("--queue", help="This queue alone. [all that are in use]")
@click.option("--json", "as_json", is_flag=True, help="The same JSON as the API's.")
@_server_flags
def stats(queue: str | None, *, as_json: bool, **flags: Any) -> None:
    """Count the jobs of queues by state."""
    from boltq.ids import checked_name
    from boltq.terminal import stats_json, stats_lines

    if queue:
        checked_name("queue", queue)
    boltq = _client(_settings(flags))
    each = {queue: boltq.stats(queue)} if queue else boltq.stats_of_all()
    click.echo(stats_json(each) if as_json else "\n".join(stats_lines(each)))


@main.command(epilog="Example: boltq bench --redis-addr unix:///tmp/scratch.sock --jobs 20000")
@click.option("--jobs", default=100_000, show_default=True, help="How many wait at once.")
@_server_flags
def bench(jobs: int, **flags: Any) -> None:
    """Measure what a job costs the server.

    The server's own clock is read, so nothing else should use it meanwhile; the jobs are purged
    afterwards. Only ratios within one run say something about another machine.
    """
    from boltq.bench import lines

    for line in lines(_client(_settings(flags)).server, jobs=max(jobs, 1000)):
        click.echo(line)
