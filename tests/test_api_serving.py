"""The API's server: what never reaches the application, and how it ends."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from servers import TestServer
from waitress import wasyncore

from boltq.api import channel
from boltq.api.app import create_app
from boltq.api.bodies import BATCH_BODY_BYTES, MAX_BODY_BYTES
from boltq.api.serve import Serving
from boltq.api.task import ApplicationTask
from boltq.client import BoltQ
from boltq.errors import BadSetting

Respond = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def greet(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = b"%d" % len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def served(app: Respond, **options: Any) -> Iterator[tuple[Serving, threading.Event]]:
    serving, stop = Serving(app, "127.0.0.1", 0, threads=4, **options), threading.Event()
    serving.start()
    thread = threading.Thread(target=serving.run, args=(stop,))
    thread.start()
    try:
        yield serving, stop
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(greet) as (serving, _stop):
        yield serving.port


def talk(port: int, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return answer


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
REFUSED = {
    "no request at all": (b"\x16\x03\x01\x02\r\n\r\n", 400),
    "a line without a method": (b"/\r\n\r\n", 400),
    "a bare line feed": (b"GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
    "a space before the colon": (HEAD + b"A : b\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (HEAD + b"Host: y\r\n\r\n", 400),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    "two lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "a length beside chunks": (
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks in chunks": (HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a folded encoding": (HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "a broken chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    "an unknown encoding": (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "large headers": (HEAD + b"A: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "a large body": (HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
}


SENTENCES = {
    400: "no request of HTTP",
    413: f"at most {MAX_BODY_BYTES} bytes",
    431: "at most 16383 bytes",
    501: "not supported",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_waitress_refuses_itself_is_a_problem_too(port: int, case: str) -> None:
    sent, status = REFUSED[case]
    head, _, body = talk(port, sent).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"\r\nContent-Type: application/problem+json\r\n" in head
    assert b"\r\nX-Content-Type-Options: nosniff" in head
    assert b"\r\nConnection: close" in head
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["type"] == "urn:boltq:problem:" + problem["word"].lower().replace("_", "-")
    assert f"\r\nX-Request-Id: {problem['request_id']}".encode() in head
    assert problem["title"]
    assert SENTENCES[status] in problem["detail"]


def test_a_client_that_sends_on_after_a_refusal_still_reads_the_refusal(port: int) -> None:
    length = 4 * BATCH_BODY_BYTES
    answer = talk(port, HEAD + b"Content-Length: %d\r\n\r\n" % length + b"x" * length)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["word"] == "TOO_LARGE"


def send_without_end(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 65536)


def test_a_client_that_never_stops_sending_is_closed_all_the_same(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "LINGER_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (BATCH_BODY_BYTES + 1))
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_without_end(connection)


def test_a_smuggled_request_is_not_answered(port: int) -> None:
    smuggled = b"0\r\n\r\nGET /inner HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled
    assert talk(port, sent).count(b"HTTP/1.1 ") == 1


def test_the_largest_body_and_one_in_chunks_arrive_whole(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    for path, most in (("/", MAX_BODY_BYTES), ("/api/jobs/batch", BATCH_BODY_BYTES)):
        connection.request("POST", path, body=b"x" * most)
        assert connection.getresponse().read() == b"%d" % most
    connection.request("POST", "/", body=iter([b"ab", b"cde"]), encode_chunked=True)
    assert connection.getresponse().read() == b"5"
    connection.close()


def test_the_answer_names_no_server_software(port: int) -> None:
    head = talk(port, HEAD + b"Connection: close\r\n\r\n")
    assert b"Server:" not in head
    assert b"waitress" not in head.lower()


def test_an_error_of_the_application_shows_nothing_of_its_inside() -> None:
    def fail(_environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        message = "secret"
        raise RuntimeError(message)

    with served(fail) as (serving, _stop):
        answer = talk(serving.port, HEAD + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"application/problem+json" in answer
    assert b"secret" not in answer
    assert b"Traceback" not in answer


LARGE = b"x" * 8_000_000  # more than fits into the buffers of a socket


class Held:
    """An application whose large answer waits until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()

    def __call__(self, _environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.entered.set()
        self.go.wait(10)
        start("200 OK", [("Content-Length", str(len(LARGE)))])
        return [LARGE]


def refuses_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_stop_finishes_the_request_in_work_and_takes_no_new_one() -> None:
    held = Held()
    with served(held) as (serving, stop):
        answers: list[bytes] = []
        asking = threading.Thread(
            target=lambda: answers.append(talk(serving.port, HEAD + b"Connection: close\r\n\r\n"))
        )
        asking.start()
        assert held.entered.wait(10)
        stop.set()
        polled = threading.Event()
        while not refuses_connections(serving.port):
            polled.wait(0.02)
        assert not answers
        held.go.set()
        asking.join(10)
    assert answers[0].startswith(b"HTTP/1.1 200 ")
    assert answers[0].endswith(b"\r\n\r\n" + LARGE)


def test_a_connection_that_the_kernel_took_before_the_stop_is_answered() -> None:
    serving, stop = Serving(greet, "127.0.0.1", 0), threading.Event()
    serving.start()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
        connection.sendall(HEAD + b"\r\n")
        stop.set()
        serving.run(stop)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_stop_waits_no_longer_than_the_grace_for_a_request_that_never_ends() -> None:
    held = Held()
    with served(held, grace_seconds=0.2) as (serving, stop):
        with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
            connection.sendall(HEAD + b"\r\n")
            assert held.entered.wait(10)
            stop.set()
            assert connection.recv(65536) == b""
        held.go.set()


def test_an_idle_kept_connection_does_not_hold_up_the_stop() -> None:
    with served(greet, grace_seconds=60) as (serving, stop):
        connection = HTTPConnection("127.0.0.1", serving.port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"0"
        stop.set()
        assert connection.sock.recv(1) == b""
        connection.close()


def test_a_request_that_came_before_the_last_one_was_put_away_is_answered_by_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go, finish = threading.Event(), ApplicationTask.finish

    def finish_and_linger(self: ApplicationTask) -> None:
        finish(self)
        assert go.wait(10)

    monkeypatch.setattr(ApplicationTask, "finish", finish_and_linger)
    with served(greet) as (serving, stop):
        connection = HTTPConnection("127.0.0.1", serving.port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"0"
        connection.request("POST", "/", b"four")
        stop.set()
        polled = threading.Event()
        while not refuses_connections(serving.port):
            polled.wait(0.02)
        go.set()
        assert connection.getresponse().read() == b"4"
        connection.close()


def test_the_same_job_posted_by_many_at_once_is_made_once(server: TestServer, queue: str) -> None:
    boltq = BoltQ(server.address)
    body = json.dumps({"type": "echo", "queue": queue, "id": "a1", "payload": "é"})

    def post(port: int) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/api/jobs", body.encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = answer.status, answer.read()
        connection.close()
        return told

    with served(create_app(boltq)) as (serving, _stop), ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(post, [serving.port] * 40))
        jobs = talk(
            serving.port,
            b"GET /api/jobs/%b%%3Aa1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            % queue.encode(),
        )
    assert sorted(status for status, _ in answers) == [200] * 39 + [202]
    (made,) = [body for status, body in answers if status == 202]
    assert jobs.endswith(made)
    assert boltq.stats(queue).enqueued_total == 1
    boltq.close()


def test_a_taken_port_is_refused_in_a_sentence_that_names_it(port: int) -> None:
    with pytest.raises(BadSetting, match=f"port {port} on 127.0.0.1 is taken"):
        Serving(greet, "127.0.0.1", port).start()


def test_a_host_that_is_not_here_is_refused_in_a_sentence_that_names_it() -> None:
    with pytest.raises(BadSetting, match=r"port 8080 on 192\.0\.2\.1"):
        Serving(greet, "192.0.2.1", 8080).start()
    with pytest.raises(BadSetting, match=r"port 8080 on no\.such\.host\.invalid"):
        Serving(greet, "no.such.host.invalid", 8080).start()


def test_localhost_is_listened_on_where_everyone_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
    ]
    serving, stop = Serving(greet, "localhost", 0), threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", lambda *_given, **_named: both)
        serving.start()
    socket.create_connection(("127.0.0.1", serving.port), timeout=1).close()
    stop.set()
    serving.run(stop)


def test_the_loop_rests_while_a_thread_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would turn round and round, and keep the interpreter's lock from that thread."""
    sending, go, turns = threading.Event(), threading.Event(), []
    send, loop = channel.Channel.send, wasyncore.loop

    def slowly(self: channel.Channel, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002
        sending.set()
        assert go.wait(10)
        return send(self, data, do_close)

    def counted(*arguments: Any, **options: Any) -> None:
        turns.append(1)
        loop(*arguments, **options)

    monkeypatch.setattr(channel.Channel, "send", slowly)
    monkeypatch.setattr(wasyncore, "loop", counted)
    with served(greet) as (serving, _stop), ThreadPoolExecutor(1) as client:
        request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = client.submit(talk, serving.port, request)
        assert sending.wait(10)
        before, began = len(turns), time.monotonic()
        with socket.create_connection(("127.0.0.1", serving.port)):  # the loop turns to it
            threading.Event().wait(0.05)
        turned, seconds = len(turns) - before, time.monotonic() - began
        go.set()
        assert answer.result(10).startswith(b"HTTP/1.1 200 ")
    assert turned < 20 + 10 * seconds  # by itself it turns 5 times a second


def test_a_small_answer_goes_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    made_by: list[int] = []
    sent_by: list[int] = []
    send = channel.Channel.send

    def noted(self: channel.Channel, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002
        sent.append(data)
        sent_by.append(threading.get_ident())
        return send(self, data, do_close)

    def greeting(environ: Any, start_response: Any) -> Any:
        made_by.append(threading.get_ident())
        return greet(environ, start_response)

    monkeypatch.setattr(channel.Channel, "send", noted)
    with served(greeting) as (serving, _stop):
        connection = HTTPConnection("127.0.0.1", serving.port, timeout=10)
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"0"
        connection.close()
    assert [(one[:9], one[-5:]) for one in sent] == [(b"HTTP/1.1 ", b"\r\n\r\n0")] * 3
    assert sent_by == made_by  # and not once the loop comes round to it


def test_the_loop_rests_while_an_answer_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    go, begun, turns = threading.Event(), threading.Event(), []
    loop = wasyncore.loop

    def counted(*arguments: Any, **options: Any) -> None:
        turns.append(1)
        loop(*arguments, **options)

    def piecemeal(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        yield b"a"
        begun.set()
        assert go.wait(10)
        yield b"b"

    monkeypatch.setattr(wasyncore, "loop", counted)
    with served(piecemeal) as (serving, _stop), ThreadPoolExecutor(1) as client:
        answer = client.submit(talk, serving.port, HEAD + b"Connection: close\r\n\r\n")
        assert begun.wait(10)
        before, began = len(turns), time.monotonic()
        with socket.create_connection(("127.0.0.1", serving.port)):  # the loop turns to it
            threading.Event().wait(0.05)
        turned, seconds = len(turns) - before, time.monotonic() - began
        go.set()
        assert answer.result(10).endswith(b"\r\n\r\nab")
    assert turned < 20 + 10 * seconds  # by itself it turns 5 times a second


def test_the_loop_is_woken_once_for_all_who_ask_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    serving = Serving(greet, "127.0.0.1", 0, threads=1)
    serving.start()
    listener, pulled = serving._listener, []
    assert listener
    monkeypatch.setattr(listener.trigger, "pull_trigger", lambda: pulled.append(1))
    for wanted in (1, 2):
        for _ in range(3):
            listener.pull_trigger()
        assert len(pulled) == wanted
        listener.turn(0)
    listener.close()
    listener.threads.end(10)
