"""The fetcher: claims jobs for the free places, and waits where there are none of either."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from boltq.errors import BoltQError, Unavailable
from boltq.evalsha import Bells
from boltq.execution import Execution
from boltq.worker.claim import Claimer
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.pace import Pace
from boltq.worker.turns import Turns

log = logging.getLogger(__name__)

BLOCK_SECONDS = 0.5
"""The longest wait, for a bell or for a free place; a stop is seen after it."""

TROUBLE_SECONDS = 5.0
"""A queue that refuses a claim for a reason of its own is left alone for so long."""


class Fetcher:
    """One thread that claims, with connections of its own; `take` is given what it brings."""

    def __init__(
        self,
        claimer: Claimer,
        bells: Bells,
        queues: Sequence[str],
        *,
        pace: Pace,
        leases: Leases,
        outage: Outage,
        take: Callable[[list[Execution]], None],
    ) -> None:
        self._claimer = claimer
        self._bells = bells
        self._turns = Turns(queues)
        self._pace = pace
        self._leases = leases
        self._outage = outage
        self._take = take
        self._stopping = threading.Event()
        self._freed = threading.Event()
        self._suspect: tuple[Execution, float] | None = None
        self._said: dict[str, str] = {}

    def freed(self, worked: int) -> None:
        """Say that jobs have ended, `worked` of them by their handlers; called by one thread."""
        self._pace.worked(worked)
        self._freed.set()

    def stop(self) -> None:
        """Claim nothing more; called by any thread."""
        self._stopping.set()
        self._freed.set()

    def give_up(self) -> None:
        """Do not even wait any more for the answer to a claim that was sent."""
        self._claimer.give_up()

    def run(self) -> None:
        """Claim until stopped."""
        while not self._stopping.is_set():
            try:
                self._step()
            except Unavailable as problem:
                self._outage.lost(problem)
                self._turns.look_at_all()
                self._stopping.wait(BLOCK_SECONDS)

    def _step(self) -> None:
        """Claim once where there may be jobs, or wait once."""
        self._freed.clear()
        room = self._pace.room(len(self._leases))
        if room == 0 or self._suspect_runs():
            self._freed.wait(BLOCK_SECONDS)
            return
        queue = self._turns.next()
        if queue is not None:
            self._claim(queue, room)
            return
        queue = self._rung()
        if queue is not None:
            self._turns.has_jobs(queue)
            if self._stopping.is_set():
                # This ring was to wake a worker. Giving its job back will ring again.
                self._claim(queue, 1)

    def _suspect_runs(self) -> bool:
        """Whether a job runs that lost a lease before: it may end us, so it gets no new company."""
        if self._suspect is None:
            return False
        execution, until = self._suspect
        if execution in self._leases and time.monotonic() < until:
            return True
        self._suspect = None
        return False

    def _rung(self) -> str | None:
        """Wait for a bell, no longer than until a queue is due by time."""
        wait_seconds = min(self._turns.rest_seconds(), BLOCK_SECONDS)
        try:
            queue = self._bells.wait(self._turns.queues, wait_seconds)
        except Unavailable:
            raise
        except BoltQError as problem:
            self._say_once("the bells", problem)
            self._stopping.wait(BLOCK_SECONDS)
            return None
        self._outage.over()
        return queue

    def _claim(self, queue: str, limit: int) -> None:
        try:
            taken = self._claimer.claim(queue, limit)
        except Unavailable:
            self._turns.has_jobs(queue)
            raise
        except BoltQError as problem:
            self._say_once(queue, problem)
            self._turns.rests(queue, TROUBLE_SECONDS)
            return
        self._said.pop(queue, None)
        if not taken.jobs:
            self._turns.rests(queue, taken.rest_seconds)
            return
        if taken.more:
            self._turns.has_jobs(queue)
        else:
            self._turns.took_the_last(queue, taken.rest_seconds)
        self._leases.add(taken.jobs)
        for execution in taken.jobs:
            if execution.lost:
                self._suspect = (execution, execution.deadline)
        self._take(taken.jobs)

    def _say_once(self, what: str, problem: BoltQError) -> None:
        if self._said.get(what) != str(problem):
            self._said[what] = str(problem)
            log.error("no jobs can be had: %s", problem, extra={"of": what})
