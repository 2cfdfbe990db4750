"""How many jobs a worker claims ahead of its threads, and when it holds too many."""

import math
import time

WINDOW_SECONDS = 0.005
"""How often the speed is looked at."""

MEMORY_SECONDS = 0.2
"""How far back the speed reaches: among fast jobs a few slow ones must show in it."""

AHEAD_SECONDS = 0.05
MOST_AHEAD = 2000

SLOW_SECONDS = 0.004
"""Where a job takes its thread longer than that, a claim for each costs little beside it."""

FEWEST = 250
"""So many free places are always worth a claim, however many more there are to be."""

GIVE_WAY_SECONDS = 0.0003
"""In so long a thread that was woken has begun, if no other keeps Python's lock from it."""


class Pace:
    """Room for more jobs, from how fast the last ones were worked off, and how long each took.

    Fast jobs are claimed some 50 ms ahead, so that a claim brings many and the server has the next
    one to do while these are worked off. Slow ones are not claimed ahead at all: they would wait
    here while another worker has a thread free. `ahead` is how many more than threads it would hold
    now. All but `worked` is for one thread.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.ahead = 0
        self._speed = 0.0  # jobs a second
        self._busy = 0.0  # of all threads, in seconds a second
        self._worked = 0
        self._busy_seconds = self._busy_before = 0.0
        self._worked_before = 0
        self._since = time.monotonic()

    def worked(self, count: int, busy_seconds: float) -> None:
        """Say that so many handlers have ended, and how long they took; by one other thread."""
        self._worked += count
        self._busy_seconds += busy_seconds

    @property
    def worked_ever(self) -> int:
        """Count the handlers that have ended since the start."""
        return self._worked

    def room(self, held: int) -> int:
        """Return how many jobs to claim while `held` are held; 0 also if too few for a claim."""
        now = time.monotonic()
        elapsed = now - self._since
        if elapsed >= WINDOW_SECONDS:
            worked = self._worked - self._worked_before
            self._worked_before += worked
            self._since = now
            busy_seconds = self._busy_seconds - self._busy_before
            self._busy_before += busy_seconds
            share = -math.expm1(-elapsed / MEMORY_SECONDS)
            self._speed += (worked / elapsed - self._speed) * share
            self._busy += (busy_seconds / elapsed - self._busy) * share
            # Less those for the threads: so none where a job takes longer than that.
            ahead = int(self._speed * AHEAD_SECONDS) - self._threads
            is_slow = self._busy > SLOW_SECONDS * self._speed
            self.ahead = 0 if is_slow else max(0, min(MOST_AHEAD, ahead))
        room = self._threads + self.ahead - held
        return room if room >= max(1, min(self.ahead // 2, FEWEST)) else 0

    def give_way(self, held: int) -> None:
        """Let a thread begin the job that was just handed to it, before more are claimed.

        It cannot while this one makes the next claim: Python runs one thread at a time. held: how
        many jobs there are beside it; with some, or where jobs are claimed ahead, there is no time.
        """
        if held <= 0 and not self.ahead:
            time.sleep(GIVE_WAY_SECONDS)

    def slowed(self) -> None:
        """Say that the jobs have become slow: none is claimed ahead until some were fast again."""
        self._speed = 0.0
        self.ahead = 0
