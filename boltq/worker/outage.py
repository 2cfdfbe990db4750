"""Telling once that Redis is away, and once that it is back."""

import logging
import threading
import time

from boltq.errors import BoltQError

log = logging.getLogger(__name__)


class Outage:
    """What all threads of a worker know of the road to Redis."""

    def __init__(self) -> None:
        self._since = 0.0
        self._lock = threading.Lock()

    @property
    def lasts(self) -> bool:
        """Whether the last that anybody heard was that Redis does not answer."""
        return bool(self._since)

    def lost(self, problem: BoltQError) -> None:
        """Say that a call found no server."""
        with self._lock:
            if not self._since:
                self._since = time.monotonic()
                log.warning("redis is away", extra={"error": str(problem)})

    def over(self) -> None:
        """Say that a call was answered."""
        if not self._since:
            return
        with self._lock:
            if self._since:
                away_seconds = round(time.monotonic() - self._since, 1)
                self._since = 0.0
                log.info("redis is back", extra={"away_seconds": away_seconds})
