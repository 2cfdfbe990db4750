"""Whole workers over HTTP, one of bash and curl, one of Node, do the same as our own.

With TEST_WORKER_JOBS=1000 as many jobs as the API's promise names.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_served import Api, served
from audited import sound
from queue_state import QueueState
from servers import TestServer, missing
from workers import command

from boltq import scripts

CLIENTS = Path(__file__).parent / "clients"
JOBS = int(os.environ.get("TEST_WORKER_JOBS", "60"))
LEASE_SECONDS, SLOW_SECONDS = 3.0, 3.5  # so that none is lost while the machine stands still
SLOW = max(1, JOBS // 50)
DIES = max(2, JOBS // 50)
FAILS = JOBS // 10
OK = JOBS - SLOW - DIES - FAILS
APP = """
import os, time
from boltq import BoltQ, current_job

app = BoltQ()

@app.job("ok")
def ok(**members):
    return {"got": members}

@app.job("slow")
def slow(seconds):
    time.sleep(seconds)
    return "slow"

@app.job("dies")
def dies(*_payload):
    if not current_job().lost:
        os._exit(9)
    return "not twice"

@app.job("fails")
def fails(payload):
    raise ValueError("no")
"""
TOTALS = {
    "completed": OK + SLOW + DIES,
    "dead": FAILS,
    "enqueued_total": JOBS,
    "completed_total": OK + SLOW + DIES,
    "failed_total": FAILS * 2,
    "died_total": FAILS,
}
"""What stats tells after all jobs; everything else is 0, but for the leases that were lost."""


@pytest.fixture
def q(shared_servers: Callable[[str], TestServer], queue: str) -> Iterator[QueueState]:
    # On one kind of server: these take seconds, and what differs between the kinds is not theirs.
    state = QueueState(shared_servers("valkey"), queue)
    yield state
    try:
        sound(state)
    finally:
        state.forget()
        state.server.close()


@pytest.fixture
def api(q: QueueState) -> Iterator[Api]:
    with served(q.server) as api:
        yield api


def enqueue_mixed(q: QueueState) -> None:
    def some(type: str, count: int, payload: bytes) -> list[scripts.EnqueueItem]:
        return [scripts.EnqueueItem(f"{type}-{n}", type, payload, b"") for n in range(count)]

    mixed = some("ok", OK, b'{"n": [1, "\\"}]"]}') + some("fails", FAILS, b"1")
    mixed += some("slow", SLOW, str(SLOW_SECONDS).encode()) + some("dies", DIES, b"null")
    random.Random(7).shuffle(mixed)
    for start in range(0, JOBS, 500):
        items = mixed[start : start + 500]
        options = {"delay_ms": 0, "max_attempts": 2, "base_ms": 1, "jitter": 0.0}
        q.call(scripts.enqueue(q.name, items, **options))


def totals(q: QueueState) -> tuple[dict[str, int], int]:
    """All counts that are not 0, and how many leases were lost."""
    told = q.call(scripts.stats(q.name))._asdict()
    del told["now_ms"]
    lost = told.pop("lost_total")
    return {name: count for name, count in told.items() if count}, lost


def end_leases(q: QueueState) -> None:
    """Let the time of what a worker held that has died be over."""
    q.make_due("running", *q.order("running"))


def run_until_idle(q: QueueState, start: Callable[[], "subprocess.Popen[str]"]) -> int:
    """Start a worker again each time that it is killed; returns how often."""
    deaths = 0
    while True:
        process = start()
        try:
            status = process.wait(600)
        finally:
            process.kill()
            process.wait()
        if status == 0:
            return deaths
        assert status in (9, -9), status
        deaths += 1
        assert deaths <= DIES
        end_leases(q)


def check(q: QueueState) -> int:
    found, lost = totals(q)
    assert found == TOTALS
    assert q.outcome("ok-0").result.replace(b" ", b"") == b'{"got":{"n":[1,"\\"}]"]}}'
    return lost


def foreign_worker(api: Api, q: QueueState, folder: Path, *program: str) -> None:
    told = {"UNTIL_IDLE": "1", "LEASE_SECONDS": str(LEASE_SECONDS), "WAIT_SECONDS": "1.5"}
    told |= {"TMPDIR": str(folder), "PATH": os.environ["PATH"]}
    enqueue_mixed(q)
    began = time.monotonic()
    with (folder / "log.txt").open("a") as log:

        def start() -> "subprocess.Popen[str]":
            command = [*program, f"http://127.0.0.1:{api.serving.port}", q.name]
            return subprocess.Popen(command, env=told, stdout=log, stderr=log, text=True)

        deaths = run_until_idle(q, start)
    print(f"{program[0]}: {JOBS} jobs in {time.monotonic() - began:.1f} s")  # noqa: T201
    # No lease is lost but by those who died: slow jobs are extended.
    assert (check(q), deaths) == (DIES, DIES), (folder / "log.txt").read_text()[-2000:]


@pytest.mark.timeout(60 + JOBS)
def test_a_worker_of_bash_and_curl_does_mixed_jobs(api: Api, q: QueueState, tmp_path: Path) -> None:
    if not (shutil.which("curl") and shutil.which("bash")):
        missing("bash and curl (Debian: apt install bash curl)")
    foreign_worker(api, q, tmp_path, "bash", str(CLIENTS / "worker.sh"))


@pytest.mark.timeout(60 + JOBS)
def test_a_worker_of_node_without_packages_does_mixed_jobs(
    api: Api, q: QueueState, tmp_path: Path
) -> None:
    if shutil.which("node") is None:
        pytest.skip("SKIPPED: missing is node (Debian: apt install nodejs)")
    foreign_worker(api, q, tmp_path, "node", str(CLIENTS / "worker.mjs"))


@pytest.mark.timeout(60 + JOBS)
def test_our_own_worker_comes_to_the_same_stats(q: QueueState, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    enqueue_mixed(q)
    began = time.monotonic()
    options = ("--burst", "--threads", "1", "--lease-seconds", str(LEASE_SECONDS))
    ends: list[int] = []
    while totals(q)[0] != TOTALS:
        with command(q, "app:app", *options, folder=tmp_path) as process:
            ends.append(process.wait(600))
        end_leases(q)
        assert len(ends) < JOBS, ends
    print(f"boltq-worker: {JOBS} jobs in {time.monotonic() - began:.1f} s")  # noqa: T201
    assert 9 in ends
    # It claims ahead: with a process that dies go the leases of those that wait in it, too.
    assert check(q) >= DIES


def test_the_workers_are_as_short_as_they_are_said_to_be() -> None:
    assert len((CLIENTS / "worker.sh").read_text().splitlines()) <= 40
    assert len((CLIENTS / "worker.mjs").read_text().splitlines()) <= 60
