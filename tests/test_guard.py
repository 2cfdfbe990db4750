"""The guard beside a process: which signal it sends once the pipe to us is closed."""

import signal
import subprocess

import pytest

from boltq import guard

# Both ends as asked: it goes on after a SIGTERM unless that is not what it is sent.
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; echo ready; exec sleep 60"]
WILLING = ["/bin/sh", "-c", "echo ready; exec sleep 60"]


@pytest.mark.parametrize(
    ("command", "ending"), [(STUBBORN, signal.SIGKILL), (WILLING, signal.SIGTERM)]
)
def test_a_guard_that_stands_by_sends_what_it_was_told(
    command: list[str], ending: signal.Signals
) -> None:
    guarded = guard.guarded(command, ending, "pipe")
    with subprocess.Popen(guarded, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline() == b"ready\n"
            process.stdin.close()
            # The exit status of the guard, of which the system keeps a byte.
            # Less than its grace, after which it kills whatever it was told.
            assert process.wait(9) == -ending % 256
        finally:
            process.kill()
