"""Telling once that Redis is away, and once that it is back."""

import logging
import threading
import time

from boltq.errors import BoltQError

log = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""So soon after the last that was told, another is not: one node of a cluster comes and goes
with each call to it or to the others."""


class Outage:
    """What all threads of a worker know of the road to Redis."""

    def __init__(self) -> None:
        self._since = 0.0
        self._told_at = 0.0
        self._is_told = False
        self._lock = threading.Lock()

    @property
    def lasts(self) -> bool:
        """Whether the last that anybody heard was that Redis does not answer."""
        return bool(self._since)

    def lost(self, problem: BoltQError) -> None:
        """Say that a call found no server."""
        with self._lock:
            if self._since:
                return
            self._since = time.monotonic()
            self._is_told = not self._told_at or self._since > self._told_at + QUIET_SECONDS
            if self._is_told:
                self._told_at = self._since
                log.warning("redis is away", extra={"error": str(problem)})

    def over(self) -> None:
        """Say that a call was answered."""
        if not self._since:
            return
        with self._lock:
            if self._since:
                away_seconds = round(time.monotonic() - self._since, 1)
                self._since = 0.0
                if not self._is_told:
                    return
                log.info("redis is back", extra={"away_seconds": away_seconds})
