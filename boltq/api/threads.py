"""The threads that answer requests, and what one of them does while it would only wait."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

MOST_TAKEN = 12
"""How many requests a thread takes on top of one: each has some 20 of Python's 1,000 frames."""

_log = logging.getLogger(__name__)


class Task(Protocol):
    """A request to be answered."""

    @property
    def is_brief(self) -> bool:
        """Whether it waits for nothing before it has called `Threads.meanwhile`."""
        ...

    def service(self) -> None:
        """Answer it."""
        ...

    def cancel(self) -> None:
        """Let it be: nobody will answer it."""
        ...


class _Hand:
    """One of the threads.

    gate: where it waits for work. taken: how many requests it has begun on top of one. seeks: it
    will look for work before it waits for anything.
    """

    __slots__ = ("gate", "seeks", "taken")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.taken = 0
        self.seeks = False


class Threads:
    """Begins requests in the order of their coming, `count` at a time. Safe for threads.

    To wake a thread and hand it the interpreter's lock, to another core, takes longer than to
    answer a small request. So a thread that would wait for the server does the next brief request
    meanwhile, on top of its own, and as long as one seeks work no other is woken.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._tasks: deque[Task] = deque()
        self._idle: list[_Hand] = []
        self._seekers = 0
        self._is_open = True
        self._own = threading.local()
        self._threads = [
            threading.Thread(target=self._run, name=f"answers-{n}", daemon=True)
            for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def add_task(self, task: Task) -> None:
        """Have a request answered by the next thread that is free."""
        with self._lock:
            self._tasks.append(task)
            self._wake()

    def meanwhile(self, is_over: Callable[[], bool]) -> None:
        """Answer brief requests until there is none, or it is over; a brief one asks this once.

        After it the caller may wait: what is left to do has been given to another thread.
        """
        while task := self._brief(is_over):
            _answer(task)

    def _brief(self, is_over: Callable[[], bool]) -> Task | None:
        hand: _Hand = self._own.hand
        with self._lock:
            may_take = self._tasks and hand.taken < MOST_TAKEN and not is_over()
            if may_take and self._tasks[0].is_brief:
                hand.taken += 1
                return self._tasks.popleft()
            self._seek(hand, seeks=False)
            return None

    def end(self, seconds: float) -> None:
        """Answer nothing that was not begun, and wait so long for what was."""
        with self._lock:
            self._is_open = False
            dropped = list(self._tasks)
            self._tasks.clear()
            while self._idle:
                self._idle.pop().gate.release()
        for task in dropped:
            task.cancel()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        hand = self._own.hand = _Hand()
        while True:
            with self._lock:
                if not self._is_open:
                    return
                task = self._next(hand)
            if task:
                hand.taken = 0
                _answer(task)
            else:
                hand.gate.acquire()

    def _next(self, hand: _Hand) -> Task | None:
        if not self._tasks:
            self._seek(hand, seeks=False)
            self._idle.append(hand)
            return None
        task = self._tasks.popleft()
        self._seek(hand, seeks=task.is_brief)
        return task

    def _seek(self, hand: _Hand, *, seeks: bool) -> None:
        self._seekers += seeks - hand.seeks
        hand.seeks = seeks
        self._wake()

    def _wake(self) -> None:
        if self._tasks and self._idle and not self._seekers:
            hand = self._idle.pop()
            self._seek(hand, seeks=True)
            hand.gate.release()


def _answer(task: Task) -> None:
    try:
        task.service()
    except BaseException:  # noqa: BLE001 - whatever it is, the thread goes on
        _log.exception("a request was not answered")
