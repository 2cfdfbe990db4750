"""The libraries that are compared: how each is installed, told to enqueue, and told to work."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PEERS = Path(__file__).parent / "peers"
INSTALL_SECONDS = 300
OURS = "boltq"


@dataclass(frozen=True, slots=True)
class Library:
    """One library.

    packages: what pip or npm installs; none: it is here already. enqueue, work: the commands, in
    which {bin} is the folder of its programs, {peer} the program that speaks to it; enqueue is
    given `single` or `bulk`, and how many. share: how many jobs it is given, of the most. single,
    bulk: whether it is measured so. forks: each job runs in a process of its own. language: of
    that program. debian: the package that brings it, where no registry of ours does.
    """

    name: str
    packages: tuple[str, ...]
    work: tuple[str, ...]
    enqueue: tuple[str, ...] = ("{bin}/python", "{peer}")
    share: float = 1.0
    single: bool = True
    bulk: bool = False
    forks: bool = False
    language: Literal["py", "mjs", "rb"] = "py"
    debian: str = ""

    @property
    def missing(self) -> bool:
        """Whether a package of Debian's brings it that is not here."""
        return bool(self.debian) and shutil.which(self.work[0]) is None


LIBRARIES = (
    Library(OURS, (), ("{bin}/boltq-worker", "boltq_peer:app", "--threads", "8"), bulk=True),
    Library("boltq_hundreds", (), ("{bin}/python", "{peer}", "work", "0"), single=False, bulk=True),
    Library(
        "bullmq",
        ("bullmq", "ioredis"),
        ("node", "{peer}", "work"),
        enqueue=("node", "{peer}"),
        share=0.5,
        bulk=True,
        language="mjs",
    ),
    Library(
        "sidekiq",
        (),
        ("sidekiq", "-r", "{peer}", "-c", "8", "-q", "field"),
        enqueue=("ruby", "{peer}"),
        share=0.5,
        bulk=True,
        language="rb",
        debian="ruby-sidekiq",
    ),
    Library(
        "dramatiq",
        ("dramatiq", "redis"),
        ("{bin}/dramatiq", "dramatiq_peer", "--processes", "1", "--threads", "8"),
        share=0.2,
    ),
    Library(
        "huey",
        ("huey", "redis"),
        ("{bin}/huey_consumer", "huey_peer.huey", "-w", "8", "-k", "thread"),
        share=0.2,
    ),
    Library(
        "rq",
        ("rq",),
        ("{bin}/rq", "worker", "field", "--url", "{redis}"),
        share=0.005,
        bulk=True,
        forks=True,
    ),
)


class Installed:
    """A library in a folder of its own, ready to run on a server."""

    def __init__(self, library: Library, folder: Path, redis: str) -> None:
        self.library = library
        self.folder = folder / library.name
        self._redis = redis
        self._bin = self.folder / "bin" if library.packages else Path(sys.executable).parent
        peer = f"{library.name}_peer.{library.language}"
        self._peer = (self.folder if library.language == "mjs" else PEERS) / peer

    def install(self) -> str:
        """Fetch it from its registry, unless it is there already; returns its version."""
        library, quiet = self.library, ("--quiet", "--disable-pip-version-check")
        self.folder.mkdir(parents=True, exist_ok=True)
        if library.language == "mjs":
            shutil.copy(PEERS / self._peer.name, self._peer)
            flags = ("--silent", "--no-audit", "--no-fund", "--prefix", str(self.folder))
            _run("npm", "install", *flags, *library.packages)
            asked = f"require('{library.name}/package.json').version"
            return _run("node", "-p", asked, cwd=self.folder)
        if library.language == "rb":
            asked = f"require '{library.name}'; puts {library.name.capitalize()}::VERSION"
            return _run("ruby", "-e", asked)
        if library.packages:
            if not (self._bin / "python").exists():
                _run(sys.executable, "-m", "venv", str(self.folder))
            _run(str(self._bin / "python"), "-m", "pip", "install", *quiet, *library.packages)
        named = (*library.packages, OURS)[0]
        asked = f"import importlib.metadata as it; print(it.version({named!r}))"
        return _run(str(self._bin / "python"), "-c", asked)

    def enqueue(self, how: str, jobs: int) -> float:
        """Let it enqueue jobs, `single` or in `bulk`; returns how many seconds that took."""
        command = [*self._filled(self.library.enqueue), how, str(jobs)]
        return float(_run(*command, env=self.environ()))

    def fill(self, jobs: int) -> float:
        """Let it fill a queue, in bulk where it can; returns how many seconds that took."""
        return self.enqueue("bulk" if self.library.bulk else "single", jobs)

    def worker(self, told: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start one worker process in a session of its own; told: its further environment."""
        return subprocess.Popen(
            self._filled(self.library.work),
            cwd=self.folder,
            env=self.environ() | dict(told) | ({"FIELD_FORKS": "1"} if self.library.forks else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.folder.joinpath("worker.log").open("wb"),
            start_new_session=True,
        )

    def environ(self) -> dict[str, str]:
        """Return the environment of its programs."""
        told = {"FIELD_REDIS": self._redis, "REDIS_ADDR": self._redis, "PYTHONPATH": str(PEERS)}
        return {**os.environ, **told}

    def _filled(self, command: tuple[str, ...]) -> list[str]:
        places = {"bin": self._bin, "peer": self._peer, "redis": self._redis}
        return [part.format(**places) for part in command]


def _run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return done.stdout.strip()
