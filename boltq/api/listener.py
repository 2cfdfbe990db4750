"""What takes the connections, and looks after them."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from waitress import wasyncore
from waitress.server import TcpWSGIServer

from boltq.api.channel import Channel
from boltq.api.limits import Limits
from boltq.api.lot import Lot
from boltq.api.threads import Threads


class Listener(TcpWSGIServer):
    """What takes the connections, with the threads that answer and the lot where requests wait."""

    channel_class = Channel
    lot: Lot
    threads: Threads
    limits: Limits
    watched: dict[int, Any]
    stop: threading.Event  # set once the API is to end

    _is_pulled = False

    def turn(self, seconds: float) -> None:
        """Let waitress' loop turn once, which waits so long for something to do."""
        self._is_pulled = False
        wasyncore.loop(timeout=seconds, use_poll=True, map=self.watched, count=1)

    def pull_trigger(self) -> None:
        """Wake the loop for one more turn, once for all who ask for it."""
        if not self._is_pulled:
            self._is_pulled = True
            super().pull_trigger()

    def maintenance(self, now: int) -> None:
        """Close connections on which nothing moves, and end those that take too long."""
        super().maintenance(now)
        for channel in channels(self.watched):
            channel.keep_time(time.monotonic(), self.limits)


def channels(watched: Mapping[int, Any]) -> list[Channel]:
    """Return the connections among all that waitress watches."""
    return [each for each in watched.values() if isinstance(each, Channel)]
