"""The embedded server that all tests of a process share; it ends with the process."""

import atexit
import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from boltq import address
from boltq.embedded import Embedded

_lock = threading.Lock()
_running: dict[int, Embedded] = {}
"""By process: what a forked one finds here is its parent's."""

_keepers: list[ThreadPoolExecutor] = []


def server_address() -> address.Address:
    """Return where the server listens, which is started if it is not there.

    It keeps all in memory, on a socket in a temporary folder. Raises Unavailable where there is
    none for this platform, or none can be started.
    """
    with _lock:
        embedded = _running.get(os.getpid())
        if embedded is None or not embedded.alive():
            embedded = _running[os.getpid()] = _started()
    return address.parse(embedded.address)


def _started() -> Embedded:
    folder = tempfile.mkdtemp(prefix="boltq-scratch-")
    embedded = Embedded(Path(folder), persistent=False)
    atexit.register(_end, os.getpid(), embedded, folder)
    # The kernel ends the server with the thread that started it. A test's may be short-lived; that
    # of an executor which is kept lives until the interpreter ends.
    keeper = ThreadPoolExecutor(1, "boltq-scratch")
    _keepers.append(keeper)
    keeper.submit(embedded.start).result()
    return embedded


def _end(process: int, embedded: Embedded, folder: str) -> None:
    if process == os.getpid():
        embedded.stop()
        shutil.rmtree(folder, ignore_errors=True)
