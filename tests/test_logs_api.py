"""The API's log: a line for each request, which tells whom it concerns and what went wrong."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import TestClient
from servers import TestServer

from boltq.api.app import create_app
from boltq.client import BoltQ

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def boltq(server: TestServer, queue: str) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=queue, patience_seconds=0.1)
    yield client
    client.close()


@pytest.fixture
def http(boltq: BoltQ) -> TestClient:
    return TestClient(create_app(boltq))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """Call it for the fields of the requests so far; no others are logged."""
    caplog.set_level(logging.INFO, "boltq")

    def fields() -> list[dict[str, Any]]:
        assert {record.getMessage() for record in caplog.records} == {"request"}
        return [vars(record) for record in caplog.records]

    return fields


Told = Callable[[], list[dict[str, Any]]]


def concerns(line: dict[str, Any]) -> tuple[Any, Any, Any]:
    return line.get("job"), line.get("queue"), line.get("type")


def test_a_request_tells_which_job_it_concerns(http: TestClient, told: Told) -> None:
    body = json.dumps({"type": "echo", "queue": "mail", "payload": 1})
    id = http.simulate_post("/api/jobs", body=body, headers=JSON).json["id"]
    http.simulate_get(f"/api/jobs/{id}")
    http.simulate_get("/api/jobs/status", params={"id": id})
    http.simulate_post(f"/api/jobs/{id}/cancel")
    assert [concerns(line) for line in told()] == [(id, "mail", "echo")] * 4


def test_a_refused_request_tells_what_it_asked_for(http: TestClient, told: Told) -> None:
    http.simulate_get("/api/jobs/mail:nothing")
    http.simulate_post("/api/jobs/gone/replay")
    http.simulate_post("/api/jobs", body='{"type": "a b"}', headers=JSON)
    http.simulate_get("/api/jobs/a:b:c")
    assert [(line["status"], *concerns(line)) for line in told()] == [
        (404, "mail:nothing", "mail", None),
        (404, "gone", "default", None),
        (400, None, None, None),
        (400, None, None, None),
    ]
    assert not any("error" in line for line in told())


def test_a_request_about_a_queue_names_it(http: TestClient, told: Told) -> None:
    http.simulate_post("/api/queues/mail/pause")
    http.simulate_post("/api/queues/mail/resume")
    http.simulate_get("/api/stats")
    queues = [concerns(line) for line in told()]
    assert queues == [(None, "mail", None), (None, "mail", None), (None, None, None)]


def test_an_error_that_nobody_expected_is_logged_once_with_its_traceback(
    http: TestClient, boltq: BoltQ, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    def fail(_id: str) -> None:
        raise ZeroDivisionError("how it broke")

    monkeypatch.setattr(boltq, "get", fail)
    http.simulate_get("/api/jobs/mail:a", headers={"X-Request-Id": "r-1"})
    (line,) = told()
    assert line["levelname"] == "ERROR"
    assert line["error"] == "ZeroDivisionError: how it broke"
    assert line["exc_info"][0] is ZeroDivisionError
    assert (line["job"], line["request_id"]) == ("mail:a", "r-1")


@pytest.mark.parametrize("path", ["/api/stats", "/readyz"])
def test_while_redis_is_away_a_line_says_so_in_a_sentence(path: str, told: Told) -> None:
    boltq = BoltQ("127.0.0.1:1", patience_seconds=0.0)
    TestClient(create_app(boltq)).simulate_get(path)
    boltq.close()
    (line,) = told()
    assert (line["levelname"], line["status"], line["exc_info"]) == ("WARNING", 503, None)
    assert line["error"].startswith("Unavailable: ")
