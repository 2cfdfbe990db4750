"""Our commands as somebody at a terminal sees them: on a pseudo-terminal of its own."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from programs import BIN, environment

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class AtTerminal:
    """A command whose input and errors, and output unless told otherwise, are a terminal."""

    def __init__(
        self,
        folder: Path,
        command: tuple[str, ...],
        *,
        columns: int,
        rows: int,
        out: Path | None,
        **told: str,
    ) -> None:
        self._shown = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        to = slave if out is None else os.open(out, os.O_CREAT | os.O_WRONLY, 0o600)
        # Where tests run, something may have asked for colours, or for none.
        without = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "CI"} - told.keys()
        env = {name: text for name, text in environment(**told).items() if name not in without}
        try:
            self.process = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                cwd=folder,
                env=env | {"TERM": "xterm-256color"},
                stdin=slave,
                stdout=to,
                stderr=slave,
                start_new_session=True,
            )
        finally:
            os.close(slave)
            if out is not None:
                os.close(to)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def shown_until(self, pattern: str, seconds: float = 20) -> str:
        """All that was shown, once it has what matches."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.shown):
            assert time.monotonic() < deadline, self.shown
            assert self._read(), self.shown
        return self.shown

    def end(self) -> int:
        """Wait for it to end; returns its exit status."""
        while self._read():
            pass
        return self.process.wait(20)

    @property
    def shown(self) -> str:
        """What was written to the terminal so far."""
        return self._shown.decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def plain(self) -> str:
        """The same without colours and movements."""
        return ANSI.sub("", self.shown)

    def _read(self) -> bool:
        readable, _, _ = select.select([self.master], [], [], 20)
        assert readable, f"nothing more within 20 s after: {self.shown}"
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux says so when nobody has the other end any more
            data = b""
        self._shown += data
        return bool(data)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


@contextmanager
def at_terminal(
    folder: Path,
    *command: str,
    columns: int = 100,
    rows: int = 40,
    out: Path | None = None,
    **told: str,
) -> Iterator[AtTerminal]:
    """Run a command at a terminal so wide and high; `out` takes its standard output instead."""
    started = AtTerminal(folder, command, columns=columns, rows=rows, out=out, **told)
    try:
        yield started
    finally:
        started.close()
