"""boltq queues."""

import difflib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from boltq.cli import options, tables
from boltq.cli.noun import Noun
from boltq.cli.screen import Zone, age, at, document, say, tell
from boltq.cli.tables import Column
from boltq.cli.watching import watch
from boltq.errors import BadArgument
from boltq.job import moment_of

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.scripts import Stats

COLUMNS = (
    Column("queue"),
    Column("scheduled", right=True),
    Column("queued", right=True),
    Column("running", right=True),
    Column("retrying", right=True),
    Column("dead", right=True),
    Column("oldest", right=True),
    Column("", cut=True),
)


@click.group(cls=Noun, epilog=options.example("boltq queues"))
def queues() -> None:
    """List queues, pause, resume, set and delete them."""


@queues.command("list", epilog=options.example("boltq queues list --json", "boltq queues --watch"))
@options.as_json
@options.utc
@options.client
@watch
def list_(*, boltq: "BoltQ", as_json: bool, zone: Zone) -> None:
    """List the queues in use, with the age of the oldest queued job and whether they are paused."""
    from boltq import counts

    each = boltq.stats_of_all()
    if as_json:
        shown = [{"queue": queue, **counts.of_queue(stats)} for queue, stats in each.items()]
        _print({"queues": shown})
    else:
        tables.show(COLUMNS, (_row(queue, stats, zone) for queue, stats in each.items()))


@queues.command(epilog=options.example("boltq queues show mail", "boltq queues show mail --json"))
@options.queue_argument
@options.as_json
@options.utc
@options.client
def show(*, boltq: "BoltQ", queue: str, as_json: bool, zone: Zone) -> None:
    """Show one queue: its counts, totals since it exists, and settings."""
    from boltq import counts

    stats, settings = boltq.stats(queue), boltq.configure(queue)
    shown = counts.of_queue(stats)
    if as_json:
        _print({"queue": queue, **shown, "settings": settings})
        return
    for name, milliseconds in (
        ("next_due_at", stats.next_due_ms),
        ("paused_at", stats.paused_at_ms if stats.paused else 0),
    ):
        if milliseconds:
            shown[name] = at(moment_of(milliseconds), zone)
    shown["paused"] = "yes" if stats.paused else "no"
    _members({"queue": queue, **shown})
    click.echo()
    _members(settings)


@queues.command(
    epilog=options.example("boltq queues pause mail --reason 'the mail server is down' --by Ada")
)
@options.queue_argument
@click.option("--reason", default="", help="Why, for people.")
@click.option("--by", default="", help="Who, for people.")
@options.client
def pause(*, boltq: "BoltQ", queue: str, reason: str, by: str) -> None:
    """Hand out no more jobs of a queue; running ones go on, and new ones are taken in."""
    boltq.pause(queue, reason=reason, by=by)
    tell(f"{queue} is paused")


@queues.command(epilog=options.example("boltq queues resume mail"))
@options.queue_argument
@options.client
def resume(*, boltq: "BoltQ", queue: str) -> None:
    """Hand out the jobs of a queue again."""
    boltq.resume(queue)
    tell(f"{queue} is resumed")


@queues.command(
    "set",
    epilog=options.example(
        "boltq queues set mail", "boltq queues set mail keep_completed=100 job_max_attempts=5"
    ),
)
@options.queue_argument
@click.argument("pairs", nargs=-1, metavar="[NAME=VALUE...]")
@options.as_json
@options.client
def set_(*, boltq: "BoltQ", queue: str, pairs: tuple[str, ...], as_json: bool) -> None:
    """Set how a queue behaves, and print all that is in force then.

    NAME= without a value goes back to the default. Without pairs nothing is changed.
    """
    in_force = boltq.configure(queue)
    told = dict(_pair(pair, in_force) for pair in pairs)
    if told:
        in_force = boltq.configure(queue, **told)
    if as_json:
        _print({"queue": queue, "settings": in_force})
    else:
        _members(in_force)


@queues.command(epilog=options.example("boltq queues delete trial"))
@options.queue_argument
@options.client
def delete(*, boltq: "BoltQ", queue: str) -> None:
    """Delete a queue that keeps no job, with its settings, totals and operations."""
    boltq.drop_queue(queue)
    tell(f"{queue} is deleted")


def _row(queue: str, stats: "Stats", zone: Zone) -> tuple[str, ...]:
    counts = (stats.scheduled, stats.queued, stats.running, stats.retrying, stats.dead)
    oldest = age(stats.oldest_queued_ms / 1000) if stats.queued else ""
    return queue, *map(str, counts), oldest, paused_since(stats, zone)


def paused_since(stats: "Stats", zone: Zone) -> str:
    """Say by whom, since when and why a queue is paused; the empty text if it is not."""
    if not stats.paused:
        return ""
    by = f" by {stats.paused_by}" if stats.paused_by else ""
    reason = f": {stats.pause_reason}" if stats.pause_reason else ""
    return f"paused{by} since {at(moment_of(stats.paused_at_ms), zone)}{reason}"


def _pair(pair: str, known: Mapping[str, str]) -> tuple[str, str | None]:
    name, equals, value = pair.partition("=")
    if not equals:
        raise click.UsageError(f"{pair} is not of the form NAME=VALUE")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise BadArgument(f"{name} is no setting of a queue: {hint}")
    return name, value or None


def _members(members: Mapping[str, Any]) -> None:
    width = max(map(len, members))
    for name, value in members.items():
        say(f"{name:{width}}  {value}".rstrip())


def _print(members: dict[str, Any]) -> None:
    document(json.dumps(members, ensure_ascii=False).encode())
