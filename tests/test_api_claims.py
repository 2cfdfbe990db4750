"""POST /api/claims: which jobs a worker gets, and what it is told of each."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from queue_keys import EPOCH_MS
from queue_state import QueueState

from boltq import scripts
from boltq.api.app import create_app
from boltq.client import BoltQ

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def http(q: QueueState) -> Iterator[TestClient]:
    boltq = BoltQ("localhost:1")
    boltq.server = q.server
    return TestClient(create_app(boltq))


def claim(http: TestClient, q: QueueState, **members: object) -> Result:
    told = json.dumps({"queues": [q.name], **members})
    return http.simulate_post("/api/claims", body=told, headers=JSON)


def inside(result: Result) -> list[str]:
    assert result.status_code == 200, result.text
    return [job["id"].rpartition(":")[2] for job in result.json["jobs"]]


def refused(result: Result) -> tuple[int, str]:
    assert result.headers["content-type"] == "application/problem+json"
    return result.status_code, result.json["field"]


def lease_end_ms(q: QueueState, id: str) -> float:
    return q.read("running")[id] / 512 + EPOCH_MS


def test_a_claimed_job_tells_all_that_its_worker_needs(http: TestClient, q: QueueState) -> None:
    q.enqueue("a", payload=b'{"n": 1.0}', headers=b'{"trace":"1"}', timeout_ms=1500)
    q.enqueue("b")
    result = claim(http, q, token="t1", worker_id="shell 7", lease_seconds=60, max_jobs=1)
    assert result.json["token"] == "t1"
    (job,) = result.json["jobs"]
    lease = q.lease("a")
    assert lease is not None
    assert (lease.token, lease.worker, job["fence"]) == ("t1", "shell 7", lease.fence)
    assert 59_000 <= lease_end_ms(q, "a") - lease.claimed_ms <= 61_000
    assert job.pop("lease_expires_at").endswith("Z")
    assert job.pop("fence") > 0
    assert job == {
        "id": f"{q.name}:a",
        "queue": q.name,
        "type": "echo",
        "attempt": 1,
        "max_attempts": 3,
        "failures": 0,
        "lost": 0,
        "timeout_seconds": 1.5,
        "headers": {"trace": "1"},
        "payload": {"n": 1.0},
    }
    assert q.order("queued") == ["b"]


def test_what_callers_wrote_is_shown_to_the_byte_and_stands_last(
    http: TestClient, q: QueueState
) -> None:
    q.enqueue("a", payload=b'{"n" : 1.00, "id":"evil"}', headers=b'{"b":1,"a":2}')
    text = claim(http, q).content
    assert text.startswith(b'{"token":"')
    assert text.endswith(b'"headers":{"b":1,"a":2},"payload":{"n" : 1.00, "id":"evil"}}]}')


def test_a_payload_that_is_no_json_is_shown_in_base64(http: TestClient, q: QueueState) -> None:
    q.enqueue("a", payload=b"\xff\x00")
    (job,) = claim(http, q).json["jobs"]
    assert job["payload_base64"] == "/wA="
    assert "payload" not in job
    assert "headers" not in job


def test_without_jobs_a_claim_tells_when_to_come_again(http: TestClient, q: QueueState) -> None:
    q.enqueue("a", delay_ms=60_000)
    told = claim(http, q).json
    assert told["jobs"] == []
    assert 50 < told["wait_seconds"] <= 60
    assert "paused" not in told


def test_a_claim_takes_no_more_than_the_bytes_it_names_but_one_job(
    http: TestClient, q: QueueState
) -> None:
    q.enqueue("a", "b", "c", payload=b'"' + b"x" * 1000 + b'"')
    assert inside(claim(http, q, max_jobs=3, max_bytes=10)) == ["a"]
    assert inside(claim(http, q, max_jobs=3, max_bytes=3000)) == ["b", "c"]


def enqueue_elsewhere(q: QueueState, queue: str, *ids: str) -> None:
    items = [scripts.EnqueueItem(id, "echo", b"1", b"") for id in ids]
    q.call(scripts.enqueue(queue, items, delay_ms=0))


def test_of_several_queues_the_first_that_has_jobs_is_claimed(
    http: TestClient, q: QueueState
) -> None:
    other = f"{q.name}-2"
    enqueue_elsewhere(q, other, "b1", "b2")
    q.enqueue("a")
    both = [q.name, other]
    assert inside(claim(http, q, queues=both, max_jobs=9)) == ["a"]
    assert inside(claim(http, q, queues=both, max_jobs=9)) == ["b1", "b2"]
    assert inside(claim(http, q, queues=both, max_jobs=9)) == []


@pytest.mark.parametrize("fair", [False, True])
def test_a_repeat_of_a_claim_of_several_queues_goes_to_the_one_that_answered(
    http: TestClient,
    q: QueueState,
    fair: bool,  # noqa: FBT001 - drawn by name
) -> None:
    other = f"{q.name}-2"
    enqueue_elsewhere(q, other, "b1", "b2")
    both = [q.name, other]
    asked: dict[str, Any] = {"queues": both, "token": "t1", "fair": fair}
    assert inside(claim(http, q, **asked)) == ["b1"]
    q.enqueue("a1", "a2", "a3")
    left = q.dump()
    # The first queue has jobs now: a repeat must not claim them.
    for _ in range(5):
        assert inside(claim(http, q, **asked)) == ["b1"]
    q.call(scripts.ack(other, [scripts.AckItem("b1", "t1", b"")]))
    assert inside(claim(http, q, **asked)) == []
    assert q.dump() == left
    assert inside(claim(http, q, **asked | {"token": "t2", "fair": False})) == ["a1"]


def test_fair_claims_come_to_each_queue(http: TestClient, q: QueueState) -> None:
    other = f"{q.name}-2"
    q.enqueue(*(f"a{n}" for n in range(40)))
    enqueue_elsewhere(q, other, *(f"b{n}" for n in range(40)))
    came = [inside(claim(http, q, queues=[q.name, other], fair=True))[0][0] for _ in range(40)]
    assert set(came) == {"a", "b"}  # not by chance once in 10^11


def test_without_a_body_one_job_of_the_default_queue_is_claimed(http: TestClient) -> None:
    boltq_job = http.simulate_post("/api/jobs", body='{"type":"echo"}', headers=JSON).json
    ids: list[Any] = []
    while boltq_job["id"] not in ids:  # others share this queue
        result = http.simulate_post("/api/claims")
        ids += [job["id"] for job in result.json["jobs"]]
        assert ids
    token = result.json["token"]
    body = json.dumps({"token": token})
    acked = http.simulate_post(f"/api/jobs/{ids[-1]}/ack", body=body, headers=JSON)
    assert acked.status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("queues", []),
        ("queues", ["a", "a"]),
        ("queues", ["a b"]),
        ("queues", ["a", 1]),
        ("queues", [f"q{n}" for n in range(21)]),
        ("max_jobs", 0),
        ("max_jobs", 501),
        ("max_jobs", 1.5),
        ("lease_seconds", 0.05),
        ("lease_seconds", 86_401),
        ("worker_id", ""),
        ("worker_id", "a\nb"),
        ("worker_id", "é" * 65),
        ("wait_seconds", -1),
        ("wait_seconds", 20.5),
        ("max_bytes", 0),
        ("max_bytes", 8_000_001),
        ("token", "a b"),
        ("token", ""),
        ("token", "a\n"),
        ("fair", 1),
        ("limit", 1),
    ],
)
def test_a_claim_that_breaks_a_rule_is_refused_by_its_member(
    http: TestClient, q: QueueState, field: str, value: object
) -> None:
    q.enqueue("a")
    result = claim(http, q, **{field: value})
    assert refused(result) == (400, field)
    assert q.order("queued") == ["a"]


def test_under_another_server_that_lets_nobody_wait_a_claim_is_answered_at_once(
    http: TestClient, q: QueueState
) -> None:
    result = claim(http, q, wait_seconds=20)
    assert (inside(result), result.headers["retry-after"]) == ([], "1")
