"""A list that is shown again and again."""

import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from boltq.cli.screen import tell
from boltq.errors import Unavailable

USUAL_SECONDS = 2.0
_CLEARED = "\x1b[2J\x1b[H"


def watch(command: Callable[..., None]) -> Callable[..., None]:
    """Add --watch to a command that shows something; it stands below what makes the client."""

    @wraps(command)
    def repeated(*args: Any, watch: float | None, **kwargs: Any) -> None:
        if watch is None:
            command(*args, **kwargs)
            return
        is_screen = sys.stdout.isatty()
        while True:
            if is_screen:
                click.echo(_CLEARED, nl=False)
            try:
                command(*args, **kwargs)
            except Unavailable as problem:  # it may come back
                tell(str(problem))
            if not (is_screen or kwargs.get("as_json")):
                click.echo()
            sys.stdout.flush()
            time.sleep(watch)

    return click.option(
        "--watch",
        type=click.FloatRange(0.1, 3600),
        is_flag=False,
        flag_value=USUAL_SECONDS,
        metavar="[SECONDS]",
        help=f"Show it again, each {USUAL_SECONDS:g} s unless told, until Ctrl-C.",
    )(repeated)
