"""Where it is measured: a server, queues of our own on it, and at last nothing left of them."""

import itertools
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boltq
from boltq import ids
from boltq.client import BoltQ
from boltq.errors import BoltQError, WrongState
from boltq.evalsha.plain import PlainServer

OURS = re.compile(r"REDIS_ADDR|API_|WORKER_ID|BOLTQ_|SMTP_")
"""Settings that a process of ours does not take over from the user."""

BROKEN_OFF_SECONDS = 0.05
"""By then the server has done what it was sent before we ended."""


class Site:
    """A server, and the queues that one run makes there.

    client: to the server. address: its REDIS_ADDR, for processes of ours. stem: what the names of
    the queues begin with. folder: for what such processes write.
    """

    def __init__(self, client: BoltQ, server: PlainServer, address: str, stem: str) -> None:
        self.client = client
        self.server = server
        self.address = address
        self.stem = stem
        self.folder = Path()
        self._numbers = itertools.count(1)
        self._queues: list[str] = []

    def queue(self, what: str) -> str:
        """Name a new queue, which goes when the run ends. Raises WrongState if there is one."""
        name = ids.checked_name("queue", f"{self.stem}-{what}-{next(self._numbers)}")
        if self.server.holds(name):
            raise WrongState(
                f"queue {name} exists: bench touches no queue that it has not made; "
                f"name what its queues begin with, --queue"
            )
        # There is nothing to delete yet: but who may not, hears it before anything is there.
        self.server.forget(name)
        self._queues.append(name)
        return name

    def forget(self, *queues: str) -> None:
        """Delete queues that were made here."""
        for name in queues:
            self.server.forget(name)
            self._queues.remove(name)

    def tidy(self) -> None:
        """Delete all that is left: nothing of it is in anybody's way but ours."""
        left = list(self._queues)
        for name in left:
            with suppress(BoltQError):
                self.forget(name)
        if left:
            # A call that was broken off may still lie before the server, which reads it in pieces.
            time.sleep(BROKEN_OFF_SECONDS)
        for name in left:
            with suppress(BoltQError):
                self.server.forget(name)

    def environ(self, **told: str) -> dict[str, str]:
        """Give a process of ours its environment: the settings that it is told, no others."""
        kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        ours = {"REDIS_ADDR": self.address, "BOLTQ_PREFIX": self.server.prefix}
        # For a boltq that is run where it lies, and not installed.
        paths = [str(Path(boltq.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        where = {"BOLTQ_DATA_DIR": "data", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        return kept | ours | where | told


@contextmanager
def site_on(client: BoltQ, address: str, stem: str) -> Iterator[Site]:
    """Take a server into use; leaves nothing on it, also after Ctrl-C.

    client: to the server, whose calls go by a connection of ours from now on. address: what its
    REDIS_ADDR is. stem: 1 to 100 characters of a queue's name. Raises WrongState if a queue exists
    that would be ours.
    """
    theirs = client.server
    server = PlainServer(
        theirs.address, prefix=theirs.prefix, patience_seconds=theirs.patience_seconds
    )
    client.server = server
    site = Site(client, server, address, stem)
    with tempfile.TemporaryDirectory(prefix="boltq-bench-") as folder:
        site.folder = Path(folder)
        try:
            yield site
        finally:
            site.tidy()
            client.server = theirs
            server.close()
