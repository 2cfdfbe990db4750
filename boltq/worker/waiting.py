"""The jobs that wait for a handler thread, and the threads that wait for a job."""

from collections import deque
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Final

from boltq.execution import Execution

NO_MORE: Final = None
"""Behind the last job, once for each thread: it ends."""


class Waiting:
    """A line of jobs; any thread takes the one that has waited longest.

    One thread at a time is woken, and wakes the next if it leaves jobs behind. So of jobs that are
    over before another thread is awake, one thread does many, and jobs that take their time get a
    thread each. Without a lock: each step is one operation of a deque, which Python does whole. A
    thread that breaks with a ring in its hand looks at the line when it goes on.
    """

    def __init__(self) -> None:
        self._jobs: deque[Execution | None] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()

    def __len__(self) -> int:
        """Count those in line."""
        return len(self._jobs)

    @property
    def first(self) -> Execution | None:
        """Whose turn it is next; None: nobody waits."""
        try:
            return self._jobs[0]
        except IndexError:
            return None

    def put(self, jobs: Iterable[Execution | None]) -> None:
        """Let these wait, in this order, behind those that wait already."""
        self._jobs.extend(jobs)
        self._ring()

    def take(self) -> Execution | None:
        """Return the first of the line, once there is one; NO_MORE: the thread is to end."""
        jobs = self._jobs
        while True:
            try:
                execution = jobs.popleft()
            except IndexError:
                self._bell.get()
                continue
            if jobs:
                self._ring()
            return execution

    def take_back(self, most: int | None = None) -> list[Execution]:
        """Return jobs from the end of the line, `most` of them, or all.

        What is there for threads that are to end stays there for them.
        """
        jobs = self._jobs
        taken: list[Execution] = []
        while most is None or len(taken) < most:
            try:
                execution = jobs.pop()
            except IndexError:
                break
            if execution is NO_MORE:
                # The worker ends, and all jobs in front of it have been taken back before.
                jobs.append(NO_MORE)
                self._ring()
                break
            taken.append(execution)
        return taken

    def _ring(self) -> None:
        # A ring that nobody has heard yet is enough: who hears it looks at the whole line.
        if self._bell.empty():
            self._bell.put(None)
