"""Tables: plain columns, and on a terminal colours and what fits its width."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import click

from boltq.cli.screen import printable

COLOURS = {
    "queued": "cyan",
    "scheduled": "blue",
    "running": "yellow",
    "retrying": "magenta",
    "completed": "green",
    "cancelled": "dim",
    "dead": "bold red",
    "ok": "green",
    "warning": "yellow",
    "problem": "bold red",
    "alive": "green",
    "silent": "bold red",
    "quiet": "yellow",
    "stopping": "yellow",
    "started": "green",
    "resumed": "green",
    "stopped": "dim",
    "recycled": "dim",
    "lost": "bold red",
    "paused": "yellow",
}

GAP = 2
LEAST_CUT = 8


class Column(NamedTuple):
    """How a column looks.

    right: for numbers. coloured: its words are those of COLOURS. On a narrow terminal a column that
    is `cut` loses its end, one that is `folded` goes on in the next line, others stay whole.
    """

    title: str
    right: bool = False
    coloured: bool = False
    cut: bool = False
    folded: bool = False


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table with a heading, safe for a terminal."""
    safe = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _show_on_terminal(columns, safe)
        return
    heading = [column.title for column in columns]
    widths = [max(map(len, cells)) for cells in zip(heading, *safe, strict=True)]
    for row in (heading, *safe):
        cells = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        )
        click.echo((" " * GAP).join(cells).rstrip())


def _show_on_terminal(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not (column.cut or column.folded),
            overflow="fold" if column.folded else "ellipsis",
        )
    for row in rows:
        # Text, since a str could hold rich's own markup.
        table.add_row(
            *(
                Text(
                    cell,
                    style=COLOURS.get(cell, "") if column.coloured else "",
                    no_wrap=not column.folded,
                )
                for column, cell in zip(columns, row, strict=True)
            )
        )
    console = Console(highlight=False)
    # Lines that are too long the terminal breaks; rich would leave out what must stay whole.
    console.width = max(console.width, _least_width(columns, rows))
    console.print(table)


def _least_width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Return what the columns take that stay whole, and a little for each of the others."""
    heading = [column.title for column in columns]
    widths = (
        LEAST_CUT if column.cut or column.folded else max(map(len, cells))
        for column, *cells in zip(columns, heading, *rows, strict=True)
    )
    return sum(widths) + len(columns) * GAP
