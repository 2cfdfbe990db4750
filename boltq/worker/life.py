"""Signs of life, by which a parent process knows that this one is not frozen."""

import os
import threading
import time
from contextlib import suppress

BEAT_SECONDS = 1.0


def show_life(descriptor: int) -> None:
    """Write a byte into a pipe each second from now on, on a thread of its own.

    No beat comes while the process is stopped, or while something holds the interpreter's lock.
    """
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name
    os.set_blocking(descriptor, False)

    def beat() -> None:
        while True:
            with suppress(OSError):  # it is full, or nobody reads any more
                os.write(descriptor, b".")
            time.sleep(BEAT_SECONDS)

    threading.Thread(target=beat, name="boltq-life", daemon=True).start()
