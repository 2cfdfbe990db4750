"""`make field`: BoltQ beside other libraries, in one run, on one server, with one payload.

    python -m bench.field                       with tests/ in PYTHONPATH
    python -m bench.field --only boltq,huey --jobs 10000 --rounds 1 --folder /tmp/field

Each is installed from its registry into a folder that is thrown away, unless it is named. Each has
one worker process: of 8 threads, in BullMQ with a concurrency of 100; RQ has one that forks for
each job, as it does by default. In each round each enqueues one at a time, in bulk where it can
(BullMQ 100 at a time, RQ and BoltQ 500, Sidekiq 1,000), and drains a queue that was full before its
worker started, from the first handler's call to the last one's. The order turns around every other
round. All keep what they keep by default. The server has one processor, all else the others.

A life is what the server did from before the first job of such a queue was enqueued, in bulk where
there is that, until its worker had ended. A pick-up is from before a job was enqueued, 20 a second,
to its handler's first line, in an idle worker. boltq_hundreds is BoltQ in calls of 100 jobs without
a worker: that of which the design says 14 us.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.apart import apart
from bench.field.library import LIBRARIES, Installed
from bench.field.page import Found, page_of
from bench.field.served import commands_us, direct_shares, used
from servers import TestServer, process_server

from boltq.bench.pickup import at_least_of

SINGLE_SHARE = 0.1
WATCHED_JOBS = 500
WARM_JOBS = 40
MOST_SECONDS = 120


def main(arguments: Sequence[str]) -> int:
    """Install, measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="field", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=50_000, help="of the fastest; others have less")
    parser.add_argument("--rounds", type=int, default=3)
    # Of 100 the second longest would be called p99.
    parser.add_argument("--pickups", type=int, default=300, help="20 a second")
    parser.add_argument("--only", default=",".join(one.name for one in LIBRARIES))
    parser.add_argument("--server", choices=["redis", "valkey"], default="redis")
    parser.add_argument("--folder", type=Path, help="where they are installed, and stay")
    parser.add_argument("--to", type=Path, help="a file for the table")
    told = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    found: Found = {}
    with (
        tempfile.TemporaryDirectory(prefix="boltq-field-") as thrown_away,
        process_server(told.server) as server,
        apart(server),
    ):
        folder = told.folder or Path(thrown_away)
        chosen = [one for one in LIBRARIES if one.name in told.only.split(",")]
        missing = [one for one in chosen if one.missing]
        libraries = [Installed(one, folder, server.address) for one in chosen if one not in missing]
        versions = {one.library.name: one.install() for one in libraries}
        shares = {one.library.name: _watched(one, server, told.jobs) for one in libraries}
        for n in range(told.rounds):
            for one in libraries if n % 2 == 0 else reversed(libraries):
                for way, value in _round(one, server, told, shares[one.library.name]):
                    found.setdefault((one.library.name, way), []).append(value)
        version = server.raw().info("server")
    named = f"{told.server} {version.get('valkey_version') or version['redis_version']}"
    page = page_of(found, versions, f"{named}, {told.rounds} rounds, load at the start {load:.1f}")
    for one in missing:
        page += f"- left out: {one.name}, which is not here (Debian: apt install {one.debian})\n"
    print(page, end="")
    if told.to:
        told.to.write_text(page, encoding="utf-8")
    return 0


def _watched(one: Installed, server: TestServer, most: int) -> dict[str, float]:
    """Let a few jobs live, and tell which commands their library's scripts made."""
    jobs = min(WATCHED_JOBS, _jobs(one, most))
    server.raw().flushall()
    return direct_shares(server.raw(), lambda: (one.fill(jobs), _drain(one, jobs)))


def _jobs(one: Installed, most: int) -> int:
    return max(10, int(most * one.library.share))


def _round(
    one: Installed, server: TestServer, told: argparse.Namespace, direct: dict[str, float]
) -> Iterator[tuple[str, float]]:
    """Measure each way once, on an empty server."""
    jobs = _jobs(one, told.jobs)
    few = min(
        jobs, int(told.jobs * SINGLE_SHARE)
    )  # as many for each: all open their connection in it
    if one.library.single:
        server.raw().flushall()
        yield "enqueue", few / one.enqueue("single", few)
    server.raw().flushall()
    before = used(server.raw())
    seconds = one.fill(jobs)
    if one.library.bulk:
        yield "enqueue in bulk", jobs / seconds
    yield "drain", (jobs - 1) / _drain(one, jobs)
    after = used(server.raw())
    yield "a life, in commands", commands_us(before, after, direct) / jobs
    yield "a life, CPU", (after.cpu - before.cpu) / jobs
    if one.library.single and not one.library.forks:
        server.raw().flushall()
        waited_ms = _picked_up(one, told.pickups)
        yield "pick-up, p50", at_least_of(waited_ms, 0.5)
        yield "pick-up, p99", at_least_of(waited_ms, 0.99)


def _drain(one: Installed, jobs: int) -> float:
    """Let a worker drain what is there; returns the seconds from the first job to the last."""
    moments = _worked(one, jobs, lines=jobs if one.library.forks else 2)
    return max(moments) - min(moments)


def _picked_up(one: Installed, pickups: int) -> list[float]:
    """Return how long jobs waited for an idle worker, in ms, the shortest first."""
    jobs = WARM_JOBS + pickups
    waited = _worked(one, jobs, lines=jobs, sends=lambda: one.enqueue("paced", jobs))
    return sorted(seconds * 1000 for seconds in waited[WARM_JOBS:])


def _worked(
    one: Installed, jobs: int, *, lines: int, sends: Callable[[], object] = lambda: None
) -> list[float]:
    """Let a worker do jobs, those too that `sends` sends; returns the lines that it told."""
    told = one.folder / "told"
    told.unlink(missing_ok=True)
    process = one.worker({"FIELD_JOBS": str(jobs), "FIELD_TOLD": str(told)})
    try:
        sends()
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
    return [float(line) for line in told.read_text().splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
