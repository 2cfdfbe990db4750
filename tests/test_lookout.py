"""An answer that is near is looked for before it is slept for, as long as that is of use."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest
from servers import TestServer, until

from boltq import BoltQ
from boltq.evalsha import lookout
from boltq.evalsha.lookout import LOOK_SECONDS, MOST_PASSED, Lookout


class Road:
    """What answers come on: each once it was looked for so often."""

    def __init__(self, *, after: int, pause_seconds: float = 0.0) -> None:
        self.looked = 0
        self.after = after
        self._pause_seconds = pause_seconds

    def has_come(self) -> bool:
        self.looked += 1
        time.sleep(self._pause_seconds)
        return self.looked >= self.after


NEVER = 10**9


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Lookout:
    """One on a machine of several cores that has all the time to look, and has just looked."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 10.0)
    monkeypatch.setattr(Lookout, "_caller", 0)
    made = Lookout()
    made.until_come(Road(after=1))
    return made


def calls_passed(of: Lookout) -> int:
    """How many calls it passes over before it looks again, and then finds an answer at once."""
    passed = 0
    while True:
        road = Road(after=1)
        of.until_come(road)
        if road.looked:
            return passed
        passed += 1


def in_vain(of: Lookout, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let it look once for what does not come in time; returns how many calls that took."""
    calls = 0
    with monkeypatch.context() as short:
        short.setattr(lookout, "LOOK_SECONDS", 0.0005)
        road = Road(after=NEVER)
        while not road.looked:
            of.until_come(road)
            calls += 1
    return calls


def test_the_first_call_of_a_process_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(Lookout, "_caller", 0)
    road = Road(after=1)
    Lookout().until_come(road)
    assert road.looked == 1


def test_it_is_looked_for_until_it_has_come(looking: Lookout) -> None:
    for after in (1, 2, 7):
        road = Road(after=after)
        looking.until_come(road)
        assert road.looked == after


def test_what_does_not_come_is_looked_for_no_longer_than_a_moment(
    looking: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOOK_SECONDS == 0.0002
    monkeypatch.setattr(lookout, "LOOK_SECONDS", LOOK_SECONDS)
    road = Road(after=NEVER)
    # A clock by which each look takes a tenth of it.
    clock = SimpleNamespace(monotonic=lambda: road.looked * LOOK_SECONDS / 10)
    monkeypatch.setattr(lookout, "time", clock)
    looking.until_come(road)
    assert 9 <= road.looked <= 11


def test_each_time_in_vain_about_twice_as_many_calls_are_passed_over_up_to_255(
    looking: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [in_vain(looking, monkeypatch) for _ in range(10)]
    assert calls == [1, 2, 4, 8, 16, 32, 64, 128, 256, 256]


def test_each_time_it_was_of_use_half_as_many_are_passed_over_the_next_time(
    looking: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        in_vain(looking, monkeypatch)
    assert calls_passed(looking) == 15  # and of use once
    assert calls_passed(looking) == 0  # and twice
    in_vain(looking, monkeypatch)
    assert calls_passed(looking) == 7


def test_what_came_too_late_to_be_of_use_was_looked_for_in_vain(
    looking: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(lookout, "LOOK_SECONDS", 0.001)
        looking.until_come(Road(after=1, pause_seconds=0.002))
    assert calls_passed(looking) == 1


def test_threads_that_take_turns_look_for_nothing(looking: Lookout) -> None:
    road = Road(after=1)

    def call() -> None:
        looking.until_come(road)

    for _ in range(20):
        other = threading.Thread(target=call)
        other.start()
        other.join()
        call()
    assert road.looked == 0
    assert calls_passed(looking) == MOST_PASSED - 1


def test_threads_that_call_different_servers_take_turns_as_well(looking: Lookout) -> None:
    elsewhere = Lookout()
    other = threading.Thread(target=elsewhere.until_come, args=(Road(after=1),))
    other.start()
    other.join()
    assert calls_passed(looking) == MOST_PASSED


def test_on_a_machine_of_one_core_nothing_is_looked_for(
    looking: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    alone, road = Lookout(), Road(after=1)
    looking.until_come(Road(after=1))
    for _ in range(2 * MOST_PASSED):
        alone.until_come(road)
    assert road.looked == 0


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


def test_what_is_looked_for_is_answered_as_what_is_slept_for(
    app: BoltQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[bool] = []

    def look(_self: Lookout, connection: lookout.Comes) -> None:
        until(connection.has_come, 20)
        came.append(connection.has_come())

    monkeypatch.setattr(Lookout, "until_come", look)
    job = app.enqueue("echo", {"n": 1}, queue=queue)
    assert app.get(job.id).payload == b'{"n":1}'
    assert app.stats(queue).queued == 1
    assert len(came) >= 3  # more where a script was not loaded yet
    assert all(came)


def test_where_the_connection_ends_while_it_is_looked_for_the_call_is_made_on_another(
    private_server: Callable[..., TestServer], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = private_server("valkey")
    killed: list[int] = []

    def look(_self: Lookout, connection: lookout.Comes) -> None:
        if not killed:
            killed.append(own.raw().client_kill_filter(_type="normal", skipme=True))
            assert killed[0] >= 1
        until(connection.has_come, 20)

    monkeypatch.setattr(Lookout, "until_come", look)
    with closing(BoltQ(own.address, patience_seconds=2)) as app:
        app.enqueue("echo", queue=queue, id="a1")
        assert app.stats(queue).queued == 1


def test_a_client_that_calls_one_after_the_other_looks_for_answers(
    private_server: Callable[..., TestServer], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[None] = []
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(Lookout, "_look", lambda _self, _connection: looked.append(None))
    with closing(BoltQ(private_server("valkey").address)) as app:
        for _ in range(MOST_PASSED + 10):
            app.enqueue("echo", queue=queue)
    assert len(looked) >= 10
