"""The jobs that this worker holds, from the claim until their handler has ended."""

from collections.abc import Iterable

from boltq.execution import Execution


class Leases:
    """A set of executions that all threads share.

    Without a lock: each method is one operation of a set, which Python does whole.
    """

    def __init__(self) -> None:
        self._held: set[Execution] = set()

    def __len__(self) -> int:
        """Count what is held now."""
        return len(self._held)

    def __contains__(self, execution: Execution) -> bool:
        """Whether it is held now."""
        return execution in self._held

    def add(self, executions: Iterable[Execution]) -> None:
        """Hold these from now on."""
        self._held.update(executions)

    def end(self, execution: Execution) -> bool:
        """Let go of it; True for the one caller who did, and who alone may settle it."""
        try:
            self._held.remove(execution)
        except KeyError:
            return False
        return True

    def all(self) -> list[Execution]:
        """List what is held now."""
        return list(self._held)
