"""The settler: tells Redis in batches what became of jobs."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from boltq import scripts
from boltq.call import Call
from boltq.errors import BadArgument, BoltQError, NotAllowed, TooLarge, Unavailable
from boltq.evalsha import Server
from boltq.execution import Execution
from boltq.notes import news_of, told
from boltq.worker import outcome
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.outcome import Outcome
from boltq.worker.perform import Ended
from boltq.worker.report import Report
from boltq.worker.waiting import Waiting

BATCH_ITEMS = 500
BATCH_BYTES = 4 * 1024 * 1024
MOST_GATHERED = 2000
RETRY_SECONDS = 0.1

LINGER_SECONDS = 0.005
"""How much later than it could be the end of a job is told, so that others go with it."""

Settled = tuple[Execution, Outcome]


@dataclass(frozen=True, slots=True)
class _Batch:
    call: Call[Any]
    jobs: list[Settled]


class Settler:
    """One thread that acks, fails and releases, with a connection of its own.

    While jobs wait here, no thread is idle until an end is told: then they are told together.
    `freed` is called whenever jobs have ended, before they are settled: there is room for others.
    It is told how many of them their handlers have worked off, and in how many seconds. For a job
    that has lost a lease before, it is called once more when that is settled.
    """

    def __init__(
        self,
        server: Server,
        ended: SimpleQueue[Ended | None],
        leases: Leases,
        report: Report,
        *,
        waiting: Waiting,
        outage: Outage,
        freed: Callable[[int, float], None],
    ) -> None:
        self._server = server
        self._ended = ended
        self._leases = leases
        self._report = report
        self._waiting = waiting
        self._outage = outage
        self._freed = freed
        self._give_up = threading.Event()
        self._unheard: list[Settled] = []

    def end(self) -> None:
        """Let the thread end when all that was handed in before is settled."""
        self._ended.put(None)

    def give_up(self) -> None:
        """From now on try each call once, whether Redis answers or not."""
        self._give_up.set()

    def run(self) -> None:
        """Settle what is handed in until told to end."""
        more = True
        while more or self._unheard:
            gathered: list[Ended] = []
            if more:
                gathered, more = self._gather()
            else:
                self._give_up.wait(RETRY_SECONDS)
            before = len(self._unheard) + len(gathered)
            unheard, self._unheard = self._unheard, []
            try:
                took = [one.ended - one.started for one, _ in gathered if one.ended]
                self._freed(len(took), sum(took))
                self._unheard = self._settle([*unheard, *self._held(gathered)])
            finally:
                self._leases.settled(before - len(self._unheard))
                if any(execution.lost for execution, _ in gathered):
                    self._freed(0, 0.0)
        self._report.flush()

    def _gather(self) -> tuple[list[Ended], bool]:
        """Wait for one job to end and take all that ended meanwhile; False: that was the last.

        Waits for a moment only if there is something to send again.
        """
        wait_seconds = RETRY_SECONDS if self._unheard else self._report.flush_seconds()
        try:
            gathered = [self._ended.get(timeout=wait_seconds)]
        except Empty:
            self._report.flush()
            return [], True
        if self._waiting:
            self._give_up.wait(LINGER_SECONDS)
        take = self._ended.get_nowait
        with suppress(Empty):
            gathered.extend(take() for _ in range(min(self._ended.qsize(), MOST_GATHERED - 1)))
        ended = [one for one in gathered if one is not None]
        return ended, len(ended) == len(gathered)

    def _held(self, gathered: list[Ended]) -> list[Settled]:
        """Sort out those whose leases were lost."""
        held: list[Settled] = []
        for execution, came_of_it in gathered:
            if came_of_it is None:
                self._report.lease_lost(execution)
            else:
                held.append((execution, came_of_it))
        return held

    def _settle(self, jobs: list[Settled]) -> list[Settled]:
        """Send jobs; returns those that found no server and whose leases are not over."""
        unheard: list[Settled] = []
        while jobs:
            batches = list(_batches(jobs))
            try:
                replies = self._server.call_all([batch.call for batch in batches])
            except (Unavailable, NotAllowed) as problem:
                self._outage.lost(problem)
                return unheard + self._still_leased(jobs, problem)
            self._outage.over()
            jobs = []
            for batch, reply in zip(batches, replies, strict=True):
                if isinstance(reply, Unavailable):  # a node of a cluster: the others go on
                    self._outage.lost(reply)
                    unheard += self._still_leased(batch.jobs, reply)
                else:
                    jobs += self._read(batch, reply, unheard)
        return unheard

    def _still_leased(self, jobs: list[Settled], problem: BoltQError) -> list[Settled]:
        """Drop the jobs of which nobody would hear any more."""
        now = time.monotonic()
        leased: list[Settled] = []
        for execution, item in jobs:
            if now < execution.deadline and not self._give_up.is_set():
                leased.append((execution, item))
            else:
                self._report.dropped(execution, problem)
        return leased

    def _read(self, batch: _Batch, reply: Any, unheard: list[Settled]) -> list[Settled]:
        """Log what a batch was answered; returns what is to be sent again."""
        if isinstance(reply, BadArgument | TooLarge):
            return self._without_the_bad_one(batch, reply, unheard)
        if isinstance(reply, BoltQError):
            for execution, _ in batch.jobs:
                self._report.dropped(execution, reply)
            return []
        done = self._report.done
        for (execution, item), answer in zip(batch.jobs, reply.answers, strict=True):
            if isinstance(answer, scripts.AckDone):
                done(execution)
            else:
                self._log(execution, item, answer)
        return []

    def _without_the_bad_one(
        self, batch: _Batch, refusal: BoltQError, unheard: list[Settled]
    ) -> list[Settled]:
        """Send the jobs of a refused batch one by one, and the bad one without what it told."""
        if len(batch.jobs) > 1:
            for job in batch.jobs:
                unheard += self._settle([job])
            return []
        execution, item = batch.jobs[0]
        if execution.notes is not None:  # whatever is wrong with them: the work counts
            execution.notes = None
            return [(execution, item)]
        if isinstance(item, scripts.AckItem) and item.result:
            outcome.log_result_left_out(execution, str(refusal))
            return [(execution, item._replace(result=b""))]
        self._report.dropped(execution, refusal)
        return []

    def _log(self, execution: Execution, item: Outcome, answer: Any) -> None:
        if isinstance(answer, _LOST):
            self._report.lease_lost(execution)
        elif isinstance(item, scripts.FailItem) and not isinstance(answer, scripts.FailAlready):
            self._report.failed(execution, item, answer)
        elif isinstance(item, scripts.ReleaseItem):
            cancelled = isinstance(answer, scripts.ReleaseCancelled)
            self._report.given_back(execution, cancelled=cancelled, delay_ms=item.delay_ms)


_LOST = (
    scripts.AckLeaseLost,
    scripts.FailLeaseLost,
    scripts.ReleaseLeaseLost,
    scripts.AckUnknown,
    scripts.FailUnknown,
    scripts.ReleaseUnknown,
)

_VERBS: dict[type[Outcome], Callable[..., Call[Any]]] = {
    scripts.AckItem: scripts.ack,
    scripts.FailItem: scripts.fail,
    scripts.ReleaseItem: scripts.release,
}


def _batches(jobs: Iterable[Settled]) -> Iterator[_Batch]:
    """Sort jobs by verb and queue into what one call carries each."""
    groups: dict[tuple[type[Outcome], str], list[Settled]] = {}
    for job in jobs:
        groups.setdefault((type(job[1]), job[0].queue), []).append(job)
    for (kind, queue), group in groups.items():
        for part in _parts(group):
            news = [news_of(execution.notes) for execution, _ in part]
            yield _Batch(_VERBS[kind](queue, [item for _, item in part], told=told(news)), part)


def _parts(group: list[Settled]) -> Iterator[list[Settled]]:
    if sum(_weight(item) for _, item in group) <= BATCH_BYTES:
        for start in range(0, len(group), BATCH_ITEMS):
            yield group[start : start + BATCH_ITEMS]
        return
    part: list[Settled] = []
    size = 0
    for job in group:
        weight = _weight(job[1])
        if part and (len(part) == BATCH_ITEMS or size + weight > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(job)
        size += weight
    yield part


def _weight(item: Outcome) -> int:
    return len(item.result) if isinstance(item, scripts.AckItem) else 0
