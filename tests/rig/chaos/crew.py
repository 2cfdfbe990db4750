"""The worker processes of a chaos run, and the rig as their supervisor.

Only a process that a fault has killed or ended is started again; one that ends for any other reason
is a finding, and stays away.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from programs import children, environment
from rig.chaos.history import History
from rig.chaos.payloads import POISONED

from boltq import guard

GRACE_SECONDS = 10.0
END_SECONDS = 30.0


@dataclass
class Member:
    """One `boltq-worker`, which may be a parent of several processes."""

    name: str
    place: str
    processes: int
    process: subprocess.Popen[bytes] | None = None
    to_restart: bool = False
    pids: list[int] = field(default_factory=list)


class Crew:
    """Some members, started in a folder that holds their logs."""

    def __init__(self, folder: Path, history: History, queues: str, lease: float) -> None:
        self.members: list[Member] = []
        self.poisoned = False  # a process that ends by a poison pill is started again
        self.wrong: list[str] = []
        self._folder, self._history = folder, history
        self._queues, self._lease = queues, lease
        self._leash = os.pipe()

    def add(self, name: str, place: str, processes: int = 1) -> None:
        member = Member(name, place, processes)
        self.members.append(member)
        self._start(member)

    def _start(self, member: Member) -> None:
        command = [
            *(sys.executable, "-m", "boltq.worker.main", "rig.chaos.app:app"),
            *("--queues", self._queues, "--threads", "4"),
            *("--lease-seconds", str(self._lease), "--grace-seconds", str(GRACE_SECONDS)),
        ]
        if member.processes > 1:
            command += ["--processes", str(member.processes)]
        told = {
            "REDIS_ADDR": member.place,
            "CHAOS_NAME": member.name,
            "CHAOS_HISTORY": str(self._history.folder),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "BOLTQ_LOG_DONE": "0",
        }
        with (self._folder / f"{member.name}.log").open("ab") as log:
            member.process = subprocess.Popen(
                guard.guarded(command, signal.SIGKILL),  # nobody outlives the rig
                cwd=self._folder,
                env=environment(**told),
                stdin=self._leash[0],
                stdout=log,
                stderr=log,
            )
        self._note("started", member)

    def _note(self, what: str, member: Member, word: str = "") -> None:
        self._history.write(what, member.name, word=word)

    def mind(self) -> None:
        """Start again what a fault has killed; note what has ended by itself."""
        for member in self.members:
            if member.process is None or member.process.poll() is None:
                continue
            status = member.process.returncode
            self._note("gone", member, str(status))
            member.process = None
            if member.to_restart or (self.poisoned and status == POISONED):
                member.to_restart = False
                self._start(member)
            else:
                self.wrong.append(f"{member.name} ended by itself with status {status}")

    def killed(self, member: Member) -> None:
        """Kill a member; if it is a parent, kill one of the processes that it minds instead."""
        assert member.process
        if member.processes > 1:
            for pid in children(member.process.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
            return
        member.to_restart = True
        member.process.kill()
        member.process.wait()

    def ended(self, member: Member) -> None:
        """Ask a member to end, and start another in its place."""
        assert member.process
        member.to_restart = True
        member.process.terminate()

    def signalled(self, member: Member, number: signal.Signals) -> None:
        """Send a signal to all the processes of a member."""
        assert member.process
        if number == signal.SIGSTOP:
            member.pids = [member.process.pid, *children(member.process.pid)]
        for pid in member.pids:
            os.kill(pid, number)

    def end(self) -> None:
        """End all in order; what does not end, or ends with another status than 0, is wrong."""
        for member in self.members:
            if member.process is not None:
                member.process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for member in self.members:
            if member.process is None:
                continue
            try:
                status = member.process.wait(max(0.1, deadline - time.monotonic()))
                if status:
                    self.wrong.append(f"{member.name} was told to end, and did with {status}")
            except subprocess.TimeoutExpired:
                self.wrong.append(f"{member.name} was told to end, and does not")
            self._note("gone", member, "ended")

    def kill(self) -> None:
        """Kill whoever is left; the crew is over."""
        for end in self._leash:
            os.close(end)
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                member.process.kill()
                member.process.wait()


@contextmanager
def crew_in(folder: Path, history: History, queues: str, lease: float) -> Iterator[Crew]:
    """A crew for as long as the block; nobody of it outlives that."""
    crew = Crew(folder, history, queues, lease)
    try:
        yield crew
    finally:
        crew.kill()
