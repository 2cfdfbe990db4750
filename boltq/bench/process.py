"""Processes of ours that are measured: started for it, and gone afterwards."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from boltq import guard, ids, presence
from boltq.bench.site import Site
from boltq.errors import Unavailable

START_SECONDS = 30.0
END_SECONDS = 10.0
LOOK_SECONDS = 0.005
SHOWN_CHARACTERS = 1000

SERVE = ("-c", "from boltq.cli import main; main()", "api")
WORK = ("-m", "boltq.worker.main")
_MAIN = "from boltq.worker.main import main; main()"
WORK_ALONE = ("-c", f"from boltq.worker import pace; pace.MOST_AHEAD = 0; {_MAIN}")
"""A worker that claims a job only once a thread is free for it; there is no such setting."""


class Process:
    """A process that runs; what it says is in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", said: Callable[[], str]) -> None:
        self._process = process
        self.said = said

    def wait_for(
        self,
        what: str,
        holds: Callable[[], object],
        seconds: float,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Look until something holds.

        what: the same in words. Raises Unavailable, with what the process last said, if it has
        ended or is too slow.
        """
        until = time.monotonic() + seconds
        while not holds():
            if self._process.poll() is not None:
                raise Unavailable(f"{what}: its process has ended, and said: {self._last()}")
            if time.monotonic() > until:
                raise Unavailable(f"{what}: not so within {seconds:.0f} s: {self._last()}")
            time.sleep(look_seconds)

    def _last(self) -> str:
        return self.said()[-SHOWN_CHARACTERS:].strip()


@contextmanager
def running(site: Site, arguments: Sequence[str], **told: str) -> Iterator[Process]:
    """Run a program of ours while entered. arguments: of Python; told: its settings.

    It cannot outlive this process. Must be entered from a thread that lives as long as it is to.
    """
    log = site.folder / f"{ids.new_token()}.log"
    command = guard.guarded([sys.executable, *arguments], signal.SIGKILL)
    with (
        log.open("wb") as to,
        subprocess.Popen(
            command,
            cwd=site.folder,  # where no `.env` is
            env=site.environ(**told),
            stdin=subprocess.PIPE,  # the guard's leash
            stdout=to,
            stderr=to,
            start_new_session=True,  # Ctrl-C is for us
        ) as process,
    ):
        try:
            yield Process(process, lambda: log.read_text("utf-8", "replace"))
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def worker(
    site: Site,
    queues: Sequence[str],
    *,
    threads: int = 8,
    processes: int = 1,
    ahead: bool = True,
    log_done: int | None = None,
) -> Iterator[Process]:
    """Run a worker while entered, which is there and idle when this begins.

    ahead: whether it claims jobs ahead of its threads, where they are fast. log_done: how many jobs
    that are done it logs a second; None: as many as by default.
    """
    told = {} if log_done is None else {"BOLTQ_LOG_DONE": str(log_done)}
    name = f"{site.stem}-{ids.new_token()[:6]}"
    names = [f"{name}-{n}" for n in range(1, processes + 1)] if processes > 1 else [name]
    arguments = [*(WORK if ahead else WORK_ALONE), "boltq.bench.handlers:app"]
    arguments += ["--queues", ",".join(queues)]
    arguments += ["--threads", str(threads)]
    if processes > 1:
        arguments += ["--processes", str(processes)]
    try:
        with running(site, arguments, WORKER_ID=name, **told) as process:
            process.wait_for("a worker is there", lambda: _are_there(site, names), START_SECONDS)
            yield process
    finally:
        for one in names:
            site.server.registry.forget_worker(one)
        site.server.registry.forget_history(name)


@contextmanager
def api(site: Site) -> Iterator[int]:
    """Run the API while entered; yields its port."""
    with running(site, SERVE, API_PORT="0", API_HOST="127.0.0.1") as process:
        found: list[str] = []

        def answers() -> bool:
            found.extend(re.findall(r"http://localhost:(\d+)", process.said()))
            return bool(found)

        process.wait_for("the API answers", answers, START_SECONDS)
        yield int(found[0])


def _are_there(site: Site, names: Sequence[str]) -> bool:
    there = {one.id for one in presence.workers(site.server)}
    return there.issuperset(names)
