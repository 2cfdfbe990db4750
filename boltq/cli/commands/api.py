"""boltq api."""

from typing import Any

import click

from boltq.cli import options


@click.command(epilog=options.example("boltq api --port 8081"))
@options.listening_flags
@options.server_flags
def api(**flags: Any) -> None:
    """Run the HTTP API alone.

    SIGTERM or Ctrl-C ends it, once what is in work is answered. Redis may be away when it starts.
    """
    settings = options.listening_settings(flags)
    boltq = options.connected(settings)
    from boltq.api.main import run

    run(settings, boltq)
