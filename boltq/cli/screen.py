"""What is printed where: data on standard output, the rest on standard error, safe for both."""

import json
import sys
from collections.abc import Iterable
from datetime import datetime, timezone

import click

SHOWN_CHARACTERS = 2000
"""What is longer is cut; --json has it whole."""

Zone = timezone | None
"""UTC, or None for the reader's own zone."""


def say(text: str) -> None:
    """Print a line of data."""
    click.echo(printable(text))


def tell(text: str, who: str = "boltq") -> None:
    """Print a line beside the data."""
    click.echo(f"{who}: {printable(text)}", err=True)


def document(data: bytes) -> None:
    """Print JSON: byte for byte, but on a terminal with what would move a cursor escaped in it."""
    if sys.stdout.isatty():
        text = data.decode("utf-8", "backslashreplace")
        click.echo("".join(one if _is_plain(one) else json.dumps(one)[1:-1] for one in text))
    else:
        click.echo(data)


def documents(name: str, each: Iterable[bytes], **members: object) -> None:
    """Print one JSON document: a list of documents under a name, then other members."""
    rest = "".join(f",{json.dumps(key)}:{json.dumps(value)}" for key, value in members.items())
    document(b"{%b:[%b]%b}" % (json.dumps(name).encode(), b",".join(each), rest.encode()))


def printable(text: str) -> str:
    """Escape what would break the line, move a cursor, or be no character at all."""
    from boltq.logs import printable as escaped

    return text if text.isprintable() else escaped(text)


def brief(text: str) -> str:
    """Return what a line shows of a text."""
    shown = printable(text[:SHOWN_CHARACTERS])
    return f"{shown}... ({len(text)} characters)" if len(text) > SHOWN_CHARACTERS else shown


def at(moment: datetime, zone: Zone, timespec: str = "seconds") -> str:
    """Write a time for people: RFC 3339, in their own zone or in UTC."""
    return moment.astimezone(zone).isoformat(timespec=timespec)


def age(seconds: float) -> str:
    """Write how long something is in one number that is easily compared."""
    for unit, size, most in (("s", 1, 120), ("m", 60, 7200), ("h", 3600, 172_800)):
        if seconds < most:
            return f"{max(seconds, 0) / size:.0f}{unit}"
    return f"{seconds / 86_400:.0f}d"


def _is_plain(character: str) -> bool:
    return character.isprintable() or character in "\n\t"
