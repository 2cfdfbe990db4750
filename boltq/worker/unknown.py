"""Jobs of a type for which this worker has no handler: a newer worker may have one."""

import time
from collections.abc import Iterable

from boltq.execution import Execution
from boltq.worker import outcome
from boltq.worker.outcome import Outcome

PAUSE_MS = 60_000
PATIENCE_SECONDS = 3600.0
MOST_TYPES = 1000
SHOWN_TYPES = 20


class UnknownTypes:
    """When each unknown type was first seen; its jobs are given back for an hour, then failed."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = sorted(known)
        self._first_seen: dict[str, float] = {}

    def outcome(self, execution: Execution) -> Outcome:
        """Say what becomes of a job of an unknown type."""
        now = time.monotonic()
        if len(self._first_seen) >= MOST_TYPES and execution.type not in self._first_seen:
            # Types are anybody's text: who sends thousands starts the hour anew, not our memory.
            self._first_seen.clear()
        if now - self._first_seen.setdefault(execution.type, now) < PATIENCE_SECONDS:
            return outcome.given_back(execution, PAUSE_MS)
        more = len(self._known) - SHOWN_TYPES
        known = ", ".join(self._known[:SHOWN_TYPES]) + (f" and {more} more" if more > 0 else "")
        return outcome.refused(
            execution,
            "UnknownType",
            f"no handler for type {execution.type} came up within {PATIENCE_SECONDS / 3600:g} h; "
            f"this worker knows {known or 'none'}",
        )
