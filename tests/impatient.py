"""Roads whose sockets wait for an answer for less than 5 s, so that tests of silence are quick.

with impatient(0.3): every Server and Bells that is made here
executed(server): how many scripts the server has been asked to run
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from servers import TestServer

from boltq.address import Address
from boltq.evalsha import bells, connect, server


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Let what is connected within the block wait so long for an answer."""
    real = connect.connect

    def connected(address: Address, *, timeout_seconds: float) -> Any:
        return real(address, timeout_seconds=min(timeout_seconds, seconds))

    with patch.object(server, "connect", connected), patch.object(bells, "connect", connected):
        yield


def executed(server: TestServer) -> int:
    """Count the calls of EVALSHA, also those that found no script."""
    return int(server.raw().info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))
