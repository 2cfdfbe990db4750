"""Workers over HTTP tell how far a job is, and its log, with what they report of it."""

from collections.abc import Iterator

import pytest
from api_served import Api, served
from queue_state import QueueState
from servers import TestServer

from boltq.client import BoltQ


@pytest.fixture(scope="module")
def api(server: TestServer) -> Iterator[Api]:
    boltq = BoltQ(server.address)
    with served(boltq.server) as api:
        yield api
    boltq.close()


@pytest.mark.parametrize("verb", ["extend", "ack", "fail", "release"])
def test_a_report_carries_how_far_the_job_is_and_its_log(
    api: Api, q: QueueState, verb: str
) -> None:
    q.run("a")
    told = {"share": 0.5, "text": "half\nway"}
    body = {"token": "t1", "progress": told, "log": ["one", "two\nthree"], "log_before": 0}
    for _ in range(2):
        assert api.ask("POST", f"/api/jobs/{q.name}:a/{verb}", body).status == 200
    job = api.ask("GET", f"/api/jobs/status?id={q.name}:a").json
    assert (job["progress"]["share"], job["progress"]["text"]) == (0.5, "half way")
    assert [line["line"] for line in job["log"]] == ["one", "two", "three"]


def test_lines_without_a_count_are_added_each_time_they_come(api: Api, q: QueueState) -> None:
    q.run("a")
    for _ in range(2):
        body = {"token": "t1", "log": ["again"]}
        assert api.ask("POST", f"/api/jobs/{q.name}:a/extend", body).status == 200
    job = api.ask("GET", f"/api/jobs/{q.name}:a").json
    assert [line["line"] for line in job["log"]] == ["again", "again"]
    assert "progress" not in job


def test_many_reports_carry_each_its_own(api: Api, q: QueueState) -> None:
    q.run("a", "b", "c")
    acks = [
        {"id": f"{q.name}:a", "token": "t1", "log": ["of a"]},
        {"id": f"{q.name}:b", "token": "t1"},
        {"id": f"{q.name}:c", "token": "t1", "log": ["x" * 3000] * 100, "log_before": 7},
    ]
    assert api.ask("POST", "/api/acks", {"acks": acks}).json["refused"] == 0
    logs = {id: api.ask("GET", f"/api/jobs/{q.name}:{id}").json.get("log") for id in "abc"}
    assert [line["line"] for line in logs["a"]] == ["of a"]
    assert logs["b"] is None
    assert [len(line["line"]) for line in logs["c"]] == [1000] * 4


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        *(("progress", {"share": 1.5}, "progress.share"), ("progress", {}, "progress.share")),
        *(("log", "a line", "log"), ("log", ["x"] * 101, "log"), ("log_before", -1, "log_before")),
    ],
)
def test_what_is_told_of_a_job_and_breaks_a_rule_is_refused(
    api: Api, q: QueueState, member: str, value: object, field: str
) -> None:
    q.run("a")
    answer = api.ask("POST", f"/api/jobs/{q.name}:a/extend", {"token": "t1", member: value})
    assert (answer.status, answer.json["field"]) == (400, field)
