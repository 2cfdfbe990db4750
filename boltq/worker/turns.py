"""Which queue a worker looks at next, and until when there is none."""

import math
import time
from collections.abc import Mapping

LOOK_SECONDS = 5.0
"""A queue is claimed at least so often: a ring, and the time that it told of, can be lost with the
worker that heard it."""

LOOK_SECONDS_A_QUEUE, MOST_LOOK_SECONDS = 0.5, 60.0
"""Less often where there are many, so that a worker of a thousand idle queues does not poll them:
so long for each, but no longer than this."""

AGAIN_SECONDS = 0.05
"""After a claim that took all there was: it did not tell when the next job is due."""


class Turns:
    """The turns of a worker's queues; used by one thread.

    Weighted, queues that have jobs share the worker by the jobs that were taken: of two with the
    weights 3 and 1, three of four are the first one's. Strict, a queue has its turn when those
    before it have nothing.

    queues: name -> weight, in order. strict: then the weights mean nothing.
    """

    def __init__(self, queues: Mapping[str, int], *, strict: bool = False) -> None:
        self._weights = dict(queues)
        self._strict = strict
        self._due = dict.fromkeys(queues, 0.0)
        self._may_have_jobs = set(queues)
        self._spent = dict.fromkeys(queues, 0.0)  # jobs taken by weight: the least has its turn
        self._least = 0.0

    @property
    def queues(self) -> list[str]:
        """All of them."""
        return list(self._weights)

    def next(self) -> str | None:
        """Return the queue whose turn it is; None: all wait."""
        ready = self._ready()
        if not ready:
            return None
        if self._strict:
            return ready[0]
        chosen = min(ready, key=self._spent.__getitem__)
        self._least = max(self._least, self._spent[chosen])
        return chosen

    def share(self, queue: str, room: int) -> int:
        """Return how much of the room is a queue's, at least 1, if none may wait for the rest."""
        if self._strict:
            return room
        weights = sum(self._weights[one] for one in self._ready())
        return max(1, math.ceil(room * self._weights[queue] / max(1, weights)))

    def unheard(self, queue: str) -> list[str]:
        """Name the queues whose bells, if they rang now, would give them the turn before `queue`.

        The ring of another is left for a worker that would claim from it.
        """
        line = self.queues
        before = line[: line.index(queue)] if self._strict else line
        return [one for one in before if one not in self._may_have_jobs]

    def rest_seconds(self) -> float:
        """Return how long until a queue is due by time."""
        return max(0.0, min(self._due.values()) - time.monotonic())

    def has_jobs(self, queue: str) -> None:
        """Say that its bell rang, or that a claim left some."""
        if queue not in self._may_have_jobs:
            self._may_have_jobs.add(queue)
            # It was idle, which saves up nothing: it comes level with whose turn it was last.
            self._spent[queue] = max(self._spent[queue], self._least)

    def took(self, queue: str, jobs: int) -> None:
        """Say that so many jobs of it were taken."""
        self._spent[queue] += jobs / self._weights[queue]

    def took_the_last(self, queue: str) -> None:
        """Say that a claim took all that was queued: what is due next is asked a little later.

        The ring that led to it may have told of a delayed job, and no other will.
        """
        self._may_have_jobs.discard(queue)
        self._due[queue] = min(self._due[queue], time.monotonic() + AGAIN_SECONDS)

    def rests(self, queue: str, seconds: float) -> None:
        """Say that there is nothing to be had for so long, unless its bell rings."""
        self._may_have_jobs.discard(queue)
        most = min(MOST_LOOK_SECONDS, max(LOOK_SECONDS, LOOK_SECONDS_A_QUEUE * len(self._due)))
        self._due[queue] = time.monotonic() + min(seconds, most)

    def look_at_all(self) -> None:
        """Give each its turn: rings may have been lost."""
        for queue in self._weights:
            self.has_jobs(queue)

    def _ready(self) -> list[str]:
        now = time.monotonic()
        return [
            queue for queue, due in self._due.items() if queue in self._may_have_jobs or due <= now
        ]
