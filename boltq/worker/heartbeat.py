"""The heartbeat: keeps the leases in hand alive, and hears which jobs are to be cancelled."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from boltq import logs, scripts
from boltq.errors import BoltQError, NotAllowed, Unavailable
from boltq.evalsha import Server
from boltq.execution import Execution
from boltq.notes import news_of, told
from boltq.orders import What
from boltq.worker import outcome
from boltq.worker.leases import Leases
from boltq.worker.outage import Outage
from boltq.worker.perform import Performer
from boltq.worker.register import Register

log = logging.getLogger("boltq.worker")

BATCH_ITEMS = 500
LONGEST_PAUSE_SECONDS = 10.0


class Heartbeat:
    """One thread with a connection of its own, so that nothing else can keep it waiting.

    When jobs have waited here for a third of their lease, they are given back: another worker may
    have a thread free for them. look: is called at each beat.
    """

    def __init__(
        self,
        server: Server,
        register: Register,
        performer: Performer,
        *,
        lease_seconds: float,
        leases: Leases,
        outage: Outage,
        look: Callable[[], None],
    ) -> None:
        self._server = server
        self._register = register
        self._performer = performer
        self._lease_seconds = lease_seconds
        self._leases = leases
        self._outage = outage
        self._look = look
        self._stopping = threading.Event()
        self._becomes: What = "stopped"

    def end(self, what: What = "stopped") -> None:
        """Let the thread end; no lease is extended any more. what: becomes of the worker."""
        self._becomes = what
        self._stopping.set()

    def run(self) -> None:
        """Beat until told to end."""
        pause = min(self._lease_seconds / 9, LONGEST_PAUSE_SECONDS)
        while True:
            self._look()
            try:
                if self._register.is_due(pause):
                    self._register.write()
                    self._outage.over()
                self._beat()
            except (Unavailable, NotAllowed) as problem:
                self._outage.lost(problem)
            if self._stopping.wait(pause):
                self._register.leave(self._becomes)
                return

    def _beat(self) -> None:
        """Extend each lease of which a third has passed, or whose handler has told something."""
        now = time.monotonic()
        soon = now + self._lease_seconds * 2 / 3
        every = self._leases.all()
        old = [one for one in every if one.deadline < soon or (one.notes and one.notes.has_news)]
        waiting = [execution for execution in old if not execution.started]
        if waiting:
            self._performer.give_back_waiting()
        for execution in waiting:
            if now >= execution.deadline:
                # Lost between two lines, by a thread that was broken from outside: it frees its
                # place here, and runs again where it is claimed next.
                execution.lease_gone = True
                self._performer.end(execution, outcome.given_back(execution))
        held = [execution for execution in old if self._is_to_live(execution, now)]
        if held:
            self._extend(list(_groups(held)))

    def _extend(self, groups: list[list[Execution]]) -> None:
        """Extend leases, and carry what their handlers have told."""
        lease_ms = round(self._lease_seconds * 1000)
        telling = [[news_of(one.notes) for one in group] for group in groups]
        calls = [
            scripts.extend(
                group[0].queue,
                [scripts.ExtendItem(one.inner_id, one.token) for one in group],
                lease_ms=lease_ms,
                told=told(news),
            )
            for group, news in zip(groups, telling, strict=True)
        ]
        deadline = time.monotonic() + self._lease_seconds
        replies = self._server.call_all(calls)
        self._outage.over()
        for group, news, reply in zip(groups, telling, replies, strict=True):
            if isinstance(reply, BoltQError):
                self._tell(reply)
                continue
            for execution, one, answer in zip(group, news, reply.answers, strict=True):
                self._hear(execution, answer, deadline)
                if one and execution.notes and isinstance(answer, scripts.ExtendHeld):
                    execution.notes.carried(one)

    def _tell(self, problem: BoltQError) -> None:
        if isinstance(problem, Unavailable):  # a node of a cluster: the next beat comes soon
            self._outage.lost(problem)
        else:
            log.error("leases could not be extended", extra={"error": str(problem)})

    def _is_to_live(self, execution: Execution, now: float) -> bool:
        """Whether to extend its lease: only while its handler runs, and not past its timeout."""
        if not execution.started or execution.lease_gone or execution not in self._leases:
            return False
        if not execution.timeout_seconds:
            return True
        if now < execution.started + execution.timeout_seconds:
            return True
        if not execution.overdue:
            execution.overdue = True
            log.warning(
                "the job is past its timeout: its lease is not extended any more",
                extra={**logs.of_job(execution), "timeout_seconds": execution.timeout_seconds},
            )
        return False

    def _hear(self, execution: Execution, answer: scripts.ExtendAnswer, deadline: float) -> None:
        if isinstance(answer, scripts.ExtendHeld):
            execution.deadline = deadline
            if answer.cancel and not execution.cancelled:
                execution.cancelled = True
                log.info("the job is asked to stop", extra=logs.of_job(execution))
        elif execution in self._leases:  # else it has ended meanwhile
            execution.lease_gone = True
            log.warning("the lease was lost while the job ran", extra=logs.of_job(execution))


def _groups(executions: Sequence[Execution]) -> Iterator[list[Execution]]:
    """Sort them by queue into what one call carries each."""
    groups: dict[str, list[Execution]] = {}
    for execution in executions:
        groups.setdefault(execution.queue, []).append(execution)
    for group in groups.values():
        for start in range(0, len(group), BATCH_ITEMS):
            yield group[start : start + BATCH_ITEMS]
