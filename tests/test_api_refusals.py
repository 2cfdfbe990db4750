"""What the API refuses: by a problem that names the field and the rule, and nothing is made."""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from servers import TestServer, until

from boltq.api.app import create_app
from boltq.api.bodies import MAX_BODY_BYTES
from boltq.client import BoltQ

JSON = {"Content-Type": "application/json"}
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"bad-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


@pytest.fixture
def http(boltq: BoltQ) -> TestClient:
    return TestClient(create_app(boltq))


@pytest.fixture
def assert_nothing_made(server: TestServer, boltq: BoltQ) -> Iterator[None]:
    yield
    assert server.raw().keys(f"{boltq.server.prefix}*") == []


def is_problem(result: Result, status: int) -> dict[str, Any]:
    assert result.status_code == status, result.text[:500]
    assert result.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = result.json
    kind = problem["word"].lower().replace("_", "-")
    assert (problem["status"], problem["type"]) == (status, f"urn:boltq:problem:{kind}")
    assert problem["title"]
    assert problem["word"]
    assert problem["instance"] == f"urn:boltq:request:{problem['request_id']}"
    assert problem["request_id"] == result.headers["x-request-id"]
    assert len(problem["detail"]) < 500
    assert problem["detail"].isprintable()
    return problem


def echo(members: str) -> bytes:
    return b'{"type": "echo", %s}' % members.encode()


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "no body": (b"", "body", "JSON object"),
    "broken": (b'{"type": "echo"', "type", "too early"),
    "a word": (b"echo", "body", "JSON object"),
    "array": (b"[]", "body", "got `array`"),
    "number": (b"7", "body", "got `int`"),
    "two objects": (b'{"type": "echo"}{}', "body", "trailing"),
    "deep body": (DEEP, "body", "JSON object"),
    "deep payload": (b'{"type": "echo", "payload": %s}' % DEEP, "payload", "nested too deeply"),
    "deep object": (
        b'{"type": "echo", "payload": %s1%s}' % (b'{"a":' * 100_000, b"}" * 100_000),
        "payload",
        "nested too deeply",
    ),
    "deep headers": (b'{"type": "echo", "headers": {"a": %s}}' % DEEP, "headers", "too deeply"),
    "utf-16": ('{"type": "echo"}'.encode("utf-16"), "body", "UTF-8"),
    "byte order mark": (b'\xef\xbb\xbf{"type": "echo"}', "body", "JSON object"),
    "latin-1 in the payload": (b'{"type": "echo", "payload": "\xe9"}', "body", "UTF-8"),
    "surrogate as bytes": (b'{"type": "echo", "payload": "\xed\xa0\x80"}', "body", "UTF-8"),
    "overlong": (b'{"type": "echo", "payload": "\xc0\xaf"}', "body", "UTF-8"),
    "surrogate in the payload": (echo(r'"payload": ["\ud800"]'), "payload", "JSON value"),
    "NaN in the payload": (echo('"payload": [NaN]'), "payload", "JSON value"),
    "Infinity in the payload": (echo('"payload": -Infinity'), "payload", "JSON value"),
    "leading zero in the payload": (echo('"payload": [01]'), "payload", "JSON value"),
    "comma in the payload": (echo('"payload": [1,]'), "payload", "JSON value"),
    "control byte in the payload": (b'{"type":"echo","payload":"\x01"}', "payload", "JSON value"),
    "type missing": (b'{"payload": 1}', "type", "must be given"),
    "type empty": (b'{"type": ""}', "type", "1 to 128"),
    "type numeric": (b'{"type": 7}', "type", "must be a text, not 7"),
    "type null": (b'{"type": null}', "type", "must be a text"),
    "type with NUL": (rb'{"type": "a\u0000"}', "type", "1 to 128"),
    "type with a newline": (rb'{"type": "a\n"}', "type", "1 to 128"),
    "type with a bare newline": (b'{"type": "a\n"}', "type", "must be a text"),
    "type with a lone surrogate": (rb'{"type": "a\ud800"}', "type", "must be a text"),
    "type with an accent": ('{"type": "é"}'.encode(), "type", "1 to 128"),
    "type too long": (b'{"type": "%s"}' % (b"a" * 129), "type", "1 to 128"),
    "unknown field": (echo('"retries": 3'), "retries", "no member"),
    "unknown field of 10,000": (echo(f'"{"r" * 10_000}": 3'), "r" * 60 + "...", "no member"),
    "unknown field with a NUL": (echo(r'"\u0000": 3'), r"\x00", "no member"),
    "unknown field of backoff": (echo('"backoff": {"times": 3}'), "backoff", "an object of"),
    "field twice": (echo('"priority": 3, "priority": 3'), "priority", "twice"),
    "field twice, once in another spelling": (
        echo('"priority": 3, "priorit\\u0079": 3'),
        "priority",
        "twice",
    ),
    "payload twice": (echo('"payload": 1, "payload": 2'), "payload", "twice"),
    "max_attempts 0": (echo('"max_attempts": 0'), "max_attempts", "from 1 to 1000, not 0"),
    "max_attempts -1": (echo('"max_attempts": -1'), "max_attempts", "from 1 to 1000"),
    "max_attempts 1001": (echo('"max_attempts": 1001'), "max_attempts", "from 1 to 1000"),
    "max_attempts in quotes": (echo('"max_attempts": "3"'), "max_attempts", 'not "3"'),
    "max_attempts 1e9": (echo('"max_attempts": 1e9'), "max_attempts", "from 1 to 1000"),
    "max_attempts 3.5": (echo('"max_attempts": 3.5'), "max_attempts", "a whole number"),
    "max_attempts true": (echo('"max_attempts": true'), "max_attempts", "a whole number"),
    "max_attempts huge": (echo(f'"max_attempts": {"9" * 5000}'), "max_attempts", "1 to 1000"),
    "priority 10": (echo('"priority": 10'), "priority", "from 0 to 9, not 10"),
    "priority -1": (echo('"priority": -1'), "priority", "from 0 to 9"),
    "delay NaN": (echo('"delay_seconds": NaN'), "delay_seconds", "from 0 to 315360000"),
    "delay -5": (echo('"delay_seconds": -5'), "delay_seconds", "from 0 to 315360000"),
    "delay 1e400": (echo('"delay_seconds": 1e400'), "delay_seconds", "from 0 to 315360000"),
    "delay 1e300": (echo('"delay_seconds": 1e300'), "delay_seconds", "from 0 to 315360000"),
    "delay of text": (echo('"delay_seconds": "5"'), "delay_seconds", "a number of seconds"),
    "run_at without zone": (echo('"run_at": "2030-01-01T00:00:00"'), "run_at", "RFC 3339"),
    "run_at of number": (echo('"run_at": 1900000000'), "run_at", "RFC 3339"),
    "run_at nonsense": (echo('"run_at": "tomorrow"'), "run_at", "RFC 3339"),
    "run_at in 75 years": (echo('"run_at": "2100-01-01T00:00:00Z"'), "run_at", "ten years"),
    "run_at and delay": (
        echo('"run_at": "2030-01-01T00:00:00Z", "delay_seconds": 0'),
        "run_at",
        "delay_seconds",
    ),
    "timeout -1": (echo('"timeout_seconds": -1'), "timeout_seconds", "a number of seconds"),
    "retention null text": (echo('"retention_seconds": ""'), "retention_seconds", "a number"),
    "backoff 5": (echo('"backoff": 5'), "backoff", "an object of"),
    "backoff factor 0": (echo('"backoff": {"factor": 0}'), "backoff.factor", "from 1 to 1000"),
    "backoff jitter 2": (echo('"backoff": {"jitter": 2}'), "backoff.jitter", "from 0 to 1"),
    "headers of text": (echo('"headers": "a"'), "headers", "an object of at most 4096"),
    "headers too large": (echo(f'"headers": {{"a": "{"b" * 4096}"}}'), "headers", "4096"),
    "headers out of range": (echo('"headers": {"a": 1e400}'), "headers", "an object"),
    "queue with braces": (echo('"queue": "a{b}"'), "queue", "1 to 128"),
    "queue ../x": (echo('"queue": "../x"'), "queue", "1 to 128"),
    "queue empty": (echo('"queue": ""'), "queue", "1 to 128"),
    "queue of 10,000": (echo(f'"queue": "{"q" * 10_000}"'), "queue", "1 to 128"),
    "queue null": (echo('"queue": null'), "queue", "a text"),
    "id status": (echo('"id": "status"'), "id", "status"),
    "id batch": (echo('"id": "default:batch"'), "id", "batch"),
    "id empty": (echo('"id": ""'), "id", "1 to 128"),
    "id with a slash": (echo('"id": "a/b"'), "id", "1 to 128"),
    "id of another queue": (echo('"queue": "a", "id": "b:1"'), "id", "queue"),
}


@pytest.mark.usefixtures("assert_nothing_made")
@pytest.mark.parametrize("case", BROKEN)
def test_a_bad_job_is_refused_by_field_and_rule_and_makes_nothing(
    http: TestClient, case: str
) -> None:
    body, field, rule = BROKEN[case]
    problem = is_problem(http.simulate_post("/api/jobs", body=body, headers=JSON), 400)
    assert problem["word"] == "BAD_ARGUMENT"
    assert problem["field"] == field
    assert rule in problem["detail"]
    if field != "body":
        assert field.partition(".")[0][:20] in problem["detail"]


@pytest.mark.usefixtures("assert_nothing_made")
def test_a_payload_above_the_queues_limit_is_too_large(http: TestClient) -> None:
    body = b'{"type": "echo", "payload": "%s"}' % (b"a" * 2 * 1024 * 1024)
    problem = is_problem(http.simulate_post("/api/jobs", body=body, headers=JSON), 413)
    assert (problem["word"], problem["field"]) == ("TOO_LARGE", "payload")
    assert "1048576" in problem["detail"]


@pytest.mark.usefixtures("assert_nothing_made")
def test_a_body_above_the_limit_is_too_large(http: TestClient) -> None:
    body = b'{"type": "echo", "payload": "%s"}' % (b"a" * MAX_BODY_BYTES)
    problem = is_problem(http.simulate_post("/api/jobs", body=body, headers=JSON), 413)
    assert problem["word"] == "TOO_LARGE"


@pytest.mark.usefixtures("assert_nothing_made")
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "", "json"]
)
def test_only_json_is_taken_for_json_since_any_page_can_post_a_form(
    http: TestClient, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    result = http.simulate_post("/api/jobs", body=b'{"type": "echo"}', headers=headers)
    assert "Content-Type: application/json" in is_problem(result, 415)["detail"]
    pausing = http.simulate_post("/api/queues/a/pause", body=b'{"by": "eve"}', headers=headers)
    is_problem(pausing, 415)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"]
)
def test_the_type_of_json_may_have_a_charset_or_a_vendor(http: TestClient, kind: str) -> None:
    headers = {"Content-Type": kind}
    assert http.simulate_post("/api/jobs", body=b'{"type":"e"}', headers=headers).status_code == 202


@pytest.mark.usefixtures("assert_nothing_made")
def test_a_compressed_body_is_refused(http: TestClient) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    is_problem(http.simulate_post("/api/jobs", body=b"\x1f\x8b", headers=headers), 415)


@pytest.mark.usefixtures("assert_nothing_made")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_page_of_another_site_changes_nothing(http: TestClient, headers: dict[str, str]) -> None:
    for path in ("/api/jobs", "/api/queues/a/pause", "/api/queues/a/resume", "/api/jobs/a/replay"):
        result = http.simulate_post(path, headers={"Host": "localhost:8080", **headers})
        assert is_problem(result, 403)["word"] == "FORBIDDEN"


def test_a_page_of_our_own_may_change_things(http: TestClient) -> None:
    headers = {
        "Host": "localhost:8080",
        "Origin": "http://localhost:8080",
        "Sec-Fetch-Site": "same-origin",
    }
    assert http.simulate_post("/api/queues/a/pause", headers=headers).status_code == 200


@pytest.mark.usefixtures("assert_nothing_made")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/jobs/status"),
        ("GET", "/api/jobs/status?id="),
        ("GET", "/api/jobs/status?id=a&id=%7B"),
        ("GET", "/api/jobs/status?id=a%00"),
        ("GET", "/api/jobs/status?id=%FF"),
        ("GET", "/api/jobs/a%0A"),
        ("GET", "/api/jobs/%7Ba%7D"),
        ("GET", "/api/jobs/.."),
        ("GET", "/api/jobs/a:b:c"),
        ("GET", "/api/jobs/:a"),
        ("GET", "/api/jobs/" + "a" * 10_000),
        ("POST", "/api/jobs/%7Ba%7D/cancel"),
        ("POST", "/api/jobs/%7Ba%7D/replay"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_no_id_is_refused_as_an_id(http: TestClient, method: str, path: str) -> None:
    problem = is_problem(http.simulate_request(method, path), 400)
    assert (problem["word"], problem["field"]) == ("BAD_ARGUMENT", "id")


@pytest.mark.usefixtures("assert_nothing_made")
@pytest.mark.parametrize("verb", ["pause", "resume"])
@pytest.mark.parametrize("queue", ["a%7Bb%7D", "..", "a%20b", "a%0A", "%C3%A9", "q" * 129])
def test_what_is_no_name_is_refused_as_a_queue(http: TestClient, queue: str, verb: str) -> None:
    problem = is_problem(http.simulate_post(f"/api/queues/{queue}/{verb}"), 400)
    assert (problem["word"], problem["field"]) == ("BAD_ARGUMENT", "queue")


@pytest.mark.usefixtures("assert_nothing_made")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"reason": 7}', "reason"),
        (json.dumps({"reason": "a" * 201}), "reason"),
        (json.dumps({"by": "a" * 129}), "by"),
        (json.dumps({"by": "\u00e9" * 65}), "by"),
        (json.dumps({"reason": "two\nlines"}), "reason"),
        ('{"why": "so"}', "why"),
        ("[]", "body"),
    ],
)
def test_a_bad_reason_does_not_pause(http: TestClient, body: str, field: str) -> None:
    result = http.simulate_post("/api/queues/a/pause", body=body, headers=JSON)
    assert is_problem(result, 400)["field"] == field


def test_a_path_or_method_that_is_not_here_is_a_problem(http: TestClient) -> None:
    assert is_problem(http.simulate_get("/nowhere"), 404)["word"] == "NOT_FOUND"
    refused = http.simulate_put("/api/jobs")
    assert is_problem(refused, 405)["word"] == "METHOD_NOT_ALLOWED"
    assert "POST" in refused.headers["allow"]
    is_problem(http.simulate_post("/api/jobs/a/b/c"), 404)


def test_an_error_that_nobody_expected_shows_nothing_of_its_inside(
    http: TestClient,
    boltq: BoltQ,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> list[str]:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(boltq, "queues", fail)
    problem = is_problem(http.simulate_get("/api/stats"), 500)
    assert problem["word"] == "ERROR"
    assert "secret" not in str(problem)
    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert logged.exc_info
    assert vars(logged)["request_id"] == problem["request_id"]


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_while_redis_is_away_all_is_503_and_the_same_process_serves_when_it_is_back(
    private_server: Callable[..., TestServer], kind: str
) -> None:
    server = private_server(kind, persistent=True)
    assert server.embedded is not None
    boltq = BoltQ(server.address, patience_seconds=0.1)
    http = TestClient(create_app(boltq))

    def job(id: str) -> Result:
        body = json.dumps({"type": "echo", "id": id})
        return http.simulate_post("/api/jobs", body=body, headers=JSON)

    assert job("a").status_code == 202
    server.embedded.kill()
    refused = job("b")
    problem = is_problem(refused, 503)
    assert (problem["word"], problem["unknown_ids"]) == ("UNAVAILABLE", ["b"])
    assert int(refused.headers["retry-after"]) > 0
    for path in ("/readyz", "/api/jobs/a", "/api/stats", "/api/dead", "/api/queues"):
        assert is_problem(http.simulate_get(path), 503)["word"] == "UNAVAILABLE"
    assert http.simulate_get("/healthz").status_code == 200
    assert http.simulate_get("/").status_code == 200
    server.embedded.start()
    until(lambda: http.simulate_get("/readyz").status_code == 200)
    assert job("b").status_code == 202
    assert http.simulate_get("/api/jobs/a").status_code == 200
    boltq.close()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_full_server_refuses_a_job_and_still_answers(
    private_server: Callable[..., TestServer], kind: str
) -> None:
    server = private_server(kind)
    boltq = BoltQ(server.address, patience_seconds=0.1)
    http = TestClient(create_app(boltq))
    body = b'{"type": "echo", "id": "a"}'
    assert http.simulate_post("/api/jobs", body=body, headers=JSON).status_code == 202
    server.raw().config_set("maxmemory", 1)
    refused = http.simulate_post("/api/jobs", body=b'{"type": "echo"}', headers=JSON)
    assert is_problem(refused, 503)["word"] == "FULL"
    assert refused.headers["retry-after"]
    assert http.simulate_get("/api/jobs/a").json["state"] == "queued"
    assert http.simulate_get("/api/stats").json["queued"] == 1
    assert http.simulate_post("/api/jobs/a/cancel").json["answer"] == "cancelled"
    boltq.close()
