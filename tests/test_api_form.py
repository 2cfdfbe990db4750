"""The form of answers: what each refusal is called, tags of what is polled, ids and traces."""

import json
import logging
import secrets
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from servers import TestServer, until

from boltq import errors, presence, scripts
from boltq.api import routes
from boltq.api.app import create_app
from boltq.api.middleware import SAFE_HEADERS
from boltq.api.problems import Refusal, problem
from boltq.client import BoltQ
from boltq.ids import new_token
from boltq.settings import Settings

JSON = {"Content-Type": "application/json"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"form-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


@pytest.fixture
def http(boltq: BoltQ) -> TestClient:
    return TestClient(create_app(boltq))


def test_each_word_of_ours_is_one_type_with_a_title_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    words = {kind.word: kind.status for kind in kinds if issubclass(kind, errors.BoltQError)}
    told = {word: json.loads(problem(status, "so", word)) for word, status in words.items()}
    types = {one["type"] for one in told.values()}
    assert len(types) == len(words)
    assert told["LEASE_LOST"]["type"] == "urn:boltq:problem:lease-lost"
    assert told["LEASE_LOST"]["title"].startswith("The job is not leased under this token")
    titles = [one["title"] for word, one in told.items() if word != "ERROR"]
    assert len(set(titles)) == len(titles)
    assert all(title and "\n" not in title and not title.endswith(".") for title in titles)


def test_what_the_api_refuses_by_itself_has_a_word_for_each_status() -> None:
    named = {401, 403, 404, 405, 406, 408, 412, 413, 415, 421, 422, 428, 429}
    for status in named:
        told = json.loads(problem(status, "so"))
        assert told["word"] not in ("", "ERROR")
        assert told["title"]
        assert Refusal(status, "so").word == told["word"]
    assert json.loads(problem(418, "so"))["word"] == "ERROR"


def is_kept(http: TestClient, path: str, tag: str) -> bool:
    result = http.simulate_get(path, headers={"If-None-Match": tag})
    assert result.status_code in (200, 304)
    assert result.headers["cache-control"] == "private, no-cache"
    if result.status_code == HTTPStatus.NOT_MODIFIED:
        assert result.content == b""
        assert "content-type" not in result.headers
        assert result.headers["etag"].removeprefix("W/") in tag or tag == "*"
        return True
    return False


def test_a_job_has_a_strong_tag_until_it_changes(http: TestClient, boltq: BoltQ) -> None:
    id = boltq.enqueue("echo", queue="a").id
    path = f"/api/jobs/{id}"
    tag = http.simulate_get(path).headers["etag"]
    assert tag.startswith('"')
    assert http.simulate_get(f"/api/jobs/status?id={id}").headers["etag"] == tag
    for known in (tag, f"W/{tag}", f'"x", {tag}', f'"x",W/{tag} , "y"', "*"):
        assert is_kept(http, path, known)
    for known in ('"x"', tag[1:-1], tag[:-2] + '"', "", '"'):
        assert not is_kept(http, path, known)
    boltq.cancel(id)
    assert not is_kept(http, path, tag)


def beat(boltq: BoltQ) -> None:
    """Let a worker be heard of."""
    report = presence.Report("w", "h", 1, "0", {"default": 1}, 8, 1_800_000_000_000)
    boltq.server.registry.note_worker("w", report.to_bytes(), boltq.server.now_ms())


def bury(boltq: BoltQ) -> None:
    """Let the job a:x die."""
    token = new_token()
    boltq.server.call(
        scripts.claim("a", token=token, worker="w", lease_ms=60_000, limit=1, max_bytes=1000)
    )
    item = scripts.FailItem("x", token, b"E", b"no", b"", "", 1)
    boltq.server.call(scripts.fail("a", [item]))


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/api/stats", bury),
        ("/api/queues", bury),
        ("/api/dead", bury),
        ("/api/dead?queue=a", bury),
        ("/api/workers", beat),
    ],
)
def test_what_is_polled_is_not_sent_again_until_it_changes(
    http: TestClient, boltq: BoltQ, path: str, change: Callable[[BoltQ], None]
) -> None:
    boltq.enqueue("echo", queue="a", id="x", max_attempts=1)
    tag = http.simulate_get(path).headers["etag"]
    assert is_kept(http, path, tag)
    change(boltq)
    assert not is_kept(http, path, tag)


def test_the_clock_alone_makes_no_change_and_such_a_tag_is_a_weak_one(http: TestClient) -> None:
    answers = [http.simulate_get("/api/workers") for _ in range(2)]
    until(lambda: http.simulate_get("/api/workers").json["now"] != answers[0].json["now"])
    assert is_kept(http, "/api/workers", answers[0].headers["etag"])
    assert answers[0].headers["etag"].startswith('W/"')


def test_the_age_of_what_waits_counts_in_tens_of_seconds(
    http: TestClient, boltq: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    boltq.enqueue("echo", queue="a")
    (stats,) = boltq.stats_of_all().values()

    def tag(path: str, age_ms: int) -> str:
        aged = {"a": stats._replace(oldest_queued_ms=age_ms)}
        monkeypatch.setattr(boltq, "stats_of_all", lambda: aged)
        return str(http.simulate_get(path).headers["etag"])

    for path in ("/api/stats", "/api/queues"):
        assert tag(path, 10_000) == tag(path, 19_999) != tag(path, 20_000)


def test_only_what_was_read_well_has_a_tag(http: TestClient) -> None:
    body = json.dumps({"type": "echo"})
    for result in (
        http.simulate_post("/api/jobs", body=body, headers=JSON),
        http.simulate_get("/api/jobs/nothing", headers={"If-None-Match": "*"}),
        http.simulate_post("/api/queues/a/pause", headers={"If-None-Match": "*"}),
    ):
        assert result.status_code in (200, 202, 404)
        assert "etag" not in result.headers
        assert result.headers["cache-control"] == "no-store"


def posted(http: TestClient, body: dict[str, Any], **headers: str) -> Any:
    result = http.simulate_post("/api/jobs", body=json.dumps(body), headers=JSON | headers)
    assert result.status_code == 202, result.text
    return result


def test_a_job_knows_the_request_and_the_trace_that_it_came_with(
    http: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "boltq")
    result = posted(
        http, {"type": "echo", "headers": {"own": 1}}, **{"X-Request-Id": "r-1"}, traceparent=TRACE
    )
    assert result.json["headers"] == {"request_id": "r-1", "traceparent": TRACE, "own": 1}
    assert result.headers["x-request-id"] == "r-1"
    assert [vars(record)["request_id"] for record in caplog.records] == ["r-1"]
    made = posted(http, {"type": "echo"})
    assert made.json["headers"] == {"request_id": made.headers["x-request-id"]}


def test_each_job_of_a_batch_knows_them_too(http: TestClient, boltq: BoltQ) -> None:
    body = json.dumps([{"type": "echo"}, {"type": "echo", "headers": {"request_id": "mine"}}])
    told = JSON | {"X-Request-Id": "r-1", "traceparent": TRACE}
    result = http.simulate_post("/api/jobs/batch", body=body, headers=told)
    found = [boltq.get(one["id"]).headers for one in result.json["results"]]
    assert [json.loads(headers or b"") for headers in found] == [
        {"request_id": "r-1", "traceparent": TRACE},
        {"request_id": "mine", "traceparent": TRACE},
    ]


STATE = "rojo=00f067aa0ba902b7,congo@acme=t61rcWkgMzE"


def test_the_state_of_a_trace_goes_with_it_into_the_job_and_out_with_its_claim(
    http: TestClient, boltq: BoltQ
) -> None:
    id = posted(http, {"type": "echo"}, traceparent=TRACE, tracestate=STATE).json["id"]
    body = json.dumps({"queues": ["default"], "worker_id": "w"})
    (claimed,) = http.simulate_post("/api/claims", body=body, headers=JSON).json["jobs"]
    assert claimed["id"] == id
    for headers in (claimed["headers"], json.loads(boltq.get(id).headers or b"")):
        assert (headers["traceparent"], headers["tracestate"]) == (TRACE, STATE)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" a=1 ,, b=2\t", "a=1,b=2"),
        (
            ",".join(f"k{n}={'v' * 50}" for n in range(20)),
            ",".join(f"k{n}={'v' * 50}" for n in range(9)),
        ),
        ("a=" + "v" * 256, "a=" + "v" * 256),
        *((wrong, None) for wrong in ("", "a", "=1", "A=1", "a=", "a=b=c", "a=\xe9", "a@B=1")),
        ("a=" + "v" * 257, None),
        (",".join(f"k{n}=1" for n in range(33)), None),
    ],
)
def test_a_state_is_kept_to_its_form_and_to_512_bytes(
    http: TestClient, written: str, kept: str | None
) -> None:
    made = posted(http, {"type": "echo"}, traceparent=TRACE, tracestate=written)
    assert made.json["headers"].get("tracestate") == kept


def test_a_state_never_stands_beside_the_parent_of_another_trace(http: TestClient) -> None:
    made = posted(http, {"type": "echo"}, traceparent="00-wrong", tracestate=STATE)
    assert list(made.json["headers"]) == ["request_id"]
    own = {"traceparent": TRACE.replace("b7ad", "aaaa")}
    made = posted(http, {"type": "echo", "headers": own}, traceparent=TRACE, tracestate=STATE)
    assert made.json["headers"] == own | {"request_id": made.headers["x-request-id"]}


def test_where_there_is_room_for_the_trace_alone_its_state_gives_way(http: TestClient) -> None:
    own = {"a": "b" * 3700}
    state = "k=" + "v" * 250 + ",l=" + "v" * 250
    made = posted(http, {"type": "echo", "headers": own}, traceparent=TRACE, tracestate=state)
    assert sorted(made.json["headers"]) == ["a", "request_id", "traceparent"]


def test_what_the_body_says_of_them_holds(http: TestClient) -> None:
    own = {"request_id": "mine", "traceparent": "its own form"}
    result = posted(http, {"type": "echo", "headers": own}, traceparent=TRACE)
    assert result.json["headers"] == own
    assert result.headers["x-request-id"] != "mine"


@pytest.mark.parametrize(
    "trace",
    [
        *("", "00", TRACE[:-1], TRACE + "0", TRACE + "-x", TRACE.upper(), "ff" + TRACE[2:]),
        TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        TRACE.replace("b7ad6b7169203331", "0" * 16),
        f"{TRACE}, {TRACE}",
    ],
)
def test_what_is_no_trace_is_not_passed_on(http: TestClient, trace: str) -> None:
    assert list(posted(http, {"type": "echo"}, traceparent=trace).json["headers"]) == ["request_id"]


def test_headers_that_leave_no_room_are_left_as_they_are(http: TestClient) -> None:
    own = {"a": "b" * (4096 - 9)}  # and a blank after the colon
    assert posted(http, {"type": "echo", "headers": own}).json["headers"] == own


def test_every_answer_is_safe_to_show(boltq: BoltQ) -> None:
    http = TestClient(create_app(boltq, Settings(api_keys="a:read:0123456789abcdef", api_rate=1e6)))
    for route in routes.table(boltq):
        for method in ("GET", "POST", "OPTIONS", "TRACE"):
            for headers in ({}, {"Authorization": "Bearer 0123456789abcdef"}, {"Host": "evil"}):
                told = {"Host": "localhost", **headers}
                safe_to_show(http.simulate_request(method, route.path, headers=told))
    safe_to_show(http.simulate_get("/nowhere"))


def safe_to_show(result: Result) -> None:
    assert set(map(str.lower, SAFE_HEADERS)) <= set(result.headers)
    assert result.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in result.headers["content-security-policy"]
    assert not [name for name in result.headers if name.startswith("access-control")]
    assert "server" not in result.headers
    assert "set-cookie" not in result.headers
    if result.status_code >= HTTPStatus.BAD_REQUEST:
        assert result.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/jobs/{}", "/api/jobs/status?id={}", "/api/queues/{}/pause"])
def test_what_a_page_could_run_is_never_given_as_a_page(http: TestClient, path: str) -> None:
    text = "%3Cimg%20src=x%20onerror=alert(1)%3E"
    result = http.simulate_request("POST" if "pause" in path else "GET", path.format(text))
    assert result.status_code == 400
    safe_to_show(result)


def test_a_payload_that_a_page_could_run_comes_back_as_json_to_the_byte(http: TestClient) -> None:
    written = b'"<script>alert(1)</script><img src=x onerror=alert(1)>"'
    body = b'{"type": "echo", "payload": %b}' % written
    result = http.simulate_post("/api/jobs", body=body, headers=JSON)
    assert b'"payload":' + written in result.content
    assert result.headers["content-type"] == "application/json"
    safe_to_show(result)
