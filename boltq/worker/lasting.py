"""Threads that go on when what they run breaks."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2
"""Before a thread that broke goes on, so that one which breaks each time fills no log."""


def lasting(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a thread that ends when `run` returns; where it raises, that is logged and it goes on.

    It is a daemon: a handler that never returns must not keep the process from ending.
    """

    def go_on() -> None:
        while True:
            try:
                return run()
            except BaseException:  # whatever it was, a worker short of a thread is worse
                log.exception(
                    "a thread of the worker broke and goes on", extra={"thread_name": name}
                )
            time.sleep(PAUSE_SECONDS)

    thread = threading.Thread(target=go_on, name=f"boltq-{name}", daemon=True)
    thread.start()
    return thread
