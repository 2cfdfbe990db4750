"""The server on a processor of its own, and all else on the others, where there are two.

It goes before what others run there, where we may say so: its microseconds are by the clock.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from servers import TestServer

FIRST = -15


@contextmanager
def apart(server: TestServer) -> Iterator[None]:
    """Keep a server apart from us, and from what we start, while entered; on Linux."""
    every = sorted(os.sched_getaffinity(0))
    assert server.embedded is not None
    assert server.embedded.pid is not None
    _pin(server.embedded.pid, every[:1], FIRST)
    os.sched_setaffinity(0, every[1:] or every)
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)
        _pin(server.embedded.pid, every, 0)


def _pin(pid: int, processors: Sequence[int], niceness: int) -> None:
    """Let all threads of a process run there alone."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), processors)
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), niceness)
    # Where each session has a share of its own, that of the server's counts among them.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
