"""How many requests this process has answered, and how long each took."""

import threading
from collections.abc import Iterator

from boltq.exposition import Family, Histogram, counter

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Of the histogram, in seconds; a request waits for 20 s at most."""

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""The method or route of a request that has none of ours: it could be any text."""


class Traffic:
    """Counts requests by method, route and status; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, str], int] = {}
        self._durations = Histogram(
            "boltq_http_request_seconds",
            "How long requests took, with what they waited for.",
            ("method", "route"),
            BOUNDS,
        )

    def add(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request; `route` is its template, None where it has none. Costs about 1 us."""
        method = method if method in METHODS else OTHER
        route = route or OTHER
        key = (method, route, str(status))
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            self._durations.add((method, route), seconds)

    def families(self) -> Iterator[Family]:
        """Return what was counted since this process began."""
        with self._lock:
            counts = sorted(self._counts.items())
            durations = self._durations.family()
        yield counter(
            "boltq_http_requests",
            "Requests that were answered.",
            [
                (count, {"method": method, "route": route, "status": status})
                for (method, route, status), count in counts
            ],
        )
        yield durations
