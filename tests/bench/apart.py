"""The server on a processor of its own, and all else on the others, where there are two."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers import TestServer


@contextmanager
def apart(server: TestServer) -> Iterator[None]:
    """Keep a server apart from us, and from what we start, while entered; on Linux."""
    every = sorted(os.sched_getaffinity(0))
    assert server.embedded is not None
    assert server.embedded.pid is not None
    _pin(server.embedded.pid, every[:1])
    os.sched_setaffinity(0, every[1:] or every)
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)
        _pin(server.embedded.pid, every)


def _pin(pid: int, processors: Sequence[int]) -> None:
    """Let all threads of a process run there alone."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), processors)
