"""A function named by BOLTQ_REDACT says what people see of jobs, and a worker gets all the same."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import TestClient
from operated import Rig, rig

from boltq import ids
from boltq.api.app import create_app
from boltq.api.redaction import MARK, Redaction
from boltq.errors import BadSetting
from boltq.settings import Settings

__all__ = ["rig"]

SECRET = "DE02-0123456789"
MODULE = """
asked = []

def shown(type, part, value):
    asked.append((type, part, value))
    if type == "invoice" and isinstance(value, dict):
        value.pop("secret", None)
        if "iban" in value:
            value["iban"] = value["iban"][-4:]
    return value

def breaks(type, part, value):
    raise KeyError(str(value))

def no_json(type, part, value):
    return {1, 2}

def no_number(type, part, value):
    return float("nan")

number = 7
"""


@pytest.fixture
def privacy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of those who use BoltQ, in the folder in which the API is started."""
    (tmp_path / "privacy.py").write_text(MODULE)
    (tmp_path / "half.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield lambda: sys.modules["privacy"]
    sys.modules.pop("privacy", None)


def http_of(rig: Rig, *redact: str) -> TestClient:
    return TestClient(create_app(rig.boltq, Settings(redact=redact, api_hosts=("*",))))


def seen(raw: bytes, *redact: str, type: str = "invoice") -> bytes:
    return Redaction(redact or ("privacy:shown",))._seen(type, "payload", raw)


@pytest.mark.usefixtures("privacy")
def test_what_a_function_returns_is_shown_and_what_it_leaves_is_byte_for_byte() -> None:
    kept = b'{ "a":1.0, "b" : [9007199254740993, 1e2], "c": "\\u00e9", "d": "\xc3\xa9", "e": {} }'
    assert seen(kept) == kept
    other = b'{"iban":"%b"}' % SECRET.encode()
    assert seen(other, type="other") == other
    assert json.loads(seen(other)) == {"iban": "6789"}
    assert seen(b"\xff") == seen(b"no json") == json.dumps(MARK).encode()


@pytest.mark.usefixtures("privacy")
def test_a_member_that_is_there_twice_hides_all_of_it() -> None:
    assert json.loads(seen(b'{"x": {"iban": "%b", "iban": ""}}' % SECRET.encode())) == MARK


@pytest.mark.parametrize("name", ["breaks", "no_json", "no_number"])
@pytest.mark.usefixtures("privacy")
def test_a_function_that_breaks_hides_all_and_says_so_once_without_the_value(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    redaction = Redaction([f"privacy:{name}"])
    with caplog.at_level(logging.DEBUG):
        for n in range(3):
            raw = b'{"iban": "%b", "n": %d}' % (SECRET.encode(), n)
            assert json.loads(redaction._seen("invoice", "payload", raw)) == MARK
            assert SECRET.encode() not in redaction.searched("invoice", raw)
    (line,) = caplog.records
    assert line.levelname == "ERROR"
    assert SECRET not in str(line.__dict__)
    assert line.app == f"privacy:{name}"  # type: ignore[attr-defined]


def test_no_answer_has_what_a_function_hides_and_a_claim_has_all(rig: Rig, privacy: Any) -> None:
    http = http_of(rig, "privacy:shown")
    payload = {"to": "ada", "iban": SECRET, "secret": SECRET}
    id = rig.boltq.enqueue("invoice", payload, queue="t", headers={"secret": SECRET, "a": 1}).id
    one = http.simulate_get(f"/api/jobs/{id}")
    assert one.json["payload"] == {"to": "ada", "iban": "6789"}
    assert one.json["headers"] == {"a": 1}
    assert one.json["redacted"] == ["payload", "headers"]
    assert {(type, part) for type, part, _ in privacy().asked} == {
        ("invoice", "payload"),
        ("invoice", "headers"),
    }
    for path in (f"/api/jobs/status?id={id}", "/api/jobs?queue=t", "/api/jobs?queue=t&text=ada"):
        result = http.simulate_get(path)
        assert result.status_code == 200
        assert SECRET not in result.text
        assert id in result.text
    for text, found in ((SECRET, 0), (SECRET[:4], 0), ("6789", 1), ("ada", 1)):
        jobs = http.simulate_get("/api/jobs", params={"queue": "t", "text": text}).json["jobs"]
        assert len(jobs) == found, text
    claim = {"queues": ["t"], "max_jobs": 1, "token": ids.new_token()}
    (job,) = http.simulate_post("/api/claims", json=claim).json["jobs"]
    assert (job["payload"], job["headers"]["secret"]) == (payload, SECRET)
    told = {"token": claim["token"], "result": {"iban": SECRET}}
    assert http.simulate_post(f"/api/jobs/{id}/ack", json=told).status_code == 200
    ended = http.simulate_get(f"/api/jobs/{id}").json
    assert (ended["result"], ended["state"]) == ({"iban": "6789"}, "completed")


def test_a_function_sees_no_more_than_the_names_have_left(rig: Rig, privacy: Any) -> None:
    http = http_of(rig, "password", "privacy:shown")
    id = rig.boltq.enqueue("invoice", {"password": SECRET, "iban": SECRET}, queue="t").id
    shown = http.simulate_get(f"/api/jobs/{id}").json
    assert shown["payload"] == {"password": MARK, "iban": "6789"}
    assert [value["password"] for _, part, value in privacy().asked if part == "payload"] == [MARK]
    text = {"queue": "t", "text": MARK}
    assert http.simulate_get("/api/jobs", params=text).json["jobs"] == []
    copied = {"type": "x", "queue": "t", "payload": {"password": MARK}}
    assert http.simulate_post("/api/jobs", json=copied).status_code == 400


REFUSED = {
    "nowhere:shown": "there is no module nowhere, seen from ",
    "half:shown": "module half cannot be imported: ZeroDivisionError",
    "privacy:nothing": "module privacy has no nothing",
    "privacy:number": "privacy:number is a int, not a function",
}


@pytest.mark.parametrize("named", REFUSED)
@pytest.mark.usefixtures("privacy")
def test_an_api_does_not_start_without_the_function_that_it_is_to_ask(rig: Rig, named: str) -> None:
    with pytest.raises(BadSetting) as refusal:
        http_of(rig, "password", named)
    assert str(refusal.value).startswith(REFUSED[named])
