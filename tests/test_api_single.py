"""One job over HTTP: its tag, altering, running now, deleting, and what it has been through."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from falcon.testing import TestClient
from operated import Rig, rig

from boltq import scripts
from boltq.api import timeline
from boltq.api.app import create_app
from boltq.job import Job, JobError, moment_of, shown_time
from boltq.settings import Settings

__all__ = ["rig"]

HOUR = 3600


def tag(rig: Rig, id: str) -> str:
    return str(rig.http.simulate_get(f"/api/jobs/{id}").headers["etag"])


def test_the_tag_of_a_job_changes_with_all_that_is_shown_of_it(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x", delay_seconds=HOUR)
    seen = [tag(rig, id)]
    assert seen[0].startswith('"scheduled:')

    def changed() -> None:
        seen.append(tag(rig, id))
        assert len(set(seen)) == len(seen)
        assert tag(rig, id) == seen[-1]

    rig.boltq.alter(id, priority=9)
    changed()
    rig.boltq.run_now(id)
    changed()
    token = rig.claim("a")
    changed()
    rig.call(scripts.extend("a", [scripts.ExtendItem("x", token)], lease_ms=90_000))
    changed()
    rig.boltq.cancel(id)
    changed()
    rig.fail("a", token, "x")
    changed()


def test_a_job_that_rests_gets_another_priority_and_another_time(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x")
    result = rig.send("PATCH", f"/api/jobs/{id}", {"priority": 9})
    assert (result.status_code, result.json["priority"], result.json["state"]) == (200, 9, "queued")
    assert result.headers["etag"] == tag(rig, id)
    assert result.content == rig.http.simulate_get(f"/api/jobs/{id}").content
    result = rig.send("PATCH", f"/api/jobs/{id}", {"delay_seconds": HOUR, "priority": None})
    assert (result.json["state"], result.json["priority"]) == ("scheduled", 9)
    moment = datetime.now(UTC) + timedelta(hours=2)
    result = rig.send("PATCH", f"/api/jobs/{id}", {"run_at": shown_time(moment), "priority": 0})
    assert result.json["priority"] == 0
    due = datetime.fromisoformat(result.json["run_at"])
    assert abs((due - moment).total_seconds()) < 60
    past = shown_time(moment - timedelta(days=1))
    assert rig.send("PATCH", f"/api/jobs/{id}", {"run_at": past}).json["state"] == "queued"


def test_a_job_that_was_seen_is_altered_only_where_it_still_is(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x", delay_seconds=HOUR)
    seen, path = tag(rig, id), f"/api/jobs/{id}"
    assert rig.send("PATCH", path, {"priority": 7}, If_Match=seen).status_code == 200
    result = rig.send("PATCH", path, {"priority": 6}, If_Match=seen)
    detail = rig.refused(result, 412, "MOVED")
    assert "is scheduled, and no more as it was seen" in detail
    assert (result.json["state"], result.headers["etag"]) == ("scheduled", tag(rig, id))
    assert rig.boltq.get(id).priority == 7
    # Sent again with the tag that it had, what was done is no loss.
    assert rig.send("PATCH", path, {"priority": 7}, If_Match=seen).status_code == 200
    new = tag(rig, id)
    for header in (f'{seen}, {new}, "x"', f"{new}", "*", f'"other", {new}'):
        assert rig.send("PATCH", path, {"priority": 7}, If_Match=header).status_code == 200
    for header in (
        f"W/{new}",
        '"x"',
        "x",
        new[1:-1],
        f'{seen}, "x"',
        '"a:1:1.x"',
        f"{seen},{seen}",
    ):
        result = rig.send("PATCH", path, {"priority": 1}, If_Match=header)
        rig.refused(result, 412, "MOVED")
    for header, status in ((seen, 412), (new, 200)):
        assert rig.send("POST", f"{path}/run", If_Match=header).status_code == status


def test_run_now_queues_what_waits_for_its_time(rig: Rig) -> None:
    (later,) = rig.enqueue("a", "later", delay_seconds=HOUR)
    result = rig.send("POST", f"/api/jobs/{later}/run")
    assert (result.status_code, result.json["state"]) == (200, "queued")
    assert rig.send("POST", f"/api/jobs/{later}/run").status_code == 200
    rig.fail("a", rig.claim("a"), "later", final=0)
    assert rig.state(later) == "retrying"
    assert rig.send("POST", f"/api/jobs/{later}/run").json["state"] == "queued"


def test_what_runs_or_has_ended_is_not_altered(rig: Rig) -> None:
    rig.enqueue("a", "runs")
    rig.claim("a")
    rig.bury("a", "died")
    for id, state in (("a:runs", "running"), ("a:died", "dead")):
        for result in (
            rig.send("PATCH", f"/api/jobs/{id}", {"priority": 1}),
            rig.send("PATCH", f"/api/jobs/{id}", {"priority": 1}, If_Match=tag(rig, id)),
            rig.send("POST", f"/api/jobs/{id}/run"),
        ):
            assert f"is {state}" in rig.refused(result, 409, "WRONG_STATE")


def test_a_job_is_deleted_unless_it_runs(rig: Rig) -> None:
    rig.bury("a", "died")
    rig.enqueue("a", "waits", "runs", priority=9)
    rig.claim("a", limit=1)
    rig.enqueue("a", "later", delay_seconds=HOUR)
    running = next(id for id in ("a:waits", "a:runs") if rig.state(id) == "running")
    waiting = "a:runs" if running == "a:waits" else "a:waits"
    for id in ("a:died", waiting, "a:later"):
        result = rig.send("DELETE", f"/api/jobs/{id}")
        assert (result.status_code, result.content) == (204, b"")
        rig.refused(rig.send("GET", f"/api/jobs/{id}"), 404, "UNKNOWN")
        rig.refused(rig.send("DELETE", f"/api/jobs/{id}"), 404, "UNKNOWN")
    rig.refused(rig.send("DELETE", f"/api/jobs/{running}"), 409, "WRONG_STATE")
    assert rig.state(running) == "running"


def test_a_job_that_has_moved_is_not_deleted_by_who_saw_it_before(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x")
    seen = tag(rig, id)
    rig.boltq.alter(id, priority=1)
    result = rig.send("DELETE", f"/api/jobs/{id}", If_Match=seen)
    rig.refused(result, 412, "MOVED")
    again = rig.send("DELETE", f"/api/jobs/{id}", If_Match=result.headers["etag"])
    assert again.status_code == 204


def test_a_setting_asks_who_changes_a_job_as_what_it_was_seen(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x")
    path = f"/api/jobs/{id}"
    settings = Settings(api_if_match="yes", api_hosts=("*",))
    strict = TestClient(create_app(rig.boltq, settings))
    for method, body in (("PATCH", {"priority": 7}), ("DELETE", None)):
        result = strict.simulate_request(method, path, json=body)
        assert "BOLTQ_API_IF_MATCH" in rig.refused(result, 428, "PRECONDITION_REQUIRED")
    assert (rig.state(id), rig.boltq.get(id).priority) == ("queued", 4)
    seen = {"If-Match": strict.simulate_get(path).headers["etag"]}
    result = strict.simulate_patch(path, json={"priority": 7}, headers=seen)
    assert (result.status_code, result.json["priority"]) == (200, 7)
    assert strict.simulate_delete(path, headers=seen).status_code == 412
    assert strict.simulate_post(f"{path}/cancel").status_code == 200
    assert strict.simulate_delete(path, headers={"If-Match": "*"}).status_code == 204


def test_a_tag_that_is_weak_or_not_ours_fits_no_job(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x")
    for other in ("W/" + tag(rig, id), '"another"', "no tag"):
        rig.refused(rig.send("DELETE", f"/api/jobs/{id}", If_Match=other), 412, "MOVED")
    assert rig.state(id) == "queued"


def test_a_job_that_moves_while_it_is_to_be_deleted_is_not(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id,) = rig.enqueue("a", "x")
    seen, call = tag(rig, id), rig.boltq.server.call

    def racing(one: Any) -> Any:
        if one.script == "purge":
            monkeypatch.setattr(rig.boltq.server, "call", call)
            rig.boltq.alter(id, priority=1)
        return call(one)

    monkeypatch.setattr(rig.boltq.server, "call", racing)
    rig.refused(rig.send("DELETE", f"/api/jobs/{id}", If_Match=seen), 412, "MOVED")
    assert rig.boltq.get(id).priority == 1


BAD_CHANGES = [
    ({}, "body"),
    ({"priority": None}, "body"),
    ({"priority": 10}, "priority"),
    ({"priority": 1.5}, "priority"),
    ({"delay_seconds": -1}, "delay_seconds"),
    ({"delay_seconds": 315_360_001}, "delay_seconds"),
    ({"run_at": "tomorrow"}, "run_at"),
    ({"run_at": "2030-01-01T00:00:00"}, "run_at"),
    ({"run_at": "2030-01-01T00:00:00Z", "delay_seconds": 1}, "run_at"),
    ({"run_at": "9000-01-01T00:00:00Z"}, "run_at"),
    ({"state": "dead"}, "state"),
    ([], "body"),
]


def test_a_bad_change_is_refused_by_its_name(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x")
    for body, field in BAD_CHANGES:
        rig.refused(rig.send("PATCH", f"/api/jobs/{id}", body), 400, "BAD_ARGUMENT", field)


def test_nothing_can_be_done_to_a_job_that_nobody_knows(rig: Rig) -> None:
    for method, path, body in (
        ("PATCH", "", {"priority": 1}),
        ("DELETE", "", None),
        ("POST", "/run", None),
        ("GET", "/attempts", None),
    ):
        rig.refused(rig.send(method, f"/api/jobs/a:none{path}", body), 404, "UNKNOWN")
        rig.refused(rig.send(method, f"/api/jobs/a%20b{path}", body), 400, "BAD_ARGUMENT", "id")
    assert rig.send("PATCH", "/api/jobs/a:none").status_code == 415


def events(rig: Rig, id: str) -> list[str]:
    shown = rig.get(f"/api/jobs/{id}/attempts")
    moments = [event["at"] for event in shown["timeline"]]
    assert moments == sorted(moments)
    return [event["what"] for event in shown["timeline"]]


def test_a_timeline_tells_each_step_of_a_job(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x", payload="secret", delay_seconds=HOUR, max_attempts=2)
    assert events(rig, id) == ["created", "due"]
    rig.boltq.run_now(id)
    assert events(rig, id) == ["created"]
    token = rig.claim("a")
    assert events(rig, id) == ["created", "started", "lease_ends"]
    rig.fail("a", token, "x", final=0, error="Timeout")
    assert events(rig, id)[:2] == ["created", "failed"]
    assert events(rig, id)[-1] == "due"
    rig.boltq.run_now(id)
    rig.fail("a", rig.claim("a", worker="w2"), "x")
    shown = rig.get(f"/api/jobs/{id}/attempts")
    failed = [event for event in shown["timeline"] if event["what"] == "failed"]
    assert [event["attempt"] for event in failed] == [1, 2]
    assert [event["worker"] for event in failed] == ["w1", "w2"]
    assert failed[0]["error"] == {"type": "Timeout", "message": "no\nmore", "stack": "stack"}
    assert shown["timeline"][-1]["what"] == "dead"
    assert (shown["id"], shown["state"], shown["attempt"]) == (id, "dead", 2)
    assert (shown["failures"], shown["lost"], shown["not_kept"]) == (2, 0, 0)
    assert "secret" not in str(shown)


def test_what_is_of_one_millisecond_stands_in_the_order_in_which_it_was() -> None:
    at = moment_of(1_800_000_000_000)
    errors = [JobError(n, "E", "no", "", "w", 1_800_000_000_000) for n in (1, 2)]
    told = {"created_at": at, "started_at": at, "finished_at": at, "errors": errors}
    job = Job("mail:a", "mail", "email", "dead", 4, 2, 2, 2, **told)  # type: ignore[arg-type]
    shown = timeline.shown(job)["timeline"]
    assert [event["what"] for event in shown] == [  # type: ignore[attr-defined]
        *("created", "failed", "started", "failed", "dead"),
    ]  # fmt: skip


def test_a_timeline_tells_of_lost_leases_and_what_is_not_kept(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x", max_attempts=100)
    call = scripts.claim("a", token="t", worker="w", lease_ms=100, limit=1, max_bytes=1000)
    rig.call(call)
    while not isinstance(reaped := rig.call(scripts.reap("a", limit=10)), scripts.Reaped) or (
        rig.state(id) == "running"
    ):
        time.sleep(0.02)
    assert reaped
    lost = [one for one in rig.get(f"/api/jobs/{id}/attempts")["timeline"] if one["what"] == "lost"]
    assert [one["worker"] for one in lost] == ["w"]
    rig.boltq.run_now(id)
    for _ in range(12):
        rig.fail("a", rig.claim("a"), "x", final=0)
        rig.boltq.run_now(id)
    shown = rig.get(f"/api/jobs/{id}/attempts")
    assert (shown["failures"], shown["lost"], shown["not_kept"]) == (12, 1, 3)


def test_attempts_have_a_tag_and_are_not_sent_again(rig: Rig) -> None:
    (id,) = rig.enqueue("a", "x")
    path = f"/api/jobs/{id}/attempts"
    seen = rig.send("GET", path).headers["etag"]
    assert rig.send("GET", path, If_None_Match=seen).status_code == 304
    # Of the same place: what was seen there may be altered, too.
    assert rig.send("PATCH", f"/api/jobs/{id}", {"priority": 1}, If_Match=seen).status_code == 200
    assert rig.send("GET", path, If_None_Match=seen).status_code == 200
