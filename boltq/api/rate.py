"""How many requests a client may send: so many a second, and some more at once."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

MOST_CLIENTS = 10_000
"""As many are remembered; of more, the one that was silent the longest begins anew."""


class Rate:
    """A bucket of tokens for each client, one of which each request takes.

    per_second: how many come back; 0 is no limit at all. burst: how many a bucket holds. The
    buckets are those of this process: several processes each grant so much.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._pause = 1 / per_second if per_second else 0.0
        self._room = burst * self._pause
        self._clock = clock
        self._lock = Lock()
        # client -> when its bucket is full again, the one that asked last being the last
        self._full_at: OrderedDict[str, float] = OrderedDict()

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self._pause > 0

    def take(self, client: str) -> float:
        """Take a token, and return 0; or the seconds until there is one. Costs 1 us."""
        if not self._pause:
            return 0.0
        now = self._clock()
        with self._lock:
            full_at = max(self._full_at.get(client, now), now) + self._pause
            if full_at - now > self._room * (1 + 1e-9):
                return full_at - now - self._room
            self._full_at[client] = full_at
            self._full_at.move_to_end(client)
            if len(self._full_at) > MOST_CLIENTS:
                self._full_at.popitem(last=False)
        return 0.0

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._full_at)
