"""The parking lot: one thread that waits for all requests that wait."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from boltq import ids, scripts
from boltq.api import awaited
from boltq.api.parking import Wait
from boltq.errors import BoltQError
from boltq.evalsha import Bells, Server
from boltq.evalsha.bells import BELL_MARGIN_SECONDS

MOST_PARKED = 400
"""How many requests may wait at once; of the connections that waitress takes, some are left."""

LOOK_SECONDS = 0.1
"""Between two looks at the jobs whose end is waited for, and at events, however many; also how late
the bell of a queue may be heard that nobody waited for before, while others are."""

TROUBLE_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Guest(Protocol):
    """A connection whose request waits."""

    parked: bool

    def resume(self) -> None:
        """Let the request be run again."""
        ...


class Lot:
    """Holds what waits, by connection, in the order of their coming. Safe for threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waits: dict[Guest, Wait] = {}
        self._by_queue: dict[str, dict[Guest, Wait]] = {}
        self._unwanted: list[str] = []
        self._thread: threading.Thread | None = None
        self._is_open = True
        self._look_at = 0.0

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._waits)

    @property
    def has_room(self) -> bool:
        """Whether another request may wait."""
        return self._is_open and len(self._waits) < MOST_PARKED

    def park(self, guest: Guest, wait: Wait) -> None:
        """Keep a request until there is something to do for it; at once if the lot is closed."""
        with self._changed:
            if self._is_open:
                guest.parked = True
                self._waits[guest] = wait
                for queue in wait.due:
                    self._by_queue.setdefault(queue, {})[guest] = wait
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, args=(wait.server,), name="parking lot", daemon=True
                    )
                    self._thread.start()
                self._changed.notify()
                return
        wait.until = 0.0
        guest.resume()

    def leave(self, guest: Guest) -> None:
        """Let go a request whose client has gone; nothing happens if it does not wait here."""
        with self._changed:
            gone = self._take_out(guest)
        if gone:
            guest.resume()

    def pass_on(self, queue: str) -> None:
        """Give a ring that was heard, and not acted on, to the next who waits for the queue."""
        with self._changed:
            guest = next(iter(self._by_queue.get(queue, ())), None)
            if guest is None:
                self._unwanted.append(queue)
                self._changed.notify()
                return
            wait = self._waits[guest]
            self._take_out(guest)
        wait.rung = queue
        guest.resume()

    def close(self) -> None:
        """Let all that wait be answered with what there is; who comes now is, too."""
        with self._changed:
            self._is_open = False
            waits = dict(self._waits)
            for guest, wait in waits.items():
                wait.until = 0.0
                self._take_out(guest)
            self._changed.notify()
        for guest in waits:
            guest.resume()

    def join(self) -> None:
        """Wait until the thread has ended, after close()."""
        if self._thread is not None:
            self._thread.join(BELL_MARGIN_SECONDS)

    def _take_out(self, guest: Guest) -> bool:
        wait = self._waits.pop(guest, None)
        if wait is None:
            return False
        guest.parked = False
        for queue in wait.due:
            waiting = self._by_queue[queue]
            del waiting[guest]
            if not waiting:
                del self._by_queue[queue]
        return True

    def _run(self, server: Server) -> None:
        bells, asking = Bells(server), server.another(patience_seconds=0.0)
        trouble = ""
        while self._is_open:
            try:
                if trouble:
                    asking.ping()
                    trouble = ""
                    self._look_at_all()
                self._step(bells, asking)
            except Exception as problem:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                # Who waits goes on waiting: to run all requests now would take every thread, each
                # for as long as the client of the API has patience with a server that is away.
                if trouble != str(problem):
                    trouble = str(problem)
                    trace = None if isinstance(problem, BoltQError) else problem
                    _log.warning(
                        "requests that wait hear nothing", exc_info=trace, extra={"error": trouble}
                    )
                self._hold(TROUBLE_SECONDS)
                self._let_go(lambda wait: wait.is_over)
        bells.close()
        asking.close()

    def _step(self, bells: Bells, asking: Server) -> None:
        with self._changed:
            if not self._waits and not self._unwanted:
                # Not wait(): once it is closed, nobody would wake it any more.
                self._changed.wait_for(lambda: self._waits or self._unwanted or not self._is_open)
                return
            unwanted, self._unwanted = self._unwanted, []
            queues = list(self._by_queue)
            nearest = min((wait.next_at for wait in self._waits.values()), default=0.0)
            if any(wait.job or wait.feed for wait in self._waits.values()):
                nearest = min(nearest, self._look_at)
        for queue in unwanted:
            _ring_again(asking, queue)
        now = time.monotonic()
        seconds = min(nearest - now, LOOK_SECONDS)
        if seconds > 0 and queues:
            rung = bells.wait(queues, seconds)
            if rung is not None:
                self.pass_on(rung)
        elif seconds > 0:
            self._hold(seconds)
        now = time.monotonic()
        self._let_go(lambda wait: wait.next_at <= now)
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._let_go_what_has_come(asking)

    def _hold(self, seconds: float) -> None:
        with self._changed:
            if self._is_open:
                self._changed.wait(seconds)

    def _look_at_all(self) -> None:
        """Have each queue looked at: rings may have been lost meanwhile."""
        with self._changed:
            for wait in self._waits.values():
                wait.due = dict.fromkeys(wait.due, 0.0)

    def _let_go(self, which: Callable[[Wait], bool]) -> None:
        with self._changed:
            gone = [guest for guest, wait in self._waits.items() if which(wait)]
            for guest in gone:
                self._take_out(guest)
        for guest in gone:
            guest.resume()

    def _let_go_what_has_come(self, asking: Server) -> None:
        with self._changed:
            jobs = {wait.job for wait in self._waits.values() if wait.job}
            feeds = {wait.feed for wait in self._waits.values() if wait.feed}
        ended, happened = awaited.ended(asking, jobs), awaited.happened(asking, feeds)
        self._let_go(lambda wait: wait.job in ended or wait.feed in happened)


def _ring_again(asking: Server, queue: str) -> None:
    """Pass a ring on to a worker elsewhere: a job that is given back rings."""
    token = ids.new_token()
    call = scripts.claim(queue, token=token, worker="api", lease_ms=5000, limit=1, max_bytes=1)
    reply = asking.call(call)
    if isinstance(reply, scripts.Claimed):
        items = [scripts.ReleaseItem(job.id, token, 0) for job in reply.answers]
        if items:
            asking.call(scripts.release(queue, items))
