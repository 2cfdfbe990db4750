"""Raw bytes to the API: what ends elsewhere for others, what never ends, and who never reads."""

import json
import re
import resource
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from servers import TestServer, until

from boltq.api import channel
from boltq.api.app import create_app
from boltq.api.keys import Keys
from boltq.api.limits import ENVELOPE_BYTES, ROOMY, Limits
from boltq.api.serve import Serving
from boltq.client import BoltQ
from boltq.settings import Settings

KEY = "0123456789abcdef"
GUARDED = Settings(api_keys=f"a:admin:{KEY}")
QUICK = Limits(payload_bytes=1000, connections=12, idle_seconds=0.2)
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = GET[:-2] + b"Connection: close\r\n\r\n"
HEAD = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def served(app: Callable[..., Iterable[bytes]], limits: Limits, **options: Any) -> Iterator[int]:
    serving = Serving(app, "127.0.0.1", 0, threads=2, limits=limits, **options)
    stop = threading.Event()
    serving.start()
    thread = threading.Thread(target=serving.run, args=(stop,))
    thread.start()
    try:
        yield serving.port
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def begun(
    app: Callable[..., Iterable[bytes]], *asking: tuple[Callable[[int], socket.socket], bytes]
) -> Iterator[tuple[Serving, list[socket.socket]]]:
    """An API of little patience, and connections on which this was sent before it began to look.

    So that who stands still between the two is not taken for one who says nothing.
    """
    serving, stop = Serving(app, "127.0.0.1", 0, threads=2, limits=QUICK), threading.Event()
    serving.start()
    thread = threading.Thread(target=serving.run, args=(stop,))
    try:
        with ExitStack() as stack:
            connections = []
            for connected, sent in asking:
                connections.append(stack.enter_context(connected(serving.port)))
                connections[-1].sendall(sent)
            thread.start()
            yield serving, connections
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def away() -> Iterator[BoltQ]:
    client = BoltQ("127.0.0.1:1", patience_seconds=0.0)
    yield client
    client.close()


@pytest.fixture(scope="module")
def port(away: BoltQ) -> Iterator[int]:
    """The API as it is, but for a payload limit of 1000 bytes."""
    with served(create_app(away, Settings(api_payload_bytes=1000)), Limits(1000)) as port:
        yield port


@pytest.fixture(scope="module")
def quick(away: BoltQ) -> Iterator[int]:
    """The API with little patience."""
    with served(create_app(away, Settings()), QUICK) as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    answer = bytearray()
    try:
        while more := connection.recv(1_000_000):
            answer += more
    except ConnectionResetError:
        pass
    return bytes(answer)


def talk(port: int, sent: bytes) -> bytes:
    with connect(port) as connection:
        connection.sendall(sent)
        return rest(connection)


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
DOUBTFUL = {
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two encodings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another encoding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "an encoding behind a tab": b"Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n",
    "an encoding before a blank": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded encoding": b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded length": b"Content-Length:\r\n 3\r\n\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "a list of lengths": b"Content-Length: 3, 3\r\n\r\nabc",
    "a length with a plus": b"Content-Length: +3\r\n\r\nabc",
    "a length in hex": b"Content-Length: 0x3\r\n\r\nabc",
    "a length with a blank": b"Content-Length: 3 3\r\n\r\nabc",
    "bare line feeds": b"X: y\n\r\n\r\n",
    "a bare return": b"X: y\rContent-Length: 3\r\n\r\nabc",
    "a NUL": b"X: a\0b\r\n\r\n",
    "a chunk of minus one": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk with a sign": b"Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
    "a chunk in 0x": b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "a chunk that is longer": b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "two hosts": b"Host: evil.example\r\n\r\n",
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_a_request_whose_end_is_in_doubt_ends_the_connection(port: int, case: str) -> None:
    answer = talk(port, HEAD + DOUBTFUL[case] + SMUGGLED)
    (status,) = statuses(answer)
    assert status in (400, 501), answer
    assert b"\r\nConnection: close\r\n" in answer
    assert b"/smuggled" not in answer


LINES = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "another host in the target": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a version that is none": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /\r\nHost: localhost\r\n\r\n",
    "a lower method": b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a mark of Falcon's": b"WEBSOCKET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_is_in_doubt_ends_the_connection(port: int, case: str) -> None:
    assert statuses(talk(port, LINES[case] + SMUGGLED)) == [400]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"http://localhost/healthz", 200),
        (b"/healthz#part", 200),
        (b"/a%00b", 404),
        (b"/a%0d%0aSet-Cookie:%20x=1", 404),
        (b"/api/jobs/a%00", 400),
        (b"/api/jobs/a%0d%0ab", 400),
        (b"/api/jobs/../../etc/passwd", 404),
        (b"/api/jobs/..%2f..%2fetc%2fpasswd", 404),
        (b"/../../etc/passwd", 404),
        (b"//evil.example/", 404),
        (b"/%ff%fe", 404),
        (b"*", 404),
        (b"/" + b"a" * 16_000, 404),
        (b"/" + b"a" * 17_000, 431),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_target_leads_nowhere_but_to_a_route(port: int, target: bytes, status: int) -> None:
    request = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talk(port, request)
    assert statuses(answer) == [status], answer
    assert b"Set-Cookie" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize("first", [b"nonsense\r\n\r\n", HEAD + b"Content-Length: x\r\n\r\n"])
def test_nothing_is_answered_after_an_error(port: int, first: bytes) -> None:
    assert statuses(talk(port, GET + first + GET * 5)) == [200, 400]


def test_requests_in_one_go_are_answered_in_their_order(port: int) -> None:
    answer = talk(port, GET + b"\r\n\r\n" + SMUGGLED + LAST)
    assert statuses(answer) == [200, 404, 200]


def test_a_key_in_a_broken_head_is_neither_logged_nor_sent_back(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for broken in (b"Authorization: Bearer %b\nX: y", b"X: %b\r", b"Authorization : Bearer %b"):
        answer = talk(port, HEAD + broken % KEY.encode() + b"\r\n\r\n")
        assert statuses(answer) == [400]
        assert KEY.encode() not in answer
    assert statuses(talk(port, b"get" + KEY.encode() + b" / HTTP/1.1\r\n\r\n")) == [400]
    until(lambda: len(caplog.records) >= 4)
    assert KEY not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("more", ["%E9" * 5, "a" * 15_000, f", Bearer {KEY}", "\xff\xfe"])
def test_a_strange_key_on_the_wire_is_no_key(away: BoltQ, more: str) -> None:
    with served(create_app(away, GUARDED), Limits()) as port:
        line = f"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}{more}"
        answer = talk(port, line.encode("latin-1") + b"\r\nConnection: close\r\n\r\n")
        assert statuses(answer) == [401]


def test_two_keys_or_a_huge_one_on_the_wire_are_refused(away: BoltQ) -> None:
    with served(create_app(away, GUARDED), Limits()) as port:
        line = f"Authorization: Bearer {KEY}\r\n".encode()
        head = b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        assert statuses(talk(port, head + line + b"\r\n")) == [503]
        assert statuses(talk(port, head + line + line + b"\r\n")) == [401]
        huge = b"Authorization: Bearer " + b"a" * 2**20 + b"\r\n"
        assert statuses(talk(port, head + huge + b"\r\n")) == [431]


MOST = 1000 + ENVELOPE_BYTES


def test_a_body_has_room_for_the_payload_and_its_envelope(port: int) -> None:
    for length, status in ((MOST, 503), (MOST + 1, 413)):
        body = b'{"type":"echo","payload":"a"}'.ljust(length)
        head = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % length
        answer = talk(port, head + body)
        assert statuses(answer) == [status], answer
        if status == 413:
            assert f"at most {MOST} bytes" in answer.decode()


def test_a_path_that_is_roomy_has_its_own_limit(port: int) -> None:
    (path, most) = next(iter(ROOMY.items()))
    head = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    with connect(port) as connection:
        connection.sendall(head % (path.encode(), most + 1))
        assert statuses(connection.recv(65536)) == [413]
    with connect(port) as connection:
        connection.sendall(head % (path.encode(), most) + b"a" * (2 * MOST))
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):  # it reads on
            connection.recv(1)


def resident_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


BOMBS = {
    "10 GB told": (b"Content-Length: 10000000000\r\n\r\n", b"x" * 65536),
    "chunks without end": (
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"8000\r\n" + b"x" * 32768 + b"\r\n",
    ),
    "a chunk without end": (b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"x" * 65536),
    "a chunk's line without end": (b"Transfer-Encoding: chunked\r\n\r\n", b"1" * 65536),
    "an extension without end": (b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536),
    "a trailer without end": (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 10_000),
    "headers without end": (b"", b"A: b\r\n" * 10_000),
    "a header without end": (b"X: ", b"a" * 65536),
}


@pytest.mark.parametrize("case", BOMBS)
def test_what_never_ends_is_ended_and_takes_no_memory(
    port: int, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "LINGER_SECONDS", 0.1)
    head, piece = BOMBS[case]
    before = resident_kb()
    with connect(port) as connection:
        connection.sendall(HEAD + head)
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_without_end(connection, piece)
    assert resident_kb() - before < 32 * 1024
    assert statuses(talk(port, LAST)) == [200]


def send_without_end(connection: socket.socket, piece: bytes) -> None:
    while True:
        connection.sendall(piece)


@pytest.mark.parametrize("way", [b"Content-Length: 70000", b"Transfer-Encoding: chunked"])
def test_a_large_body_is_not_taken_from_a_stranger(away: BoltQ, way: bytes) -> None:
    keys = Keys.of(GUARDED)
    app = create_app(away, GUARDED, keys)
    with served(app, Limits(), admits=keys.admit) as port:
        answer = talk(port, HEAD + way + b"\r\nExpect: 100-continue\r\n\r\n")
        assert statuses(answer) == [401]
        assert b'\r\nWww-Authenticate: Bearer realm="boltq"\r\n' in answer
        assert b'"word":"UNAUTHENTICATED"' in answer
        holder = b"\r\nAuthorization: Bearer %b\r\n" % KEY.encode()
        with connect(port) as connection:
            connection.sendall(HEAD + way + holder + b"Expect: 100-continue\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")


def test_a_small_body_is_refused_by_the_application(away: BoltQ) -> None:
    keys = Keys.of(GUARDED)
    with served(create_app(away, GUARDED, keys), Limits(), admits=keys.admit) as port:
        head = HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
        assert b"request_id" in talk(port, head)


def test_a_compressed_body_is_refused_and_never_unpacked(port: int) -> None:
    head = (
        HEAD
        + b"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0"
    )
    assert statuses(talk(port, head)) == [415]


SLOW = {
    "a line": (b"GET /", b"a", "head"),
    "headers": (b"GET / HTTP/1.1\r\n", b"A: b\r\n", "head"),
    "a body": (HEAD + b"Content-Length: 60000\r\n\r\n", b"x", "body"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", "body"),
}


@pytest.mark.parametrize("case", SLOW)
def test_a_byte_now_and_then_holds_no_connection_open(away: BoltQ, case: str) -> None:
    head, piece, part = SLOW[case]
    with begun(create_app(away, Settings()), (connect, head)) as (_, (connection,)):
        connection.settimeout(0.02)
        answer, began = b"", time.monotonic()
        while not answer and time.monotonic() < began + 10:
            connection.sendall(piece)
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                continue
        connection.settimeout(10)
        answer += rest(connection)
    assert statuses(answer) == [408]
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert told["word"] == "TOO_SLOW"
    assert told["detail"].startswith(f"the {part} of a request must arrive within")
    assert time.monotonic() - began < 15


def test_blank_lines_hold_no_connection_open(quick: int) -> None:
    with connect(quick) as connection:
        connection.settimeout(0.02)
        began, answer = time.monotonic(), None
        while answer is None and time.monotonic() < began + 10:
            try:
                connection.sendall(b"\r\n")
                answer = connection.recv(1)
            except TimeoutError:
                continue
            except OSError:
                answer = b""
    assert answer == b""


def test_a_connection_that_says_nothing_is_closed(quick: int) -> None:
    with connect(quick) as connection:
        assert rest(connection) == b""


LARGE = b"x" * 24_000_000  # more than the buffers of both sides, and than waitress keeps of answers


class Giving:
    """An application whose answers are large; `asked` counts those that were begun."""

    asked = 0

    def __call__(self, _environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked += 1
        start("200 OK", [("Content-Length", str(len(LARGE)))])
        return [LARGE]


def connect_narrow(port: int) -> socket.socket:
    """A client whose system takes little that it does not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    return connection


def test_who_never_reads_holds_no_thread_and_is_closed() -> None:
    giving, reader = Giving(), (connect_narrow, GET * 2)
    # As many as there are threads, and behind them one who reads.
    with begun(giving, reader, reader, (connect, LAST)) as (_, (*_readers, other)):
        assert statuses(other.recv(65536)) == [200]
        assert giving.asked >= 3


def is_connected(serving: Serving) -> bool:
    return any(isinstance(one, channel.Channel) for one in list(serving._watched.values()))


def test_who_reads_too_slowly_is_closed() -> None:
    giving = Giving()
    with begun(giving, (connect_narrow, GET)) as (serving, (connection,)):
        until(lambda: giving.asked)
        pause, read = threading.Event(), 0
        while is_connected(serving) and (more := connection.recv(50_000)):
            read += len(more)
            pause.wait(0.02)
        read += len(rest(connection))
    assert read < len(LARGE)


def test_a_flood_of_connections_is_waited_out(away: BoltQ, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "LINGER_SECONDS", 0.1)
    flood = [(connect, b"GET / HTTP/1.1\r\n")] * (3 * QUICK.connections)
    with begun(create_app(away, Settings()), *flood, (connect, LAST)) as (_, connections):
        assert statuses(rest(connections[-1])) == [200]


def test_a_request_that_waits_is_counted_once_and_is_not_too_slow(server: TestServer) -> None:
    boltq = BoltQ(server.address, prefix=f"wait-{secrets.token_hex(6)}", patience_seconds=0.5)
    settings = Settings(api_rate=0.001, api_burst=1)
    body = b'{"type":"echo"}'
    head = b"Prefer: wait=2\r\nContent-Length: %d\r\n\r\n" % len(body)
    request = HEAD + head + body
    with begun(create_app(boltq, settings), (connect, request * 2)) as (_, (connection,)):
        assert statuses(rest(connection)) == [202, 429]
    boltq.close()


def test_a_strange_payload_on_the_wire_comes_back_to_the_byte(server: TestServer) -> None:
    boltq = BoltQ(server.address, prefix=f"wire-{secrets.token_hex(6)}", patience_seconds=0.5)
    payloads = [
        b"1.0",
        b"[ ]",
        b"9007199254740993",
        b"1e400",
        b'{"a":1,"a":2}',
        b'"\\u0000\xc3\xa9"',
    ]
    with served(create_app(boltq), Limits()) as port:
        for payload in payloads:
            body = b'{"type":"echo","payload":%b}' % payload
            head = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            answer = talk(port, head + body)
            assert statuses(answer) == [202], answer
            assert b'"payload":' + payload in answer
    boltq.close()
