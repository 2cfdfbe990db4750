"""Workers that claim over HTTP, as people see them beside our own."""

from typing import Any

import pytest
from operated import Rig, rig

from boltq import presence
from boltq.api import claimants
from boltq.errors import Unavailable

__all__ = ["rig"]


def claim(rig: Rig, worker: str, *queues: str, **members: object) -> Any:
    told = {"queues": list(queues or ("a",)), "worker_id": worker, **members}
    result = rig.send("POST", "/api/claims", told)
    assert result.status_code == 200, result.text
    return result.json


def workers(rig: Rig) -> dict[str, Any]:
    return {one["id"]: one for one in rig.get("/api/workers")["workers"]}


def test_a_worker_that_claims_over_http_is_seen_with_what_it_holds(rig: Rig) -> None:
    ids = rig.enqueue("a", "x", "y", "z")
    token = claim(rig, "shell-1", "b", "a", max_jobs=2)["token"]
    claim(rig, "idle", "b")
    seen = workers(rig)
    assert seen.keys() == {"shell-1", "idle"}
    one = seen["shell-1"]
    assert (one["via"], one["host"], one["alive"], one["status"]) == (
        *("http", "127.0.0.1", True, "working"),
    )
    assert (one["queues"], one["in_hand"]) == ({"b": 1, "a": 1}, 2)
    assert [(job["id"], job["type"]) for job in one["jobs"]] == [(id, "echo") for id in ids[:2]]
    assert (seen["idle"]["in_hand"], seen["idle"]["jobs"]) == (0, [])
    rig.ack("a", token, "x")
    assert workers(rig)["shell-1"]["in_hand"] == 1
    assert rig.get("/api/overview")["workers"] == list(workers(rig).values())


def test_it_is_told_of_once_in_ten_seconds_however_often_it_claims(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, told = rig.boltq.server.registry, []
    note = registry.note_worker

    def counted(worker: str, *rest: Any) -> Any:
        told.append(worker)
        return note(worker, *rest)

    monkeypatch.setattr(registry, "note_worker", counted)
    assert claimants.NOTE_SECONDS == 10
    monkeypatch.setattr(claimants, "NOTE_SECONDS", 600.0)
    for _ in range(5):
        claim(rig, "w1")
        claim(rig, "w2")
    assert told == ["w1", "w2"]
    monkeypatch.setattr(claimants, "NOTE_SECONDS", 0.0)
    started = workers(rig)["w1"]["started_at"]
    claim(rig, "w3")
    claim(rig, "w3")
    assert told == ["w1", "w2", "w3", "w3"]
    assert workers(rig)["w1"]["started_at"] == started


def test_one_of_our_own_keeps_its_entry_where_another_takes_its_name(rig: Rig) -> None:
    own = presence.Report("w1", "web1", 4711, "1", {"a": 1}, 8, 1)
    registry = rig.boltq.server.registry
    registry.note_worker("w1", own.to_bytes(), rig.boltq.server.now_ms())
    claim(rig, "w1")
    assert registry.report_of("w1") == own.to_bytes()
    assert "via" not in workers(rig)["w1"]


def test_nobody_fills_the_registry_with_names(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claimants, "MOST_CLAIMANTS", 2)
    for n in range(5):
        claim(rig, f"w{n}")
    assert workers(rig).keys() == {"w0", "w1"}


def test_it_is_alive_while_it_holds_a_job_and_silent_after(rig: Rig) -> None:
    rig.enqueue("a", "x")
    token = claim(rig, "w1")["token"]
    registry = rig.boltq.server.registry
    long_ago = rig.boltq.server.now_ms() - 60_000
    registry._redis.zadd(registry._workers, {"w1": long_ago})
    assert workers(rig)["w1"]["alive"]
    rig.ack("a", token, "x")
    assert not workers(rig)["w1"]["alive"]


@pytest.mark.parametrize("verb", ["quiet", "stop", "resume"])
def test_it_cannot_be_asked_anything(rig: Rig, verb: str) -> None:
    claim(rig, "w1")
    result = rig.send("POST", f"/api/workers/w1/{verb}")
    assert rig.refused(result, 409, "WRONG_STATE").startswith("worker w1 claims over HTTP")


def test_a_claim_is_answered_though_nobody_can_be_told_of_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_worker: str) -> None:
        raise Unavailable("nobody answers")

    rig.enqueue("a", "x", "y")
    registry = rig.boltq.server.registry
    monkeypatch.setattr(registry, "report_of", away)
    assert len(claim(rig, "w1")["jobs"]) == 1
    monkeypatch.undo()
    registry._redis.set(registry._workers, "no registry")
    assert len(claim(rig, "w2")["jobs"]) == 1
