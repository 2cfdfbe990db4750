"""One queue over HTTP: its counts and settings, setting it, purging and deleting it."""

import time
from urllib.parse import quote

import pytest
from operated import Rig, rig

from boltq.api import queue_settings

__all__ = ["rig"]


def test_a_queue_shows_its_counts_and_its_settings(rig: Rig) -> None:
    rig.bury("a", "x")
    rig.enqueue("a", "y")
    shown = rig.get("/api/queues/a")
    assert (shown["queue"], shown["dead"], shown["queued"], shown["paused"]) == ("a", 1, 1, False)
    assert shown["settings"]["job_max_attempts"] == 3
    assert shown["settings"]["keep_dead_seconds"] == 7_776_000
    assert shown["settings"]["job_backoff_jitter"] == 0.2
    assert set(shown["settings"]) == set(queue_settings.SETTABLE)
    assert not any(name.endswith("_ms") or "pause" in name for name in shown["settings"])
    tag = rig.http.simulate_get("/api/queues/a").headers["etag"]
    assert rig.send("GET", "/api/queues/a", If_None_Match=tag).status_code == 304


def test_a_queue_is_set_by_its_names_and_null_is_the_default(rig: Rig) -> None:
    told = {"job_max_attempts": 7, "keep_dead_seconds": 1.5, "job_backoff_factor": 1.25}
    shown = rig.send("PATCH", "/api/queues/a", told)
    assert shown.status_code == 200
    assert {name: shown.json["settings"][name] for name in told} == told
    assert rig.boltq.settings("a")["keep_dead_ms"] == "1500"
    assert rig.get("/api/queues/a") == shown.json
    shown = rig.send("PATCH", "/api/queues/a", {"job_max_attempts": None})
    settings = shown.json["settings"]
    assert (settings["job_max_attempts"], settings["job_backoff_factor"]) == (3, 1.25)
    (id,) = rig.enqueue("a", "x")
    assert rig.boltq.get(id).max_attempts == 3


BAD_SETTINGS = [
    ({}, "body"),
    ([], "body"),
    ({"job_max_attempts": 0}, "job_max_attempts"),
    ({"job_priority": 5, "job_max_attempts": 1001}, "job_max_attempts"),
    ({"job_max_attempts": 1.5}, "job_max_attempts"),
    ({"job_max_attempts": "7"}, "job_max_attempts"),
    ({"job_max_attempts": True}, "job_max_attempts"),
    ({"job_max_attempts": [7]}, "job_max_attempts"),
    ({"job_backoff_jitter": 1.1}, "job_backoff_jitter"),
    ({"keep_dead_seconds": -1}, "keep_dead_seconds"),
    ({"keep_dead_seconds": 315_360_001}, "keep_dead_seconds"),
    ({"keep_dead_ms": 1}, "keep_dead_ms"),
    ({"needs": 5}, "needs"),
    ({"paused": 1}, "paused"),
    ({"job_prority": 5}, "job_prority"),
    ({"job_priority": 10**400}, "job_priority"),
    ({"a\nb": 5}, "a\\nb"),
]


def test_a_bad_setting_is_refused_by_its_name_and_nothing_is_set(rig: Rig) -> None:
    before = rig.boltq.settings("a")
    for body, field in BAD_SETTINGS:
        detail = rig.refused(rig.send("PATCH", "/api/queues/a", body), 400, "BAD_ARGUMENT", field)
        assert field in detail
        assert "item" not in detail
    assert rig.boltq.settings("a") == before


def test_a_setting_of_many_decimals_is_set_with_six(rig: Rig) -> None:
    body = b'{"job_backoff_jitter": 0.942117888902881}'
    result = rig.http.simulate_patch(
        "/api/queues/a", body=body, headers={"Content-Type": "application/json"}
    )
    assert result.status_code == 200, result.text
    assert result.json["settings"]["job_backoff_jitter"] == 0.942118


def test_a_name_given_twice_is_refused(rig: Rig) -> None:
    result = rig.http.simulate_patch(
        "/api/queues/a",
        body='{"job_priority": 1, "job_priority": 2}',
        headers={"Content-Type": "application/json"},
    )
    rig.refused(result, 400, "BAD_ARGUMENT", "job_priority")


def test_a_queue_that_nobody_has_used_is_a_404(rig: Rig) -> None:
    rig.refused(rig.http.simulate_get("/api/queues/a"), 404, "UNKNOWN_QUEUE")
    rig.refused(rig.http.simulate_get("/api/queues/a%20b"), 400, "BAD_ARGUMENT", "queue")
    assert rig.boltq.queues() == []
    rig.boltq.pause("a")
    assert rig.get("/api/queues/a")["paused"] is True


def test_a_purge_is_an_operation(rig: Rig) -> None:
    rig.bury("a", "x", "y")
    told = {"state": "dead", "expected_count": 2, "by": "Ada"}
    result = rig.send("POST", "/api/queues/a/purge", told)
    assert result.status_code == 202
    assert result.headers["location"] == f"/api/operations/{result.json['id']}"
    assert (result.json["action"], result.json["by"]) == ("purge", "Ada")
    assert [one.done for one in rig.boltq.run_operation(result.json["id"])] == [2]
    refused = rig.send("POST", "/api/queues/a/purge", told)
    rig.refused(refused, 409, "DIFFERS")
    for body, field in (({}, "state"), ({"state": "running"}, "filter.state"), ({"x": 1}, "x")):
        result = rig.send("POST", "/api/queues/a/purge", body)
        rig.refused(result, 400, "BAD_ARGUMENT", field)
    assert rig.send("POST", "/api/queues/a/purge").status_code == 415


def test_an_empty_queue_is_deleted_and_leaves_nothing(rig: Rig) -> None:
    rig.bury("a", "x")
    rig.boltq.configure("a", job_priority=7)
    rig.boltq.start_operation("purge", "completed", queue="a")
    rig.refused(rig.send("DELETE", "/api/queues/a"), 409, "NOT_EMPTY")
    assert rig.boltq.settings("a")["job_priority"] == "7"
    rig.boltq.purge("dead", "a")
    assert {"settings", "stats", "operations"} <= rig.keys("a")
    time.sleep(0.02)  # within the same millisecond its stamp would stay
    result = rig.send("DELETE", "/api/queues/a")
    assert (result.status_code, result.content) == (204, b"")
    assert rig.keys("a") == set()
    assert rig.boltq.queues() == []
    rig.refused(rig.http.simulate_get("/api/queues/a"), 404, "UNKNOWN_QUEUE")
    assert rig.send("DELETE", "/api/queues/a").status_code == 204
    rig.refused(rig.send("DELETE", "/api/queues/a%20b"), 400, "BAD_ARGUMENT", "queue")
    rig.enqueue("a", "x")
    assert rig.boltq.queues() == ["a"]
    assert rig.get("/api/queues/a")["enqueued_total"] == 1


@pytest.mark.parametrize("state", ["queued", "scheduled", "running", "completed", "cancelled"])
def test_a_queue_with_a_job_in_any_state_is_not_deleted(rig: Rig, state: str) -> None:
    (id,) = rig.enqueue("a", "x", delay_seconds=3600 if state == "scheduled" else None)
    if state in ("running", "completed"):
        token = rig.claim("a")
        if state == "completed":
            rig.ack("a", token, "x")
    if state == "cancelled":
        rig.boltq.cancel(id)
    assert rig.state(id) == state
    assert "keeps 1 jobs" in rig.refused(rig.send("DELETE", "/api/queues/a"), 409, "NOT_EMPTY")


def test_a_name_that_no_queue_can_have_is_refused_in_every_path_and_body(rig: Rig) -> None:
    odd = "a/b.c d?%"
    path = f"/api/queues/{quote(odd, safe='')}"
    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume")):
        assert rig.send(method, path + more).status_code in (400, 404), (method, more)
    result = rig.send("GET", f"/api/jobs?queue={quote(odd, safe='')}")
    rig.refused(result, 400, "BAD_ARGUMENT", "queue")
    result = rig.send("POST", "/api/jobs", {"type": "echo", "queue": odd})
    rig.refused(result, 400, "BAD_ARGUMENT", "queue")
