"""The fault proxy itself: each of its faults does what it says, and nothing else."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from every_verb import SCRIPTS
from line import Line, line_to
from servers import TestServer, process_server, until

from boltq.evalsha import sources


@pytest.fixture(scope="module")
def real() -> Iterator[TestServer]:
    with process_server("redis") as server:
        yield server


@pytest.fixture
def line(real: TestServer, tmp_path: Path) -> Iterator[Line]:
    assert real.embedded
    with line_to(real.embedded.socket_path, tmp_path) as line:
        yield line


def connected(line: Line) -> socket.socket:
    """A bare connection through the line; what it reads is what came, piece by piece."""
    path = line.address.removeprefix("unix://")
    one = socket.socket(socket.AF_UNIX)
    one.connect(path)
    one.settimeout(30)
    return one


def is_gone(one: socket.socket) -> bool:
    try:
        return one.recv(100) == b""
    except ConnectionResetError:
        return True


def request(*words: bytes) -> bytes:
    texts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return b"*%d\r\n%s" % (len(words), texts)


def stats_of(real: TestServer, queue: str) -> bytes:
    """A request that runs the script `stats`."""
    sha = real.raw().script_load(sources()["stats"])
    keys = [f"boltq1:{{{queue}}}:{part}".encode() for part in SCRIPTS["stats"]["keys"]]
    return request(b"EVALSHA", sha.encode(), str(len(keys)).encode(), *keys)


def test_untouched_it_hands_on_requests_and_answers(line: Line) -> None:
    with connected(line) as one:
        one.sendall(request(b"PING") + request(b"ECHO", b"\0\r\n"))
        answer = b""
        while len(answer) < len(b"+PONG\r\n$3\r\n\0\r\n\r\n"):
            answer += one.recv(100)
    assert answer == b"+PONG\r\n$3\r\n\0\r\n\r\n"


def test_a_lost_answer_is_that_of_the_script_which_has_run_and_only_as_often_as_told(
    line: Line, real: TestServer, queue: str
) -> None:
    line.lose("stats", 1)
    with connected(line) as one:
        one.sendall(request(b"PING"))
        assert one.recv(100) == b"+PONG\r\n"
        real.raw().config_resetstat()
        one.sendall(stats_of(real, queue))
        assert is_gone(one)
    assert line.lost == 1
    assert real.raw().info("commandstats")["cmdstat_evalsha"]["calls"] == 1
    with connected(line) as one:
        one.sendall(stats_of(real, queue))
        assert one.recv(1 << 16).startswith(b"*")
    assert line.lost == 1


def test_a_held_answer_comes_when_it_is_let_go(line: Line, real: TestServer, queue: str) -> None:
    line.hold("stats")
    with connected(line) as one, connected(line) as other:
        one.sendall(stats_of(real, queue))
        assert line.held.wait(30)
        other.sendall(request(b"PING"))
        assert other.recv(100) == b"+PONG\r\n"
        one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            one.recv(100)
        one.settimeout(30)
        line.release()
        assert one.recv(1 << 16).startswith(b"*")


@pytest.mark.parametrize("bytes_of_it", [0, 1, 20, 60_000, 500_000])
def test_a_cut_request_gets_so_far_and_is_never_carried_out(
    line: Line, real: TestServer, queue: str, bytes_of_it: int
) -> None:
    with connected(line) as one:
        line.cut(bytes_of_it)
        with suppress(BrokenPipeError):
            one.sendall(request(b"SET", queue.encode(), bytes(600_000)))
        assert is_gone(one)
    assert real.raw().get(queue) is None
    with connected(line) as one:
        one.sendall(request(b"SET", queue.encode(), bytes(600_000)))
        assert one.recv(100) == b"+OK\r\n"


def test_a_whole_request_is_cut_behind_its_last_byte(
    line: Line, real: TestServer, queue: str
) -> None:
    told = request(b"SET", queue.encode(), bytes(600_000))
    with connected(line) as one:
        line.cut(len(told))
        one.sendall(told)
        assert is_gone(one)
    until(lambda: real.raw().strlen(queue) == 600_000)


def test_a_slow_answer_comes_in_pieces_until_that_is_ended(line: Line) -> None:
    line.slow(0.002, 1)
    with connected(line) as one:
        began = time.monotonic()
        one.sendall(request(b"ECHO", b"abc"))
        pieces = [one.recv(1) for _ in range(9)]
        assert b"".join(pieces) == b"$3\r\nabc\r\n"
        assert time.monotonic() - began >= 9 * 0.002
        line.slow(0)
        one.sendall(request(b"ECHO", b"abc"))
        assert one.recv(100) == b"$3\r\nabc\r\n"


def is_quiet(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        return not one.recv(100, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        one.settimeout(30)


def test_answers_stop_and_requests_still_arrive(line: Line, real: TestServer, queue: str) -> None:
    with connected(line) as one:
        line.stop("answers")
        one.sendall(request(b"SET", queue.encode(), b"1"))
        until(lambda: real.raw().get(queue) == b"1")
        assert is_quiet(one)
        line.release()
        assert one.recv(100) == b"+OK\r\n"


def test_requests_stop_and_are_carried_out_late(line: Line, real: TestServer, queue: str) -> None:
    with connected(line) as one:
        line.stop("requests")
        one.sendall(request(b"SET", queue.encode(), b"1"))
        assert is_quiet(one)
        assert real.raw().get(queue) is None
        one.close()
        line.release()
    until(lambda: real.raw().get(queue) == b"1")


def test_every_connection_is_reset_and_new_ones_are_taken(line: Line) -> None:
    with connected(line) as one, connected(line) as other:
        for each in (one, other):
            each.sendall(request(b"PING"))
            assert each.recv(100) == b"+PONG\r\n"
        line.drop()
        assert is_gone(one)
        assert is_gone(other)
    with connected(line) as one:
        one.sendall(request(b"PING"))
        assert one.recv(100) == b"+PONG\r\n"


def test_a_raw_line_on_a_port_to_a_port_hands_on_what_it_does_not_understand() -> None:
    with process_server("valkey") as server, socket.socket() as echo:
        echo.bind(("127.0.0.1", 0))
        echo.listen()
        with line_to(echo.getsockname(), raw=True) as raw, socket.socket() as one:
            one.connect(("127.0.0.1", raw.port))
            there, _ = echo.accept()
            with there:
                one.sendall(b"$9\r\nnot")
                assert there.recv(100) == b"$9\r\nnot"
                raw.stop("answers")
                there.sendall(b"*1")
                assert is_quiet(one)
                raw.release()
                one.settimeout(30)
                assert one.recv(100) == b"*1"
        assert server.embedded
        with line_to(server.embedded.socket_path) as line:
            client = redis.Redis(port=line.port, protocol=2)
            assert client.ping() is True
            client.close()
