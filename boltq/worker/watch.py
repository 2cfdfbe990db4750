"""The watch: sees to it that no thread of a worker stays away, and that its memory is bounded."""

import resource
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from boltq.worker.crew import Crew
from boltq.worker.lasting import Lasting
from boltq.worker.leases import Leases

LOOK_SECONDS = 0.5
PAGES = Path("/proc/self/statm")
MEBIBYTE = 1_048_576


class Watch:
    """One thread that asks no server, so that nothing can keep it waiting.

    That it is there the heartbeat sees to.
    others: the threads beside the crew. most_stuck: with so many stuck handlers, the worker is to
    be replaced. most_mb: with more MiB, too; 0 is without a bound. replace: asks for that.
    """

    def __init__(
        self,
        crew: Crew,
        others: Sequence[Lasting],
        leases: Leases,
        *,
        most_stuck: int,
        most_mb: int,
        replace: Callable[[], None],
    ) -> None:
        self._crew = crew
        self._others = others
        self._leases = leases
        self._most_stuck = most_stuck
        self._most_mb = most_mb
        self._replace = replace
        self._stopping = threading.Event()

    def end(self) -> None:
        """Let the thread end."""
        self._stopping.set()

    def run(self) -> None:
        """Look until told to end."""
        while not self._stopping.wait(LOOK_SECONDS):
            for thread in self._others:
                thread.look()
            self._crew.look()
            if self._crew.stuck >= self._most_stuck or self._is_too_large():
                self._replace()

    def _is_too_large(self) -> bool:
        # Before the first job another process would be as large.
        return self._most_mb > 0 and self._leases.taken > 0 and memory_mb() > self._most_mb


def memory_mb() -> float:
    """Return how many MiB of memory this process has; its peak where the system tells no more."""
    try:
        pages = int(PAGES.read_text().split()[1])
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (MEBIBYTE if sys.platform == "darwin" else 1024)
    return pages * resource.getpagesize() / MEBIBYTE
