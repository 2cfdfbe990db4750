"""The server's disk: full, flipped, not written to in time, and long to read at a start."""

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from audited import sound
from queue_state import QueueState
from servers import TestServer, until
from workers import Gate, errors, state, wait_for, working

from boltq import BoltQ, address, doctor, scripts
from boltq.errors import Unavailable
from boltq.evalsha import Server

Private = Callable[..., TestServer]


@contextmanager
def full_disk(server: TestServer) -> Iterator[None]:
    """Let no file of the server grow any more, as where the disk is full."""
    assert server.embedded
    pid = server.embedded.pid
    assert pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def found(server: TestServer, check: str) -> set[str]:
    """What doctor says of a check."""
    boltq = BoltQ(server.address, patience_seconds=1)
    try:
        return {one.level for one in doctor.examine(boltq, None) if one.check == check}
    finally:
        boltq.close()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
@pytest.mark.parametrize("file", ["append-only", "snapshot"])
def test_while_the_disk_is_full_nothing_is_half_done_and_after_it_all_goes_on(
    private_server: Private, queue: str, caplog: pytest.LogCaptureFixture, kind: str, file: str
) -> None:
    server = private_server(kind, "--save", "3600 1", persistent=file == "append-only")
    q, gate = QueueState(server, queue), Gate()
    q.enqueue("a", type="t")
    hasty = Server(address.parse(server.address), patience_seconds=0)
    with working(q, {"t": gate}):
        until(lambda: gate.came)
        with full_disk(server):
            made = fill_until_refused(q, hasty, file)
            assert "problem" in found(server, "disk")
            gate.open.set()
            until(lambda: "redis is away" in caplog.text)
            assert state(q, "a") == "running"
        if file == "snapshot":
            until(lambda: q.raw.bgsave() is not None)
        until(lambda: _takes(hasty, q))
        wait_for(q, "completed", "a", "last", *made)
    assert found(server, "disk") == {"ok"}
    assert q.tries("a") is None
    sound(q)
    assert server.embedded
    if file == "append-only":
        q.silence()
        before = q.dump()
        server.embedded.kill()
        server.embedded.start()
        assert q.dump() == before
    hasty.close()


def fill_until_refused(q: QueueState, hasty: Server, file: str) -> list[str]:
    """Enqueue until the server refuses that; returns what it took before it noticed."""
    made: list[str] = []
    if file == "snapshot":
        q.raw.bgsave()
        until(lambda: q.raw.info("persistence")["rdb_last_bgsave_status"] == "err")
    for n in range(100):
        item = scripts.EnqueueItem(f"j{n}", "t", b"{}", b"")
        before = all_but_bell(q)
        try:
            hasty.call(scripts.enqueue(q.name, [item], delay_ms=0))
        except Unavailable as problem:
            told = str(problem)
            break
        made.append(f"j{n}")
    assert "MISCONF" in told
    assert all_but_bell(q) == before
    return made


def all_but_bell(q: QueueState) -> dict[str, Any]:
    """All that is kept of the queue; a worker that waits may hear the bell at any time."""
    return {part: held for part, held in q.dump().items() if part != "bell"}


def _takes(hasty: Server, q: QueueState) -> bool:
    try:
        item = scripts.EnqueueItem("last", "t", b"{}", b"")
        return bool(hasty.call(scripts.enqueue(q.name, [item], delay_ms=0)))
    except Unavailable:
        return False


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_with_snapshots_alone_a_crash_takes_the_queue_back_to_the_last_and_doctor_warns(
    private_server: Private, queue: str, kind: str
) -> None:
    server = private_server(kind, "--save", "3600 1")
    q = QueueState(server, queue)
    assert found(server, "durability") == {"warning"}
    q.run("a", "b", "c")
    q.ack("a")
    q.fail("b")
    kept = q.dump()
    q.raw.save()
    q.enqueue("lost")
    q.ack("c")
    assert server.embedded
    server.embedded.kill()
    server.embedded.start()
    assert q.dump() == kept
    sound(q)
    # What was told since is told again; what was new is new again.
    assert q.ack("a", "c") == [scripts.AckAlready(), scripts.AckDone()]
    assert q.enqueue("lost") == [scripts.EnqueueCreated("lost")]


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_while_the_server_loads_its_data_a_worker_waits_and_no_attempt_is_used(
    private_server: Private, queue: str, kind: str
) -> None:
    slow = ("--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024")
    server = private_server(kind, *slow, persistent=True)
    q, gate = QueueState(server, queue), Gate()
    filler = q.raw.pipeline(transaction=False)
    for n in range(8000):  # between each thousand it answers that it loads
        filler.set(f"key{n}", "x")
    filler.execute()
    q.enqueue("a", type="t")
    assert server.embedded
    hasty, told = Server(address.parse(server.address), patience_seconds=0), set[str]()

    def ask() -> None:
        while True:
            try:
                hasty.call(scripts.stats(queue))
            except Unavailable as problem:
                told.add(str(problem))
            else:
                return

    with working(q, {"t": gate}):
        until(lambda: gate.came)
        server.embedded.kill()
        gate.open.set()
        asking = threading.Thread(target=ask)
        asking.start()
        server.embedded.start()  # which returns when it has loaded
        asking.join(30)
        q.enqueue("after", type="t")
        wait_for(q, "completed", "a", "after")
    assert any("loading the dataset" in one for one in told), told
    assert (len(gate.came), errors(q, "a")) == (2, [])
    hasty.close()
