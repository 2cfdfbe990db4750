"""The fetcher: claims jobs for the free places, and waits where there are none of either."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from boltq.errors import BoltQError, Unavailable
from boltq.evalsha import Bells
from boltq.execution import Execution
from boltq.worker import surplus
from boltq.worker.claim import Claimer, Send
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.pace import Pace
from boltq.worker.perform import Performer
from boltq.worker.surplus import Surplus
from boltq.worker.suspect import Suspect
from boltq.worker.turns import Turns

log = logging.getLogger(__name__)

BLOCK_SECONDS = 1.5
"""The longest wait, for a bell or for a free place; a stop is seen after it."""

WAITING_LEASE_SECONDS = 20.0
"""The shortest lease under which a claim waits at the server for the bell of a worker's only queue:
its time counts from before the wait."""

BURST_BLOCK_SECONDS = 0.05
"""The same for a worker that is to end when there is nothing more to do."""

AWAY_SECONDS = 1.0
"""A queue whose server did not answer is left alone for so long, or as long as the try took: half
of the time is left to queues on other nodes."""

TROUBLE_SECONDS = 5.0
"""A queue that refuses a claim for a reason of its own is left alone for so long."""

LISTEN_SECONDS = 0.05
"""How often a busy worker listens for the bells of queues that were empty."""

DONE, REPLACE, TROUBLE, ASKED = "done", "replace", "trouble", "asked"
"""Why a worker ends by itself: a burst is over, another is to take its place, a queue refused,
somebody asked for it."""


class Fetcher:
    """One thread that claims, with connections of its own, for the threads of a performer.

    burst: end when the queues have nothing more. most_jobs: take so many, then end; 0 is no bound.
    over: is told why it ended by itself, once nothing is in hand any more.
    """

    def __init__(
        self,
        claimer: Claimer,
        bells: Bells,
        turns: Turns,
        *,
        pace: Pace,
        leases: Leases,
        outage: Outage,
        performer: Performer,
        burst: bool,
        most_jobs: int,
        over: Callable[[str], None],
    ) -> None:
        self._claimer = claimer
        self._bells = bells
        self._turns = turns
        self._pace = pace
        self._leases = leases
        self._outage = outage
        self._performer = performer
        self._surplus = Surplus(performer, pace)
        self._burst = burst
        self._most_jobs = most_jobs
        self._over = over
        self._ending = ""
        self._is_quiet = False
        self._looked_again = False
        self._listen_at = 0.0
        self._stopping = threading.Event()
        self._freed = threading.Event()
        self._suspect = Suspect(leases)
        waits = not burst and leases.seconds >= WAITING_LEASE_SECONDS
        self._only = turns.queues[0] if waits and len(turns.queues) == 1 else None
        self._said: dict[str, str] = {}
        self._away: set[str] = set()

    def freed(self, worked: int, busy_seconds: float) -> None:
        """Say that jobs have ended, `worked` by handlers, which took so long; by one thread."""
        self._pace.worked(worked, busy_seconds)
        self._freed.set()

    def stop(self) -> None:
        """Claim nothing more; called by any thread."""
        self._stopping.set()
        self._freed.set()

    def give_up(self) -> None:
        """Do not even wait any more for the answer to a claim that was sent."""
        self._claimer.give_up()

    def hold(self, *, is_quiet: bool) -> None:
        """Claim nothing until told otherwise, or go on; called by any thread."""
        self._is_quiet = is_quiet
        self._freed.set()

    def replace(self) -> None:
        """Claim nothing more, and tell when what is in hand has ended; called by any thread."""
        self._ending = self._ending or REPLACE
        self._freed.set()

    def run(self) -> None:
        """Claim until stopped, or until there is a reason to end and nothing is in hand."""
        # It may have broken with a ring in its hand.
        self._turns.look_at_all()
        while not self._stopping.is_set():
            if self._ending and self._leases.unsettled == 0 and not self._bring_the_rest():
                self._over(self._ending)
                return
            try:
                self._step()
            except Unavailable as problem:
                self._outage.lost(problem)
                self._turns.look_at_all()
                self._stopping.wait(BLOCK_SECONDS)
        self._bring_the_rest()

    def _bring_the_rest(self) -> bool:
        """Take what was claimed and not heard of yet; returns whether there was any."""
        if jobs := self._claimer.finish():
            self._hand_on(jobs)
        return bool(jobs)

    def _step(self) -> None:
        """Claim once where there may be jobs, or wait once."""
        self._freed.clear()
        room = self._room()
        if room == 0 or self._suspect.runs:
            wait_seconds = BURST_BLOCK_SECONDS if self._ending else BLOCK_SECONDS
            self._freed.wait(surplus.LOOK_SECONDS if self._surplus.look() else wait_seconds)
            return
        queue = self._turns.next()
        if queue is not None:
            self._claim(self._heard_meanwhile(queue) or queue, room)
        elif self._burst and self._is_through():
            self._ending = TROUBLE if self._said else DONE
        elif self._only and self._bells.lead_on:
            seconds = min(self._turns.rest_seconds(), BLOCK_SECONDS)
            self._claim(self._only, room, partial(self._bells.then, timeout_seconds=seconds))
        elif rung := self._heard(
            self._turns.queues, BURST_BLOCK_SECONDS if self._burst else BLOCK_SECONDS
        ):
            # At once, even if we end: the ring was to wake a worker. Given back, a job rings again.
            is_last = self._stopping.is_set() or self._ending or self._is_quiet
            self._claim(rung, 1 if is_last else room)

    def _room(self) -> int:
        """Return how many jobs may be claimed now, of all queues."""
        if self._most_jobs and self._leases.taken >= self._most_jobs:
            self._ending = self._ending or REPLACE
        if self._ending or self._is_quiet:
            return 0
        room = self._pace.room(len(self._leases))
        return min(room, self._most_jobs - self._leases.taken) if self._most_jobs else room

    def _heard_meanwhile(self, queue: str) -> str | None:
        """Listen now and then for the bells of those that would have the turn before `queue`."""
        moment = time.monotonic()
        if moment < self._listen_at:
            return None
        self._listen_at = moment + LISTEN_SECONDS
        unheard = self._near(self._turns.unheard(queue))
        return self._heard(unheard, 0.0) if unheard else None

    def _is_through(self) -> bool:
        """Whether each queue was found empty after the last job had ended."""
        if self._leases.unsettled or self._away:
            self._looked_again = False
        elif not self._looked_again:
            self._looked_again = True
            self._turns.look_at_all()
        else:
            return True
        return False

    def _heard(self, queues: list[str], most_seconds: float) -> str | None:
        """Wait for a bell, no longer than until a queue is due by time; it has jobs then."""
        wait_seconds = min(self._turns.rest_seconds(), most_seconds)
        try:
            rung = self._bells.wait(self._near(queues) or queues, wait_seconds)
        except Unavailable:
            raise
        except BoltQError as problem:
            self._say_once("", problem)
            self._stopping.wait(BLOCK_SECONDS)
            return None
        self._said.pop("", None)
        self._outage.over()
        if rung is not None:
            self._turns.has_jobs(rung)
        return rung

    def _near(self, queues: list[str]) -> list[str]:
        """Leave out those that are away, which would keep the others from being heard."""
        return [queue for queue in queues if queue not in self._away]

    def _claim(self, queue: str, room: int, send: Send | None = None) -> None:
        # Slow jobs would keep their threads for long: then each queue has its share of them.
        limit = room if send or self._pace.ahead else self._turns.share(queue, room)
        began = time.monotonic()
        try:
            taken = self._claimer.claim(queue, limit, send)
        except Unavailable as problem:
            self._outage.lost(problem)
            self._away.add(queue)
            self._turns.rests(queue, max(AWAY_SECONDS, time.monotonic() - began))
            return
        except BoltQError as problem:
            self._say_once(queue, problem)
            self._turns.rests(queue, TROUBLE_SECONDS)
            return
        self._said.pop(queue, None)
        self._away.discard(queue)
        if not taken.jobs:
            self._turns.rests(queue, taken.rest_seconds)
            return
        self._hand_on(taken.jobs)
        if taken.more:
            self._turns.has_jobs(queue)
        else:
            self._turns.took_the_last(queue)
        self._turns.took(queue, len(taken.jobs))

    def _hand_on(self, jobs: list[Execution]) -> None:
        self._looked_again = False
        self._leases.add(jobs)
        self._suspect.look_for(jobs)
        self._performer.take(jobs)
        self._pace.give_way(len(self._leases) - len(jobs))

    def _say_once(self, queue: str, problem: BoltQError) -> None:
        if self._said.get(queue) != str(problem):
            self._said[queue] = str(problem)
            fields = {"error": str(problem)} | ({"queue": queue} if queue else {})
            log.error("no jobs can be had", extra=fields)
