"""Awake for a moment: an answer that is near is looked for before it is slept for."""

import os
import time
from threading import get_ident
from typing import Protocol

LOOK_SECONDS = 0.0002
"""How long an answer is looked for: on two virtual cores a PING took a thread that slept 0.08 ms,
and one that looked 0.03."""

MOST_PASSED = 255
"""How many calls are passed over at most before it is tried once more."""


class Comes(Protocol):
    """What an answer comes on: a connection."""

    def has_come(self) -> bool:
        """Whether there is something to read."""
        ...


class Lookout:
    """Looks out for the answers of one server, as long as that is of use.

    Where it was in vain, more and more calls are passed over: the server is far, slow or busy, or
    other threads hold the interpreter's lock. So they are where threads take turns in calling: one
    would be looking while the others want that lock; and always where the machine has one core,
    which the server may need. Threads may use it without a lock: what they mistake costs a moment.
    """

    _caller = 0  # of the whole process, which has one interpreter's lock

    def __init__(self) -> None:
        self._in_vain = 0
        self._passes = 0
        self._has_cores = (os.cpu_count() or 1) > 1

    def until_come(self, connection: Comes) -> None:
        """Return once something has come, or it is time to sleep: 0.2 ms at most."""
        me = get_ident()
        if me != Lookout._caller:
            self._passes = MOST_PASSED if Lookout._caller else 0
            Lookout._caller = me
        if self._passes > 0:
            self._passes -= 1
        elif self._has_cores:
            self._look(connection)

    def _look(self, connection: Comes) -> None:
        give_up = time.monotonic() + LOOK_SECONDS
        while not connection.has_come() and time.monotonic() < give_up:
            pass
        # Late is in vain, too: then another thread had the lock meanwhile.
        if time.monotonic() < give_up:
            self._in_vain //= 2
        else:
            self._passes = self._in_vain = min(2 * self._in_vain + 1, MOST_PASSED)
