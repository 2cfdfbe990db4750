"""Workers as people see them: who is there, with what in hand, and who has gone."""

import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from falcon.testing import TestClient
from servers import TestServer, until
from workers import KEPT, Gate

from boltq import BoltQ, __version__, address, ids, presence
from boltq.api.app import create_app
from boltq.evalsha import Server
from boltq.evalsha.registry import WORKERS_KEPT_MS
from boltq.worker import Worker, register


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    """A prefix of its own, so that all workers are those of one test."""
    client = BoltQ(server.address, prefix=f"p-{ids.new_token()}")
    yield client
    raw = server.raw()
    for key in raw.scan_iter(f"{client.server.prefix}1:*"):
        raw.delete(key)
    client.close()


def report(id: str) -> bytes:
    return presence.Report(id, "h", 1, "0", {"default": 1}, 8, 1_800_000_000_000).to_bytes()


def test_a_worker_tells_who_it_is_and_what_it_has_in_hand_since_when(
    boltq: BoltQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "REGISTER_SECONDS", 0.0)
    gate = Gate()
    jobs = [boltq.enqueue("t", {}, queue=queue).id for _ in range(3)]
    before = datetime.now(UTC) - timedelta(seconds=1)
    told = {"queues": {queue: 3, "other": 1}, "worker_id": "w1", "lease_seconds": KEPT}
    worker = Worker(boltq.server, {"t": gate}, threads=2, **told)  # type: ignore[arg-type]
    worker.start()
    try:
        until(lambda: [(one.in_hand, len(one.jobs)) for one in boltq.workers()] == [(2, 2)])
        [shown] = boltq.workers()
        assert (shown.id, shown.host, shown.pid) == ("w1", socket.gethostname(), os.getpid())
        assert (shown.version, shown.threads, shown.alive) == (__version__, 2, True)
        assert list(shown.queues.items()) == [(queue, 3), ("other", 1)]
        assert [job.type for job in shown.jobs] == ["t", "t"]
        assert {job.id for job in shown.jobs} <= set(jobs)
        assert before <= shown.started_at <= shown.seen_at
        assert all(before <= job.since <= shown.seen_at for job in shown.jobs)
        gate.open.set()
        until(lambda: [(one.in_hand, one.worked) for one in boltq.workers()] == [(0, 3)])
    finally:
        gate.open.set()
        worker.stop()
    assert boltq.workers() == []


def test_one_that_is_gone_fades_and_is_taken_out_by_the_next_to_write(boltq: BoltQ) -> None:
    registry, now_ms = boltq.server.registry, boltq.server.now_ms()
    registry.note_worker("old", report("old"), now_ms - WORKERS_KEPT_MS - 60_000)
    registry.note_worker("quiet", report("quiet"), now_ms - 31_000)
    registry.note_worker("here", report("here"), now_ms)
    assert [(one.id, one.alive) for one in boltq.workers()] == [("here", True), ("quiet", False)]
    raw, prefix = boltq.server._redis, boltq.server.prefix
    assert set(raw.hkeys(f"{prefix}1:worker_reports")) == {b"here", b"quiet"}
    assert set(raw.zrange(f"{prefix}1:workers", 0, -1)) == {b"here", b"quiet"}


def test_one_that_is_gone_fades_although_nobody_writes_any_more(boltq: BoltQ) -> None:
    registry, now_ms = boltq.server.registry, boltq.server.now_ms()
    registry.note_worker("old", report("old"), now_ms - WORKERS_KEPT_MS - 1000)
    assert boltq.workers() == []


def test_so_many_at_a_time_are_taken_out(boltq: BoltQ) -> None:
    registry, now_ms = boltq.server.registry, boltq.server.now_ms()
    raw, key = boltq.server._redis, f"{boltq.server.prefix}1:workers"
    raw.zadd(key, {f"old{n}": 1 for n in range(250)})
    for left in (151, 51, 1):
        registry.note_worker("here", report("here"), now_ms)
        assert raw.zcard(key) == left


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b"[" * 100_000,
        report("x").replace(b'"pid":1', b'"pid":"1"'),
        report("x").replace(b"1800000000000", b"9" * 18),
    ],
)
def test_what_is_no_report_is_left_out(boltq: BoltQ, written: bytes) -> None:
    now_ms = boltq.server.now_ms()
    boltq.server.registry.note_worker("broken", written, now_ms)
    boltq.server.registry.note_worker("whole", report("whole"), now_ms)
    assert [one.id for one in boltq.workers()] == ["whole"]


def test_the_registry_is_no_part_of_the_work(boltq: BoltQ, queue: str, server: TestServer) -> None:
    server.raw().set(f"{boltq.server.prefix}1:workers", "of another type")
    worker = Worker(boltq.server, {"t": lambda: "fine"}, queues=[queue])
    worker.start()
    try:
        assert boltq.enqueue("t", {}, queue=queue).result(10) == "fine"
    finally:
        worker.stop()


def test_the_api_shows_the_workers(boltq: BoltQ) -> None:
    http = TestClient(create_app(boltq))
    shown = http.simulate_get("/api/workers").json
    assert (shown["workers"], shown["now"][-1]) == ([], "Z")
    now_ms = boltq.server.now_ms()
    job = presence.ReportedJob("mail:1", "email", 1_800_000_001_000)
    told = presence.Report(
        "w1", "h", 7, "1.2", {"mail": 3}, 8, 1_800_000_000_000, in_hand=1, worked=9, jobs=[job]
    )
    boltq.server.registry.note_worker("w1", told.to_bytes(), now_ms)
    [worker] = http.simulate_get("/api/workers").json["workers"]
    assert worker.pop("seen_at") == presence.shown_time(presence.moment_of(now_ms))
    assert worker == {
        "id": "w1",
        "host": "h",
        "pid": 7,
        "version": "1.2",
        "queues": {"mail": 3},
        "threads": 8,
        "started_at": "2027-01-15T08:00:00.000Z",
        "alive": True,
        "status": "working",
        "in_hand": 1,
        "worked": 9,
        "stuck": 0,
        "jobs": [{"id": "mail:1", "type": "email", "since": "2027-01-15T08:00:01.000Z"}],
    }
    assert "GET  /api/workers" in http.simulate_get("/", headers={"Accept": "text/plain"}).text


def test_a_server_that_is_away_says_so() -> None:
    away = Server(address.parse("127.0.0.1:9"), patience_seconds=0)
    with pytest.raises(Exception, match="does not answer"):
        presence.workers(away)
    assert json.loads(report("x"))["id"] == "x"
