"""What takes the connections, and looks after them."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from waitress.server import TcpWSGIServer

from boltq.api.channel import Channel
from boltq.api.limits import Limits
from boltq.api.lot import Lot


class Listener(TcpWSGIServer):
    """What takes the connections, and has the lot where their requests wait."""

    channel_class = Channel
    lot: Lot
    limits: Limits
    watched: Mapping[int, Any]
    stop: threading.Event  # set once the API is to end

    def maintenance(self, now: int) -> None:
        """Close connections on which nothing moves, and end those that take too long."""
        super().maintenance(now)
        for channel in channels(self.watched):
            channel.keep_time(time.monotonic(), self.limits)


def channels(watched: Mapping[int, Any]) -> list[Channel]:
    """Return the connections among all that waitress watches."""
    return [each for each in watched.values() if isinstance(each, Channel)]
