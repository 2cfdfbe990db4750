"""A process that waits for items of a list with a plain command: the floor of a pick-up.

Its argument is the queue. It says READY, then for each item, which is a moment of the
clock that all processes share, how many nanoseconds ago that was.
"""

import sys
import time

from boltq.client import BoltQ
from boltq.evalsha.plain import PlainServer

READY = "waits"
BLOCK_SECONDS = "2"


def main() -> None:
    """Wait until this is ended."""
    (queue,) = sys.argv[1:]
    told = BoltQ().server
    server = PlainServer(told.address, prefix=told.prefix)
    wait = [("BLPOP", server.key(queue, "bell"), BLOCK_SECONDS)]
    _say(READY)
    while True:
        (popped,) = server.plain(queue, wait)
        if popped:
            _say(str(time.monotonic_ns() - int(popped[1])))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
