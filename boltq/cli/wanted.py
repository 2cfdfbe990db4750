"""Which jobs of a state are meant: the filters that a list and an operation have."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from boltq import ids
from boltq.errors import BadArgument

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.filters import Narrowed

Command = Callable[..., None]
Moment = datetime | timedelta

_AGO = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Wanted(NamedTuple):
    """What is asked for; None is any. A time that is a timedelta is so long ago."""

    type: str | None = None
    error: str | None = None
    worker: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    text: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether every job is meant."""
        return self == Wanted()

    def narrowed(self, boltq: "BoltQ") -> "Narrowed":
        """Return the filter as the client takes it; the server's clock says what is ago."""
        return {
            "type": self.type,
            "error": self.error,
            "since": _moment(boltq, self.since),
            "until": _moment(boltq, self.until),
        }


def _moment(boltq: "BoltQ", told: Moment | None) -> datetime | None:
    if isinstance(told, timedelta):
        return datetime.fromtimestamp(boltq.server.now_ms() / 1000, UTC) - told
    return told


class _Time(click.ParamType[Moment]):
    """A time of RFC 3339 with its zone, or how long ago: 90s, 15m, 2h, 7d."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Moment:
        """Read it."""
        if isinstance(value, datetime | timedelta):
            return value
        if ago := _AGO.fullmatch(value):
            return timedelta(seconds=float(ago[1]) * _UNITS[ago[2]])
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo:
                return moment
        rule = "write 2030-01-31T23:59:00Z, or how long ago, as 2h"
        raise click.BadParameter(f"{value!r} is no time: {rule}", ctx, param)


def _type(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return value and ids.checked_type(value)


def _text(most_bytes: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def check(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is not None and not (
            0 < len(value.encode()) <= most_bytes and value.isprintable()
        ):
            rule = f"a text of 1 to {most_bytes} bytes, no control characters"
            raise BadArgument(f"--{param.name} must be {rule}")
        return value or None

    return check


def filter_flags(*, text: bool) -> Callable[[Command], Command]:
    """Add what says which jobs; the command is given it as `wanted`. text: also in payloads."""

    def add(command: Command) -> Command:
        @wraps(command)
        def with_wanted(*args: Any, **kwargs: Any) -> None:
            told = {name: kwargs.pop(name, None) for name in Wanted._fields}
            command(*args, wanted=Wanted(**told), **kwargs)

        added: Command = with_wanted
        if text:
            added = click.option(
                "--text", callback=_text(200), help="Whose payload holds this text."
            )(added)
        for option in (
            click.option("--until", type=_Time(), help="Before this time."),
            click.option("--since", type=_Time(), help="From this time on, or so long ago: 2h."),
            click.option(
                "--worker", callback=_text(128), help="That this worker runs, or has ended."
            ),
            click.option("--error", callback=_text(200), help="Whose last error is of this type."),
            click.option("--type", callback=_type, help="Of this type."),
        ):
            added = option(added)
        return added

    return add
