"""boltq up."""

import sys
from typing import Any

import click

from boltq.cli import options


@click.command(
    epilog=options.example("boltq up", "boltq up shop.jobs:app --port 8081", "boltq up --no-worker")
)
@click.argument("app", required=False, metavar="[MODULE:APP]")
@click.option("--no-worker", is_flag=True, help="Only the API, and the server if it is embedded.")
@click.option("--no-demo", is_flag=True, help="Leave out the jobs to look at of a first run.")
@click.option("--embedded", is_flag=True, help="The embedded server, whatever REDIS_ADDR says.")
@options.listening_flags
@options.server_flags
def up(app: str | None, *, no_worker: bool, no_demo: bool, embedded: bool, **flags: Any) -> None:
    """Run the API, a worker, and a server if none is named.

    The server is REDIS_ADDR if that is given, else an embedded Valkey in the data folder. The
    worker does the jobs of the BoltQ object APP in MODULE, and those of the built-in types. SIGTERM
    or Ctrl-C ends it: running jobs have 25 s to finish, others are given back. An embedded server
    that nobody has used gets some jobs to look at in a browser, in the queue playground.
    """
    if app and no_worker:
        raise click.UsageError("MODULE:APP is for the worker, which --no-worker leaves out")
    if embedded:
        if flags["redis_addr"]:
            raise click.UsageError("--embedded and --redis-addr exclude each other")
        flags["redis_addr"] = ""
    settings = options.listening_settings(flags)
    from boltq.up import run

    sys.exit(run(settings, app, with_worker=not no_worker, with_demo=not no_demo, say=click.echo))
