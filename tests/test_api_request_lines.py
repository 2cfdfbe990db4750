"""Which requests have a line in the log, and how the rest are told of."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from falcon.testing import TestClient
from servers import TestServer, until

from boltq.api import request_lines
from boltq.api.app import create_app
from boltq.api.request_lines import RequestLines
from boltq.client import BoltQ


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def boltq(server: TestServer, queue: str) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=queue)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def informed(caplog: pytest.LogCaptureFixture) -> None:
    """Let caplog see the lines of the API."""
    caplog.set_level(logging.INFO, "boltq.api")


Make = Callable[..., RequestLines]


class Never(threading.Timer):
    """What is to be done when a clock has gone on that is set by hand."""

    def start(self) -> None:
        pass


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make accounts of requests, which tell nothing more once the test is over."""
    made: list[RequestLines] = []

    def one(lines_a_second: int, clock: Callable[[], float] = time.monotonic) -> RequestLines:
        if isinstance(clock, Clock):
            monkeypatch.setattr(request_lines.threading, "Timer", Never)
        made.append(RequestLines(lines_a_second, clock))
        return made[-1]

    yield one
    for each in made:
        each.flush()


def counted(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [vars(one)["count"] for one in caplog.records if one.msg == "more requests answered"]


def test_above_so_many_a_second_requests_answered_well_are_counted(
    boltq: BoltQ, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    http = TestClient(create_app(boltq, lines=make(2, clock)))
    for _ in range(5):
        http.simulate_get("/api/stats")
    assert [one.msg for one in caplog.records] == ["request"] * 2
    clock.now += 1
    http.simulate_get("/api/stats")
    assert counted(caplog) == [3]
    assert [one.msg for one in caplog.records].count("request") == 3


def test_what_was_refused_always_has_its_line(
    boltq: BoltQ, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    http = TestClient(create_app(boltq, lines=make(0, Clock())))
    for _ in range(3):
        http.simulate_get("/api/jobs/nothing")
        http.simulate_get("/api/stats")
    assert [vars(one)["status"] for one in caplog.records] == [404] * 3


def test_debug_lists_them_all(boltq: BoltQ, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "boltq.api.middleware")
    http = TestClient(create_app(boltq, lines=make(0, Clock())))
    for _ in range(3):
        http.simulate_get("/api/stats")
    assert [one.msg for one in caplog.records].count("request") == 3


def test_what_was_counted_is_told_soon_though_no_request_follows(
    make: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    accounts = make(0)
    assert not accounts.take()
    assert not accounts.take()
    until(lambda: sum(counted(caplog)) == 2)


def test_the_end_tells_what_was_counted_and_only_once(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = make(0, Clock())
    accounts.take()
    accounts.flush()
    accounts.flush()
    assert counted(caplog) == [1]
