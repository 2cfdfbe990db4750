"""How our programs hear that they are to end."""

import subprocess
import sys
from pathlib import Path

ENDING_ONCE_MORE = """
import os, signal
from boltq.signals import stop_on_signals

class Late:
    def __del__(self, kill=os.kill, me=os.getpid(), number=signal.{name}):
        kill(me, number)  # here no function of Python is called for a signal any more

late = Late()
stop, hurry = stop_on_signals()
os.kill(os.getpid(), signal.{name})
assert stop.wait(10)
assert not hurry.is_set()
"""

BESIDE_A_MAIN_THREAD_THAT_WAITS = """
import signal, threading
from boltq.signals import stop_on_signals

stop, hurry = stop_on_signals()
over = threading.Event()
beside = threading.Thread(target=over.wait, daemon=True)
beside.start()

def send():
    # The main thread waits by now, or is about to.
    signal.pthread_kill(beside.ident, signal.{name})
    if stop.wait(10):
        signal.pthread_kill(beside.ident, signal.SIGTERM)

threading.Thread(target=send, daemon=True).start()
threading.Timer(20, os._exit, (9,)).start()
stop.wait()
hurry.wait()
os._exit(0)
"""


def test_a_signal_that_another_thread_receives_ends_the_wait_of_the_main_thread(
    tmp_path: Path,
) -> None:
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        program = "import os" + BESIDE_A_MAIN_THREAD_THAT_WAITS.format(name=name)
        command = [sys.executable, "-c", program]
        assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_a_signal_that_comes_while_the_program_is_ending_changes_no_exit_status(
    tmp_path: Path,
) -> None:
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        program = ENDING_ONCE_MORE.format(name=name)
        # Not here, where the folder of the code would come before what PYTHONPATH names.
        command = [sys.executable, "-c", program]
        assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
