"""What workers report over HTTP: one job or many, once or again, with a lease or without."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from queue_keys import EPOCH_MS
from queue_state import QueueState

from boltq.api.app import create_app
from boltq.client import BoltQ

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def http(q: QueueState) -> Iterator[TestClient]:
    boltq = BoltQ("localhost:1")
    boltq.server = q.server
    return TestClient(create_app(boltq))


def report(
    http: TestClient, q: QueueState, verb: str, id: str = "a", token: str = "t1", **members: object
) -> Result:
    body = json.dumps({"token": token, **members})
    return http.simulate_post(f"/api/jobs/{q.name}:{id}/{verb}", body=body, headers=JSON)


def told(result: Result) -> Any:
    assert result.status_code == 200, result.text
    members = result.json
    del members["id"]
    return members


def lease_end_ms(q: QueueState, id: str) -> float:
    return q.read("running")[id] / 512 + EPOCH_MS


def test_an_acked_job_is_completed_with_its_result_to_the_byte(
    http: TestClient, q: QueueState
) -> None:
    q.run("a", "b", "c")
    written = '{"n" : 1.0, "big":12345678901234567890}'
    for id, body in (("a", '"result":' + written), ("b", '"result":null'), ("c", '"x":1')):
        sent = f'{{"token":"t1",{body}}}'.replace(',"x":1', "")
        result = http.simulate_post(f"/api/jobs/{q.name}:{id}/ack", body=sent, headers=JSON)
        assert told(result) == {"state": "completed"}
    kept = [q.outcome(id).result for id in ("a", "b", "c")]
    assert kept == [written.encode(), b"null", b""]


def test_a_failed_job_is_retried_or_dead(http: TestClient, q: QueueState) -> None:
    q.run("a", "b")
    error = {"type": "ValueError", "message": "nö", "stack": "line 1"}
    first = told(report(http, q, "fail", error=error, delay_seconds=60))
    assert first["state"] == "retrying"
    assert first["run_at"].endswith("Z")
    assert told(report(http, q, "fail", "b", final=True)) == {"state": "dead"}
    tries = q.tries("a")
    assert tries is not None
    assert tries.errors[0] | error == tries.errors[0]
    assert q.states("a") == ["retrying"]
    assert q.states("b") == ["dead"]


def test_a_large_error_is_cut_where_the_engine_would_keep_less(
    http: TestClient, q: QueueState
) -> None:
    q.run("a")
    error = {"type": "é" * 200, "message": "x" * 2_000_000, "stack": "x" * 2_000_000 + "the end"}
    assert told(report(http, q, "fail", error=error))["state"] == "retrying"
    tries = q.tries("a")
    assert tries is not None
    assert tries.errors[0]["type"] == "é" * 100
    assert tries.errors[0]["message"] == "x" * 1000
    assert tries.errors[0]["stack"].endswith("the end")


def test_an_extended_lease_tells_its_end_and_whether_to_stop(
    http: TestClient, q: QueueState
) -> None:
    q.run("a")
    first = told(report(http, q, "extend", lease_seconds=120))
    assert first.pop("lease_expires_at").endswith("Z")
    assert first == {"state": "running", "cancel_asked": False}
    lease = q.lease("a")
    assert lease is not None
    assert lease_end_ms(q, "a") - lease.claimed_ms > 110_000
    q.cancel("a")
    assert told(report(http, q, "extend"))["cancel_asked"] is True
    assert told(report(http, q, "release")) == {"state": "cancelled"}


def test_a_released_job_is_queued_again_at_once_or_later(http: TestClient, q: QueueState) -> None:
    q.run("a", "b")
    assert told(report(http, q, "release")) == {"state": "queued"}
    assert told(report(http, q, "release", "b", delay_seconds=60)) == {"state": "scheduled"}
    assert q.states("a") == ["queued"]
    assert q.states("b") == ["scheduled"]


@pytest.mark.parametrize(
    ("verb", "state"),
    [("ack", "completed"), ("fail", "retrying"), ("release", "queued")],
)
def test_a_report_that_is_repeated_is_answered_well_and_changes_nothing(
    http: TestClient, q: QueueState, verb: str, state: str
) -> None:
    q.run("a")
    told(report(http, q, verb))
    left = q.dump()
    again = told(report(http, q, verb))
    assert (again["state"], again["already"]) == (state, True)
    assert q.dump() == left


VERBS = ("ack", "fail", "extend", "release")


@pytest.mark.parametrize("verb", VERBS)
def test_who_lost_the_lease_learns_who_has_the_job_now(
    http: TestClient, q: QueueState, verb: str
) -> None:
    q.run("a", claim={"worker": "first"}, base_ms=0)
    q.make_due("running", "a")
    q.claim("t2", worker="second")
    left = q.dump()
    result = report(http, q, verb)
    problem = result.json
    assert (result.status_code, problem["word"]) == (409, "LEASE_LOST")
    assert (problem["state"], problem["attempt"], problem["worker"]) == ("running", 2, "second")
    assert problem["started_at"] < problem["lease_expires_at"]
    assert "second" in problem["detail"]
    assert q.dump() == left


@pytest.mark.parametrize("state", ["completed", "dead", "cancelled", "retrying", "queued"])
def test_who_lost_the_lease_learns_how_the_job_stands(
    http: TestClient, q: QueueState, state: str
) -> None:
    q.run("a", token="t1")
    q.release("a")
    if state == "cancelled":
        q.cancel("a")
    elif state != "queued":
        q.claim("t2")
        if state == "completed":
            q.ack("a", token="t2")
        else:
            q.fail("a", token="t2", final=int(state == "dead"), delay_ms=60_000)
    result = report(http, q, "ack")
    assert (result.status_code, result.json["state"]) == (409, state)
    assert state in result.json["detail"]
    if state in ("completed", "dead", "cancelled"):
        assert result.json["finished_at"] in result.json["detail"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_report_on_a_job_that_is_not_kept_is_a_404(
    http: TestClient, q: QueueState, verb: str
) -> None:
    result = report(http, q, verb, "nothing")
    assert (result.status_code, result.json["word"]) == (404, "UNKNOWN")


def test_a_result_above_the_limit_of_the_queue_is_refused_and_the_job_still_held(
    http: TestClient, q: QueueState
) -> None:
    q.configure(result_bytes=10)
    q.run("a")
    result = report(http, q, "ack", result="x" * 20)
    assert (result.status_code, result.json["word"]) == (413, "TOO_LARGE")
    assert q.states("a") == ["running"]
    assert told(report(http, q, "ack", result="x")) == {"state": "completed"}


@pytest.mark.parametrize(
    ("verb", "members", "field"),
    [
        ("ack", {"token": None}, "token"),
        ("ack", {"token": "a b"}, "token"),
        ("fail", {"delay_seconds": -1}, "delay_seconds"),
        ("fail", {"error": {"kind": "x"}}, "error"),
        ("fail", {"error": {"type": 1}}, "error.type"),
        ("fail", {"final": "yes"}, "final"),
        ("extend", {"lease_seconds": 0}, "lease_seconds"),
        ("release", {"delay_seconds": "1"}, "delay_seconds"),
        ("release", {"result": 1}, "result"),
    ],
)
def test_a_report_that_breaks_a_rule_is_refused_by_its_member(
    http: TestClient, q: QueueState, verb: str, members: dict[str, object], field: str
) -> None:
    q.run("a")
    result = report(http, q, verb, **members)
    assert (result.status_code, result.json["field"]) == (400, field)
    assert q.states("a") == ["running"]


def acks(http: TestClient, **lists: object) -> Result:
    return http.simulate_post("/api/acks", body=json.dumps(lists), headers=JSON)


def test_many_reports_are_answered_in_the_lists_and_the_order_they_came_in(
    http: TestClient, q: QueueState
) -> None:
    q.run("a", "b", "c", "d", "e")
    q.run("f", token="t2")
    own = {
        id: {"id": f"{q.name}:{id}", "token": "t1"} for id in ("a", "b", "c", "d", "e", "f", "g")
    }
    result = acks(
        http,
        acks=[own["b"], own["f"], own["a"] | {"result": {"n": 1}}, own["g"], own["a"]],
        fails=[own["c"] | {"final": True}],
        releases=[own["d"]],
        extends=[own["e"]],
    )
    assert result.status_code == 200
    assert result.json["refused"] == 2
    assert [
        one.get("word", one.get("already", one.get("state"))) for one in result.json["acks"]
    ] == ["completed", "LEASE_LOST", "completed", "UNKNOWN", True]
    lost = result.json["acks"][1]
    assert (lost["id"], lost["state"], lost["worker"]) == (f"{q.name}:f", "running", "w1")
    assert [one["state"] for one in result.json["fails"]] == ["dead"]
    assert [one["state"] for one in result.json["releases"]] == ["queued"]
    assert result.json["extends"][0]["cancel_asked"] is False
    assert q.outcome("a").result == b'{"n":1}' or q.outcome("a").result == b'{"n": 1}'


def test_a_thousand_reports_are_one_request(http: TestClient, q: QueueState) -> None:
    ids = [f"j{n}" for n in range(1000)]
    for half in (ids[:500], ids[500:]):
        q.run(*half, token=f"t-{half[0]}")
    reports = [
        {"id": f"{q.name}:{id}", "token": "t-j0" if n < 500 else "t-j500"}
        for n, id in enumerate(ids)
    ]
    result = acks(http, acks=reports)
    assert result.json["refused"] == 0
    assert {one["state"] for one in result.json["acks"]} == {"completed"}
    assert [one["id"] for one in result.json["acks"]] == [one["id"] for one in reports]
    too_many = acks(http, acks=reports, extends=reports[:1])
    assert (too_many.status_code, too_many.json["field"]) == (400, "body")


def test_one_result_that_is_too_large_does_not_hold_up_the_other_reports(
    http: TestClient, q: QueueState
) -> None:
    q.configure(result_bytes=10)
    q.run("a", "b", "c")
    own = {id: {"id": f"{q.name}:{id}", "token": "t1"} for id in ("a", "b", "c")}
    result = acks(http, acks=[own["a"], own["b"] | {"result": "x" * 20}, own["c"]])
    assert [one.get("word", "taken") for one in result.json["acks"]] == [
        "taken",
        "TOO_LARGE",
        "taken",
    ]
    assert q.states("b") == ["running"]


@pytest.mark.parametrize(
    ("lists", "field"),
    [
        ({"acks": [{"id": "a1", "token": "t1"}, {"id": "a1"}]}, "acks[1].token"),
        ({"acks": [{"id": "a b", "token": "t1"}]}, "acks[0].id"),
        ({"fails": [{"id": "a1", "token": "t1", "error": {"type": 1}}]}, "fails[0].error.type"),
        ({"extends": [7]}, "extends[0]"),
        ({"releases": {}}, "releases"),
        ({"cancels": []}, "cancels"),
    ],
)
def test_a_report_among_many_that_breaks_a_rule_is_named_by_its_place(
    http: TestClient, lists: dict[str, object], field: str
) -> None:
    result = acks(http, **lists)
    assert (result.status_code, result.json["field"]) == (400, field)
