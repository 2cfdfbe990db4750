"""The guide's nginx.conf, run by nginx before two processes of the API."""

import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from api_served import Answer, exchange
from proxied import Proxied, proxied
from servers import TestServer, process_server, until

from boltq.api.page import FOR_EVER


@pytest.fixture(scope="module")
def alone() -> Iterator[TestServer]:
    with process_server("valkey") as server:
        yield server


@pytest.fixture(scope="module")
def proxy(alone: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with proxied(tmp_path_factory.mktemp("n"), alone, client_header_timeout="1s") as proxy:
        yield proxy


def ask(proxy: Proxied, method: str, path: str, body: object = None, **headers: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    try:
        return exchange(connection, method, path, body, **headers)
    finally:
        connection.close()


def talk(proxy: Proxied, sent: bytes) -> tuple[bytes, Answer]:
    """Send bytes; return the head of the answer as it came, and the answer."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        connection.sendall(sent)
        head = connection.recv(65536, socket.MSG_PEEK)
        response = HTTPResponse(connection)
        response.begin()
        return head, Answer(response.status, response.headers, response.read())


def test_jobs_go_in_and_come_out_whichever_process_is_asked(proxy: Proxied, queue: str) -> None:
    job = {"type": "echo", "queue": queue, "payload": "é" * 1000}
    made = ask(proxy, "POST", "/api/jobs", job)
    assert made.status == 202
    assert made.headers["Location"] == f"/api/jobs/{made.json['id']}"
    for api in proxy.apis:
        assert api.job(made.json["id"])["payload"] == "é" * 1000
    claimed = ask(proxy, "POST", "/api/claims", {"queues": [queue]})
    (leased,) = claimed.json["jobs"]
    acked = ask(proxy, "POST", f"/api/jobs/{leased['id']}/ack", {"token": claimed.json["token"]})
    assert (acked.status, acked.json["state"]) == (200, "completed")


def test_requests_are_spread_over_both_processes(proxy: Proxied, queue: str) -> None:
    for _ in range(8):
        assert ask(proxy, "GET", f"/api/jobs/{queue}:none").status == 404

    def lines() -> list[str]:
        return [line for line in proxy.log.read_text().splitlines() if queue in line]

    until(lambda: len(lines()) == 8)  # written once an answer has gone
    asked = Counter(line.split()[-2] for line in lines())
    assert {f"127.0.0.1:{api.port}" for api in proxy.apis} == set(asked)


def test_a_long_poll_at_one_process_hears_of_a_job_at_the_other(
    proxy: Proxied, alone: TestServer, queue: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        poll = pool.submit(
            ask, proxy, "POST", "/api/claims", {"queues": [queue], "wait_seconds": 20}
        )
        raw = alone.raw()
        until(lambda: b"cmd=blpop" in raw.execute_command("CLIENT", "LIST"))
        made = ask(proxy, "POST", "/api/jobs", {"type": "echo", "queue": queue})
        (job,) = poll.result(25).json["jobs"]
        assert job["id"] == made.json["id"]
        assert time.monotonic() - began < 15


def test_a_head_that_takes_too_long_is_cut_off_while_others_are_served(proxy: Proxied) -> None:
    # In the second that nginx waits for it the machine may stand still, and nothing be shown.
    until(lambda: served_while_a_head_is_slow(proxy) > 1)


def served_while_a_head_is_slow(proxy: Proxied) -> int:
    """Send a head byte by byte until it is cut off; how many others were served meanwhile."""
    slow = socket.create_connection(("127.0.0.1", proxy.port), timeout=0.05)
    began, byte = (
        time.monotonic(),
        iter(b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 900),
    )
    served = 0
    try:
        while time.monotonic() - began < 30:
            slow.sendall(bytes([next(byte)]))
            served += ask(proxy, "GET", "/api/stats").status == 200
            try:
                ended = slow.recv(1000)
            except TimeoutError:
                continue
            break
    except ConnectionError:
        ended = b""
    slow.close()
    assert b" 200 " not in ended
    assert 0.5 < time.monotonic() - began < 30
    return served


def test_a_length_beside_chunks_is_refused(proxy: Proxied) -> None:
    smuggled = b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    sent = head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled
    heard, answer = talk(proxy, sent)
    assert (answer.status, answer.json["word"]) == (400, "BAD_REQUEST")
    assert answer.headers["Connection"] == "close"
    assert heard.count(b"HTTP/1.1 ") == 1


LARGE = {
    "a job": ("/api/jobs", 8_000_000 + 64 * 1024),
    "a batch": ("/api/jobs/batch", 16 * 1024 * 1024),
}


@pytest.mark.parametrize("case", LARGE)
def test_a_body_above_what_the_api_takes_does_not_reach_it(proxy: Proxied, case: str) -> None:
    path, most = LARGE[case]
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    _, answer = talk(proxy, f"{head}Content-Length: {most + 1}\r\n\r\n".encode())
    assert (answer.status, answer.json["word"]) == (413, "TOO_LARGE")
    assert answer.headers["Content-Type"] == "application/problem+json"
    # The largest is read to its end, and the API says what is wrong with it.
    whole = ask(proxy, "POST", path, b" " * most)
    assert (whole.status, whole.json["word"]) == (400, "BAD_ARGUMENT")


def test_headers_above_16_kib_are_refused(proxy: Proxied) -> None:
    answer = ask(proxy, "GET", "/api/stats", A="a" * 17_000)
    assert (answer.status, answer.json["word"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nothing"])
def test_what_is_not_for_strangers_is_not_there(proxy: Proxied, path: str) -> None:
    answer = ask(proxy, "GET", path)
    assert (answer.status, answer.json["word"]) == (404, "NOT_FOUND")


def test_the_page_and_its_files_come_through(proxy: Proxied) -> None:
    page = ask(proxy, "GET", "/", Accept="text/html")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    (main,) = re.findall(r'src="(page/[0-9a-f]+/main\.js)"', page.body.decode())
    file = ask(proxy, "GET", f"/{main}")
    assert (file.status, file.headers["Cache-Control"]) == (200, FOR_EVER)


def test_a_client_is_counted_by_its_own_address_and_not_by_what_it_says(proxy: Proxied) -> None:
    api = proxy.apis[0]
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    connection = HTTPConnection("127.0.0.1", api.port, timeout=10)
    statuses = Counter(
        exchange(connection, "GET", "/api/stats", **forwarded).status for _ in range(1001)
    )
    assert statuses == {200: 1000, 429: 1}
    other = exchange(connection, "GET", "/api/stats", X_Forwarded_For="192.0.2.7, 192.0.2.8")
    assert other.status == 200
    connection.close()
    # Through the proxy it is another, whatever it says itself.
    assert ask(proxy, "GET", "/api/stats", **forwarded).status == 200


def test_a_process_that_is_killed_is_noticed_and_the_other_answers_all(
    alone: TestServer, tmp_path: Path, queue: str
) -> None:
    with proxied(tmp_path, alone) as proxy:
        gone = proxy.apis[0]
        gone.process.kill()
        gone.process.wait()
        job = {"type": "echo", "queue": queue}
        statuses = [ask(proxy, "POST", "/api/jobs", job).status for _ in range(6)]
        assert statuses == [202] * 6
        proxy.apis[1].process.kill()
        proxy.apis[1].process.wait()
        until(lambda: ask(proxy, "GET", "/api/stats").status == 503)
        answer = ask(proxy, "GET", "/api/stats")
        assert (answer.json["word"], answer.headers["Retry-After"]) == ("UNAVAILABLE", "2")
