"""How `boltq api` ends: it says so, takes nothing new, and cuts nobody off who has begun."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from pathlib import Path

import pytest
from programs import Program, Start, started_in
from servers import TestServer, process_server, until

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def alone() -> Iterator[TestServer]:
    with process_server("valkey") as server:
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


@contextmanager
def connected(api: Program) -> Iterator[HTTPConnection]:
    """A kept connection that has been of use once."""
    connection = HTTPConnection("127.0.0.1", api.port, timeout=20)
    try:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status":"ok"}'
        yield connection
    finally:
        connection.close()


def has_ended(connection: HTTPConnection) -> bool:
    """Whether the other side has closed it; what has come is left there."""
    try:
        return not connection.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def begin(connection: HTTPConnection, body: bytes) -> None:
    """Send a POST /api/jobs up to the last byte of its body."""
    connection.putrequest("POST", "/api/jobs")
    for name, text in {**JSON, "Content-Length": str(len(body))}.items():
        connection.putheader(name, text)
    connection.endheaders(body[:-1])


def listens(api: Program) -> bool:
    try:
        socket.create_connection(("127.0.0.1", api.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def asked(connection: HTTPConnection, method: str, path: str) -> HTTPResponse:
    connection.request(method, path, b'{"type":"echo"}' if method == "POST" else None, JSON)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_readyz_turns_at_the_signal_while_the_api_goes_on_until_the_next(
    alone: TestServer, start: Start
) -> None:
    told = {"REDIS_ADDR": alone.address, "BOLTQ_API_LEAVE_SECONDS": "300"}
    api = start("boltq", "api", "--port", "0", **told).find_api()
    assert api.ask("GET", "/readyz") == (200, {"status": "ready"})
    with connected(api) as first, connected(api) as second:
        api.process.send_signal(signal.SIGTERM)
        until(lambda: api.ask("GET", "/readyz")[0] == 503)
        assert "is ending" in api.ask("GET", "/readyz")[1]["detail"]
        assert api.ask("GET", "/healthz")[0] == 200
        answers = [asked(first, "POST", "/api/jobs"), asked(second, "GET", "/api/stats")]
    # The proxy asks elsewhere next time.
    assert [(one.status, one.headers["Connection"]) for one in answers] == [
        (202, "close"),
        (200, "close"),
    ]
    assert listens(api)
    assert api.end() == 0
    assert not listens(api)


def test_a_stop_answers_what_waits_and_what_has_begun_and_lets_the_idle_go(
    alone: TestServer, start: Start
) -> None:
    api = start("boltq", "api", "--port", "0", REDIS_ADDR=alone.address).find_api()
    body = b'{"type":"echo","queue":"begun"}'
    with connected(api) as idle, connected(api) as begun, connected(api) as poll:
        begin(begun, body)
        poll.request("POST", "/api/claims", b'{"queues":["none"],"wait_seconds":20}', JSON)
        until(lambda: b"blpop" in alone.raw().execute_command("CLIENT", "LIST").lower())
        api.process.send_signal(signal.SIGTERM)
        claimed = poll.getresponse()
        assert (claimed.status, json.loads(claimed.read())["jobs"]) == (200, [])
        assert claimed.headers["Connection"] == "close"
        until(lambda: has_ended(idle))
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            asked(idle, "GET", "/healthz")
        assert not listens(api)
        assert api.process.poll() is None
        began = time.monotonic()
        begun.send(body[-1:])
        answer = begun.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (202, "close")
        assert json.loads(answer.read())["queue"] == "begun"
    assert api.process.wait(30) == 0
    assert time.monotonic() - began < 9  # and not with its grace of 10 s


def test_a_second_signal_ends_the_api_without_waiting_for_anybody(
    alone: TestServer, start: Start
) -> None:
    api = start("boltq", "api", "--port", "0", REDIS_ADDR=alone.address).find_api()
    with connected(api) as begun:
        begin(begun, b'{"type":"echo"}')
        api.process.send_signal(signal.SIGINT)
        until(lambda: not listens(api))
        assert api.process.poll() is None
        began = time.monotonic()
        assert api.end() == 0
        assert time.monotonic() - began < 9
        assert begun.sock.recv(1) == b""
