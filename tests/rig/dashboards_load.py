"""A server at work, and an API whose reading it can tell apart: see `dashboards`.

Each process of it is this module: --api, --work QUEUES, --enqueue ADDRESS RATE QUEUES.
"""

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from programs import Program, started_in
from servers import TestServer, until

from boltq import BoltQ, NewJob, ids, scripts
from boltq.bench import moves
from boltq.call import Call
from boltq.cli import main as cli
from boltq.evalsha.packing import packed
from boltq.evalsha.server import Server, sources

BURST = 500
WALKS = ("keys", "scan", "hscan", "sscan", "zscan", "memory|usage", "debug", "dbsize")
RESTING = 500
"""So many jobs are dead in each queue, and so many delayed."""


class Used(NamedTuple):
    """What a server has used: seconds of its processor and of reading scripts, and their number."""

    at: float
    cpu: float
    reading: float
    reads: int
    done: int

    def since(self, before: "Used") -> "Used":
        """Tell what came on top of an earlier look, a second."""
        took = self.at - before.at
        pairs = zip(self, before, strict=True)
        _, cpu, reading, reads, done = ((one - other) / took for one, other in pairs)
        return Used(took, cpu, reading, int(reads), int(done))


class Rig:
    """A server, its API, and a load that can be begun and ended."""

    def __init__(
        self, server: TestServer, folder: Path, queues: Sequence[str], rate: int, stack: ExitStack
    ) -> None:
        self._address, self._raw, self.boltq = server.address, server.raw(), BoltQ(server.address)
        self._folder, self.queues, self._rate = folder, queues, rate
        self.api = stack.enter_context(self._running("--api")).find_api()

    def fill(self) -> str:
        """Let there be jobs that rest; returns the id of one."""
        jobs = [NewJob(moves.NOOP, raw=moves.RAW)] * RESTING
        for queue in self.queues:
            self.boltq.enqueue_many(jobs, queue=queue)
            token = ids.new_token()
            held: Any = self.boltq.server.call(moves.claim(queue, token, RESTING))
            dead = [
                scripts.FailItem(one.id, token, b"SMTPError", b"no", b"", "", 1)
                for one in held.answers
            ]
            self.boltq.server.call(scripts.fail(queue, dead))
            self.boltq.enqueue_many(jobs, queue=queue, delay_seconds=3600)
        job = self.boltq.enqueue(moves.NOOP, {}, queue=self.queues[0], delay_seconds=3600)
        return job.id

    @contextmanager
    def load(self) -> Iterator[None]:
        """Enqueue, and work."""
        queues = ",".join(self.queues)
        with (
            self._running("--work", queues),
            self._running("--enqueue", self._address, str(self._rate), queues),
        ):
            before = self._done()
            until(lambda: self._done() > before + self._rate, 20)
            yield

    def measured(self, seconds: float) -> Used:
        """Tell what the server uses a second."""
        before = self._used()
        time.sleep(seconds)
        return self._used().since(before)

    def walked(self) -> list[str]:
        """Tell by which commands the server was made to walk through what it holds."""
        asked = self._raw.info("commandstats")
        return sorted(name for name in WALKS if f"cmdstat_{name}" in asked)

    def _used(self) -> Used:
        told = self._raw.info("commandstats", "cpu")
        reads = told.get("cmdstat_evalsha_ro", {"usec": 0, "calls": 0})
        cpu = told["used_cpu_user"] + told["used_cpu_sys"]
        return Used(time.monotonic(), cpu, reads["usec"] / 1e6, reads["calls"], self._done())

    def _done(self) -> int:
        return sum(self.boltq.stats(queue).completed_total for queue in self.queues)

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[Program]:
        """Run this module in a process of its own."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        with started_in(folder) as start:
            paths = {"PYTHONPATH": os.pathsep.join(sys.path), "REDIS_ADDR": self._address}
            program = start(
                Path(sys.executable).name, "-m", "rig.dashboards_load", *arguments, **paths
            )
            yield program
            program.end()


def serve() -> None:
    """Be the API, whose calls of scripts that only read can be told apart."""
    usual = Server.command
    reads = {name for name, source in sources().items() if "no-writes" in source.partition("\n")[0]}

    def command(server: Server, call: Call[Any]) -> tuple[Any, ...]:
        words = usual(server, call)
        return ("EVALSHA_RO", *words[1:]) if call.script in reads else words

    Server.command = command  # type: ignore[method-assign]
    Server.packed = lambda server, call: packed(*command(server, call))  # type: ignore[method-assign]
    run_command("boltq", "api", "--port", "0")


def enqueue(address: str, rate: int, queues: Sequence[str]) -> None:
    """Enqueue so many jobs a second, until this process is ended."""
    boltq, jobs = BoltQ(address), [NewJob(moves.NOOP, raw=moves.RAW)] * BURST
    due = time.monotonic()
    for queue in itertools.cycle(queues):
        boltq.enqueue_many(jobs, queue=queue)
        due = max(due + BURST / rate, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


def run_command(*words: str) -> None:
    """Be one of our commands."""
    sys.argv = list(words)
    cli()


def part(name: str, *told: str) -> None:
    """Be one of the processes of this rig."""
    if name == "--api":
        serve()
    elif name == "--work":
        run_command("boltq", "worker", "boltq.bench.handlers:app", "--queues", told[0])
    else:
        enqueue(told[0], int(told[1]), told[2].split(","))


if __name__ == "__main__":
    part(*sys.argv[1:])
