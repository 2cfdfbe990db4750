"""People who look at the page: what each screen asks of the API, as often as the page does.

boltq/page/poll.js has the pauses: the next request comes so long after the last answer, longer
where nothing has changed, and each a little early or late.
"""

import heapq
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import NamedTuple

SLOWER, JITTER = 1.5, 0.1
MOST_CHARTED = 12


class Poll(NamedTuple):
    """A path that is asked again: the shortest and the longest pause, in seconds."""

    path: str
    every: float = 2.0
    slowest: float = 10.0


SNAPSHOT = Poll("/api/overview")
"""Asked on each screen."""


def screens(queues: Sequence[str], job: str) -> dict[str, list[Poll]]:
    """Tell by screen what it asks.

    queues: all that there are. job: the id of the one whose page is open.
    """
    first = queues[0]
    charts = [
        Poll(f"/api/series?queue={queue}&minutes=7", 30, 60) for queue in queues[:MOST_CHARTED]
    ]
    lanes = ("scheduled&order=oldest&limit=10", "queued,running,retrying&limit=60")
    lanes += ("completed,cancelled&limit=30", "dead&limit=10")
    asked = {
        "overview": [*charts, Poll("/api/dead/groups?limit=6&most=500", 30)],
        "queues": [],
        "queue": [
            *(Poll(f"/api/queues/{first}"), Poll(f"/api/jobs?queue={first}&limit=50", 5)),
            charts[0],
        ],
        "jobs": [Poll("/api/jobs?limit=50", 5)],
        "job": [Poll(f"/api/jobs/{job}", 1)],
        "dead": [
            Poll("/api/dead/groups?most=5000&limit=50", 10),
            Poll("/api/jobs?state=dead&limit=50", 5),
        ],
        "workers": [Poll("/api/workers", 5)],
        "operations": [Poll("/api/operations", 1.5)],
        "playground": [Poll(f"/api/jobs?queue={first}&state={lane}", 1, 2) for lane in lanes],
    }
    return {name: [SNAPSHOT, *polls] for name, polls in asked.items()}


class Viewer:
    """One tab: asks until it is closed, in a thread of its own."""

    def __init__(self, port: int, polls: Sequence[Poll], seed: str) -> None:
        self.statuses: Counter[int] = Counter()
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._polls, self._random = polls, random.Random(seed)
        self._tags = [""] * len(polls)
        self._pauses = [0.0] * len(polls)
        self._is_again = [False] * len(polls)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def open(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._is_closed.set()
        self._thread.join(40)
        self._connection.close()

    def _look(self) -> None:
        # Not all at once: people come one after the other.
        now = time.monotonic()
        due = [(now + self._random.uniform(0, poll.every), n) for n, poll in enumerate(self._polls)]
        heapq.heapify(due)
        while due and not self._is_closed.wait(max(0.0, due[0][0] - time.monotonic())):
            n = heapq.heappop(due)[1]
            pause = self._asked(n) * self._random.uniform(1 - JITTER, 1 + JITTER)
            heapq.heappush(due, (time.monotonic() + pause, n))

    def _asked(self, n: int) -> float:
        """Ask once; returns how long the page waits before it asks that again."""
        poll = self._polls[n]
        headers = {"Cache-Control": "max-age=1"} if self._is_again[n] else {}
        headers |= {"If-None-Match": self._tags[n]} if self._tags[n] else {}
        self._is_again[n] = True
        self._connection.request("GET", poll.path, headers=headers)
        response = self._connection.getresponse()
        response.read()
        self.statuses[response.status] += 1
        if response.status == 304:
            self._pauses[n] = max(self._pauses[n], poll.every) * SLOWER
        else:
            self._pauses[n] = 0.0
            self._tags[n] = response.headers.get("ETag", "")
        return max(poll.every, min(poll.slowest, self._pauses[n]))
