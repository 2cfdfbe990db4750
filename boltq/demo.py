"""The jobs of a first run: a queue that lives for some minutes, for who looks at it."""

from boltq.client import BoltQ
from boltq.newjob import Backoff

QUEUE = "playground"
"""The queue that may be played with; only in it does the type `crash` end its worker."""

LASTS_SECONDS = 180

_SHORT = Backoff(base_seconds=2, factor=2, jitter=0.2)


def plant(boltq: BoltQ) -> int:
    """Enqueue jobs that come due by and by, if nobody has used any queue; returns how many.

    Most complete, some are slow, some fail and are tried again, and three die, the first of them
    within ten seconds. Raises Unavailable. Costs a round trip for each.
    """
    if boltq.queues():
        return 0
    count = 0

    def add(type: str, payload: object, after: float, *, attempts: int = 5) -> None:
        nonlocal count
        count += 1
        boltq.enqueue(
            type, payload, queue=QUEUE, delay_seconds=after, max_attempts=attempts, backoff=_SHORT
        )

    for second in range(0, LASTS_SECONDS, 4):
        add("echo", {"picture": f"harbour-{second}.jpg"}, second)
        add("sleep", {"seconds": 1 + second % 7}, second + 1)
    for second in range(2, LASTS_SECONDS, 15):
        add("fail", {"times": 2, "message": "the other side is busy"}, second)
    for second in (0, 20, 60):
        add("fail", {"times": 3, "message": "the other side is down"}, second, attempts=3)
    return count
