"""How many jobs a worker claims ahead of its threads."""

import time

WINDOW_SECONDS = 0.005
AHEAD_SECONDS = 0.05
MOST_AHEAD = 500


class Pace:
    """Room for more jobs, from the speed at which the last ones were worked off.

    Fast jobs are claimed some 50 ms ahead, so that a claim brings many. Slow ones are not claimed
    ahead at all: they would wait here while another worker has a thread free. `ahead` is how many
    more than threads it would hold now.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.ahead = 0
        self._worked = 0
        self._worked_before = 0
        self._since = time.monotonic()

    def worked(self, count: int) -> None:
        """Say that so many handlers have ended; one other thread may call it."""
        self._worked += count

    @property
    def worked_ever(self) -> int:
        """Count the handlers that have ended since the start."""
        return self._worked

    def room(self, held: int) -> int:
        """Return how many jobs to claim while `held` are held; 0 also if too few for a claim."""
        elapsed = time.monotonic() - self._since
        if elapsed >= WINDOW_SECONDS:
            worked = self._worked
            speed = (worked - self._worked_before) / elapsed
            self.ahead = min(MOST_AHEAD, int(speed * AHEAD_SECONDS))
            self._worked_before = worked
            self._since += elapsed
        room = self._threads + self.ahead - held
        return room if room >= max(1, self.ahead // 2) else 0
