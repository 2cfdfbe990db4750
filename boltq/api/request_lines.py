"""Which requests have a line in the log: all that went wrong, of the rest as many as one reads."""

import logging
import threading
import time
from collections.abc import Callable

LINES_A_SECOND = 100

_log = logging.getLogger(__name__)


class RequestLines:
    """Counts the lines of each second; safe for threads.

    lines_a_second: 0 to 100,000, how many requests that were answered well have a line of their
    own; more are counted, since a line costs a sixth of the whole request.
    """

    def __init__(
        self,
        lines_a_second: int = LINES_A_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines_a_second = lines_a_second
        self._clock = clock
        self._lock = threading.Lock()
        self._second = 0
        self._lines = 0
        self._unlisted = 0

    def take(self) -> bool:
        """Tell whether a request that was answered well has a line; costs less than 1 us."""
        second = int(self._clock())
        with self._lock:
            if second != self._second:
                self._second, self._lines = second, 0
                self._tell()
            if self._lines < self._lines_a_second:
                self._lines += 1
                return True
            self._unlisted += 1
            is_first = self._unlisted == 1
        if is_first:  # none may follow that would tell of it
            timer = threading.Timer(1.0, self.flush)
            timer.daemon = True
            timer.start()
        return False

    def flush(self) -> None:
        """Tell how many had no line so far; to be called at the end."""
        with self._lock:
            self._tell()

    def _tell(self) -> None:
        if self._unlisted:
            _log.info("more requests answered", extra={"count": self._unlisted})
        self._unlisted = 0
