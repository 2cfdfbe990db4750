"""Requests that wait: they hold no thread, hear of jobs at once, and leave nothing behind."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median

import pytest
import workers
from api_served import Api, exchange, served
from queue_state import QueueState
from servers import TestServer, until

from boltq import scripts
from boltq.api import awaited, lot
from boltq.api.channel import Channel
from boltq.client import BoltQ
from boltq.evalsha import Bells, Server

# With TEST_QUIET, on a machine that does nothing else: as the API promises.
TIMES, MOST_RATIO = (1000, 2.0) if os.environ.get("TEST_QUIET") else (60, 5.0)


@pytest.fixture(scope="module")
def kept_api(server: TestServer) -> Iterator[Api]:
    boltq = BoltQ(server.address)
    with served(boltq.server) as api:
        yield api
    boltq.close()


@pytest.fixture
def api(kept_api: Api) -> Iterator[Api]:
    yield kept_api
    kept_api.waiting(0)


def poll(q: QueueState, **members: object) -> dict[str, object]:
    return {"queues": [q.name], "wait_seconds": 20, **members}


def states(q: QueueState, *ids: str) -> list[str]:
    return [workers.state(q, id) for id in ids]


def took(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


@contextmanager
def calling(api: Api, queue: str) -> Iterator[list[Callable[[], object]]]:
    """Two calls on a kept connection: a probe, and a job for a queue."""
    connection = HTTPConnection("127.0.0.1", api.serving.port, timeout=10)
    job = {"type": "echo", "queue": queue}
    yield [
        lambda: exchange(connection, "GET", "/healthz"),
        lambda: exchange(connection, "POST", "/api/jobs", job),
    ]
    connection.close()


def test_fifty_long_polls_on_eight_threads_leave_the_rest_as_quick_as_before(
    q: QueueState,
) -> None:
    with (
        served(q.server, threads=8) as idle,
        served(q.server, threads=8) as busy,
        calling(idle, f"{q.name}-2") as calls_idle,
        calling(busy, f"{q.name}-2") as calls_busy,
    ):
        polls = [busy.starts("POST", "/api/claims", poll(q)) for _ in range(50)]
        busy.waiting(50)
        ratios = []
        for call_idle, call_busy in zip(calls_idle, calls_busy, strict=True):
            pairs = [(took(call_idle), took(call_busy)) for _ in range(TIMES)]
            ratios.append(median(with_polls / without for without, with_polls in pairs))
        print("with 50 polls: /healthz x {:.2f}, POST /api/jobs x {:.2f}".format(*ratios))  # noqa: T201
        assert max(ratios) < MOST_RATIO
        assert busy.serving.waiting == 50
        busy.stop.set()
        assert {answer.result(20).status for answer in polls} == {200}


def test_a_job_that_is_enqueued_while_a_claim_waits_is_handed_over_at_once(
    api: Api, q: QueueState
) -> None:
    seconds = []
    for id in ("a", "b", "c", "d", "e"):
        answer = api.starts("POST", "/api/claims", poll(q))
        api.waiting()
        began = time.monotonic()
        q.enqueue(id)
        assert [job["id"] for job in answer.result(10).json["jobs"]] == [f"{q.name}:{id}"]
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 0.09, (
        seconds
    )  # not found by a look now and then, which comes 10 times a second


def test_one_ring_wakes_one_claim_and_a_job_that_is_left_the_next(api: Api, q: QueueState) -> None:
    polls = [api.starts("POST", "/api/claims", poll(q)) for _ in range(3)]
    api.waiting(3)
    q.enqueue("a", "b")
    until(lambda: sum(one.done() for one in polls) == 2)
    api.waiting(1)
    assert states(q, "a", "b") == ["running", "running"]
    q.enqueue("c")
    until(lambda: all(one.done() for one in polls))
    ids = [job["id"] for one in polls for job in one.result().json["jobs"]]
    assert sorted(ids) == [f"{q.name}:{id}" for id in ("a", "b", "c")]


def test_a_delayed_job_ends_the_wait_when_it_is_due_although_nothing_rings(
    api: Api, q: QueueState
) -> None:
    q.enqueue("a", delay_ms=150)
    answer = api.ask("POST", "/api/claims", poll(q))
    assert [job["id"] for job in answer.json["jobs"]] == [f"{q.name}:a"]


def test_a_claim_waits_for_any_of_its_queues(api: Api, q: QueueState) -> None:
    other = f"{q.name}-2"
    answer = api.starts("POST", "/api/claims", poll(q, queues=[other, q.name]))
    api.waiting()
    q.enqueue("a")
    assert answer.result(10).json["jobs"][0]["queue"] == q.name
    answer = api.starts("POST", "/api/claims", poll(q, queues=[q.name, other]))
    api.waiting()
    item = scripts.EnqueueItem("b", "echo", b"1", b"")
    q.call(scripts.enqueue(other, [item], delay_ms=0))
    job = answer.result(10).json["jobs"][0]
    assert (job["queue"], job["id"]) == (other, f"{other}:b")


def test_a_claim_whose_time_is_over_is_answered_with_no_jobs(api: Api, q: QueueState) -> None:
    began = time.monotonic()
    answer = api.ask("POST", "/api/claims", poll(q, wait_seconds=0.1, token="t1"))
    assert 0.1 <= time.monotonic() - began < 15
    assert (answer.status, answer.json["token"], answer.json["jobs"]) == (200, "t1", [])
    assert answer.json["wait_seconds"] > 1
    assert "Retry-After" not in answer.headers


def test_a_paused_queue_is_waited_for_until_it_is_resumed(api: Api, q: QueueState) -> None:
    q.enqueue("a")
    q.configure(paused=1, pause_reason="repairs")
    at_once = api.ask("POST", "/api/claims", poll(q, wait_seconds=0))
    assert at_once.json["paused"] == {q.name: "repairs"}
    assert at_once.json["jobs"] == []
    answer = api.starts("POST", "/api/claims", poll(q))
    api.waiting()
    q.configure(paused=0)
    assert [job["id"] for job in answer.result(10).json["jobs"]] == [f"{q.name}:a"]


def raw_poll(api: Api, q: QueueState, token: str) -> socket.socket:
    """A claim that waits, on a connection that the test can cut."""
    body = json.dumps(poll(q, token=token)).encode()
    connection = socket.create_connection(("127.0.0.1", api.serving.port), timeout=10)
    connection.sendall(
        b"POST /api/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    return connection


def test_a_client_that_goes_while_its_claim_waits_leases_nothing(api: Api, q: QueueState) -> None:
    for token in ("t1", "t2"):
        connection = raw_poll(api, q, token)
        api.waiting()
        connection.close()
        api.waiting(0)
    q.enqueue("a")
    time.sleep(0.05)
    assert states(q, "a") == ["queued"]
    assert q.claimed("t3") == ["a"]


def test_a_ring_that_was_heard_for_a_client_that_goes_is_passed_on(
    api: Api, q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = raw_poll(api, q, "t1")
    api.waiting()
    answer = api.starts("POST", "/api/claims", poll(q, token="t2"))
    api.waiting(2)
    rung = threading.Event()

    def resume_once_it_has_gone(channel: Channel) -> None:
        gone.close()
        until(lambda: not channel.connected)
        monkeypatch.undo()  # only now: a request in its turn is not read on
        channel.resume()
        rung.set()

    # The client goes between the ring and its request's turn.
    monkeypatch.setattr(Channel, "resume", resume_once_it_has_gone)
    monkeypatch.setattr(Channel, "readable", lambda _channel: True)
    q.enqueue("a")
    assert rung.wait(10)
    assert [job["id"] for job in answer.result(10).json["jobs"]] == [f"{q.name}:a"]
    assert q.lease("a").token == "t2"


def test_a_ring_that_nobody_wants_here_rings_again_for_others(api: Api, q: QueueState) -> None:
    q.enqueue("a", "b")
    q.silence()
    other = f"{q.name}-2"
    answer = api.starts("POST", "/api/claims", poll(q, queues=[other]))
    api.waiting()
    api.serving._lot.pass_on(q.name)
    until(lambda: q.raw.llen(q.key("bell")))
    until(lambda: states(q, "a", "b") == ["queued", "queued"])
    assert q.claimed("t9") == ["a", "b"]
    q.call(scripts.enqueue(other, [scripts.EnqueueItem("c", "echo", b"1", b"")], delay_ms=0))
    assert [job["id"] for job in answer.result(10).json["jobs"]] == [f"{other}:c"]


def test_a_claim_that_is_repeated_after_its_answer_was_lost_leases_nothing_new(
    api: Api, q: QueueState
) -> None:
    connection = raw_poll(api, q, "t1")
    api.waiting()
    q.enqueue("a", "b", "c")
    until(lambda: "running" in states(q, "a", "b", "c"))
    connection.close()
    again = [api.ask("POST", "/api/claims", poll(q, token="t1", max_jobs=3)) for _ in range(2)]
    assert [[job["id"] for job in one.json["jobs"]] for one in again] == [[f"{q.name}:a"]] * 2
    assert again[0].body == again[1].body
    assert states(q, "a", "b", "c") == ["running", "queued", "queued"]


def test_a_stop_answers_what_waits_at_once(q: QueueState) -> None:
    q.enqueue("a")
    q.claim("t1")
    with served(q.server) as api:
        claim = api.starts("POST", "/api/claims", poll(q))
        look = api.starts("GET", f"/api/jobs/{q.name}:a", Prefer="wait=20")
        api.waiting(2)
        began = time.monotonic()
        api.stop.set()
        assert (claim.result(10).status, claim.result().json["jobs"]) == (200, [])
        assert (look.result(10).status, look.result().json["state"]) == (200, "running")
        assert time.monotonic() - began < 9


def test_while_redis_is_away_who_waits_goes_on_waiting_and_hears_of_jobs_afterwards(
    private_server: Callable[..., TestServer], queue: str
) -> None:
    server = private_server("valkey")
    boltq = BoltQ(server.address)
    ask = {"queues": [queue], "wait_seconds": 20}
    with served(boltq.server) as api:
        long = [api.starts("POST", "/api/claims", ask) for _ in range(8)]
        short = api.starts("POST", "/api/claims", {**ask, "queues": [f"{queue}-2"]})
        api.waiting(9)
        assert server.embedded is not None
        server.embedded.kill()
        waits = list(api.serving._lot._waits.values())
        next(wait for wait in waits if queue not in wait.due).until = 0.0  # its time is over
        assert short.result(10).status == 200
        assert took(lambda: api.ask("GET", "/healthz")) < 5  # no thread waits for Redis
        assert api.serving.waiting == 8
        server.embedded.start()
        ids = {boltq.enqueue("echo", queue=queue).id for _ in range(8)}
        assert {one.result(20).json["jobs"][0]["id"] for one in long} == ids
    boltq.close()


def test_the_next_request_of_a_connection_waits_for_the_one_before(api: Api, q: QueueState) -> None:
    connection = raw_poll(api, q, "t1")
    api.waiting()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    q.enqueue("a")
    answered = b""
    with connection:
        while more := connection.recv(65536):
            answered += more
    claim, _, health = answered.partition(b'"payload":{}}]}')
    assert claim.startswith(b"HTTP/1.1 200 ")
    assert health.startswith(b"HTTP/1.1 200 ")
    assert health.endswith(b'{"status":"ok"}')


def test_a_connection_is_kept_after_a_wait(api: Api, q: QueueState) -> None:
    connection = HTTPConnection("127.0.0.1", api.serving.port, timeout=10)
    for id in ("a", "b"):
        sent = json.dumps(poll(q)).encode()
        connection.request("POST", "/api/claims", sent, {"Content-Type": "application/json"})
        api.waiting()
        q.enqueue(id)
        assert json.loads(connection.getresponse().read())["jobs"][0]["id"] == f"{q.name}:{id}"
    connection.close()


def test_a_claim_in_chunks_behind_an_expectation_waits_with_its_body(
    api: Api, q: QueueState
) -> None:
    body = json.dumps(poll(q)).encode()
    with socket.create_connection(("127.0.0.1", api.serving.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        api.waiting()
        q.enqueue("a")
        answered = b""
        while more := connection.recv(65536):
            answered += more
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert answered.endswith(b'"payload":{}}]}')


def test_beyond_the_room_for_waiting_requests_a_claim_is_answered_at_once(
    api: Api, q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lot, "MOST_PARKED", 1)
    first = api.starts("POST", "/api/claims", poll(q))
    api.waiting()
    second = api.ask("POST", "/api/claims", poll(q))
    assert (second.json["jobs"], second.headers["Retry-After"]) == ([], "1")
    # Who waits already goes on waiting, also when another took the job it was woken for.
    q.call(scripts.configure(q.name, [scripts.ConfigureItem("paused", b"0")]))
    q.enqueue("a")
    assert first.result(10).json["jobs"][0]["id"] == f"{q.name}:a"


def test_a_request_that_waits_is_logged_once_under_the_id_that_it_came_with(
    api: Api, q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "boltq")
    answer = api.starts("POST", "/api/claims", poll(q))
    api.waiting()
    time.sleep(0.02)
    q.enqueue("a")
    id = answer.result(10).headers["X-Request-Id"]
    told = [vars(record) for record in caplog.records if record.getMessage() == "request"]
    (line,) = [line for line in told if line["request_id"] == id]
    assert line["duration_ms"] >= 20


def test_a_stop_that_comes_as_the_lot_is_about_to_rest_is_not_missed(
    q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, about, go = lot.Lot._step, threading.Event(), threading.Event()

    def late(own: lot.Lot, bells: Bells, asking: Server) -> None:
        if not own._waits:
            about.set()
            assert go.wait(10)
        step(own, bells, asking)

    monkeypatch.setattr(lot.Lot, "_step", late)
    with served(q.server) as api:
        answer = api.starts("POST", "/api/claims", poll(q))
        api.waiting()
        q.enqueue("a")
        assert answer.result(10).status == 200
        assert about.wait(10)
        api.serving._lot.close()
        go.set()
        thread = api.serving._lot._thread
        until(lambda: thread and not thread.is_alive())


def test_of_whom_there_is_no_room_to_tell_is_let_ask_himself(q: QueueState) -> None:
    # 1 MiB each, of which one answer shows 6 MB; and one that runs, before or behind them.
    q.configure(result_bytes=2**20)
    q.enqueue(*"abcdefgh", "runs")
    q.claimed(limit=9)
    for id in "abcdefgh":
        q.ack(id, result=b"1" * 2**20)
    names = [f"{q.name}:{id}" for id in "abcdefgh"]
    assert awaited.ended(q.server, [f"{q.name}:runs", *names]) == set(names)
    assert awaited.ended(q.server, [*names, f"{q.name}:runs"]) == {*names, f"{q.name}:runs"}
