"""Which queue a worker looks at next, and until when there is none."""

import time
from collections.abc import Sequence

LOOK_SECONDS = 60.0
"""A queue is claimed at least so often: a ring can be lost with the worker that heard it."""


class Turns:
    """The queues of a worker in the order of their turns; used by one thread."""

    def __init__(self, queues: Sequence[str]) -> None:
        self._line = list(queues)
        self._due = dict.fromkeys(queues, 0.0)
        self._may_have_jobs = set(queues)

    @property
    def queues(self) -> list[str]:
        """All of them."""
        return self._line

    def next(self) -> str | None:
        """Return the queue whose turn it is, which goes to the end of the line; None: all wait."""
        now = time.monotonic()
        for place, queue in enumerate(self._line):
            if queue in self._may_have_jobs or self._due[queue] <= now:
                self._line.append(self._line.pop(place))
                return queue
        return None

    def rest_seconds(self) -> float:
        """Return how long until a queue is due by time."""
        return max(0.0, min(self._due.values()) - time.monotonic())

    def has_jobs(self, queue: str) -> None:
        """Say that its bell rang, or that a claim left some."""
        self._may_have_jobs.add(queue)

    def took_the_last(self, queue: str, lease_seconds: float) -> None:
        """Say that a claim took all that was queued: it has its turn by bell, or when it was due.

        lease_seconds: of the jobs that it took; one that is lost is due then, which rings no bell.
        """
        self._may_have_jobs.discard(queue)
        self._due[queue] = min(self._due[queue], time.monotonic() + lease_seconds)

    def rests(self, queue: str, seconds: float) -> None:
        """Say that there is nothing to be had for so long, unless its bell rings."""
        self._may_have_jobs.discard(queue)
        self._due[queue] = time.monotonic() + min(seconds, LOOK_SECONDS)

    def look_at_all(self) -> None:
        """Give each its turn: rings may have been lost."""
        self._may_have_jobs.update(self._line)
