"""The API on real servers: jobs through their life, and what is counted of them."""

import json
import logging
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from falcon.testing import Result, TestClient
from servers import TestServer

from boltq import scripts
from boltq.api.app import create_app
from boltq.client import BoltQ
from boltq.errors import Unavailable

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    # A prefix of its own, so that "all queues" are those of this test alone.
    client = BoltQ(server.address, prefix=f"api-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


@pytest.fixture
def http(boltq: BoltQ) -> TestClient:
    return TestClient(create_app(boltq))


def post(http: TestClient, body: str | bytes) -> Result:
    return http.simulate_post("/api/jobs", body=body, headers=JSON)


def enqueued(http: TestClient, queue: str, **members: object) -> str:
    result = post(http, json.dumps({"type": "echo", "queue": queue, **members}))
    assert result.status_code == 202, result.text
    return str(result.json["id"])


def claim(boltq: BoltQ, queue: str) -> str:
    """Lease what is queued, under a token that is returned."""
    token = secrets.token_hex(8)
    boltq.server.call(
        scripts.claim(
            queue, token=token, worker="me", lease_ms=60_000, limit=100, max_bytes=4_000_000
        )
    )
    return token


def inside(id: str) -> str:
    return id.rpartition(":")[2]


def finish(boltq: BoltQ, queue: str, *ids: str) -> None:
    token = claim(boltq, queue)
    items = [scripts.AckItem(inside(id), token, b'{"done":1}') for id in ids]
    boltq.server.call(scripts.ack(queue, items))


def bury(boltq: BoltQ, queue: str, *ids: str) -> None:
    token = claim(boltq, queue)
    for id in ids:  # one call each, so that each has a time of death of its own
        item = scripts.FailItem(inside(id), token, b"ValueError", b"no", b"stack", "", 1)
        boltq.server.call(scripts.fail(queue, [item]))


def test_a_job_is_accepted_with_its_place_and_can_be_looked_at(
    http: TestClient, queue: str
) -> None:
    result = post(
        http,
        json.dumps(
            {
                "type": "mail:send",
                "queue": queue,
                "payload": {"to": "a@b"},
                "priority": 7,
                "max_attempts": 5,
                "timeout_seconds": 1.5,
                "retention_seconds": 60,
                "backoff": {"base_seconds": 0.5, "factor": 3, "max_seconds": 10, "jitter": 0},
                "headers": {"traceparent": "00-1-2-03"},
            }
        ),
    )
    assert result.status_code == 202
    assert result.headers["content-type"] == "application/json"
    job = result.json
    assert job["id"].startswith(f"{queue}:")
    assert (job["queue"], job["type"], job["state"]) == (queue, "mail:send", "queued")
    assert (job["payload"], job["priority"]) == ({"to": "a@b"}, 7)
    assert (job["attempt"], job["failures"], job["max_attempts"]) == (0, 0, 5)
    assert job["headers"] == {
        "request_id": result.headers["x-request-id"],
        "traceparent": "00-1-2-03",
    }
    assert "finished_at" not in job
    assert "duplicate" not in job
    for path in (
        result.headers["location"],
        f"/api/jobs/{job['id'].replace(':', '%3A')}",
        f"/api/jobs/status?id={job['id']}",
    ):
        again = http.simulate_get(path)
        assert again.status_code == 200
        assert again.content == result.content


def test_a_job_of_the_default_queue_has_a_bare_id_and_a_payload_of_null(http: TestClient) -> None:
    job = post(http, '{"type": "echo"}').json
    assert ":" not in job["id"]
    assert (job["queue"], job["payload"]) == ("default", None)


def test_the_options_reach_the_queue(http: TestClient, boltq: BoltQ, queue: str) -> None:
    id = enqueued(
        http,
        queue,
        timeout_seconds=1.5,
        retention_seconds=60,
        backoff={"base_seconds": 0.5, "factor": 3, "max_seconds": 10, "jitter": 0},
    )
    call = scripts.inspect(queue, [scripts.InspectItem(inside(id))], with_payload=0)
    header = json.loads(boltq.server.call(call).answers[0].header)
    assert header["timeout_ms"] == 1500
    assert header["retention_ms"] == 60_000
    assert header["backoff_base_ms"] == 500
    assert header["backoff_factor"] == 3
    assert header["backoff_cap_ms"] == 10_000
    assert header["backoff_jitter"] == 0


def test_an_accepted_job_is_answered_even_if_it_cannot_be_looked_at_any_more(
    http: TestClient, boltq: BoltQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_id: str) -> None:
        raise Unavailable("Redis does not answer")

    monkeypatch.setattr(boltq, "get", away)
    result = post(http, json.dumps({"type": "echo", "queue": queue, "id": "a1"}))
    assert (result.status_code, result.json["id"]) == (202, f"{queue}:a1")
    assert result.headers["location"] == f"/api/jobs/{queue}:a1"
    again = post(http, json.dumps({"type": "echo", "queue": queue, "id": "a1"}))
    assert (again.status_code, again.json) == (200, {"duplicate": True, "id": f"{queue}:a1"})


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"payload": [1.50, "\u00e9", {"a": None}], "headers": {"own": "\u00e9"}, "priority": 0},
        {"payload": "x" * 5000, "max_attempts": 7, "id": "mine"},
        {"delay_seconds": 60},
        {"run_at": "2031-01-01T00:00:00Z"},
        {"run_at": "2021-01-01T00:00:00Z"},
    ],
)
def test_a_new_job_is_answered_as_it_is_shown_right_after(
    http: TestClient, boltq: BoltQ, queue: str, told: dict[str, object]
) -> None:
    boltq.configure(queue, job_priority=7, job_max_attempts=5)
    result = post(http, json.dumps({"type": "echo", "queue": queue, **told}))
    shown = http.simulate_get(result.headers["location"])
    assert result.content == shown.content
    default = post(http, json.dumps({"type": "echo", **told}))
    assert default.content == http.simulate_get(default.headers["location"]).content


def test_members_that_are_null_are_as_if_left_out(http: TestClient, queue: str) -> None:
    names = ("id", "priority", "delay_seconds", "run_at", "max_attempts", "backoff", "headers")
    job_id = enqueued(http, queue, **dict.fromkeys(names))
    job = http.simulate_get(f"/api/jobs/{job_id}").json
    assert (job["state"], job["priority"], job["max_attempts"]) == ("queued", 4, 3)


def test_a_known_id_is_answered_as_a_duplicate_and_adds_nothing(
    http: TestClient, queue: str
) -> None:
    first = post(http, json.dumps({"type": "echo", "queue": queue, "id": "a1", "payload": 1}))
    prefixed = {"type": "echo", "queue": queue, "id": f"{queue}:a1", "payload": 2}
    second = post(http, json.dumps(prefixed))
    assert (first.status_code, second.status_code) == (202, 200)
    assert second.headers["location"] == first.headers["location"] == f"/api/jobs/{queue}:a1"
    assert second.json == {"duplicate": True, **first.json}
    assert second.json["payload"] == 1
    stats = http.simulate_get("/api/stats").json
    assert (stats["queued"], stats["enqueued_total"]) == (1, 1)


@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        "{}",
        "null",
        "9007199254740993",
        "1.0",
        "1e400",
        "-0",
        r'"\u00e9"',
        '"é 😀"',
        r'"\ud83d\ude00"',
        '{ "a" : [ 1 ,2 ] , "a" : 3 }',
        '"' + "a" * 1_000_000 + '"',
        "[" * 400 + "]" * 400,
        "9" * 5000,
    ],
    ids=lambda payload: payload[:20],
)
def test_a_payload_comes_back_byte_for_byte(
    http: TestClient, boltq: BoltQ, queue: str, payload: str
) -> None:
    body = f'{{"payload" :\t {payload}\n , "type": "echo", "queue": "{queue}"}}'
    result = post(http, body)
    assert result.status_code == 202, result.text[:500]
    id = result.headers["location"].rpartition("/")[2]
    assert boltq.get(id).payload == payload.encode()
    assert b'"payload":' + payload.encode() + b"," in result.content


def test_a_payload_that_is_no_json_is_shown_in_base64(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    id = boltq.enqueue("echo", raw=b"\xff\x00", queue=queue).id
    assert http.simulate_get(f"/api/jobs/{id}").json["payload_base64"] == "/wA="


def test_a_delayed_job_is_scheduled_for_its_time(http: TestClient, queue: str) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    zone = "+02:00"
    run_at = (later + timedelta(hours=2)).isoformat(timespec="milliseconds").replace("+00:00", zone)
    for members in ({"delay_seconds": 3600}, {"run_at": run_at}):
        job = http.simulate_get(f"/api/jobs/{enqueued(http, queue, **members)}").json
        assert job["state"] == "scheduled"
        assert job["run_at"].endswith("Z")
        assert abs(datetime.fromisoformat(job["run_at"]) - later) < timedelta(minutes=1)


def test_a_job_whose_time_has_passed_is_queued_at_once(http: TestClient, queue: str) -> None:
    for run_at in ("2020-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"):
        job = http.simulate_get(f"/api/jobs/{enqueued(http, queue, run_at=run_at)}").json
        assert job["state"] == "queued"


def test_a_finished_job_shows_its_result_and_when_it_ended(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    id = enqueued(http, queue)
    finish(boltq, queue, id)
    job = http.simulate_get(f"/api/jobs/{id}").json
    assert (job["state"], job["result"]) == ("completed", {"done": 1})
    assert job["finished_at"].endswith("Z")


def test_an_unknown_job_is_a_404_that_names_it(http: TestClient, queue: str) -> None:
    for method, path in [
        ("GET", f"/api/jobs/status?id={queue}:nobody"),
        ("GET", f"/api/jobs/{queue}:nobody"),
        ("POST", f"/api/jobs/{queue}:nobody/cancel"),
        ("POST", f"/api/jobs/{queue}:nobody/replay"),
    ]:
        result = http.simulate_request(method, path)
        assert result.status_code == 404
        assert result.headers["content-type"] == "application/problem+json"
        assert result.json["word"] == "UNKNOWN"
        assert f"{queue}:nobody" in result.json["detail"]


def test_cancel_takes_out_a_waiting_job_and_asks_a_running_one(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    waiting = enqueued(http, queue)
    result = http.simulate_post(f"/api/jobs/{waiting}/cancel")
    assert (result.status_code, result.json["answer"]) == (200, "cancelled")
    assert result.json["state"] == "cancelled"
    assert http.simulate_post(f"/api/jobs/{waiting}/cancel").json["answer"] == "already"

    running = enqueued(http, queue)
    claim(boltq, queue)
    result = http.simulate_post(f"/api/jobs/{running}/cancel")
    assert (result.status_code, result.json["answer"]) == (202, "asked")
    assert (result.json["state"], result.json["cancel_asked"]) == ("running", True)


def test_a_finished_job_is_not_cancelled_and_a_waiting_one_not_replayed(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    done = enqueued(http, queue)
    finish(boltq, queue, done)
    waiting = enqueued(http, queue)
    for path in (f"{done}/cancel", f"{done}/replay", f"{waiting}/replay"):
        result = http.simulate_post(f"/api/jobs/{path}")
        assert (result.status_code, result.json["word"]) == (409, "WRONG_STATE")


def test_a_replayed_job_is_queued_again(http: TestClient, boltq: BoltQ, queue: str) -> None:
    id = enqueued(http, queue)
    bury(boltq, queue, id)
    assert http.simulate_get(f"/api/jobs/{id}").json["errors"][0]["message"] == "no"
    result = http.simulate_post(f"/api/jobs/{id}/replay")
    assert (result.status_code, result.json["answer"]) == (202, "replayed")
    assert (result.json["id"], result.json["state"]) == (id, "queued")
    assert http.simulate_get("/api/dead").json["jobs"] == []


def turned_pages(http: TestClient, query: str) -> list[list[str]]:
    pages, cursor = [], ""
    while not pages or cursor:
        result = http.simulate_get(f"/api/dead?{query}&cursor={cursor}")
        assert result.status_code == 200, result.text
        pages.append([job["id"] for job in result.json["jobs"]])
        cursor = result.json["cursor"]
        assert len(pages) < 20
    return pages


def test_the_dead_are_listed_newest_first_page_by_page(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    ids = [enqueued(http, queue, payload="secret") for _ in range(5)]
    bury(boltq, queue, *ids)
    assert http.simulate_get("/api/dead").json["cursor"] == ""
    assert "secret" not in http.simulate_get("/api/dead").text
    pages = turned_pages(http, f"queue={queue}&limit=2")
    assert list(chain(*pages)) == ids[::-1]
    assert [len(page) for page in pages[:2]] == [2, 2]


def test_the_dead_of_all_queues_are_one_list_and_none_is_passed_over(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    died: list[str] = []
    for turn in range(9):
        of = f"{queue}-{turn % 3 if turn < 6 else 0}"  # the first queue has the newest four
        id = enqueued(http, of)
        bury(boltq, of, id)
        died.append(id)
    for limit in (1, 2, 4, 100):
        pages = turned_pages(http, f"limit={limit}")
        assert sorted(chain(*pages)) == sorted(died)
        assert all(len(page) == limit for page in pages[:-2])
    finished = [job["finished_at"] for job in http.simulate_get("/api/dead").json["jobs"]]
    assert finished == sorted(finished, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=1e1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("queue=a%7Bb%7D", "queue"),
        ("cursor=x", "cursor"),
        ("cursor=%FF", "cursor"),
        ("cursor=bnVsbA==", "cursor"),
        ("cursor=eyJhIjoxfQ==", "cursor"),
        ("queue=b&cursor=eyJhIjoiIn0=", "cursor"),
        ("cursor=eyJhIjoieCJ9", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_query_of_the_dead_is_refused(
    http: TestClient, query: str, field: str | None
) -> None:
    result = http.simulate_get(f"/api/dead?{query}")
    assert (result.status_code, result.json["word"]) == (400, "BAD_ARGUMENT")
    assert result.json.get("field") == field


def test_stats_count_all_queues_together_and_each_alone(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    one, other = f"{queue}-1", f"{queue}-2"
    done = enqueued(http, one)
    finish(boltq, one, done)
    enqueued(http, one)
    enqueued(http, other, delay_seconds=60)
    stats = http.simulate_get("/api/stats").json
    assert (stats["completed"], stats["queued"], stats["scheduled"]) == (1, 1, 1)
    assert (stats["running"], stats["retrying"], stats["cancelled"], stats["dead"]) == (0, 0, 0, 0)
    assert (stats["enqueued_total"], stats["completed_total"]) == (3, 1)
    assert set(stats["queues"]) == {one, other}
    assert (stats["queues"][one]["queued"], stats["queues"][one]["completed"]) == (1, 1)
    assert stats["queues"][one]["oldest_queued_seconds"] >= 0
    assert "next_due_at" not in stats["queues"][one]
    assert stats["queues"][other]["next_due_at"].endswith("Z")
    listed = http.simulate_get("/api/queues").json["queues"]
    assert [each["queue"] for each in listed] == [one, other]
    assert [each["enqueued_total"] for each in listed] == [2, 1]


def test_stats_of_a_new_server_are_zero(http: TestClient) -> None:
    stats = http.simulate_get("/api/stats").json
    assert stats == {**stats, "queued": 0, "completed": 0, "dead": 0, "queues": {}}
    assert http.simulate_get("/api/queues").json == {"queues": []}


def test_a_paused_queue_hands_out_nothing_until_it_is_resumed(
    http: TestClient, boltq: BoltQ, queue: str
) -> None:
    id = enqueued(http, queue)
    body = '{"reason": "the mail server is down", "by": "eve"}'
    paused = http.simulate_post(f"/api/queues/{queue}/pause", body=body, headers=JSON)
    assert paused.status_code == 200
    assert (paused.json["queue"], paused.json["paused"]) == (queue, True)
    assert (paused.json["pause_reason"], paused.json["paused_by"]) == (
        "the mail server is down",
        "eve",
    )
    claim(boltq, queue)
    assert boltq.get(id).state == "queued"
    resumed = http.simulate_post(f"/api/queues/{queue}/resume")
    assert (resumed.status_code, resumed.json["paused"]) == (200, False)
    assert "pause_reason" not in resumed.json
    claim(boltq, queue)
    assert boltq.get(id).state == "running"


def test_a_pause_needs_no_body(http: TestClient, queue: str) -> None:
    result = http.simulate_post(f"/api/queues/{queue}/pause")
    assert (result.status_code, result.json["paused"]) == (200, True)


def test_the_front_door_shows_a_curl_that_works(http: TestClient) -> None:
    text = http.simulate_get("/", headers={"Host": "example.org:81"})
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "curl -X POST http://example.org:81/api/jobs " in text.text
    body = text.text.partition("-d '")[2].partition("'")[0]
    assert post(http, body).status_code == 202
    about = http.simulate_get("/", headers={"Accept": "application/json"}).json
    assert about["name"] == "BoltQ"
    for line in about["paths"]:
        method, _, path = line.partition(" ")
        path = path.partition("?")[0].replace("ID", "a1").replace("QUEUE", "a1")
        answer = http.simulate_request(method, path)
        assert (
            path in ("/", "/api/docs", "/metrics")
            or answer.status_code == 204
            or answer.json is not None
        )
        assert answer.status_code not in (405, 500)


def test_the_front_door_is_inert(http: TestClient) -> None:
    headers = {"Host": '"><script>alert(1)</script>'}
    text = http.simulate_get("/", headers=headers)
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    page = http.simulate_get("/", headers={**headers, "Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for answer in (text, page):
        assert "alert(1)" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_alive_and_ready_are_two_questions(http: TestClient) -> None:
    assert http.simulate_get("/healthz").json == {"status": "ok"}
    assert http.simulate_get("/readyz").json == {"status": "ready"}


def test_each_request_has_an_id_and_a_line_in_the_log(
    http: TestClient, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "boltq")
    given = http.simulate_get("/healthz", headers={"X-Request-Id": "trace-1"})
    assert given.headers["x-request-id"] == "trace-1"
    made = http.simulate_get("/api/queues/a%0Ab/pause", headers={"X-Request-Id": "two words"})
    assert made.headers["x-request-id"] not in ("", "two words")
    assert made.json["request_id"] == made.headers["x-request-id"]
    post(http, json.dumps({"type": "echo", "queue": queue, "payload": "secret"}))
    probe, refused, accepted = (
        record for record in caplog.records if record.getMessage() == "request"
    )
    assert (probe.levelname, refused.levelname) == ("DEBUG", "INFO")
    assert vars(refused)["path"] == "/api/queues/a%0Ab/pause"
    assert (vars(refused)["method"], vars(refused)["status"]) == ("GET", 405)
    assert vars(refused)["request_id"] == made.headers["x-request-id"]
    assert (vars(accepted)["path"], vars(accepted)["status"]) == ("/api/jobs", 202)
    assert vars(accepted)["duration_ms"] >= 0
    assert not any("secret" in str(vars(record)) for record in caplog.records)
