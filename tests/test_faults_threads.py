"""Threads of a worker that break or die: noticed, and jobs are done again within 10 s."""

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from line import line_to
from queue_state import QueueState
from servers import TestServer, until
from workers import ALONE, WITH_A_CLAIM, command, listens, state, wait_for, working

from boltq import address
from boltq.evalsha import Server
from boltq.worker import Worker, fetch, lasting, turns, watch
from boltq.worker.claim import Claimer
from boltq.worker.fetch import DONE
from boltq.worker.lasting import Lasting
from boltq.worker.outage import Outage

OURS = ("settler", "heartbeat", "fetcher", "watch")
BROKE = "a thread of the worker broke and goes on"


def thread_of(worker: Worker, name: str) -> Lasting:
    crew = [member.thread for member in worker._crew._members]
    ours = [worker._settling, worker._beating, worker._fetching, worker._watching, *crew]
    return next(thread for thread in ours if thread and thread.name == name)


def strike(worker: Worker, name: str) -> None:
    """Raise SystemExit in a thread of the worker, at the next line that it runs."""
    ident = ctypes.c_ulong(thread_of(worker, name).ident or 0)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(SystemExit)) == 1


def wait_until_idle(q: QueueState) -> None:
    """Wait until the fetcher blocks on the bells: struck in a connect, it would leave a socket."""
    until(lambda: q.raw.info("clients")["blocked_clients"])


def is_told(caplog: pytest.LogCaptureFixture, event: str, name: str) -> bool:
    told = [vars(each) for each in caplog.records if each.getMessage() == event]
    return name in [each["part"] for each in told]


@pytest.mark.parametrize("name", [*OURS, "handler-1"])
def test_a_thread_that_is_broken_from_outside_says_so_and_goes_on(
    q: QueueState, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        patch.object(watch, "LOOK_SECONDS", 0.05),
        working(q, {"t": lambda: None}, threads=1, lease_seconds=0.4) as worker,
    ):
        q.enqueue("before", type="t", base_ms=1)
        wait_for(q, "completed", "before")
        wait_until_idle(q)
        before = thread_of(worker, name).ident
        strike(worker, name)
        # Of some it takes the next job with it, whose lease runs out.
        q.enqueue("after", type="t", base_ms=1)
        wait_for(q, "completed", "after")
        until(lambda: is_told(caplog, BROKE, name))
        assert thread_of(worker, name).ident == before


@pytest.mark.parametrize("lease_seconds", [ALONE, WITH_A_CLAIM])
def test_a_fetcher_that_breaks_as_it_hears_a_ring_claims_all_the_same(
    q: QueueState,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    lease_seconds: float,
) -> None:
    # Else it would look at its queue soon anyway.
    monkeypatch.setattr(turns, "LOOK_SECONDS", 60)
    with working(q, {"t": lambda: None}, lease_seconds=lease_seconds) as worker:
        listening = listens(worker)
        fetch.BLOCK_SECONDS = 1.2  # put back at the end of the block
        assert listening.wait(10)
        wait_until_idle(q)
        strike(worker, "fetcher")
        q.enqueue("a", type="t")
        wait_for(q, "completed", "a")
        assert is_told(caplog, BROKE, "fetcher")


@pytest.mark.parametrize("name", ["settler", "fetcher"])
def test_a_worker_whose_thread_broke_still_ends_when_it_is_to(q: QueueState, name: str) -> None:
    """What the thread had in its hand is never told: that must not be waited for."""
    go = threading.Event()
    q.enqueue("a", type="t", base_ms=1)
    with working(q, {"t": lambda: go.wait(20)}, lease_seconds=0.4, burst=True) as worker:
        wait_for(q, "running", "a")
        wait_until_idle(q)
        strike(worker, name)
        go.set()
        until(worker._wake.is_set)
        assert worker.reason == DONE
    assert state(q, "a") == "completed"


APP = """
import ctypes, threading
from boltq import BoltQ, current_job

app = BoltQ()

class Death(BaseException):
    def __init__(self):
        ctypes.CDLL(None).pthread_exit(None)  # runs where it is raised

@app.job("kill")
def kill(name):
    if current_job().lost:
        return
    [found] = [one.ident for one in threading.enumerate() if one.name == f"boltq-{name}"]
    raised = ctypes.pythonapi.PyThreadState_SetAsyncExc
    raised(ctypes.c_ulong(found), ctypes.py_object(Death))

@app.job("free")
def free():
    pass
"""


def test_each_thread_that_dies_is_started_again_and_the_process_goes_on(
    q: QueueState, tmp_path: Path
) -> None:
    if not lasting.TASKS.exists():
        pytest.skip("SKIPPED: only Linux tells which threads are there")
    (tmp_path / "app.py").write_text(APP)
    log = tmp_path / "log.txt"
    at_once = {"base_ms": 1, "jitter": 0.0}
    with command(q, "app:app", "--lease-seconds", "1", folder=tmp_path) as process:
        for name in OURS:
            q.enqueue(f"kill-{name}", type="kill", payload=b'"%s"' % name.encode(), **at_once)
            wait_for(q, "completed", f"kill-{name}", seconds=20)
            q.enqueue(f"a-{name}", type="free", **at_once)
            wait_for(q, "completed", f"a-{name}")
            until(lambda: f"started again part={name}" in log.read_text())  # noqa: B023
            q.enqueue(f"b-{name}", type="free", **at_once)
            wait_for(q, "completed", f"b-{name}")
        assert process.poll() is None
    assert log.read_text().count("worker started") == 1


def test_a_fetcher_that_was_taken_for_dead_and_the_one_in_its_place_hear_an_answer_once(
    private_server: Callable[..., TestServer], queue: str, tmp_path: Path
) -> None:
    server = private_server("valkey")
    q = QueueState(server, queue)
    q.enqueue("a", type="t")
    assert server.embedded
    with line_to(server.embedded.socket_path, tmp_path) as line:
        road = Server(address.parse(line.address))
        claimer = Claimer(road, "w1", 30, Outage())
        line.hold("claim")
        heard: list[str] = []

        def claim() -> None:
            heard.extend(job.inner_id for job in claimer.claim(queue, 5).jobs)

        fetchers = [threading.Thread(target=claim) for _ in range(2)]
        for n, thread in enumerate(fetchers, 1):
            thread.start()
            until(lambda: line.held_back == n)  # noqa: B023 - it is called in this turn
        line.release()
        for thread in fetchers:
            thread.join(30)
        road.close()
    assert heard == ["a"]
    q.server.close()
