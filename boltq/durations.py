"""Durations: what has a unit in its name is a number in it; what has none, seconds or timedelta."""

import math
from datetime import timedelta

from boltq.errors import BadArgument

LONGEST_SECONDS = 315_360_000.0
"""Ten years, the most that any script takes."""


def in_seconds(what: str, value: float | timedelta) -> float:
    """Return a duration in seconds, from 0 to ten years; BadArgument, which calls it `what`."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    try:
        if 0 <= seconds <= LONGEST_SECONDS:
            return float(seconds)
    except TypeError:
        pass
    form = "a number of seconds" if what.endswith("_seconds") else "seconds or a timedelta"
    raise BadArgument(f"{what} must be {form}, 0 to {LONGEST_SECONDS:.0f} s; it is {value!r}")


def in_ms(what: str, seconds: float | timedelta | None) -> int | None:
    """Return a duration in whole milliseconds, rounded up; None is left out."""
    # Up, since 0 is without end or at once.
    return None if seconds is None else math.ceil(round(in_seconds(what, seconds) * 1000, 6))
