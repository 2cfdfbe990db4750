"""The results as a page of Markdown."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from boltq.bench.figure import number

Run = dict[str, Any]
Row = tuple[str, list[str]]

RATES = {"jobs/s", "calls/s", "x"}
LOW_CALLS = "idle"
"""The part whose calls a second should be few."""

HEAD = """# What BoltQ costs, measured

Written by `make bench`; do not edit. Medians of {rounds} rounds, in brackets the least and the
most. Only ratios within one run say something about another machine: *to plain* is beside the same
moves with plain commands in a pipeline, which promise nothing. Bar and goal are those of the
design; speeds in them are of the machine on which it was written. Time in scripts is the server's
own, by the clock: where the machine is busy it grows, which the processor's time does not.
"""


def written(runs: Sequence[Run], commit: str) -> str:
    """Write the page of one run on each server, with the same parts and sizes."""
    first, plan = runs[0], runs[0]["plan"]
    version = f"BoltQ {first['boltq']} at {commit}, Python {first['python']}"
    loads = ", ".join(f"{run['load']} ({run['server']})" for run in runs)
    sizes = ", ".join(f"{name} {_size(value)}" for name, value in plan.items())
    lines = [
        HEAD.format(rounds=plan["rounds"]),
        f"- {datetime.now(UTC):%Y-%m-%d}, {version}",
        f"- {first['machine']}; load when it began: {loads}",
        "- servers in memory alone, on a unix socket, on a processor of their own if there are two",
        f"- sizes: {sizes}",
    ]
    rows = _rows(runs)
    for part, block in groupby(rows, key=lambda row: row[0]):
        lines += ["", f"## {part}", "", *_table([run["server"] for run in runs], list(block))]
    plots = " ".join(f"[{run['server']}]({_kind(run)}.svg)" for run in runs)
    missed = [f"- {line}" for run in runs for line in _missed(run)]
    lines += ["", f"Plots: {plots}", "", "## Bars", ""]
    lines += missed or ["All bars that are numbers are reached."]
    return "\n".join(lines) + "\n"


def _size(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _kind(run: Run) -> str:
    return str(run["server"]).split()[0].lower()


def _rows(runs: Sequence[Run]) -> list[Row]:
    """Return a row for each figure; a key that one server keeps small may have none on another."""
    by_run = [
        {(one["part"], one["what"], one["unit"]): one for one in run["figures"]} for run in runs
    ]
    names = dict.fromkeys(name for found in by_run for name in found)
    parts = list(dict.fromkeys(part for part, _, _ in names))
    return [
        _row([found.get(name) for found in by_run])
        for name in sorted(names, key=lambda name: parts.index(name[0]))
    ]


def _row(figures: Sequence[Run | None]) -> Row:
    there = [figure for figure in figures if figure]
    cells = [there[0]["what"], there[0]["unit"], *map(_told, figures)]
    cells.append(" / ".join(filter(None, (number(figure["ratio"]) for figure in there))))
    cells += (
        " / ".join(dict.fromkeys(number(figure[name]) for figure in there))  # mostly the same
        for name in ("commands", "bar", "goal")
    )
    return there[0]["part"], cells


def _told(figure: Run | None) -> str:
    if figure is None:
        return ""
    return f"{number(figure['median'])} ({number(figure['least'])} - {number(figure['most'])})"


def _table(servers: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    titles = ["what", "unit", *servers, "to plain", "commands", "bar", "goal"]
    kept = [n for n in range(len(titles)) if any(cells[n] for _, cells in rows)]
    for cells in (titles, ["---"] * len(titles), *(cells for _, cells in rows)):
        yield f"| {' | '.join(cells[n] for n in kept)} |"


def _missed(run: Run) -> Iterator[str]:
    """Tell which bars the median does not reach."""
    for figure in run["figures"]:
        bar, median = figure["bar"], figure["median"]
        rises = figure["unit"] in RATES and figure["part"] != LOW_CALLS
        if bar is not None and (median < bar if rises else median > bar):
            told = f"{number(median)} {figure['unit']}, bar {number(bar)}"
            yield f"missed on {run['server']}: {figure['what']}: {told}"
