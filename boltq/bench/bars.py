"""What the figures are to reach: the bars and goals of the design, where they are numbers.

Those in jobs a second are of the machine on which the design was written, 2 cores, the server on
one of them; elsewhere only ratios of one run mean anything. Sizes and the server's costs hold on
any machine of about that speed.
"""

from typing import NamedTuple

from boltq.bench import backlog, drain, enqueue, fair, idle, life, memory, pickup
from boltq.bench.figure import Figure
from boltq.bench.moves import NOOP


class Bar(NamedTuple):
    """What is asked for: the bar, and the goal beyond it; None where there is none."""

    bar: float | None
    goal: float | None = None


BARS: dict[tuple[str, str], Bar] = {
    (drain.named(NOOP, 8), "jobs/s"): Bar(62_500, 80_000),
    (drain.OF_LOOP, "x"): Bar(None, 0.75),
    (enqueue.BULK, "jobs/s"): Bar(103_000, 200_000),
    (enqueue.SINGLE, "jobs/s"): Bar(11_400),
    (enqueue.OF_NO_OP, "x"): Bar(None, 0.9),
    (life.named(100, kept=True), "us a job"): Bar(14, 11),
    (life.named(100, kept=False), "us a job"): Bar(None, 8),
    (pickup.P50, "ms"): Bar(1.5, 0.8),
    (pickup.P99, "ms"): Bar(3, 1.2),
    (fair.OF_ALONE, fair.TIMES): Bar(1.1, 1.0),
    (idle.CALLS, "calls/s"): Bar(2),
    (idle.CPU, "% of a core"): Bar(0.5),
}

QUEUED_BYTES = {"redis": Bar(260, 235), "valkey": Bar(190, 160)}

SLOWEST = {backlog.P999: Bar(5), backlog.MOST: Bar(50)}
"""By the end of what is measured: of any number of jobs."""

RATIO, MANY = Bar(1.1, 1.0), 200_000
"""What a call costs beside many jobs, so many at most, to one beside few."""


def with_bar(figure: Figure, server_kind: str) -> Figure:
    """Put the bar and the goal beside a figure; server_kind: redis or valkey."""
    found = BARS.get((figure.what, figure.unit)) or _by_rule(figure, server_kind)
    return figure._replace(bar=found.bar, goal=found.goal) if found else figure


def _by_rule(figure: Figure, server_kind: str) -> Bar | None:
    if figure.what == memory.QUEUED:
        return QUEUED_BYTES[server_kind]
    if figure.unit == backlog.TIMES:
        return RATIO if backlog.count_of(figure.what) <= MANY else None
    ending = figure.what.rpartition(", ")[2]
    return SLOWEST.get(ending) if figure.part in {"backlog", "scheduled"} else None
