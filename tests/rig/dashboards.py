"""What open dashboards cost a server that is at work.

python -m rig.dashboards [--seconds 10] [--pairs 3] [--viewers 20] [--rate 10000] [--queues 4]
[--screens overview,all,playground] [--servers redis,valkey]     from tests/, with the repository
in PYTHONPATH

One process enqueues so many jobs a second in bulk, a worker of 8 threads does nothing with them,
and people look at the page: `all` are spread over its screens. In pairs, with them and without.

reads: the scripts that only read, which nobody but the API calls. Its process sends them as
EVALSHA_RO, so that INFO commandstats tells them apart from the load's. more CPU: of the server with
them, less that without; alone: of the server when only they are left, sockets and INFO and all.
Nobody may make the server walk through its keys meanwhile.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import NamedTuple

from bench.apart import apart
from rig.dashboards_load import Rig, Used
from rig.viewers import Viewer, screens
from servers import process_server

BAR = 0.01
SETTLE_SECONDS = 2.0
ALL = "all"
HEADING = (
    f"{'screen':12}{'jobs/s':>8}{'CPU':>9}{'reads/s':>9}{'reads':>10}{'of work':>10}"
    f"{'more CPU':>10}{'alone':>28}"
)


class Plan(NamedTuple):
    """How many pairs of how many seconds are measured, and how many people look."""

    pairs: int
    seconds: float
    viewers: int


class Row(NamedTuple):
    """Of one pair: a second without viewers and with them; and what CPU they cost if alone."""

    without: Used
    beside: Used
    alone: float


@contextmanager
def looking(rig: Rig, screen: str, count: int, job: str) -> Iterator[Counter[int]]:
    """Let so many look at a screen, or at one each; the statuses are told at the end."""
    by_name = screens(rig.queues, job)
    chosen = list(by_name.values()) if screen == ALL else [by_name[screen]]
    viewers = [Viewer(rig.api.port, chosen[n % len(chosen)], f"{screen} {n}") for n in range(count)]
    statuses: Counter[int] = Counter()
    for viewer in viewers:
        viewer.open()
    sleep(SETTLE_SECONDS)
    try:
        yield statuses
    finally:
        for viewer in viewers:
            viewer.close()
            statuses.update(viewer.statuses)


def measure(rig: Rig, screen: str, plan: Plan, job: str) -> list[Row]:
    """Measure so many pairs, the order turned every other time; then those who look alone."""
    found: list[tuple[Used, Used]] = []
    for n in range(plan.pairs):
        with rig.load():
            without = None if n % 2 else rig.measured(plan.seconds)
            with looking(rig, screen, plan.viewers, job) as statuses:
                beside = rig.measured(plan.seconds)
            without = without or rig.measured(plan.seconds)
        assert not statuses.keys() - {200, 304}, statuses
        found.append((without, beside))
    nothing = rig.measured(plan.seconds)
    with looking(rig, screen, plan.viewers, job):
        alone = rig.measured(plan.seconds)
    return [Row(*pair, alone.cpu - nothing.cpu) for pair in found]


def line(screen: str, rows: Sequence[Row]) -> str:
    """Tell the medians of one screen."""
    middle = statistics.median
    more = [row.beside.cpu - row.without.cpu for row in rows]
    return (
        f"{screen:12}{middle(row.beside.done for row in rows):8.0f}"
        f"{middle(row.without.cpu for row in rows):9.1%}"
        f"{middle(row.beside.reads for row in rows):9.0f}{middle(map(reading, rows)):10.3%}"
        f"{middle(reading(row) / row.beside.cpu for row in rows):10.2%}"
        f"{middle(more):10.2%} ({min(more):.2%} to {max(more):.2%}){rows[0].alone:10.2%}"
    )


def reading(row: Row) -> float:
    """Tell the seconds a second of scripts that read for those who look."""
    return row.beside.reading - row.without.reading


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the verdict; 1 if the bar is missed."""
    parser = argparse.ArgumentParser(prog="rig.dashboards", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--queues", type=int, default=4)
    parser.add_argument("--screens", default=f"overview,{ALL},playground")
    parser.add_argument("--servers", default="redis,valkey")
    told = parser.parse_args(arguments)
    queues = [f"mail-{n}" for n in range(told.queues)]
    plan = Plan(told.pairs, told.seconds, told.viewers)
    missed: list[str] = []
    for kind in told.servers.split(","):
        print(
            f"{kind}, {told.viewers} viewers, {told.queues} queues, load {os.getloadavg()[0]:.1f}"
        )
        print(HEADING)
        with (
            process_server(kind) as server,
            apart(server),
            tempfile.TemporaryDirectory() as folder,
            ExitStack() as stack,
        ):
            rig = Rig(server, Path(folder), queues, told.rate, stack)
            job = rig.fill()
            for screen in told.screens.split(","):
                rows = measure(rig, screen, plan, job)
                print(line(screen, rows), flush=True)
                if statistics.median(map(reading, rows)) > BAR:
                    missed.append(f"{screen} on {kind}")
            if walked := rig.walked():
                print(f"BROKEN: somebody asked for {', '.join(walked)}")
                return 1
    verdict = f"MISSED by {', '.join(missed)}" if missed else "HOLDS"
    print(f"{verdict}: scripts that read take less than {BAR:.0%} of a core")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
