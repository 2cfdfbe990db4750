"""What nobody is to see is in no answer but a claim's, and nothing else of it is another."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import TestClient
from hypothesis import given
from hypothesis import strategies as st
from operated import Rig, rig

from boltq import ids
from boltq.api.app import create_app
from boltq.api.redaction import MARK, Redaction
from boltq.newjob import NewJob
from boltq.settings import Settings

__all__ = ["rig"]

SECRET = "pw-0123456789"
NAMES = ("password", "card.number", "grün")
HIDDEN = json.dumps(MARK)

KEPT = {
    "nothing of it": '{"a": 1.0, "b": [9007199254740993, 1e400], "c": "\\u00e9"}',
    "a name as a value": '{"a": "password", "b": ["card.number", "number"]}',
    "a name in a text": '{"a": "\\"password\\": \\"x\\"", "b": "{\\"password\\":1}"}',
    "a part of a name": '{"passwords": 1, "my_password": 2, "number": 3, "card": {"numbers": 4}}',
    "another above": '{"cards": {"number": 1}, "card": 5, "x": {"number": [1]}, "y": [1]}',
    "no object": '"password"',
    "a name after a list": '{"card": [1, [2]], "number": 3}',
    "a name beside": '[{"card": {"a": 1}}, {"number": 2}, {"card": 1}, {"number": 3}]',
}
CUT = {
    '{"password": %s}': "a text",
    ' { "password" :  %s , "a": 1.0 } ': "with blanks",
    '{"user": {"Password":%s}}': "deeper, and in another case",
    '[[{"x": [{"password": %s}]}]]': "in lists",
    '{"pass\\u0077ord": %s, "b": "é"}': "escaped",
    '{"card": {"number": %s, "until": "01/30"}}': "below another",
    '{"a": {"card": [{"number": %s}, [{"number": %s}]]}}': "below a list of another",
    '{"password": %s, "password": %s}': "twice",
    '{"gr\\u00fcn": %s}': "of other letters",
    '{"x": "\\\\", "password": %s, "y": "\\""}': "after texts that end oddly",
}
VALUES = {
    "text": f'"{SECRET}"',
    "text with brackets": f'"}}{SECRET}]\\"\\\\"',
    "number": "12345678",
    "object": f'{{"a": {{"b": ["{SECRET}", "}}"]}}, "password": 1}}',
    "list": f'[["{SECRET}"], {{}}]',
    "null": "null",
    "float": "-1.5e10",
}


@pytest.fixture
def http(rig: Rig) -> Iterator[TestClient]:
    return TestClient(create_app(rig.boltq, Settings(redact=NAMES, api_hosts=("*",))))


def hidden(raw: bytes) -> bytes:
    return Redaction(NAMES)._hidden("payload", raw)


@pytest.mark.parametrize("written", KEPT.values(), ids=KEPT)
def test_what_has_another_name_stays_byte_for_byte(written: str) -> None:
    assert hidden(written.encode()) == written.encode()


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("form", CUT, ids=CUT.values())
def test_a_value_goes_and_all_around_it_stays_byte_for_byte(form: str, value: str) -> None:
    places = form.count("%s")
    assert hidden((form % ((value,) * places)).encode()).decode() == form % ((HIDDEN,) * places)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"", b'{"password": "x"', b"{'a': 1}", b"NaN"])
def test_what_is_no_json_is_hidden_whole(raw: bytes) -> None:
    assert hidden(raw) == HIDDEN.encode()


_TREES: Any = st.recursive(
    st.none() | st.integers() | st.text() | st.just(SECRET),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["password", "card", "number", "PASSWORD"]), inner
        )
    ),
    max_leaves=20,
)


def cut(tree: Any, above: str = "") -> Any:
    """The same by another way: over the values, not the letters."""
    if isinstance(tree, list):
        return [cut(each, above) for each in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        name: MARK
        if name.lower() == "password" or (name.lower() == "number" and above == "card")
        else cut(each, name.lower())
        for name, each in tree.items()
    }


@given(tree=_TREES, is_ascii=st.booleans())
def test_any_json_is_cut_as_its_values_are(tree: Any, *, is_ascii: bool) -> None:
    raw = json.dumps(tree, ensure_ascii=is_ascii).encode("utf-8", "replace")
    tree = json.loads(raw)
    assert json.loads(hidden(raw)) == cut(tree)


def test_no_name_is_no_work_and_a_large_payload_is_no_standstill() -> None:
    raw = b'{"password": "\xff'
    assert Redaction().searched("send", raw) is raw
    evil = b'{"a": "' + b'\\"' * 500_000 + b'", "password": ' + b"[" * 500 + b"]" * 500 + b"}"
    began = time.process_time()
    assert hidden(evil).endswith(b'"password": "[redacted]"}')
    assert time.process_time() - began < 2


PAYLOAD = {"to": "ada", "password": SECRET, "card": {"number": SECRET}}


def filled(rig: Rig, queue: str = "t") -> list[str]:
    """A job of each way in which one is shown, all with what is to be hidden."""
    rig.boltq.enqueue_many(
        (NewJob("send", PAYLOAD, headers={"password": SECRET, "by": "ada"}) for _ in range(3)),
        queue=queue,
    )
    return [job.id for job in rig.boltq.list("queued", queue=queue).jobs]


READS: dict[str, Callable[[str], tuple[str, str, object]]] = {
    "one": lambda job: ("GET", f"/api/jobs/{job}", None),
    "status": lambda job: ("GET", f"/api/jobs/status?id={job}", None),
    "list": lambda _job: ("GET", "/api/jobs?queue=t", None),
    "search": lambda _job: ("GET", "/api/jobs?queue=t&text=ada", None),
    "attempts": lambda job: ("GET", f"/api/jobs/{job}/attempts", None),
    "alter": lambda job: ("PATCH", f"/api/jobs/{job}", {"priority": 9}),
    "known": lambda job: ("POST", "/api/jobs", {"type": "x", "queue": "t", "id": job[2:]}),
    "cancel": lambda job: ("POST", f"/api/jobs/{job}/cancel", None),
    "count": lambda _job: (
        "POST",
        "/api/operations",
        {"action": "cancel", "queue": "t", "filter": {"state": "queued"}, "dry_run": True},
    ),
}


@pytest.mark.parametrize("name", READS)
def test_no_answer_has_what_is_hidden(rig: Rig, http: TestClient, name: str) -> None:
    id = filled(rig)[0]
    method, path, body = READS[name](id)
    query = {"json": body} if body is not None else {}
    result = http.simulate_request(method, path, headers={"Host": "localhost"}, **query)
    assert result.status_code in (200, 202), result.text
    assert SECRET not in result.text
    if name in {"one", "status", "alter", "cancel"}:
        assert result.json["payload"] == {"to": "ada", "password": MARK, "card": {"number": MARK}}
        assert result.json["headers"]["password"] == MARK
        assert set(result.json["redacted"]) == {"payload", "headers"}
    assert SECRET in rig.boltq.get(id).payload.decode()  # type: ignore[union-attr]


NEW = {
    "alone": ({}, 202),
    "with a key": ({"Idempotency-Key": "one"}, 202),
    "waited for": ({"Prefer": "wait=1"}, 202),
    "with a key, waited for": ({"Idempotency-Key": "two", "Prefer": "wait=1"}, 202),
}


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "not seen again"])
def test_the_answer_to_a_new_job_and_to_its_repeat_lacks_what_is_hidden_too(
    http: TestClient, monkeypatch: pytest.MonkeyPatch, name: str, *, is_seen: bool
) -> None:
    if not is_seen:
        monkeypatch.setattr("boltq.api.jobs._job_or_none", lambda *_: None)
    told, status = NEW[name]
    headers = {"Content-Type": "application/json", **told}
    raw = f'{{ "to":"\\u00e9", "n":1.0, "password" : "{SECRET}"}}'
    job = f'{{"type":"send","queue":"t","payload":{raw},"headers":{{"Password":"{SECRET}"}}}}'
    for _ in range(2):
        result = http.simulate_post("/api/jobs", body=job, headers=headers)
        assert result.status_code == status, result.text
        assert SECRET not in result.text
        if "payload" in result.json:
            assert raw.replace(f'"{SECRET}"', HIDDEN) in result.text
            assert result.json["headers"]["Password"] == MARK
            assert result.json["redacted"] == ["payload", "headers"]
            assert (result.json["queue"], result.json["state"]) == ("t", "queued")
    assert "payload" in result.json or not is_seen
    plain = {"type": "send", "queue": "t", "payload": {"a": 1.0}}
    assert "redacted" not in http.simulate_post("/api/jobs", json=plain).json


def test_a_result_is_hidden_a_replayed_job_too_and_a_claim_has_all(
    rig: Rig, http: TestClient
) -> None:
    (id,) = rig.enqueue("t", "x")
    rig.boltq.purge_job(id)
    filled(rig)
    claim = {"queues": ["t"], "max_jobs": 3, "token": ids.new_token()}
    jobs = http.simulate_post("/api/claims", json=claim).json["jobs"]
    assert [job["payload"] for job in jobs] == [PAYLOAD] * 3
    assert jobs[0]["headers"]["password"] == SECRET
    done, failed, _ = (f"/api/jobs/{job['id']}" for job in jobs)
    told = {"token": claim["token"], "result": {"Password": SECRET, "n": 1.0}}
    assert http.simulate_post(f"{done}/ack", json=told).status_code == 200
    result = http.simulate_get(done)
    assert result.json["result"] == {"Password": MARK, "n": 1.0}
    assert result.json["redacted"] == ["payload", "result", "headers"]
    error = {"token": claim["token"], "error": {"type": "X"}, "final": True}
    assert http.simulate_post(f"{failed}/fail", json=error).status_code == 200
    assert SECRET not in http.simulate_post(f"{failed}/replay").text


def test_a_search_tells_nothing_of_what_is_hidden(rig: Rig, http: TestClient) -> None:
    id = filled(rig)[0]
    rig.boltq.enqueue("send", raw=b"\xff" + SECRET.encode(), queue="t", id="bytes")

    def found(text: str) -> int:
        return len(http.simulate_get("/api/jobs", params={"queue": "t", "text": text}).json["jobs"])

    assert found("ada") == 3
    for text in (SECRET, SECRET[:3], SECRET[-1], f'"password": "{SECRET[0]}', MARK, "[", "redact"):
        assert found(text) == 0, text
    assert len(rig.http.simulate_get("/api/jobs", params={"text": SECRET}).json["jobs"]) == 4
    assert rig.http.simulate_get(f"/api/jobs/{id}").json["payload"] == PAYLOAD


def test_the_tag_and_the_digest_of_a_request_do_not_tell_what_is_hidden(
    http: TestClient,
) -> None:
    tags = []
    for secret in ("one", "other"):
        job = {"type": "send", "queue": "t", "payload": {"password": secret}, "headers": {}}
        key = {"Idempotency-Key": f"key-{secret}", "X-Request-Id": "r1"}
        id = http.simulate_post("/api/jobs", json=job, headers=key).json["id"]
        result = http.simulate_get(f"/api/jobs/{id}")
        assert result.json["headers"]["idempotency"] == MARK
        again = http.simulate_post("/api/jobs", json=job, headers=key)
        assert again.headers["idempotent-replayed"] == "true"
        tags.append(result)
    one, other = (dict(each.json) for each in tags)
    differ = {name for name in one if one[name] != other[name]}
    assert differ <= {"id", "created_at", "run_at"}


def test_what_was_copied_from_what_is_shown_is_not_enqueued(rig: Rig, http: TestClient) -> None:
    for payload in ({"a": {"Password": MARK}}, {"card": [{"number": MARK}]}, MARK):
        body = {"type": "send", "queue": "t", "payload": payload}
        result = http.simulate_post("/api/jobs", json=body)
        assert (result.status_code, result.json["field"]) == (400, "payload")
        each = http.simulate_post("/api/jobs/batch", json=[body, {**body, "payload": 1}]).json
        assert [one["status"] for one in each["results"]] == ["refused", "created"]
        assert http.simulate_post("/api/jobs/batch?mode=all", json=[body]).status_code == 400
    assert rig.boltq.stats("t").queued == 3
    fine = {"type": "send", "queue": "t", "payload": {"a": MARK, "password": f"x{MARK}"}}
    assert http.simulate_post("/api/jobs", json=fine).status_code == 202
