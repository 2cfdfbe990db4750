"""The jobs that this worker holds, from the claim until their handler has ended."""

import time
from collections.abc import Collection

from boltq.execution import Execution


class Leases:
    """A set of executions that all threads share.

    Without a lock: each method is one operation of a set, which Python does whole.
    lease_seconds: of each, and for how long at most the end of a job can still be told; `seconds`.
    """

    def __init__(self, lease_seconds: float) -> None:
        self._held: set[Execution] = set()
        self.seconds = lease_seconds
        self._last_ended_at = 0.0
        self.taken = 0
        self._settled = 0

    def __len__(self) -> int:
        """Count what is held now."""
        return len(self._held)

    def __contains__(self, execution: Execution) -> bool:
        """Whether it is held now."""
        return execution in self._held

    @property
    def unsettled(self) -> int:
        """Count what is held, and what has ended but was not told yet.

        What a thread had in its hand when it broke is never told: so it counts no longer than it
        could be.
        """
        if not self._held and time.monotonic() > self._last_ended_at + self.seconds:
            return 0
        return self.taken - self._settled

    @property
    def untold(self) -> int:
        """Count what has ended but was not told yet; rather too many while jobs end just now."""
        return self.unsettled - len(self._held)

    def add(self, executions: Collection[Execution]) -> None:
        """Hold these from now on; one thread may call it."""
        self.taken += len(executions)
        self._held.update(executions)

    def end(self, execution: Execution) -> bool:
        """Let go of it; True for the one caller who did, and who alone must have it settled."""
        self._last_ended_at = time.monotonic()  # before it is held no more: others look meanwhile
        try:
            self._held.remove(execution)
        except KeyError:
            return False
        return True

    def settled(self, count: int) -> None:
        """Say that so many that had ended were told, or given up; one thread may call it."""
        self._settled += count

    def all(self) -> list[Execution]:
        """List what is held now."""
        return list(self._held)
