"""How fast the API is, beside a Falcon hello-world on the same waitress, and beside the client.

python -m rig.api_speed [--seconds 1] [--pairs 5] [--server valkey]     from tests/, with the
repository in PYTHONPATH

POST /api/jobs and the hello-world, a POST that reads its body and answers in JSON, are asked in
turns, each by a process that sends prepared bytes; so are POST /api/jobs/batch, with 1,000 jobs of
200 bytes, and enqueue_many. The hello-world is served as the package serves what it is given, with
as many threads: how the API uses waitress is its own doing. Each ratio is of one pair, and told is
the median of all: what else runs on the machine slows both of a pair. CPU is what the serving
process used for a request: where it has a core of its own, it can answer one divided
by that in a second.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import falcon
from programs import Program, environment, started_in
from servers import TestServer, process_server
from waitress.server import BaseWSGIServer, create_server

from boltq.api.serve import THREADS
from boltq.client import BoltQ
from boltq.newjob import NewJob

LEAST_RATIO = 0.6
LEAST_JOBS_A_SECOND = 50_000
JOBS = 1000
PAYLOAD = '"' + "x" * 198 + '"'
_TICKS = os.sysconf("SC_CLK_TCK")


class Speed(NamedTuple):
    """Of one round: how many requests, or jobs, a second, and microseconds of CPU for each."""

    rate: float
    cpu_us: float


class Hello:
    """The least that a Falcon application can do with a POST."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Read the body and answer."""
        req.bounded_stream.read()
        resp.status = 202
        resp.media = {"hello": "world"}


def serve_hello() -> None:
    """Serve the hello-world until this process is killed, and say where."""
    app = falcon.App()
    app.add_route("/api/jobs", Hello())
    server = create_server(app, host="127.0.0.1", port=0, threads=THREADS, asyncore_use_poll=True)
    assert isinstance(server, BaseWSGIServer)  # it is another one for several addresses
    print(f"http://localhost:{server.effective_port}", flush=True)
    server.run()


def enqueue(address: str, seconds: float) -> None:
    """Enqueue by the client for so long; print how many jobs, none that was bad, and how long."""
    boltq, jobs = BoltQ(address), [NewJob("echo", raw=PAYLOAD.encode())] * JOBS
    boltq.enqueue_many(jobs, queue="own")
    began, done = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        done += boltq.enqueue_many(jobs, queue="own") // JOBS
    print(done, 0, time.perf_counter() - began)


def request(path: str, body: str) -> bytes:
    """Write a POST of JSON."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


SINGLE = request("/api/jobs", f'{{"type":"echo","queue":"one","payload":{PAYLOAD}}}')
_ITEM = f'{{"type":"echo","queue":"many","payload":{PAYLOAD}}}'
BATCH = request("/api/jobs/batch?mode=each", f"[{','.join([_ITEM] * JOBS)}]")


class Rig:
    """An API and a hello-world that run, and a folder for what the clients send."""

    def __init__(self, folder: Path, server: TestServer, api: Program, hello: Program) -> None:
        self.folder, self.server, self.api, self.hello = folder, server, api, hello

    def ask(self, program: Program, sent: bytes, connections: int, seconds: float) -> Speed:
        """Ask one of the two for so long."""
        file = self.folder / "request"
        file.write_bytes(sent)
        command = [str(program.port), str(connections), str(seconds), str(file)]
        return self._measured(program.process.pid, "rig.lean", *command)

    def enqueue(self, seconds: float) -> Speed:
        """Let the client enqueue, for the figure beside the batches."""
        return self._measured(0, "rig.api_speed", "--enqueue", self.server.address, f"{seconds}")

    def _measured(self, pid: int, *module: str) -> Speed:
        self.server.raw().flushall()
        before = _cpu_seconds(pid)
        done = subprocess.run(
            [sys.executable, "-m", *module],
            env=environment(PYTHONPATH=os.pathsep.join(sys.path)),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        used = _cpu_seconds(pid) - before
        count, bad, took = done.stdout.split()
        assert bad == "0", f"{bad} of {count} answers were no success"
        return Speed(int(count) / float(took), used * 1e6 / int(count))


def _cpu_seconds(pid: int) -> float:
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def running(kind: str) -> Iterator[Rig]:
    """Start all, and end it."""
    with process_server(kind) as server, tempfile.TemporaryDirectory() as name:
        folder, here = Path(name), Path(sys.executable).parent
        with started_in(folder, here) as start:
            paths = os.pathsep.join(sys.path)
            hello = start(
                here.joinpath("python").name, "-m", "rig.api_speed", "--hello", PYTHONPATH=paths
            )
            api = start("boltq", "api", "--port", "0", REDIS_ADDR=server.address)
            yield Rig(folder, server, api.find_api(), hello.find_api())


def pairs(
    first: Callable[[], Speed], second: Callable[[], Speed], count: int
) -> list[tuple[Speed, Speed]]:
    """Measure two in turns, each first half of the times."""
    found = []
    for n in range(count):
        if n % 2:
            two, one = second(), first()
        else:
            one, two = first(), second()
        found.append((one, two))
    return found


class Row(NamedTuple):
    """One line of the table: what is measured, beside what, and how many jobs are in a request."""

    name: str
    jobs: int
    measured: list[tuple[Speed, Speed]]

    @property
    def ratio(self) -> float:
        """The median of the pairs."""
        return statistics.median(one.rate / two.rate for one, two in self.measured)

    @property
    def rate(self) -> float:
        """The median of the first of each, in jobs a second."""
        return statistics.median(one.rate for one, _ in self.measured) * self.jobs

    def line(self) -> str:
        """Tell it as a line."""
        beside = statistics.median(two.rate for _, two in self.measured) * self.jobs
        cpu = statistics.median(one.cpu_us for one, _ in self.measured)
        other = statistics.median(two.cpu_us for _, two in self.measured)
        least, most = (f(a.rate / b.rate for a, b in self.measured) for f in (min, max))
        return (
            f"{self.name:34}{self.rate:10.0f}{beside:10.0f}{self.ratio:8.2f}"
            f"  {least:.2f}-{most:.2f}{cpu:10.0f}{other:10.0f}"
        )


def measure(rig: Rig, seconds: float, count: int, connections: Sequence[int]) -> list[Row]:
    """Measure all, in pairs."""
    rows = []
    rig.ask(rig.api, SINGLE, 1, 0.2), rig.ask(rig.hello, SINGLE, 1, 0.2)
    for many in connections:
        found = pairs(
            lambda many=many: rig.ask(rig.api, SINGLE, many, seconds),
            lambda many=many: rig.ask(rig.hello, SINGLE, many, seconds),
            count,
        )
        rows.append(Row(f"POST /api/jobs, {many} at a time", 1, found))
    for many in connections:
        found = pairs(
            lambda many=many: rig.ask(rig.api, BATCH, many, seconds),
            lambda: rig.enqueue(seconds),
            count,
        )
        rows.append(Row(f"POST /api/jobs/batch, {many} at a time", JOBS, found))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the verdict; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="rig.api_speed", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--connections", default="1,4,16,32,64")
    parser.add_argument("--server", choices=["redis", "valkey"], default="valkey")
    parser.add_argument("--hello", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--enqueue", nargs=2, help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.hello:
        serve_hello()
    if told.enqueue:
        enqueue(told.enqueue[0], float(told.enqueue[1]))
        return 0
    load = os.getloadavg()[0]
    with running(told.server) as rig:
        rows = measure(rig, told.seconds, told.pairs, [int(n) for n in told.connections.split(",")])
    print(
        f"{'':34}{'a second':>10}{'beside':>10}{'ratio':>8}  of pairs{'CPU us':>10}{'beside':>10}"
    )
    for row in rows:
        print(row.line())
    ratio = max(row.ratio for row in rows if row.jobs == 1)
    jobs = max(row.rate for row in rows if row.jobs == JOBS)
    holds = ratio >= LEAST_RATIO and jobs >= LEAST_JOBS_A_SECOND
    print(
        f"{'HOLDS' if holds else 'MISSED'}: {ratio:.0%} of a hello-world (bar {LEAST_RATIO:.0%}), "
        f"{jobs:.0f} jobs/s in batches (bar {LEAST_JOBS_A_SECOND}); {told.server}, load {load:.1f}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
