"""Worker processes under a parent: how many, who they are, and every way in which they end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from programs import children, lives
from queue_state import QueueState
from servers import until
from workers import KEPT, command, errors, state, wait_for

from boltq import child, presence
from boltq.child import WorkerProcess

APP = """
import ctypes, os, signal, threading, time
from boltq import BoltQ, current_job

app = BoltQ()
with open("imported.txt", "a") as file:
    print(os.getpid(), file=file)
hoard = []

@app.job("pid")
def pid():
    return os.getpid()

@app.job("hoard")
def grow():
    hoard.append(bytearray(os.urandom(1024) * 65536))
    return os.getpid()

@app.job("die")
def die():
    os._exit(9)

@app.job("hang")
def hang():
    open("begun.txt", "w").close()
    while True:
        time.sleep(0.05)

@app.job("hold")
def hold():
    # Through PyDLL a call keeps the interpreter's lock.
    if current_job().lost == 0:
        ctypes.PyDLL(None).sleep(60)
    return os.getpid()

@app.job("stop")
def stop():
    if current_job().lost == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
    return os.getpid()
"""

ROOT = {"PYTHONPATH": str(Path(__file__).parent.parent)}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def log(folder: Path) -> str:
    return (folder / "log.txt").read_text()


def workers(process: subprocess.Popen[str], count: int) -> list[int]:
    """The worker processes, when so many are there and claim."""
    folder = Path(f"/proc/{process.pid}/cwd").resolve() if Path("/proc").exists() else None
    assert folder
    until(lambda: log(folder).count("worker started") >= count)
    until(lambda: len(children(process.pid)) == count)
    return children(process.pid)


def pids(q: QueueState, *ids: str) -> set[int]:
    """The processes that did these jobs."""
    wait_for(q, "completed", *ids)
    return {int(outcome.result) for id in ids if (outcome := q.outcome(id))}


def test_a_parent_imports_nothing_of_the_app_and_its_workers_share_the_jobs(
    q: QueueState, app: Path
) -> None:
    flags = ("--processes", "3", "--worker-id", "shop", "--threads", "1")
    with command(q, "app:app", *flags, folder=app) as process:
        there = workers(process, 3)
        imported = {int(line) for line in (app / "imported.txt").read_text().split()}
        assert imported == set(there)
        until(lambda: len(named(q, "shop-")) == 3)
        assert named(q, "shop-") == dict.fromkeys(("shop-1", "shop-2", "shop-3"), True)
        q.enqueue("a", type="pid")
        assert pids(q, "a") <= set(there)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    assert not any(map(lives, there))
    assert named(q, "shop-") == {}
    assert log(app).count("worker stopped") == 3


def named(q: QueueState, beginning: str) -> dict[str, bool]:
    """The workers with such names, and whether they are alive."""
    found = presence.workers(q.server)
    return {one.id: one.alive for one in found if one.id.startswith(beginning)}


def test_the_parent_imports_neither_falcon_nor_the_app() -> None:
    code = (
        "import sys, boltq.worker.main; print(*(m for m in sys.modules if m in ('falcon', 'app')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_a_worker_that_dies_is_replaced_after_pauses_that_grow(q: QueueState, app: Path) -> None:
    with command(q, "app:app", "--processes", "1", folder=app) as process:
        for seconds in ("0.5", "1.0"):
            [pid] = workers(process, 1)
            os.kill(pid, signal.SIGKILL)
            until(lambda: f"exit_status=-9 pause_seconds={seconds}" in log(app))  # noqa: B023
            until(lambda: pid not in children(process.pid))  # noqa: B023
        q.enqueue("a", type="pid")
        assert pids(q, "a") == set(children(process.pid))


def test_a_second_signal_lets_the_workers_give_back_at_once(q: QueueState, app: Path) -> None:
    q.enqueue("a", type="hang", max_attempts=1)
    flags = ("--processes", "2", "--grace-seconds", "600")
    with command(q, "app:app", *flags, folder=app) as process:
        workers(process, 2)
        # A job that is claimed alone is given back at once, before the second signal.
        until((app / "begun.txt").exists)
        process.send_signal(signal.SIGINT)
        until(lambda: "stopping" in log(app))
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 1
    assert state(q, "a") == "queued"
    assert errors(q, "a") == []


def test_killed_it_leaves_no_worker(q: QueueState, app: Path) -> None:
    with command(q, "app:app", "--processes", "2", folder=app) as process:
        left = workers(process, 2)
        process.kill()
        process.wait(30)
        until(lambda: not any(map(lives, left)))


def test_an_app_that_is_refused_ends_all_with_status_2(q: QueueState, app: Path) -> None:
    with command(q, "nowhere:app", "--processes", "3", folder=app) as process:
        assert process.wait(40) == 2
    assert "there is no module nowhere" in log(app)


def test_an_app_that_breaks_later_ends_all_with_status_2(q: QueueState, app: Path) -> None:
    with command(q, "app:app", "--processes", "2", folder=app) as process:
        [first, other] = workers(process, 2)
        (app / "app.py").write_text("1 / 0")
        os.kill(first, signal.SIGKILL)
        assert process.wait(40) == 2
    assert not lives(other)


def test_a_burst_of_several_processes_ends_when_all_are_through(q: QueueState, app: Path) -> None:
    ids = [f"a{n}" for n in range(100)]
    q.enqueue(*ids, type="pid")
    with command(q, "app:app", "--burst", "--processes", "2", folder=app) as process:
        assert process.wait(40) == 0
    assert set(q.order("completed")) == set(ids)


def test_a_worker_is_replaced_after_so_many_jobs_at_once_and_without_a_word_of_error(
    q: QueueState, app: Path
) -> None:
    ids = [f"a{n}" for n in range(20)]
    q.enqueue(*ids, type="pid")
    with command(q, "app:app", "--recycle-jobs", "8", "--threads", "3", folder=app) as process:
        did = Counter(process for id in ids for process in pids(q, id))
        assert max(did.values()) <= 8
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    # What one gave back, since its threads were slow to begin it, is one of its 8, too.
    assert log(app).count("makes room for another") >= len(did) - 1 >= 2
    assert "ERROR" not in log(app)
    assert all(errors(q, id) == [] for id in ids)


def test_a_worker_is_replaced_above_so_much_memory(q: QueueState, app: Path) -> None:
    q.enqueue("a", type="pid")
    flags = ("--recycle-mb", "150", "--threads", "1")
    with command(q, "app:app", *flags, folder=app):
        first = pids(q, "a")
        q.enqueue(*(f"h{n}" for n in range(3)), type="hoard")
        wait_for(q, "completed", *(f"h{n}" for n in range(3)))
        until(lambda: "makes room for another" in log(app))
        q.enqueue("b", type="pid")
        assert pids(q, "b") != first


@pytest.mark.parametrize("kind", ["hold", "stop"])
def test_a_frozen_worker_is_killed_and_its_job_runs_again(
    q: QueueState, app: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "LEAST_SILENCE_SECONDS", 2.5)
    monkeypatch.chdir(app)
    q.enqueue("a", type=kind, base_ms=1)
    environ = {"REDIS_ADDR": q.server.address.shown, "BOLTQ_QUEUES": q.name, **ROOT}
    process = WorkerProcess(["app:app", "--lease-seconds", "1"], environ, lease_seconds=1)
    stop, hurry = threading.Event(), threading.Event()
    keeping = threading.Thread(target=process.keep_running, args=(stop, hurry))
    keeping.start()
    try:
        did = pids(q, "a")
    finally:
        stop.set()
        keeping.join(40)
    # On a busy machine it may take another for frozen.
    first, *_, last = map(int, (app / "imported.txt").read_text().split())
    assert did == {last} != {first}
    assert not lives(first)
    assert {error["type"] for error in errors(q, "a")} == {"LeaseLost"}


def test_a_parent_that_was_away_takes_no_worker_for_frozen(
    q: QueueState, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where all processes of a machine stood still: it may look before the worker shows life."""
    away, looks = [0.0], list[float]()

    def monotonic() -> float:
        looks.append(time.monotonic() + away[0])
        return looks[-1]

    monkeypatch.setattr(child, "time", SimpleNamespace(monotonic=monotonic, sleep=time.sleep))
    monkeypatch.chdir(app)
    q.enqueue("a", type="pid")
    environ = {"REDIS_ADDR": q.server.address.shown, "BOLTQ_QUEUES": q.name, **ROOT}
    process = WorkerProcess(["app:app"], environ, lease_seconds=30)
    stop, hurry = threading.Event(), threading.Event()
    keeping = threading.Thread(target=process.keep_running, args=(stop, hurry))
    keeping.start()
    try:
        did = pids(q, "a")
        for _ in range(5):
            seen = len(looks)
            until(lambda: len(looks) > seen + 4)  # noqa: B023 - it is called in this turn
            away[0] += 100
        q.enqueue("b", type="pid")
        assert pids(q, "b") == did
    finally:
        stop.set()
        keeping.join(40)


def test_handlers_that_are_all_stuck_cost_a_process(q: QueueState, app: Path) -> None:
    q.enqueue("a", "b", type="hang", timeout_ms=100, max_lost=0)
    flags = ("--processes", "1", "--threads", "2", "--lease-seconds", f"{KEPT:g}")
    with command(q, "app:app", *flags, folder=app) as process:
        [first] = workers(process, 1)
        until(lambda: "makes room for another" in log(app))
        q.enqueue("c", type="pid")
        assert first not in pids(q, "c")
    assert log(app).count("a handler is stuck") == 2


def test_a_worker_may_take_as_long_to_end_as_it_was_given() -> None:
    assert WorkerProcess([], {}, lease_seconds=30, grace_seconds=600)._end_seconds > 600
