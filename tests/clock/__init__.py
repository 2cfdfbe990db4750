"""Clocks that are wrong, or that step: of a server, or of any process a test starts.

with stepping() as clock:                  told by the environment
    with process_server(kind) as server:   started in here, it has that clock
        clock.step(-3600)                  an hour back, while it runs
        clock.step(3600, server.now_ms)    and forward again, waited for
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from servers import missing, until

SOURCE = Path(__file__).parent / "steps.c"


class Clock:
    """How far from the machine's clock that of the processes is, which were told of it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "step"
        self.environ = {"LD_PRELOAD": str(folder / "steps.so"), "CLOCK_STEP": str(self._file)}
        self._seconds = 0
        self._file.write_bytes(bytes(8))

    def step(self, seconds: int, shown_ms: Callable[[], int] | None = None) -> None:
        """Set it forward or back, from where it is, and wait until that is shown, within 10 s.

        Valkey looks at the clock now and then, and counts on from there.
        """
        self._seconds += seconds
        with self._file.open("r+b") as file:
            file.write(self._seconds.to_bytes(8, "little", signed=True))
        if shown_ms:
            until(lambda: abs(shown_ms() / 1000 - time.time() - self._seconds) < 10)


@contextmanager
def stepping(*, told: bool = True) -> Iterator[Clock]:
    """A clock for the processes that are started inside; `told` no: for those given its environ."""
    compiler = shutil.which("cc")
    if compiler is None:
        missing("a C compiler (Debian: apt install gcc libc6-dev)")
    with tempfile.TemporaryDirectory(prefix="boltq-clock-") as folder:
        clock = Clock(Path(folder))
        made = clock.environ["LD_PRELOAD"]
        command = [str(compiler), "-O1", "-shared", "-fPIC", "-o", made, str(SOURCE)]
        subprocess.run(command, check=True, timeout=30)
        with patch.dict(os.environ, clock.environ if told else {}):
            yield clock
