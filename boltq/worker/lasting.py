"""Threads that go on when what they run breaks."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger("boltq.worker")

PAUSE_SECONDS = 0.2
"""Before a thread that broke goes on, so that one which breaks each time fills no log."""

TASKS = Path("/proc/self/task")
"""Where Linux lists the threads of this process, also those that Python takes to be alive."""


class Lasting:
    """A thread that ends when `run` returns; where it raises, that is logged and it goes on.

    It is a daemon: a handler that never returns must not keep the process from ending.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        """Start it; raises RuntimeError where the system has no thread for us."""
        self.name = name
        self.over = False
        self._run = run
        self._begin()

    def look(self) -> None:
        """Start it again if it has died; one other thread is to call this now and then."""
        if self.died:
            log.error("a thread of the worker died and is started again", extra={"part": self.name})
            self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._go_on, name=f"boltq-{self.name}", daemon=True)
        self._thread.start()

    @property
    def died(self) -> bool:
        """Whether the thread is gone, although `run` has not returned: C code can end one so."""
        return not self.over and not self._lives()

    @property
    def ident(self) -> int | None:
        """Python's number of the thread."""
        return self._thread.ident

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return not self.over and self._lives()

    def join(self, timeout_seconds: float) -> None:
        """Wait until it has ended, so long at most."""
        self._thread.join(timeout_seconds)

    def _lives(self) -> bool:
        if not self._thread.is_alive():
            return False
        return not TASKS.exists() or (TASKS / str(self._thread.native_id)).exists()

    def _go_on(self) -> None:
        while True:
            try:
                self._run()
            except BaseException:  # whatever it was, a worker short of a thread is worse
                log.exception("a thread of the worker broke and goes on", extra={"part": self.name})
            else:
                self.over = True
                return
            time.sleep(PAUSE_SECONDS)
