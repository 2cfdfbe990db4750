"""boltq.testing from outside: as pytest finds it in a project of its own, and what it leaves."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import environment

APP = """
from boltq import BoltQ

app = BoltQ()
outbox = []


@app.job("email", queue="mail", max_attempts=3)
def send_email(recipient, subject=""):
    if "@" not in recipient:
        raise ValueError(f"no address: {recipient}")
    outbox.append(recipient)


def sign_up(address):
    send_email.enqueue(address, subject="Welcome")
    send_email.options(delay=86400).enqueue(address, subject="How do you like it?")
"""

TESTS = """
import pytest
from app import app, outbox, send_email, sign_up


def test_a_customer_is_greeted_now_and_tomorrow(boltq_scratch):
    queues = boltq_scratch(app)
    sign_up("ada@example.com")
    first, second = queues.enqueued(send_email)
    assert first == {"recipient": "ada@example.com", "subject": "Welcome"}

    queues.drain()
    assert outbox == ["ada@example.com"]
    queues.advance(86400)
    queues.drain()
    assert outbox == ["ada@example.com"] * 2


def test_a_bad_address_is_given_up_after_three_attempts(boltq_scratch):
    queues = boltq_scratch(app)
    send_email.enqueue("ada")
    with pytest.raises(ValueError, match="no address: ada"):
        queues.drain()
    for _ in range(2):
        queues.advance(3600)
        queues.drain(raising=False)
    (job,) = queues.jobs(send_email, state="dead")
    assert job.errors[-1].message == "no address: ada"
"""

UNUSED = """
import sys


def test_nothing_is_imported_for_those_who_do_not_use_it():
    ours = {name for name in sys.modules if name.startswith("boltq")}
    assert ours == {"boltq", "boltq.testing", "boltq.testing.plugin"}
    assert "redis" not in sys.modules
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with a folder for temporary files of its own, here `tmp`."""
    (folder / "tmp").mkdir()
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(TMPDIR=str(folder / "tmp")),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def run_pytest(folder: Path, *arguments: str, **files: str) -> str:
    """Run pytest on these files and return what it said last."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    # Without the plugins of this environment that take seconds to import.
    common = ("-q", "-W", "error", *("-p", "no:valkey", "-p", "no:randomly"))
    done = run(folder, "-m", "pytest", *common, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()[-1]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one, also where tests run in several processes: a socket's path must fit into it."""
    with tempfile.TemporaryDirectory(prefix="boltq-test-") as folder:
        yield Path(folder)


def left_over(folder: Path) -> list[str]:
    return [path.name for path in (folder / "tmp").iterdir() if path.name.startswith("boltq")]


def run_script(folder: Path, *options: str, script: str) -> None:
    (folder / "app.py").write_text(APP)
    (folder / "script.py").write_text(script)
    done = run(folder, *options, "script.py")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "done"
    assert left_over(folder) == []


def test_a_project_that_has_boltq_installed_has_the_fixture(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, app=APP, test_app=TESTS).startswith("2 passed")
    assert left_over(tmp_path) == []


def test_a_project_can_run_its_tests_in_several_processes(tmp_path: Path) -> None:
    tests = {f"test_app_{n}": TESTS for n in range(2)}
    assert run_pytest(tmp_path, "-n2", app=APP, **tests).startswith("4 passed")
    assert left_over(tmp_path) == []


def test_a_project_that_does_not_use_the_fixture_does_not_pay_for_it(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, test_unused=UNUSED).startswith("1 passed")


def test_the_server_outlives_the_thread_that_asked_first_and_ends_with_the_process(
    tmp_path: Path,
) -> None:
    run_script(
        tmp_path,
        *("-W", "error"),
        script="""
from contextlib import ExitStack
from threading import Thread

from app import app, outbox, sign_up
from boltq import testing

begun = []
with ExitStack() as stack:
    first = Thread(target=lambda: begun.append(stack.enter_context(testing.scratch(app))))
    first.start()
    first.join()
    for _ in range(20):
        sign_up("ada@example.com")
        begun[0].drain()
assert len(outbox) == 20
print("done")
""",
    )


def test_a_server_that_was_killed_is_started_again(tmp_path: Path) -> None:
    run_script(
        tmp_path,
        *("-W", "error"),
        script="""
import os

from app import app, outbox, sign_up
from boltq import testing
from boltq.testing import shared

for n in range(2):
    with testing.scratch(app) as queues:
        sign_up("ada@example.com")
        queues.drain()
    shared._running[os.getpid()].kill()
assert len(outbox) == 2
print("done")
""",
    )


def test_a_forked_process_has_a_server_of_its_own_and_leaves_its_parents(tmp_path: Path) -> None:
    run_script(
        tmp_path,
        *("-W", "ignore::DeprecationWarning"),  # of forking with threads, since Python 3.12
        script="""
import os
import sys

from app import app, outbox, sign_up
from boltq import testing


def use():
    with testing.scratch(app) as queues:
        sign_up("ada@example.com")
        queues.drain()


use()
child = os.fork()
if child == 0:
    use()
    sys.exit(len(outbox))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
use()
assert len(outbox) == 2
print("done")
""",
    )
