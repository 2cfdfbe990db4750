"""Our commands as the processes that people start, ended also when a test fails."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from servers import until

BIN = Path(sys.executable).parent
# Children inherit that a signal is ignored, as nohup and `&` have it, but not that nothing is done.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda _number, _frame: None)

SETTINGS = re.compile("REDIS_ADDR|API_|WORKER_ID|BOLTQ_|SMTP_")


def environment(**told: str) -> dict[str, str]:
    """This process' environment with no settings of BoltQ but those told."""
    kept = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
    return kept | told


def run(folder: Path, *command: str, **told: str) -> subprocess.CompletedProcess[str]:
    """Run one of our commands to its end, in a folder."""
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment(**told),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def run_module(module: str, *arguments: str) -> str:
    """Run a module of tests/ as make does; returns what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(__file__).parents[1],
        env=environment(PYTHONPATH="tests"),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


class Program:
    """One of our commands, running in a folder; what it says is in files there."""

    def __init__(
        self, folder: Path, command: tuple[str, ...], told: dict[str, str], bin: Path = BIN
    ) -> None:
        self.folder = folder
        self._out, self._err = folder / f"{command[0]}.out", folder / f"{command[0]}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [str(bin / command[0]), *command[1:]],
                cwd=folder,
                env=environment(**told),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def said(self) -> str:
        """All that it has written to its standard output so far."""
        return self._out.read_text()

    @property
    def told(self) -> str:
        """All that it has written to its standard error so far."""
        return self._err.read_text()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has said or told what matches."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            has_ended = self.process.poll() is not None  # before its last words are read
            found.extend(re.finditer(pattern, self.said + self.told))
            assert found or not has_ended, self.said + self.told
            return bool(found)

        until(look)
        return found[0]

    def find_api(self) -> Self:
        """Wait until the API answers, at a port of its own choice."""
        self.port = int(self.wait_for(r"http://localhost:(\d+)")[1])
        return self

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request to the API and return the status and the JSON of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def job(self, id: str) -> Any:
        """The job as the API shows it."""
        status, shown = self.ask("GET", f"/api/jobs/status?id={id}")
        assert status == 200, shown
        return shown

    def enqueue(self, type: str, payload: object = None, **options: object) -> str:
        """Enqueue a job through the API and return its id."""
        status, shown = self.ask("POST", "/api/jobs", {"type": type, "payload": payload, **options})
        assert status == 202, shown
        return str(shown["id"])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)


Start = Callable[..., Program]


@contextmanager
def started_in(folder: Path, bin: Path = BIN) -> Iterator[Start]:
    """Call it with a command and its arguments, and settings by name.

    bin: where the commands are.
    """
    programs: list[Program] = []

    def start(*command: str, **told: str) -> Program:
        programs.append(Program(folder, command, told, bin))
        return programs[-1]

    try:
        yield start
    finally:
        for program in programs:
            if program.process.poll() is None:
                program.process.kill()
                program.process.wait()


def children(pid: int) -> list[int]:
    """The processes that a process has started and not yet waited for."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in rows if int(parent) == pid]


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    told = subprocess.run(
        ["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False
    )
    return bool(told.stdout.strip()) and not told.stdout.startswith("Z")
