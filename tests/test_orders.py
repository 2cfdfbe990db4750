"""Workers that are asked to be quiet, to resume and to stop, and what is told of it afterwards."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from falcon.testing import TestClient
from programs import children
from queue_state import QueueState
from servers import TestServer, until
from workers import KEPT, Gate, claims_no_more, command, wait_for

from boltq import BoltQ, ids, presence
from boltq.api.app import create_app
from boltq.cli.group import main
from boltq.errors import UnknownWorker
from boltq.evalsha import registry
from boltq.orders import What
from boltq.settings import Settings
from boltq.worker import Worker, fetch, register
from boltq.worker.main import serve

KEYS = "ops:admin:0123456789abcdef,eye:read:fedcba9876543210"


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    """A prefix of its own, so that all workers are those of one test."""
    client = BoltQ(server.address, prefix=f"o-{ids.new_token()}")
    yield client
    raw = server.raw()
    for key in raw.scan_iter(f"{client.server.prefix}1:*"):
        raw.delete(key)
    client.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "REGISTER_SECONDS", 0.0)
    monkeypatch.setattr(fetch, "BLOCK_SECONDS", 0.05)


@contextmanager
def working(boltq: BoltQ, handler: Any = lambda: None, **options: Any) -> Iterator[Worker]:
    told = {"worker_id": "w1", "threads": 2, "lease_seconds": KEPT, **options}
    worker = Worker(boltq.server, {"t": handler}, **told)
    worker.start()
    try:
        until(lambda: [one.id for one in boltq.workers()] == [told["worker_id"]])
        yield worker
    finally:
        worker.stop(grace_seconds=0)


def became(boltq: BoltQ) -> list[tuple[str, str, str]]:
    """What became of workers, in the order of time."""
    return [(one.worker, one.what, one.by) for one in reversed(boltq.worker_history())]


def status(boltq: BoltQ) -> str:
    (shown,) = boltq.workers()
    return shown.status


def test_a_quiet_worker_claims_nothing_until_it_is_resumed(boltq: BoltQ) -> None:
    with working(boltq) as worker:
        assert boltq.enqueue("t", {}).wait(30).state == "completed"
        claiming_no_more = claims_no_more(worker)
        boltq.quiet_worker("w1", by="Ada")
        until(lambda: status(boltq) == "quiet")
        # What hung on a bell when it was told may bring one more.
        boltq.enqueue("t", {})
        until(claiming_no_more.is_set)
        jobs = [boltq.enqueue("t", {}) for _ in range(5)]
        assert boltq.stats().queued >= len(jobs)
        until(lambda: boltq.stats().running == 0)
        before = boltq.stats().completed
        for _ in range(5):
            until(lambda: status(boltq) == "quiet")
        assert boltq.stats().completed == before
        boltq.resume_worker("w1")
        for job in jobs:
            assert job.wait(30).state == "completed"
        until(lambda: status(boltq) == "working")
    told = [("w1", "started", ""), ("w1", "quiet", "Ada"), ("w1", "resumed", "")]
    assert became(boltq) == [*told, ("w1", "stopped", "")]
    assert boltq.server._redis.hlen(f"{boltq.server.prefix}1:worker_orders") == 0


def test_a_quiet_worker_finishes_what_it_holds(boltq: BoltQ) -> None:
    gate = Gate()
    with working(boltq, gate):
        job = boltq.enqueue("t", {})
        until(lambda: gate.came)
        boltq.quiet_worker("w1")
        until(lambda: status(boltq) == "quiet")
        gate.open.set()
        assert job.wait(30).state == "completed"


def test_a_worker_that_is_asked_to_stop_finishes_what_it_runs_and_ends(boltq: BoltQ) -> None:
    gate = Gate()
    wake = threading.Event()
    worker = Worker(boltq.server, {"t": gate}, worker_id="w1", lease_seconds=KEPT, threads=1)
    worker.start(wake)
    job = boltq.enqueue("t", {})
    until(lambda: gate.came)
    until(boltq.workers)
    boltq.stop_worker("w1", by="Ada")
    assert wake.wait(30)
    assert worker.reason == fetch.ASKED
    until(lambda: status(boltq) == "stopping")
    gate.open.set()
    assert worker.stop(grace_seconds=10)
    assert job.get().state == "completed"
    assert boltq.workers() == []
    assert became(boltq)[1:] == [("w1", "stopping", "Ada"), ("w1", "stopped", "")]


def test_a_worker_whose_last_words_take_more_than_a_second_has_not_vanished(
    boltq: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = register.Register.leave

    def later(self: register.Register, what: What) -> None:
        moment = time.monotonic()
        until(lambda: time.monotonic() > moment + 1.5)
        leave(self, what)

    monkeypatch.setattr(register.Register, "leave", later)
    with working(boltq):
        pass
    assert boltq.workers() == []
    assert became(boltq) == [("w1", "started", ""), ("w1", "stopped", "")]


def test_an_order_is_for_one_process_and_not_for_the_next_of_its_name(boltq: BoltQ) -> None:
    with working(boltq):
        pass
    report = presence.Report("w1", "h", 77, "0", {"default": 1}, 8, 1_800_000_000_000).to_bytes()
    boltq.server.registry.note_worker("w1", report, boltq.server.now_ms())
    boltq.stop_worker("w1", by="Ada")
    (shown,) = boltq.workers()
    assert shown.order is not None
    assert (shown.order.word, shown.order.by) == ("stop", "Ada")
    with working(boltq) as worker:
        assert boltq.enqueue("t", {}).wait(30).state == "completed"
        until(lambda: boltq.workers()[0].pid == os.getpid())
        assert boltq.workers()[0].order is None
        assert worker.reason == ""
    # The one that left its entry behind has not ended as one does.
    assert became(boltq)[2:4] == [("w1", "lost", ""), ("w1", "started", "")]


def test_a_worker_that_vanished_is_told_as_lost_once_by_those_who_are_there(boltq: BoltQ) -> None:
    long_ago = boltq.server.now_ms() - registry.WORKERS_KEPT_MS - 60_000
    report = presence.Report("gone", "h", 1, "0", {}, 8, 1).to_bytes()
    boltq.server.registry.note_worker("gone", report, long_ago)
    with working(boltq), working_too(boltq):
        until(lambda: ("gone", "lost", "") in became(boltq))
    lost = [one for one in boltq.worker_history() if one.what == "lost"]
    assert [(one.worker, one.at_ms) for one in lost] == [("gone", long_ago)]


@contextmanager
def working_too(boltq: BoltQ) -> Iterator[None]:
    other = Worker(boltq.server, {}, worker_id="w2", lease_seconds=0.6)
    other.start()
    try:
        yield
    finally:
        other.stop(grace_seconds=0)


def test_who_is_not_there_cannot_be_asked(boltq: BoltQ) -> None:
    for ask in (boltq.quiet_worker, boltq.stop_worker, boltq.resume_worker):
        with pytest.raises(UnknownWorker, match="worker w9 is not known: it has ended, or never"):
            ask("w9")
    assert boltq.server._redis.exists(f"{boltq.server.prefix}1:worker_orders") == 0


def test_what_became_of_workers_is_bounded(boltq: BoltQ) -> None:
    events = [json.dumps({"worker": f"w{n}", "what": "started", "at_ms": n}) for n in range(1100)]
    for start in range(0, 1100, 100):
        boltq.server.registry.note_history([one.encode() for one in events[start : start + 100]])
    kept = boltq.worker_history(1000)
    assert (len(kept), kept[0].worker, kept[-1].worker) == (1000, "w1099", "w100")
    assert boltq.server._redis.llen(f"{boltq.server.prefix}1:worker_history") == 1000
    assert len(boltq.worker_history(5)) == 5


@pytest.mark.parametrize("written", [b"", b"no json", b"[]", b"{}", b"[" * 100_000, b'{"word":1}'])
def test_what_is_no_order_and_no_event_is_passed_over(boltq: BoltQ, written: bytes) -> None:
    with working(boltq) as worker:
        boltq.server.registry.order("w1", written)
        boltq.server.registry.note_history([written])
        assert boltq.enqueue("t", {}).wait(30).state == "completed"
        assert (worker.reason, boltq.workers()[0].order) == ("", None)
    assert [what for _, what, _ in became(boltq)] == ["started", "stopped"]


def test_hearing_costs_no_call_of_its_own(boltq: BoltQ, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "REGISTER_SECONDS", 60.0)
    with working(boltq) as worker:
        until(lambda: worker._register._again_at > 0)
        sent: list[int] = []
        redis = worker._register._server._redis
        execute = type(redis.pipeline()).execute
        mine = threading.get_ident()

        def note(pipeline: Any, **told: Any) -> Any:
            if threading.get_ident() == mine:  # the worker's own threads write, too
                sent.append(len(pipeline))
            return execute(pipeline, **told)

        monkeypatch.setattr(type(redis.pipeline()), "execute", note)
        worker._register.write()
    assert sent == [5]


def test_the_api_asks_workers_for_admins_alone_and_names_who_it_was(boltq: BoltQ) -> None:
    report = presence.Report("w1", "h", 7, "1", {"mail": 1}, 8, 1_800_000_000_000).to_bytes()
    boltq.server.registry.note_worker("w1", report, boltq.server.now_ms())
    http = TestClient(create_app(boltq, Settings(api_keys=KEYS)))

    def ask(path: str, secret: str, body: str = "") -> Any:
        headers = {"Host": "localhost", "Authorization": f"Bearer {secret}"}
        if body:
            headers["Content-Type"] = "application/json"
        return http.simulate_post(path, headers=headers, body=body)

    assert ask("/api/workers/w1/quiet", "fedcba9876543210").status_code == 403
    answer = ask("/api/workers/w1/quiet", "0123456789abcdef")
    assert (answer.status_code, answer.json) == (202, {"id": "w1", "asked": "quiet", "by": "ops"})
    shown = http.simulate_get(
        "/api/workers",
        headers={"Host": "localhost", "Authorization": "Bearer fedcba9876543210"},
    ).json
    order = shown["workers"][0]["order"]
    assert (order["word"], order["by"], order["at"][-1]) == ("quiet", "ops", "Z")
    assert ask("/api/workers/w1/stop", "0123456789abcdef", '{"by": "Ada"}').json["by"] == "Ada"
    assert boltq.workers()[0].order.word == "stop"  # type: ignore[union-attr]
    assert ask("/api/workers/w1/resume", "0123456789abcdef").status_code == 202
    assert boltq.workers()[0].order is None
    refused = ask("/api/workers/w9/stop", "0123456789abcdef")
    assert (refused.status_code, refused.json["word"]) == (404, "UNKNOWN_WORKER")
    refused = ask("/api/workers/w1/stop", "0123456789abcdef", '{"by": "a\\u0000"}')
    assert (refused.status_code, refused.json["field"]) == (400, "by")


def test_the_command_line_asks_workers_and_shows_what_became_of_them(boltq: BoltQ) -> None:
    def run(*arguments: str) -> Any:
        place = ("--redis-addr", boltq.server.address.shown, "--prefix", boltq.server.prefix)
        return CliRunner().invoke(main, ["workers", *arguments, *place])

    with working(boltq):
        asked = run("quiet", "w9", "w1", "--by", "Ada")
        assert (asked.exit_code, "w1 is asked to be quiet" in asked.stdout) == (1, True)
        until(lambda: status(boltq) == "quiet")
        assert "quiet" in run().stdout
        assert run("resume", "w1").exit_code == 0
        until(lambda: status(boltq) == "working")
        assert run("stop", "w1").exit_code == 0
        until(lambda: status(boltq) == "stopping")
    told = json.loads(run("history", "--json").stdout)["history"]
    assert [one["what"] for one in reversed(told)] == [
        *("started", "quiet", "resumed", "stopping", "stopped"),
    ]  # fmt: skip
    assert told[-2]["by"] == "Ada"
    assert "Ada" in run("history", "--limit", "5").stdout
    assert json.loads(run("list", "--json").stdout)["history"] == told


def test_a_worker_without_a_parent_ends_with_0_and_one_with_a_parent_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from boltq.child import RECYCLE
    from boltq.worker import main as command_module

    class Asked:
        reason = fetch.ASKED

        def start(self, stop: threading.Event) -> None:
            stop.set()

        def stop(self, _grace: float, _hurry: threading.Event) -> bool:
            return True

    monkeypatch.setattr(
        command_module, "stop_on_signals", lambda: (threading.Event(), threading.Event())
    )
    assert serve(Asked(), 1) is None  # type: ignore[arg-type]
    assert serve(Asked(), 1, has_parent=True) == RECYCLE  # type: ignore[arg-type]


def test_a_process_that_is_asked_to_stop_is_followed_by_another(
    q: QueueState, tmp_path: Path
) -> None:
    client = BoltQ(q.server.address.shown, prefix=q.server.prefix)
    with command(q, "--processes", "1", "--lease-seconds", "1", folder=tmp_path) as parent:
        q.enqueue("a", payload=b"{}", type="echo")
        wait_for(q, "completed", "a")

        def ours() -> list[presence.WorkerReport]:
            return [one for one in client.workers() if list(one.queues) == [q.name]]

        until(ours)
        (first,) = ours()
        client.stop_worker(first.id, by="Ada")
        # It hears of it within 10 s.
        until(lambda: [one.id for one in ours() if one.id != first.id], 40)
        assert parent.poll() is None
        assert children(parent.pid)
    log = (tmp_path / "log.txt").read_text()
    assert "the worker is asked to stop" in log
    assert "by=Ada" in log
    assert "the worker makes room for another" in log
    client.close()
