"""What a server does to a worker and a producer: kills, refusals, forgetting, and a foreign script.

When the fault is over all go on by themselves: the same process, the same worker, the same client.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import redis
from audited import sound
from queue_state import QueueState
from servers import TestServer, process_server, until
from workers import KEPT, Gate, state, wait_for, working

from boltq import scripts
from boltq.errors import Unavailable
from boltq.evalsha import Server
from boltq.worker import current_job


@pytest.fixture(scope="module", params=["redis", "valkey"])
def own(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    with process_server(request.param) as server:
        yield server


@pytest.fixture
def q(own: TestServer, queue: str) -> Iterator[QueueState]:
    q = QueueState(own, queue)
    yield q
    sound(q)
    q.forget()
    q.server.close()


def one(id: str) -> list[scripts.EnqueueItem]:
    return [scripts.EnqueueItem(id, "t", b"{}", b"")]


def endure(q: QueueState, fault: Callable[[], object], times: int, pause_seconds: float) -> int:
    """Let a worker and a producer live with a fault, and then finish; returns how many jobs."""
    ran: Counter[str] = Counter()
    over, made = threading.Event(), []
    producing = Server(q.server.address)

    def produce() -> None:
        while not over.is_set():
            id = f"j{len(made)}"
            # A repeat, where the answer was lost, finds its job.
            assert len(producing.call(scripts.enqueue(q.name, one(id), delay_ms=0)).answers) == 1
            made.append(id)

    with working(q, {"t": lambda: ran.update([current_job().inner_id])}):
        producer = threading.Thread(target=produce)
        producer.start()
        try:
            for _ in range(times):
                fault()
                over.wait(pause_seconds)
        finally:
            over.set()
            producer.join(30)
        producing.call(scripts.enqueue(q.name, one("last"), delay_ms=0))
        until(lambda: q.stat("completed") == len(made) + 1)
    producing.close()
    assert ran == Counter([*made, "last"])  # each once: no lease was lost
    assert (q.stat("enqueued"), q.stat("lost")) == (len(made) + 1, 0)
    return len(made)


def test_connections_that_are_killed_all_the_time_lose_no_job_and_run_none_twice(
    q: QueueState,
) -> None:
    killing = q.raw
    killed: list[int] = []
    endure(
        q,
        lambda: killed.append(killing.client_kill_filter(_type="normal", skipme=True)),
        times=60,
        pause_seconds=0.01,
    )
    assert sum(killed) > 10


def test_scripts_that_are_forgotten_all_the_time_are_not_noticed(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    endure(q, q.raw.script_flush, times=300, pause_seconds=0.003)
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


@contextmanager
def too_few_replicas(raw: redis.Redis) -> Iterator[None]:
    raw.config_set("min-replicas-to-write", 1)
    try:
        yield
    finally:
        raw.config_set("min-replicas-to-write", 0)


@contextmanager
def read_only(raw: redis.Redis) -> Iterator[None]:
    raw.replicaof("127.0.0.1", "9")
    try:
        yield
    finally:
        raw.replicaof("no", "one")


@contextmanager
def a_foreign_script(raw: redis.Redis) -> Iterator[None]:
    raw.config_set("busy-reply-threshold", 20)
    other = redis.Redis(connection_pool=raw.connection_pool)

    def spin() -> None:
        with pytest.raises(redis.ResponseError, match=r"(?i)script killed"):
            other.eval("while true do end", 0)

    spinning = threading.Thread(target=spin)
    spinning.start()
    until(lambda: _is_busy(raw))
    try:
        yield
    finally:
        raw.script_kill()
        spinning.join(5)


def _is_busy(raw: redis.Redis) -> bool:
    try:
        raw.ping()
    except redis.ResponseError as problem:
        return str(problem).startswith("BUSY")
    return False


FAULTS = {
    "NOREPLICAS": too_few_replicas,
    "READONLY|read only": read_only,
    "BUSY": a_foreign_script,
}


@pytest.mark.parametrize("word", FAULTS)
def test_while_nothing_can_be_written_ends_are_kept_and_new_jobs_refused_whole(
    q: QueueState, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    gate = Gate()
    q.enqueue("a", type="t")
    hasty = Server(q.server.address, patience_seconds=0)
    with working(q, {"t": gate}):
        until(lambda: gate.came)
        with FAULTS[word](q.raw):
            with pytest.raises(Unavailable, match=word):
                hasty.call(scripts.enqueue(q.name, one("b"), delay_ms=0))
            gate.open.set()
            until(lambda: "redis is away" in caplog.text)
        wait_for(q, "completed", "a")
        assert state(q, "b") == "unknown"
        assert hasty.call(scripts.enqueue(q.name, one("b"), delay_ms=0)).answers == [
            scripts.EnqueueCreated("b")
        ]
        wait_for(q, "completed", "b")
    hasty.close()
    assert len(gate.came) == 2
    assert q.tries("a") is None


def test_a_server_with_too_many_clients_says_so_and_takes_them_when_some_have_gone(
    q: QueueState,
) -> None:
    q.enqueue("a", type="t")
    most = q.raw.config_get("maxclients")["maxclients"]
    hasty = Server(q.server.address, patience_seconds=0)
    done = threading.Event()
    with ExitStack() as stack:
        stack.callback(q.raw.config_set, "maxclients", most)
        q.raw.config_set("maxclients", 2)
        # It closes the connection behind that word, which may be all that is noticed of it.
        until(lambda: "max number of clients reached" in refused(hasty, q.name))
        stack.enter_context(working(q, {"t": done.set}))
        assert not done.wait(0.05)
        q.raw.config_set("maxclients", most)
        wait_for(q, "completed", "a")
        assert hasty.call(scripts.stats(q.name)).completed == 1
    hasty.close()


def refused(road: Server, queue: str) -> str:
    with pytest.raises(Unavailable) as problem:
        road.call(scripts.stats(queue))
    return str(problem.value)


# With short leases the heartbeat hears of it, else the ack and the fail do.
@pytest.mark.parametrize("lease_seconds", [KEPT, 60])
@pytest.mark.parametrize("how", ["FLUSHALL", "restarted empty"])
def test_jobs_that_the_server_forgot_are_not_brought_back_by_their_workers(
    q: QueueState,
    own: TestServer,
    caplog: pytest.LogCaptureFixture,
    how: str,
    lease_seconds: float,
) -> None:
    assert own.embedded
    gate = Gate()

    def fail() -> None:
        gate()
        raise ValueError

    q.enqueue("ends", type="t")
    q.enqueue("fails", type="bad")
    handlers = {"t": gate, "bad": fail, "quick": lambda: None}
    with working(q, handlers, lease_seconds=lease_seconds):
        until(lambda: len(gate.came) == 2)
        if how == "FLUSHALL":
            q.raw.flushall()
        else:
            own.embedded.kill()
            own.embedded.start()
        if lease_seconds == KEPT:
            until(lambda: caplog.text.count("the lease was lost while the job ran") == 2)
        gate.open.set()
        q.enqueue("after", type="quick")
        wait_for(q, "completed", "after")
        until(lambda: caplog.text.count("the lease was lost before the job ended") == 2)
    assert [state(q, id) for id in ("ends", "fails")] == ["unknown"] * 2
    assert not [part for part, held in q.dump().items() if "ends" in str(held)]
    assert (q.stat("completed"), q.stat("enqueued")) == (1, 1)
