"""Hostile paths, bodies and headers for the API: 4xx, one line of a log, and nothing is made."""

import io
import json
import logging
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from falcon.testing import Result, TestClient
from hostile import HOSTILE, hostile, is_name, try_all
from hypothesis import strategies as st
from servers import TestServer

from boltq import logs
from boltq.api.app import create_app
from boltq.client import BoltQ

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"fuzz-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


class Api:
    """The API over a client, its log in a stream, and a look at each answer."""

    def __init__(self, boltq: BoltQ, raw: Any, log: io.StringIO, form: str) -> None:
        self.boltq, self.raw, self.log, self.form = boltq, raw, log, form
        self.http = TestClient(create_app(boltq))

    def refuses(self, method: str, path: str, **more: Any) -> None:
        """A 4xx problem in one line, one line in the log, and no key."""
        self.is_answered(self.http.simulate_request(method, path, **more), method)
        assert self.made() == []

    def made(self) -> list[bytes]:
        found: list[bytes] = self.raw.keys(f"{self.boltq.server.prefix}*")
        return found

    def is_answered(self, result: Result, method: str) -> None:
        assert 400 <= result.status_code < 500, (result.status_code, result.text[:300])
        told = self.logged()
        assert str(result.status_code) in told
        if method == "HEAD":
            return
        assert result.headers["content-type"] == "application/problem+json"
        problem = json.loads(result.content)
        assert problem["detail"].isprintable()
        assert len(problem["detail"]) < 500
        assert problem["word"].isupper()

    def logged(self) -> str:
        """The one line that was written since the last look."""
        text = self.log.getvalue()
        self.log.seek(0)
        self.log.truncate()
        assert text.endswith("\n")
        line = text[:-1]
        assert line.isprintable(), line
        assert len(line) < 1000
        if self.form == "json":
            json.loads(line)
        return line


@pytest.fixture(params=["json", "text"])
def api(request: pytest.FixtureRequest, boltq: BoltQ, server: TestServer) -> Iterator[Api]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(request.param, "INFO", stream)
    yield Api(boltq, server.raw(), stream, request.param)
    root.handlers[:] = before
    root.setLevel(level)


def no_name(text: bytes) -> bool:
    return not (is_name("name", text) and len(text) <= 128)


# What no path can hold: a slash would name another resource, and a colon the queue of an id.
PATHS = [text for text in HOSTILE if no_name(text) and b"/" not in text]
path_texts = hostile.filter(lambda text: no_name(text) and b"/" not in text and b":" not in text)


def test_a_path_with_what_is_no_name_is_refused(api: Api) -> None:
    def check(text: bytes) -> None:
        part = quote(text, safe="")
        if not part or part in (".", ".."):
            return
        api.refuses("GET", f"/api/jobs/{part}")
        api.refuses("GET", f"/api/jobs/status?id={part}")
        api.refuses("POST", f"/api/jobs/{part}/cancel")
        api.refuses("POST", f"/api/jobs/{part}/replay")
        api.refuses("POST", f"/api/queues/{part}/pause")
        api.refuses("POST", f"/api/queues/{part}/resume")
        api.refuses("GET", f"/api/dead?queue={part}")
        for verb in ("ack", "fail", "extend", "release"):
            path = f"/api/jobs/{part}/{verb}"
            api.refuses("POST", path, body=b'{"token":"t1"}', headers=JSON)

    for text in PATHS:
        if text != b"a:b":
            check(text)
    try_all(check, path_texts)


BODIES: list[bytes] = [
    *(b"", b"\0", b"{", b"[]", b"null", b"{}", b'"a"', b"\xff", b"\xef\xbb\xbf{}", b"NaN"),
    *(b"[" * 10_000, b'{"type":' * 10_000, b'{"type": "' + b"a" * 2**20, b"{}" * 1000),
]
BAD_TYPES = [text for text in HOSTILE if not is_name("type", text) or len(text) > 128]
numbers = st.sampled_from(
    ["0x10", '" 5 "', '"5"', "Infinity", "NaN", "-1", "1e400", "9007199254740993", "1" * 5000, "[]"]
)
NUMBERED = ["priority", "max_attempts", "delay_seconds", "timeout_seconds", "retention_seconds"]


def test_a_body_that_is_no_job_is_refused(api: Api) -> None:
    def any_bytes(body: bytes) -> None:
        api.refuses("POST", "/api/jobs", body=body, headers=JSON)

    def bad_numbers(field: str, number: str) -> None:
        if (field, number) != ("timeout_seconds", "9007199254740993"):
            body = f'{{"type": "echo", "{field}": {number}}}'.encode()
            api.refuses("POST", "/api/jobs", body=body, headers=JSON)

    for body in BODIES:
        api.refuses("POST", "/api/jobs", body=body, headers=JSON)
    for text in BAD_TYPES:
        shown = json.dumps(text.decode("utf-8", "replace"))
        for member in ("type", "queue", "id"):
            told = {"type": '"echo"', member: shown}
            body = ", ".join(f'"{name}": {value}' for name, value in told.items())
            if member != "id" or b":" not in text:
                api.refuses("POST", "/api/jobs", body=b"{%s}" % body.encode(), headers=JSON)
    try_all(any_bytes, st.one_of(st.binary(max_size=200), st.text(max_size=99).map(str.encode)))
    try_all(bad_numbers, st.sampled_from(NUMBERED), numbers)


def test_a_request_id_that_could_break_a_line_is_not_written(api: Api) -> None:
    for text in HOSTILE:
        # What a server could hand on: a header has no line breaks, and is Latin-1.
        header = re.sub(rb"[\r\n\0]", b"", text).decode("latin-1")[:5000]
        api.refuses("GET", "/nowhere", headers={"X-Request-Id": header})
