"""Which jobs that wait here another worker is to have: those behind jobs that became slow."""

import time

from boltq.worker.pace import Pace
from boltq.worker.perform import Performer

LOOK_SECONDS = 0.01
"""How often to look while jobs wait here."""

QUIET_LOOKS = 2
"""When the first in the line has not moved for so many looks, all threads have slow jobs."""

AWAY_SECONDS = 0.25
"""After so long without a look nobody knows: this process may have stood still, not its jobs."""

HELD_SECONDS = 1.0
"""More work than for so long is not kept waiting, though it does move."""

MEASURED_SECONDS = 0.25
"""Over how long it is seen how much that is."""


class Surplus:
    """Gives back what waits too long; used by one thread, while it claims nothing.

    Jobs are claimed ahead because those before them were fast. Where that was wrong, another worker
    may have a thread free for them.
    """

    def __init__(self, performer: Performer, pace: Pace) -> None:
        self._performer = performer
        self._line = performer.waiting
        self._pace = pace
        self._first: object = None  # of the line
        self._quiet = 0
        self._seen_at = self._looked_at = 0.0
        self._worked = 0
        self._measured_at = 0.0

    def look(self) -> bool:
        """Give back what is too much; returns whether jobs wait, and it is to look again soon."""
        if not self._line:
            return False
        now = time.monotonic()
        since, self._looked_at = now - self._looked_at, now
        if since > AWAY_SECONDS:
            self._begin_anew(now)
        count = len(self._line) if self._is_quiet(now) else self._beyond_a_second(now)
        if count:
            self._pace.slowed()
            self._performer.give_back_waiting(count)
        return True

    def _begin_anew(self, now: float) -> None:
        self._first = None
        self._measured_at, self._worked = now, self._pace.worked_ever

    def _is_quiet(self, now: float) -> bool:
        first = self._line.first
        if first is None or first is not self._first:
            self._first, self._quiet, self._seen_at = first, 0, now
        elif now - self._seen_at >= LOOK_SECONDS:
            self._quiet += 1
            self._seen_at = now
        return self._quiet >= QUIET_LOOKS

    def _beyond_a_second(self, now: float) -> int:
        since = now - self._measured_at
        if since < MEASURED_SECONDS:
            return 0
        worked = self._pace.worked_ever - self._worked
        self._measured_at, self._worked = now, self._worked + worked
        return max(0, len(self._line) - int(worked / since * HELD_SECONDS))
