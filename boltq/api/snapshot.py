"""What is made at most once a second, however many ask for it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import falcon

from boltq.errors import Unavailable

T = TypeVar("T")

FRESH_SECONDS = 1.0
"""For how long an answer is given without asking the server."""

STALE_SECONDS = 5.0
"""How old an answer may be while a new one is being made; whoever finds none so young waits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON with its tag."""

    body: bytes
    tag: str

    def send(self, resp: falcon.Response) -> None:
        """Answer with it."""
        resp.content_type = falcon.MEDIA_JSON
        resp.data = self.body
        resp.context.tag = self.tag


class Snapshot(Generic[T]):
    """Keeps the last that `make` gave: one caller makes it for all. Safe for threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._last: tuple[T, float] | None = None
        self._failed: tuple[str, float] = ("", 0.0)

    def now(self) -> T:
        """Return it, a second old at most, or the one before while another is made."""
        last = self._younger_than(FRESH_SECONDS)
        if last:
            return last
        before = self._younger_than(STALE_SECONDS)
        if not self._making.acquire(blocking=before is None) and before:
            return before
        try:
            return self._younger_than(FRESH_SECONDS) or self._made()
        finally:
            self._making.release()

    def _younger_than(self, seconds: float) -> T | None:
        last = self._last
        return last[0] if last and time.monotonic() - last[1] < seconds else None

    def _made(self) -> T:
        # Whoever has waited meanwhile does not wait for the patience of one call after the other.
        sentence, moment = self._failed
        if sentence and time.monotonic() - moment < FRESH_SECONDS:
            raise Unavailable(sentence)
        began = time.monotonic()
        try:
            made = self._make()
        except Unavailable as error:
            self._failed = str(error), time.monotonic()
            raise
        self._last = made, began
        return made
