"""`make field`: BoltQ beside other libraries, in one run, on one server, with one payload.

    python -m bench.field                       with tests/ in PYTHONPATH
    python -m bench.field --only boltq,huey --jobs 10000 --rounds 1 --folder /tmp/field

Each is installed from its registry into a folder that is thrown away, unless it is named. Each has
one worker process: of 8 threads, in BullMQ with a concurrency of 100; RQ has one that forks for
each job, as it does by default. In each round each enqueues one at a time, in bulk where it can
(BullMQ 100 at a time, RQ and BoltQ 500), and drains a queue that was full before its worker
started, from the first handler's call to the last one's. The order turns around every other round.
All keep what they keep by default. The server has one processor, all else the others.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.apart import apart
from bench.field.library import LIBRARIES, Installed
from servers import TestServer, process_server

from boltq.bench.figure import number

SINGLE_SHARE = 0.1
MOST_SECONDS = 120
WAYS = ("drain", "enqueue", "enqueue in bulk")

OURS = "boltq"
BARS = {("dramatiq", "drain"): 5, ("bullmq", "drain"): 2, ("huey", "enqueue"): 1}
"""How many times as fast as another BoltQ is to be."""

Rates = dict[tuple[str, str], list[float]]


def main(arguments: Sequence[str]) -> int:
    """Install, measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="field", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=50_000, help="of the fastest; others have less")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(one.name for one in LIBRARIES))
    parser.add_argument("--server", choices=["redis", "valkey"], default="redis")
    parser.add_argument("--folder", type=Path, help="where they are installed, and stay")
    parser.add_argument("--to", type=Path, help="a file for the table")
    told = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    rates: Rates = {}
    with (
        tempfile.TemporaryDirectory(prefix="boltq-field-") as thrown_away,
        process_server(told.server) as server,
        apart(server),
    ):
        folder = told.folder or Path(thrown_away)
        chosen = [one for one in LIBRARIES if one.name in told.only.split(",")]
        libraries = [Installed(one, folder, server.address) for one in chosen]
        versions = {one.library.name: one.install() for one in libraries}
        for n in range(told.rounds):
            for one in libraries if n % 2 == 0 else reversed(libraries):
                for way, rate in _round(one, server, told.jobs):
                    rates.setdefault((one.library.name, way), []).append(rate)
        version = server.raw().info("server")
    named = f"{told.server} {version.get('valkey_version') or version['redis_version']}"
    page = page_of(rates, versions, f"{named}, {told.rounds} rounds, load at the start {load:.1f}")
    print(page, end="")
    if told.to:
        told.to.write_text(page, encoding="utf-8")
    return 0


def _round(one: Installed, server: TestServer, most: int) -> Iterator[tuple[str, float]]:
    """Measure each way once, on an empty server."""
    jobs = max(10, int(most * one.library.share))
    few = jobs if one.library.forks or not one.library.bulk else int(jobs * SINGLE_SHARE)
    server.raw().flushall()
    yield "enqueue", few / one.enqueue("single", few)
    if one.library.bulk:
        server.raw().flushall()
        yield "enqueue in bulk", jobs / one.enqueue("bulk", jobs)
    yield "drain", (jobs - 1) / _drain(one, jobs)


def _drain(one: Installed, jobs: int) -> float:
    """Let a worker drain what is there; returns the seconds from the first job to the last."""
    told = one.folder / "told"
    told.unlink(missing_ok=True)
    process = one.worker({"FIELD_JOBS": str(jobs), "FIELD_TOLD": str(told)})
    lines = jobs if one.library.forks else 2
    try:
        until = time.monotonic() + MOST_SECONDS
        while not told.exists() or len(told.read_text().splitlines()) < lines:
            if process.poll() is not None or time.monotonic() > until:
                said = one.folder.joinpath("worker.log").read_text()[-2000:]
                raise SystemExit(f"the worker of {one.library.name} did not drain: {said}")
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    moments = [float(line) for line in told.read_text().splitlines()]
    return max(moments) - min(moments)


def page_of(rates: Rates, versions: dict[str, str], how: str) -> str:
    """Write the table: rates, and BoltQ's as a multiple, the median over the rounds; then bars."""
    titles = [f"{way}, jobs/s | BoltQ is" for way in WAYS]
    lines = [f"| {how} | {' | '.join(titles)} |", f"|{' --- |' * (1 + 2 * len(WAYS))}"]
    for name, version in versions.items():
        cells = [f"{name} {version}"]
        for way in WAYS:
            theirs = rates.get((name, way), [])
            cells.append(_told(theirs) if theirs else "")
            ratio = None if name == OURS else _ratio(rates, name, way)
            cells.append("" if ratio is None else f"{ratio:.1f} x")
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for (name, way), bar in BARS.items():
        ratio = _ratio(rates, name, way)
        if ratio is not None:
            verdict = "reached" if ratio >= bar else "missed"
            lines.append(f"- {way}: {ratio:.2f} x {name}, bar {bar} x: {verdict}")
    return "\n".join(lines) + "\n"


def _told(values: list[float]) -> str:
    return f"{number(median(values))} ({number(min(values))} - {number(max(values))})"


def _ratio(rates: Rates, name: str, way: str) -> float | None:
    ours, theirs = rates.get((OURS, way), []), rates.get((name, way), [])
    pairs = [one / other for one, other in zip(ours, theirs, strict=False)]
    return median(pairs) if pairs else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
