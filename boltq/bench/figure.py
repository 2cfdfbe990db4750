"""Figures: what one round took, and what all rounds say together."""

from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple


class Taken(NamedTuple):
    """One figure of one round.

    what: the same words in each round. floor: of the same moves with plain commands. commands: that
    scripts called a job; None where nobody counted.
    """

    what: str
    unit: str
    value: float
    floor: bool = False
    commands: float | None = None


class Trial(NamedTuple):
    """What is measured once a round, beside the others of its part."""

    name: str
    run: Callable[[], Iterable[Taken]]


class Figure(NamedTuple):
    """A figure of all rounds: the median, the least, the most.

    floor: the median of the same moves with plain commands, and ratio: of the two, the median over
    the rounds; None where there is none. bar, goal: what it is to reach, where that is known.
    commands: that scripts called a job, the median.
    """

    part: str
    what: str
    unit: str
    median: float
    least: float
    most: float
    rounds: int
    floor: float | None = None
    ratio: float | None = None
    bar: float | None = None
    goal: float | None = None
    commands: float | None = None


def figures_of(part: str, rounds: Iterable[Iterable[Taken]]) -> list[Figure]:
    """Put together what the rounds of one part took, in the order of the first."""
    ours: dict[tuple[str, str], list[Taken]] = {}
    floors: dict[tuple[str, str], list[Taken]] = {}
    for taken in rounds:
        for one in taken:
            into = floors if one.floor else ours
            into.setdefault((one.what, one.unit), []).append(one)
    return [_figure(part, taken, floors.get(named, [])) for named, taken in ours.items()]


def number(value: float | None) -> str:
    """Write a value for people, with three digits or all before the point; nothing for None."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - powers of ten
    return f"{value:,.{digits}f}"


def _figure(part: str, taken: list[Taken], floors: list[Taken]) -> Figure:
    values = [one.value for one in taken]
    counted = [one.commands for one in taken if one.commands is not None]
    pairs = [one.value / floor.value for one, floor in zip(taken, floors, strict=False)]
    return Figure(
        part,
        taken[0].what,
        taken[0].unit,
        median(values),
        min(values),
        max(values),
        len(values),
        floor=median(one.value for one in floors) if floors else None,
        ratio=median(pairs) if pairs else None,
        commands=median(counted) if counted else None,
    )
