"""Something done for each of several ids, of which some may be refused."""

from collections.abc import Callable, Iterable

import click

from boltq.cli.exits import Exit, status_of
from boltq.cli.screen import tell
from boltq.errors import BoltQError


def for_each(ids: Iterable[str], act: Callable[[str], None]) -> Exit:
    """Do something for each id, say what is refused and go on; returns the first refusal's status.

    A server that is away is refused at once.
    """
    status = Exit.OK
    for id in ids:
        try:
            act(id)
        except BoltQError as refusal:
            if status_of(refusal) == Exit.SERVER:
                raise
            tell(str(refusal), "Error")
            status = status or status_of(refusal)
    return status


def end_with(status: Exit) -> None:
    """End the command, with that status."""
    click.get_current_context().exit(status)
