"""Idempotency-Key: the same request again is answered again, and its job made once."""

import json
import secrets
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from servers import TestServer, until

from boltq.api.app import create_app
from boltq.client import BoltQ


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"api-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


@pytest.fixture
def http(boltq: BoltQ) -> TestClient:
    return TestClient(create_app(boltq))


def post(http: TestClient, key: str, queue: str, **members: object) -> Result:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    body = json.dumps({"type": "echo", "queue": queue, **members})
    return http.simulate_post("/api/jobs", body=body, headers=headers)


def test_the_same_request_again_is_answered_with_the_same_job_as_it_now_stands(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    first = post(http, "k 1", queue, payload=[1.0], delay_seconds=60)
    assert first.status_code == 202
    assert "Idempotent-Replayed" not in first.headers
    boltq.cancel(first.json["id"])
    again = post(http, "k 1", queue, payload=[1.0], delay_seconds=60)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.headers["Location"] == first.headers["Location"]
    assert (again.json["id"], again.json["state"]) == (first.json["id"], "cancelled")
    assert "duplicate" not in again.json
    assert boltq.stats(queue).enqueued_total == 1


def test_another_process_of_the_api_knows_the_key_too(
    http: TestClient, boltq: BoltQ, server: TestServer, queue: str
) -> None:
    other = BoltQ(server.address, prefix=boltq.server.prefix)
    first = post(http, "k", queue)
    again = post(TestClient(create_app(other)), "k", queue)
    other.close()
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("id", [None, "mine"])
def test_a_key_with_another_body_is_422_and_makes_nothing(
    http: TestClient, boltq: BoltQ, queue: str, id: str | None
) -> None:
    post(http, "k", queue, payload=1, id=id)
    told = post(http, "k", queue, payload=2, id=id)
    assert (told.status_code, told.json["word"]) == (422, "KEY_REUSED")
    assert told.json["detail"].startswith("Idempotency-Key k came with another body before")
    assert boltq.stats(queue).enqueued_total == 1


def test_keys_are_each_queues_own(http: TestClient, queue: str) -> None:
    first = post(http, "k", queue)
    other = post(http, "k", f"{queue}-b")
    assert other.status_code == first.status_code == 202
    assert other.json["id"] != first.json["id"]


def test_the_key_and_its_request_are_not_shown_but_by_a_digest(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    id = post(http, "secret-looking-key", queue, headers={"a": "b"}).json["id"]
    headers = json.loads(boltq.get(id).headers or b"")
    assert headers["a"] == "b"
    assert headers["idempotency"].startswith("sha256:")
    assert "secret" not in id + headers["idempotency"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "grün"])
def test_what_is_no_key_is_refused_and_makes_nothing(
    http: TestClient, boltq: BoltQ, queue: str, key: str
) -> None:
    told = post(http, key, queue)
    assert (told.status_code, told.json["field"]) == (400, "Idempotency-Key")
    assert boltq.stats(queue).enqueued_total == 0


def test_while_a_request_is_being_answered_its_key_is_in_flight(
    http: TestClient, boltq: BoltQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, go = threading.Event(), threading.Event()
    real = boltq.server.call

    def slowly(call: Any) -> Any:
        came.set()
        assert go.wait(20)
        return real(call)

    monkeypatch.setattr(boltq.server, "call", slowly)
    answers: list[Result] = []
    first = threading.Thread(target=lambda: answers.append(post(http, "k", queue)))
    first.start()
    until(came.is_set)
    told = post(http, "k", queue)
    other = threading.Thread(target=lambda: answers.append(post(http, "another", queue)))
    other.start()
    go.set()
    first.join(20)
    other.join(20)
    assert (told.status_code, told.json["word"]) == (409, "KEY_IN_FLIGHT")
    assert told.headers["Retry-After"] == "1"
    assert {one.status_code for one in answers} == {202}
    assert post(http, "k", queue).headers["Idempotent-Replayed"] == "true"
