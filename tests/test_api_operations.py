"""Operations over HTTP: begun, driven by whoever serves, watched, stopped, and gone on with."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from operated import Rig, rig
from servers import until

from boltq import scripts
from boltq.api import driver, operations
from boltq.api.driver import Driver
from boltq.errors import Unavailable

__all__ = ["rig"]


@contextmanager
def driven(rig: Rig) -> Iterator[Driver]:
    one = Driver(rig.boltq)
    one.start()
    try:
        yield one
    finally:
        one.stop()
        thread = one._thread
        until(lambda: thread and not thread.is_alive())


def begin(rig: Rig, **members: object) -> Any:
    result = rig.send("POST", "/api/operations", members)
    assert result.status_code == 202, result.text
    assert result.headers["location"] == f"/api/operations/{result.json['id']}"
    return result.json


def ended(rig: Rig, id: str) -> Any:
    until(lambda: "ended_at" in rig.get(f"/api/operations/{id}"))
    return rig.get(f"/api/operations/{id}")


def many_dead(rig: Rig, queue: str, count: int, type: str = "echo") -> None:
    """Bury many at once."""
    for start in range(0, count, 500):
        names = [f"{type}{n}" for n in range(start, min(count, start + 500))]
        items = [scripts.EnqueueItem(name, type, b"1", b"") for name in names]
        rig.call(scripts.enqueue(queue, items, delay_ms=0))
        token = rig.claim(queue, limit=500)
        fails = [scripts.FailItem(name, token, b"E", b"no", b"", "", 1) for name in names]
        rig.call(scripts.fail(queue, fails))


def test_an_operation_is_begun_driven_and_seen_to_its_end(rig: Rig) -> None:
    rig.bury("a", "x1", "x2", type="mail", error="Timeout")
    rig.bury("a", "y", type="echo")
    told = {"type": "mail", "error": "Timeout", "since": "2026-01-01T00:00:00Z"}
    begun = begin(rig, action="replay", queue="a", filter=told, expected_count=2, by="Ada")
    assert begun["filter"] == {"state": "dead", **told, "since": "2026-01-01T00:00:00.000Z"}
    assert (begun["status"], begun["by"], begun["total"]) == ("counting", "Ada", 3)
    assert "ended_at" not in begun
    with driven(rig):
        last = ended(rig, begun["id"])
    assert (last["status"], last["done"], last["counted"]) == ("finished", 2, 2)
    assert rig.state("a:x1") == rig.state("a:x2") == "queued"
    assert rig.state("a:y") == "dead"
    assert (
        rig.get("/api/operations") == rig.get("/api/operations?queue=a") == {"operations": [last]}
    )


@pytest.mark.parametrize(
    ("action", "state", "becomes"),
    [
        ("replay", None, "queued"),
        ("purge", "dead", None),
        ("run_now", "scheduled", "queued"),
        ("cancel", "scheduled", "cancelled"),
    ],
)
def test_each_action_does_what_it_is_called(
    rig: Rig, action: str, state: str | None, becomes: str | None
) -> None:
    rig.bury("a", "dead")
    rig.enqueue("a", "scheduled", delay_seconds=3600)
    asked = {} if state is None else {"filter": {"state": state}}
    with driven(rig) as one:
        id = begin(rig, action=action, queue="a", **asked)["id"]
        one.drive(id)
        assert ended(rig, id)["done"] == 1
    if becomes is None:
        rig.refused(rig.send("GET", "/api/jobs/a:dead"), 404, "UNKNOWN")
    else:
        assert rig.state(f"a:{state or 'dead'}") == becomes


def test_running_jobs_of_a_worker_are_asked_to_stop_by_an_operation(rig: Rig) -> None:
    rig.enqueue("a", "x", "y")
    for name, worker in (("x", "w1"), ("y", "w2")):
        rig.call(
            scripts.claim(
                "a", token=f"t{name}", worker=worker, lease_ms=60_000, limit=1, max_bytes=100
            )
        )
    filter = {"state": "running", "worker": "w1"}
    dry = rig.send(
        "POST",
        "/api/operations",
        {"action": "cancel", "queue": "a", "filter": filter, "dry_run": True},
    )
    assert (dry.json["counted"], [job["id"] for job in dry.json["sample"]]) == (1, ["a:x"])
    begun = begin(rig, action="cancel", queue="a", filter=filter)
    assert begun["filter"] == filter
    with driven(rig):
        assert ended(rig, begun["id"])["done"] == 1
    assert rig.boltq.get("a:x").cancel_asked
    assert not rig.boltq.get("a:y").cancel_asked
    again = {"action": "cancel", "queue": "a", "id": begun["id"], "filter": {"state": "running"}}
    rig.refused(rig.send("POST", "/api/operations", again), 422, "KEY_REUSED")


def test_dead_jobs_of_a_worker_alone_are_replayed(rig: Rig) -> None:
    rig.bury("a", "x")
    worker = rig.boltq.get("a:x").worker
    for name, done in (("nobody", 0), (worker, 1)):
        begun = begin(rig, action="replay", queue="a", filter={"worker": name})
        with driven(rig):
            assert ended(rig, begun["id"])["done"] == done


def test_a_dry_run_counts_and_shows_some_and_changes_nothing(rig: Rig) -> None:
    rig.bury("a", *(f"x{n}" for n in range(12)), type="mail", payload="secret")
    rig.bury("a", "y")
    told = {"action": "purge", "queue": "a", "filter": {"state": "dead", "type": "mail"}}
    result = rig.send("POST", "/api/operations", {**told, "dry_run": True})
    assert (result.status_code, result.json["counted"], result.json["done"]) == (200, 12, 0)
    assert [job["id"] for job in result.json["sample"]] == [f"a:x{n}" for n in range(11, 1, -1)]
    assert "secret" not in result.text
    assert result.headers["location"] == f"/api/operations/{result.json['id']}"
    assert rig.get("/api/jobs?state=dead")["total"] == 13


def test_a_dry_run_that_takes_long_is_counted_by_the_driver(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "COUNT_SECONDS", 0.0)
    rig.bury("a", "x")
    begun = begin(rig, action="purge", queue="a", filter={"state": "dead"}, dry_run=True)
    assert (begun["status"], begun["dry_run"]) == ("counting", True)
    with driven(rig):
        assert ended(rig, begun["id"])["counted"] == 1
    assert rig.state("a:x") == "dead"


def test_jobs_that_die_after_the_start_are_not_touched(rig: Rig) -> None:
    rig.bury("a", "before")
    begun = begin(rig, action="replay", queue="a")
    at = rig.boltq.operation(begun["id"]).started_at
    until(lambda: rig.boltq.server.now_ms() > at.timestamp() * 1000 + 1)
    rig.bury("a", "after")
    with driven(rig):
        assert ended(rig, begun["id"])["done"] == 1
    assert (rig.state("a:before"), rig.state("a:after")) == ("queued", "dead")


def test_what_is_not_as_expected_is_not_begun(rig: Rig) -> None:
    rig.bury("a", "x", "y")
    told = {"action": "purge", "queue": "a", "filter": {"state": "dead"}}
    for expected in (0, 3):
        result = rig.send("POST", "/api/operations", {**told, "expected_count": expected})
        assert "2 jobs are dead" in rig.refused(result, 409, "DIFFERS")
        assert result.json["counted"] == 2
    result = rig.send("POST", "/api/operations", {**told, "queue": "b", "expected_count": 1})
    assert result.json["counted"] == 0
    told["filter"] = {"state": "dead", "type": "echo"}
    begun = begin(rig, **told, expected_count=3)
    with driven(rig):
        assert ended(rig, begun["id"])["status"] == "refused"
    assert rig.get("/api/jobs?state=dead")["total"] == 2


def test_an_operation_is_stopped_where_it_is(rig: Rig) -> None:
    rig.bury("a", "x", "y")
    id = begin(rig, action="purge", queue="a", filter={"state": "dead"}, rate_per_second=1)["id"]
    result = rig.send("POST", f"/api/operations/{id}/stop")
    assert (result.status_code, result.json["status"]) == (200, "stopped")
    assert rig.send("POST", f"/api/operations/{id}/stop").json == result.json
    with driven(rig) as one:
        one.drive(id)
        until(lambda: not one._begun)
    assert rig.get("/api/jobs?state=dead")["total"] == 2


def test_the_rate_holds_however_many_drive(rig: Rig) -> None:
    many_dead(rig, "a", 60)
    with driven(rig) as one, driven(rig) as two, driven(rig) as three:
        began = time.monotonic()
        told = {"action": "purge", "queue": "a", "filter": {"state": "dead"}}
        id = begin(rig, **told, rate_per_second=100)["id"]
        for each in (one, two, three):
            each.drive(id)
        assert ended(rig, id)["done"] == 60
        assert time.monotonic() - began > 0.4


def test_a_driver_that_is_killed_is_followed_by_another_and_each_job_is_done_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "STEP_LIMIT", 20)
    count = 300
    many_dead(rig, "a", count)
    step, has_done, go = driver._Own.step_operation, threading.Event(), threading.Event()

    def stepping(own: Any, id: str, **options: Any) -> Any:
        told = step(own, id, **options)
        if told.done:
            has_done.set()
            assert go.wait(20)
        return told

    monkeypatch.setattr(driver._Own, "step_operation", stepping)
    with driven(rig) as first:
        id = begin(rig, action="replay", queue="a")["id"]
        first.drive(id)
        assert has_done.wait(20)
        first.stop()
        go.set()
    done = rig.boltq.operation(id).done
    assert 0 < done < count
    with driven(rig):  # nobody tells this one
        last = ended(rig, id)
    assert (last["done"], last["status"]) == (count, "finished")
    stats = rig.boltq.stats("a")
    assert (stats.replayed_total, stats.queued, stats.dead) == (count, count, 0)


def test_one_operation_that_is_refused_holds_up_no_other(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.bury("a", "x")
    rig.bury("b", "x")
    step = driver._Own.step_operation

    def refusing(own: Any, id: str, **options: Any) -> Any:
        if id == second:
            raise driver.BoltQError("the server is full")
        return step(own, id, **options)

    monkeypatch.setattr(driver._Own, "step_operation", refusing)
    first = begin(rig, action="replay", queue="a")["id"]
    moment = rig.boltq.operation(first).started_at.timestamp() * 1000
    until(lambda: rig.boltq.server.now_ms() > moment)
    second = begin(rig, action="replay", queue="b")["id"]
    with driven(rig):  # the newest comes first
        assert ended(rig, first)["done"] == 1
    assert "ended_at" not in rig.get(f"/api/operations/{second}")


def test_a_driver_with_nothing_to_do_asks_once_in_five_seconds(rig: Rig) -> None:
    rig.bury("a", "x")
    rig.bury("b", "x")
    asked: list[int] = []
    own = rig.boltq.server.another()
    call_all = own.call_all
    own.call_all = lambda calls: asked.append(len(calls)) or call_all(calls)  # type: ignore[method-assign,func-returns-value]
    rig.boltq.server.another = lambda **_: own  # type: ignore[method-assign]
    with driven(rig):
        until(lambda: len(asked) > 0)
        time.sleep(0.05)
    assert asked == [2]
    assert driver.LOOK_SECONDS == 5


def test_a_request_that_is_sent_again_begins_one_operation(rig: Rig) -> None:
    rig.bury("a", "x")
    moments = {"since": "2026-01-01T00:00:00Z", "until": "2036-01-01T01:00:00.5+01:00"}
    told = {"action": "replay", "queue": "a", "id": "mine", "filter": moments}
    assert begin(rig, **told) == begin(rig, **told)
    for other in ({"dry_run": True}, {"rate_per_second": 5}, {"filter": {}}, {"action": "purge"}):
        asked = {**told, "filter": {**moments, "state": "dead"}, **other}
        result = rig.send("POST", "/api/operations", asked)
        rig.refused(result, 422, "KEY_REUSED")
    assert len(rig.get("/api/operations")["operations"]) == 1
    assert begin(rig, action="replay", id="other")["id"] == "other"


def test_a_key_begins_one_operation_and_is_refused_for_another(rig: Rig) -> None:
    rig.bury("a", "x")
    told = {"action": "replay", "queue": "a", "by": "Ada"}
    first = rig.send("POST", "/api/operations", told, Idempotency_Key="k")
    again = rig.send("POST", "/api/operations", told, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json == first.json
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    for other in ({"by": "Eve"}, {"rate_per_second": 5}):
        result = rig.send("POST", "/api/operations", {**told, **other}, Idempotency_Key="k")
        detail = rig.refused(result, 422, "KEY_REUSED")
        assert detail.endswith("was begun by another request: a new one takes a new key")
    assert rig.send("POST", "/api/operations", told, Idempotency_Key="l").json != first.json
    assert len(rig.get("/api/operations")["operations"]) == 2


def test_a_dry_run_with_a_key_is_answered_again_with_what_it_counted(rig: Rig) -> None:
    rig.bury("a", "x", "y")
    told = {"action": "replay", "queue": "a", "dry_run": True}
    first = rig.send("POST", "/api/operations", told, Idempotency_Key="k")
    again = rig.send("POST", "/api/operations", told, Idempotency_Key="k")
    assert (first.status_code, first.json["counted"]) == (200, 2)
    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_key_whose_operation_is_being_begun_is_in_flight(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, told = rig.boltq.start_operation, {"action": "replay", "queue": "a"}
    inner: list[Any] = []

    def meanwhile(*args: Any, **options: Any) -> Any:
        if not inner:
            inner.append(rig.send("POST", "/api/operations", told, Idempotency_Key="k"))
        return start(*args, **options)

    monkeypatch.setattr(rig.boltq, "start_operation", meanwhile)
    assert rig.send("POST", "/api/operations", told, Idempotency_Key="k").status_code == 202
    rig.refused(inner[0], 409, "KEY_IN_FLIGHT")
    assert inner[0].headers["retry-after"] == "1"


def test_a_purge_of_a_queue_heeds_a_key_too(rig: Rig) -> None:
    rig.bury("a", "x")
    path = "/api/queues/a/purge"
    first = rig.send("POST", path, {"state": "dead"}, Idempotency_Key="k")
    again = rig.send("POST", path, {"state": "dead"}, Idempotency_Key="k")
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    result = rig.send("POST", path, {"state": "queued"}, Idempotency_Key="k")
    rig.refused(result, 422, "KEY_REUSED")


BAD_OPERATIONS = [
    ({}, "action"),
    ({"action": "delete"}, "action"),
    ({"action": "purge"}, "filter.state"),
    ({"action": "purge", "filter": {"state": "running"}}, "filter.state"),
    ({"action": "replay", "filter": {"state": "queued"}}, "filter.state"),
    ({"action": "replay", "filter": {"stat": "dead"}}, "filter"),
    ({"action": "replay", "filter": []}, "filter"),
    ({"action": "replay", "filter": {"type": "a b"}}, "filter.type"),
    ({"action": "purge", "filter": {"state": "dead", "type": ""}}, "filter.type"),
    ({"action": "replay", "filter": {"error": ""}}, "filter.error"),
    ({"action": "replay", "filter": {"error": "ä" * 101}}, "filter.error"),
    ({"action": "replay", "by": "ä" * 65}, "by"),
    ({"action": "replay", "filter": {"since": "now"}}, "filter.since"),
    ({"action": "replay", "queue": "a b"}, "queue"),
    ({"action": "replay", "dry_run": 1}, "dry_run"),
    ({"action": "replay", "expected_count": -1}, "expected_count"),
    ({"action": "replay", "rate_per_second": 0.5}, "rate_per_second"),
    ({"action": "replay", "rate_per_second": 100_001}, "rate_per_second"),
    ({"action": "replay", "by": "x" * 129}, "by"),
    ({"action": "replay", "id": "a b"}, "id"),
    ({"action": "replay", "id": "other:x"}, "id"),
    ({"action": "replay", "state": "dead"}, "state"),
]


def test_a_bad_operation_is_refused_by_its_name(rig: Rig) -> None:
    for body, field in BAD_OPERATIONS:
        result = rig.send("POST", "/api/operations", body)
        rig.refused(result, 400, "BAD_ARGUMENT", field)


def test_an_operation_that_nobody_knows_is_a_404(rig: Rig) -> None:
    for method, path in (("GET", ""), ("POST", "/stop")):
        result = rig.send(method, f"/api/operations/a:none{path}")
        rig.refused(result, 404, "UNKNOWN_OPERATION")
        result = rig.send(method, f"/api/operations/a%20b{path}")
        rig.refused(result, 400, "BAD_ARGUMENT", "id")
    rig.refused(rig.http.simulate_get("/api/operations?queu=a"), 400, "BAD_ARGUMENT", "queu")


def test_a_queue_with_as_many_operations_as_it_keeps_takes_no_more(rig: Rig) -> None:
    for n in range(100):
        rig.boltq.start_operation("purge", "dead", queue="a", id=f"o{n}")
    result = rig.send("POST", "/api/operations", {"action": "replay", "queue": "a"})
    rig.refused(result, 409, "BUSY")


def test_a_driver_that_finds_no_server_tries_again_now_and_then(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(driver, "TROUBLE_SECONDS", 0.02)
    rig.bury("a", "x")
    looked: list[int] = []
    look = driver._unfinished

    def looking(own: Any) -> list[str]:
        looked.append(1)
        if len(looked) <= 3:
            raise Unavailable("nobody answers")
        return look(own)

    monkeypatch.setattr(driver, "_unfinished", looking)
    id = begin(rig, action="replay", queue="a")["id"]
    with driven(rig):
        assert ended(rig, id)["done"] == 1
    assert len(looked) == 4
    told = [record for record in caplog.records if record.message == "operations stand still"]
    assert len(told) == 1
