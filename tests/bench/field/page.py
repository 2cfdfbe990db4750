"""The field as a table, and what is asked of BoltQ in it."""

from collections.abc import Sequence
from statistics import median

from boltq.bench.figure import number

OURS = "boltq"
HUNDREDS = "boltq_hundreds"
RATES = {
    "drain": "drain, jobs/s",
    "enqueue": "enqueue, jobs/s",
    "enqueue in bulk": "enqueue in bulk, jobs/s",
}
COSTS = {
    "a life, in commands": "a life, us in commands",
    "a life, CPU": "a life, us of the server's CPU",
}
PICKUPS = {"pick-up, p50": "pick-up p50, ms", "pick-up, p99": "pick-up p99, ms"}
WAYS = {**RATES, **COSTS, **PICKUPS}

FASTER = {("dramatiq", "drain"): 5, ("bullmq", "drain"): 2, ("huey", "enqueue"): 1}
"""How many times as fast as another BoltQ is to be."""

LIFE_US = 14
LIVES_US = {"bullmq": 41, "sidekiq": 18, "dramatiq": 54}
"""What a life in hundreds cost the server where the design was written, and the least of others."""

PICKUP_MS = {"pick-up, p50": (1.5, 0.8), "pick-up, p99": (3.0, 1.2)}
"""What a pick-up may take, and what Sidekiq's and huey's took where the design was written."""

Found = dict[tuple[str, str], list[float]]


def page_of(found: Found, versions: dict[str, str], how: str) -> str:
    """Write the tables, medians over the rounds and BoltQ's as a multiple; then the bars."""
    lines = [
        *_table(found, versions, RATES, how),
        "",
        *_table(found, versions, COSTS, "what the server did"),
        "",
        *_table(found, versions, PICKUPS, "by an idle worker"),
        "",
    ]
    for (name, way), bar in FASTER.items():
        ratio = _ratio(found, OURS, name, way)
        if ratio is not None:
            lines.append(
                f"- {way}: {ratio:.2f} x {name}, bar {bar} x: {_verdict(reached=ratio >= bar)}"
            )
    lines += [*_lives(found), *_pickups(found)]
    return "\n".join(lines) + "\n"


def _table(found: Found, versions: dict[str, str], ways: dict[str, str], corner: str) -> list[str]:
    titles = [f"{title} | BoltQ is" for title in ways.values()]
    lines = [f"| {corner} | {' | '.join(titles)} |", f"|{' --- |' * (1 + 2 * len(ways))}"]
    for name, version in versions.items():
        cells = [f"{name} {version}"]
        for way in ways:
            theirs = found.get((name, way), [])
            cells.append(_told(theirs) if theirs else "")
            ratio = None if name == OURS else _ratio(found, OURS, name, way)
            cells.append("" if ratio is None else f"{_times(ratio)} x")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _lives(found: Found) -> list[str]:
    """Tell how a life in hundreds stands to those of others, here and where the design was."""
    lines = []
    for way in COSTS:
        for name, theirs in LIVES_US.items():
            ratio = _ratio(found, HUNDREDS, name, way)
            if ratio is not None:
                lines.append(
                    f"- {way}: in hundreds {ratio:.2f} x {name}, bar {LIFE_US / theirs:.2f} x "
                    f"({LIFE_US} us of {theirs}): {_verdict(reached=ratio <= LIFE_US / theirs)}"
                )
    ours = found.get((HUNDREDS, "a life, in commands"), [])
    if ours:
        lines.append(
            f"- a life, in commands: in hundreds {number(median(ours))} us here, "
            f"bar {LIFE_US} us on another machine: {_verdict(reached=median(ours) <= LIFE_US)}"
        )
    return lines


def _pickups(found: Found) -> list[str]:
    """Tell how a pick-up stands to those of the quickest, here and where the design was."""
    return [
        f"- {way}: {ratio:.2f} x {name}, bar {most / theirs:.2f} x ({number(most)} ms of "
        f"{number(theirs)}): {_verdict(reached=ratio <= most / theirs)}"
        for way, (most, theirs) in PICKUP_MS.items()
        for name in ("sidekiq", "huey")
        if (ratio := _ratio(found, OURS, name, way)) is not None
    ]


def _verdict(*, reached: bool) -> str:
    return "reached" if reached else "missed"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def _told(values: Sequence[float]) -> str:
    return f"{number(median(values))} ({number(min(values))} - {number(max(values))})"


def _ratio(found: Found, ours: str, name: str, way: str) -> float | None:
    pairs = zip(found.get((ours, way), []), found.get((name, way), []), strict=False)
    ratios = [one / other for one, other in pairs]
    return median(ratios) if ratios else None
