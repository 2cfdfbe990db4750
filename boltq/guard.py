"""Runs a process of ours so that it cannot outlive BoltQ, whichever way BoltQ ends.

A program of its own, started with the arguments that `guarded` makes, its standard input a pipe
whose other end only BoltQ holds. `kernel`, on Linux, asks for a signal when the thread that started
it ends, then becomes the process. `pipe`, elsewhere, stays beside the process and ends it when the
pipe closes.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 10.0
NATIVE = "kernel" if sys.platform == "linux" else "pipe"


def guarded(command: list[str], ending: signal.Signals, how: str = NATIVE) -> list[str]:
    """Return the command that runs `command` under a guard, which sends it `ending` after our end.

    To be started with a pipe as its standard input, from a thread that lives as long as it is to.
    """
    guard = (sys.executable, "-I", "-S", __file__, how, str(int(ending)), str(os.getpid()))
    return [*guard, *command]


def become(parent: int, ending: int, command: list[str]) -> None:
    """Become the process, tied to the life of the thread that started this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, ending, 0, 0, 0) != 0:
        sys.exit(f"guard: prctl failed: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it ended before the kernel was asked
        sys.exit("guard: the process that wanted it is gone")
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def stand_by(ending: int, command: list[str]) -> int:
    """Run the process beside this one until either it ends or the pipe does."""
    # The descriptors that were handed to us are meant for it: for the server, its lock.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: process.terminate())

    def end_with_the_pipe() -> None:
        while os.read(0, 1):
            pass
        process.send_signal(ending)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        process.kill()

    threading.Thread(target=end_with_the_pipe, daemon=True).start()
    return process.wait()


def main() -> None:
    """Read the arguments that `guarded` made, and guard."""
    how, ending, parent, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    if how == "kernel":
        become(parent, ending, command)
    sys.exit(stand_by(ending, command))


if __name__ == "__main__":
    main()
