"""Many jobs in one request: each for itself, or all or nothing."""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from servers import TestServer

from boltq.api.app import create_app
from boltq.api.bodies import BATCH_BODY_BYTES
from boltq.client import BoltQ

Job = dict[str, Any]


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"api-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


@pytest.fixture
def http(boltq: BoltQ) -> TestClient:
    return TestClient(create_app(boltq))


def post(http: TestClient, body: object, query: str = "", **headers: str) -> Result:
    told = {"Content-Type": "application/json", **headers}
    text = body if isinstance(body, bytes) else json.dumps(body)
    return http.simulate_post(f"/api/jobs/batch{query}", body=text, headers=told)


def states(boltq: BoltQ, queue: str) -> dict[str, str]:
    return {
        job.id: job.state
        for state in ("queued", "scheduled")
        for job in boltq.list(state, queue=queue).jobs  # type: ignore[arg-type]
    }


def test_each_job_of_an_array_is_made_in_order_with_its_own_options(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    other = f"{queue}-b"
    jobs: list[Job] = [
        {"type": "echo", "queue": queue, "payload": 1.0},
        {"type": "echo", "queue": queue, "delay_seconds": 60, "id": "later"},
        {"type": "mail", "queue": other, "payload": {"n": 9007199254740993}},
        {"type": "echo", "queue": queue, "payload": [], "priority": 9},
    ]
    told = post(http, jobs)
    assert told.status_code == 200, told.text
    assert (told.json["created"], told.json["duplicates"], told.json["refused"]) == (4, 0, 0)
    ids = [one["id"] for one in told.json["results"]]
    assert [id.rpartition(":")[0] for id in ids] == [queue, queue, other, queue]
    assert states(boltq, queue) == {
        ids[0]: "queued",
        f"{queue}:later": "scheduled",
        ids[3]: "queued",
    }
    assert [boltq.get(id).payload for id in ids] == [
        b"1.0",
        b"null",
        b'{"n": 9007199254740993}',
        b"[]",
    ]
    assert boltq.get(ids[3]).priority == 9
    assert set(boltq.queues()) == {queue, other}


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl; charset=utf-8"])
def test_a_job_may_stand_on_a_line_each(
    http: TestClient, boltq: BoltQ, queue: str, kind: str
) -> None:
    line = b'{"type": "echo", "queue": "%s", "payload": %d}'
    body = b"\r\n".join(line % (queue.encode(), n) for n in range(3)) + b"\n\n"
    told = post(http, body, **{"Content-Type": kind})
    assert told.status_code == 200, told.text
    assert [boltq.get(one["id"]).payload for one in told.json["results"]] == [b"0", b"1", b"2"]


def test_a_bad_job_is_refused_at_its_place_and_the_others_are_made(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    boltq.configure(queue, payload_bytes=10)
    told = post(
        http,
        [
            {"type": "echo", "queue": queue, "id": "a"},
            {"type": "no type!", "queue": queue},
            {"type": "echo", "queue": queue, "id": "a"},
            {"type": "echo", "queue": queue, "payload": "far too long"},
            {"type": "echo", "queue": queue, "priority": 10},
            {"type": "echo", "queue": queue, "id": "b"},
        ],
    )
    assert told.status_code == 200
    results = told.json["results"]
    assert [one["status"] for one in results] == [
        *("created", "refused", "duplicate", "refused", "refused", "created")
    ]
    assert [one.get("field") for one in results] == [None, "type", None, None, "priority", None]
    assert results[3]["word"] == "TOO_LARGE"
    assert results[4]["detail"] == "priority must be a whole number from 0 to 9, not 10"
    assert (told.json["created"], told.json["duplicates"], told.json["refused"]) == (2, 1, 3)
    assert states(boltq, queue) == {f"{queue}:a": "queued", f"{queue}:b": "queued"}


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [
        ({"type": "no type!"}, (400, "item 3: type must be")),
        ({"type": "echo", "queue": "else"}, (400, "item 3: queue differs from that of item 1")),
        ({"type": "echo", "priority": 3}, (400, "item 3: priority differs from that of item 1")),
        ({"type": "echo", "payload": "far too long"}, (413, "item 3: payload has 14 bytes")),
        ({"type": "echo", "more": 1}, (400, "item 3: more is no member")),
    ],
)
def test_all_or_nothing_makes_nothing_where_one_is_bad_and_names_it(
    http: TestClient, boltq: BoltQ, queue: str, bad: Job, refusal: tuple[int, str]
) -> None:
    boltq.configure(queue, payload_bytes=10)
    good = {"type": "echo", "queue": queue}
    told = post(http, [good, good, {"queue": queue, **bad}], "?mode=all")
    assert told.status_code == refusal[0]
    assert told.json["detail"].startswith(refusal[1])
    assert states(boltq, queue) == {}
    assert boltq.stats(queue).enqueued_total == 0


def test_all_go_in_one_call_of_the_script(
    http: TestClient, boltq: BoltQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = boltq.server.call
    monkeypatch.setattr(
        boltq.server, "call", lambda call: (calls.append(call.script), real(call))[1]
    )
    told = post(http, [{"type": "echo", "queue": queue}] * 400, "?mode=all")
    assert (told.status_code, told.json["created"]) == (202, 400)
    assert calls == ["enqueue"]
    assert boltq.stats(queue).queued == 400


@pytest.mark.parametrize(
    ("body", "query", "sentence"),
    [
        (b"{}", "", "the body must be an array of jobs in JSON"),
        (b"[1, 2", "", "the body must be an array of jobs in JSON"),
        (b"[" * 100_000, "", "the body must be an array of jobs in JSON"),
        (b'["\xff"]', "?mode=all", "item 1: the body must be UTF-8"),
        (b"[]", "", "a batch must be of 1 to 1000 jobs, not 0"),
        (b"[" + b"{}," * 1000 + b"{}]", "", "a batch must be of 1 to 1000 jobs, not 1001"),
        (b"[{}]", "?mode=some", "mode must be each or all"),
        (
            b"[" + b",".join([b'{"type": "a"}'] * 501) + b"]",
            "?mode=all",
            "with mode=all a batch is of 1 to 500 jobs, not 501",
        ),
    ],
)
def test_what_is_no_batch_is_refused(
    http: TestClient, body: bytes, query: str, sentence: str
) -> None:
    told = post(http, body, query)
    assert told.status_code == 400, told.text
    assert told.json["detail"].startswith(sentence)


def test_a_batch_may_be_larger_than_one_call_and_no_larger_than_16_mib(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    one = {"type": "echo", "queue": queue, "payload": "x" * 1_000_000}
    told = post(http, [one] * 12)
    assert told.json["created"] == 12
    assert boltq.stats(queue).queued == 12
    assert post(http, b" " * (BATCH_BODY_BYTES + 1)).status_code == 413


def test_a_full_server_refuses_the_batch(
    private_server: Callable[..., TestServer], queue: str
) -> None:
    server = private_server("redis")
    client = BoltQ(server.address, patience_seconds=0.5)
    http = TestClient(create_app(client))
    assert post(http, [{"type": "echo", "queue": queue}]).json["created"] == 1
    server.raw().config_set("maxmemory", "1mb")
    told = post(http, [{"type": "echo", "queue": queue}])
    assert (told.status_code, told.json["word"]) == (503, "FULL")
    told = post(http, [{"type": "echo", "queue": queue}, {"type": "x y"}])
    assert [one["word"] for one in told.json["results"]] == ["FULL", "BAD_ARGUMENT"]
    assert client.stats(queue).enqueued_total == 1
    client.close()


def test_a_batch_sent_again_with_its_key_is_answered_as_before_and_done_once(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    jobs = [{"type": "echo", "queue": queue, "payload": n} for n in range(150)]
    jobs.append({"type": "bad type", "queue": queue})
    first = post(http, jobs, **{"Idempotency-Key": "b1"})
    again = post(http, jobs, **{"Idempotency-Key": "b1"})
    assert (first.json["created"], first.json["refused"]) == (150, 1)
    assert again.json == first.json
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert boltq.stats(queue).enqueued_total == 150


def test_a_key_with_another_batch_is_refused_before_anything_is_made(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    jobs = [{"type": "echo", "queue": queue}]
    post(http, jobs, **{"Idempotency-Key": "b1"})
    told = post(http, jobs * 2, **{"Idempotency-Key": "b1"})
    assert (told.status_code, told.json["word"]) == (422, "KEY_REUSED")
    assert boltq.stats(queue).enqueued_total == 1
