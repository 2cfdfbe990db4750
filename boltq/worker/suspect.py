"""The job that lost a lease before: it may end the process, so it gets no new company."""

import time
from collections.abc import Iterable

from boltq.execution import Execution
from boltq.worker.leases import Leases


class Suspect:
    """The last of them that was taken, for as long as it is in hand; used by one thread."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._found: tuple[Execution, float] | None = None

    def look_for(self, jobs: Iterable[Execution]) -> None:
        """Look for one among jobs that were taken."""
        for execution in jobs:
            if execution.lost:
                self._found = (execution, execution.deadline)

    @property
    def runs(self) -> bool:
        """Whether it is still in hand or its end is not told, and its first lease would still last.

        Until then it could lose this lease as well: by the next that ends the process.
        """
        if self._found is None:
            return False
        execution, until = self._found
        is_here = execution in self._leases or self._leases.untold > 0
        if is_here and time.monotonic() < until:
            return True
        self._found = None
        return False
