"""The threads of the API: who answers what, in which order, and how they end."""

import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from api_served import Api, served
from queue_state import QueueState
from servers import until

from boltq.api.channel import Channel
from boltq.api.limits import BRIEF_BYTES
from boltq.api.lot import Lot
from boltq.api.parking import Place
from boltq.api.parser import Bounds, StrictParser
from boltq.api.threads import MOST_TAKEN, Threads


class Asked:
    """A request that does as it is told; what became of it."""

    def __init__(self, does: Callable[[], None] = lambda: None, *, is_brief: bool = False) -> None:
        self._does, self.is_brief = does, is_brief
        self.thread: threading.Thread | None = None
        self.ended, self.cancelled = threading.Event(), False

    def service(self) -> None:
        self.thread = threading.current_thread()
        try:
            self._does()
        finally:
            self.ended.set()

    def cancel(self) -> None:
        self.cancelled = True


def is_never_over() -> bool:
    return False


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(2)
    yield made
    made.end(10)
    assert not any(thread.is_alive() for thread in made._threads)


@pytest.fixture
def one_thread() -> Iterator[Threads]:
    made = Threads(1)
    yield made
    made.end(10)


def hold(threads: Threads, count: int) -> threading.Event:
    """Keep so many threads busy until the event is set."""
    go = threading.Event()
    holding = [threading.Event() for _ in range(count)]

    def stand(held: threading.Event) -> Callable[[], None]:
        def does() -> None:
            held.set()
            assert go.wait(10)

        return does

    for held in holding:
        threads.add_task(Asked(stand(held)))
        assert held.wait(10)
    return go


def test_one_that_would_wait_answers_brief_ones_first_in_their_order(one_thread: Threads) -> None:
    begun: list[int] = []
    tasks = []
    for n in range(5):

        def does(n: int = n) -> None:
            begun.append(n)
            one_thread.meanwhile(is_never_over)

        tasks.append(Asked(does, is_brief=True))
    go = hold(one_thread, 1)
    for task in tasks:
        one_thread.add_task(task)
    go.set()
    assert all(task.ended.wait(10) for task in tasks)
    assert begun == [0, 1, 2, 3, 4]


def test_as_long_as_one_seeks_work_no_other_is_woken(threads: Threads) -> None:
    begun, go = threading.Event(), threading.Event()

    def does() -> None:
        begun.set()
        assert go.wait(10)
        threads.meanwhile(is_never_over)

    until(lambda: len(threads._idle) == 2)
    tasks = [Asked(does, is_brief=True) for _ in range(4)]
    threads.add_task(tasks[0])
    assert begun.wait(10)
    for task in tasks[1:]:
        threads.add_task(task)
    assert len(threads._idle) == 1
    go.set()
    assert all(task.ended.wait(10) for task in tasks)
    assert len({task.thread for task in tasks}) == 1
    until(lambda: len(threads._idle) == 2)
    assert threads._seekers == 0


@pytest.mark.parametrize(("is_brief", "is_over"), [(False, False), (True, True)])
def test_what_is_not_brief_or_comes_when_it_is_over_is_left_to_another_thread(
    threads: Threads, *, is_brief: bool, is_over: bool
) -> None:
    other, begun, go = Asked(is_brief=is_brief), threading.Event(), threading.Event()

    def waits_for_the_other() -> None:
        begun.set()
        assert go.wait(10)
        threads.meanwhile(lambda: is_over)
        assert other.ended.wait(10)

    first = Asked(waits_for_the_other, is_brief=True)
    threads.add_task(first)
    assert begun.wait(10)
    threads.add_task(other)
    go.set()
    assert first.ended.wait(20)
    assert other.ended.is_set()
    assert first.thread is not other.thread


def test_a_thread_takes_only_so_many_on_top_of_one(one_thread: Threads) -> None:
    depth = deepest = 0

    def does() -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(depth, deepest)
        one_thread.meanwhile(is_never_over)
        depth -= 1

    tasks = [Asked(does, is_brief=True) for _ in range(2 * MOST_TAKEN + 5)]
    go = hold(one_thread, 1)
    for task in tasks:
        one_thread.add_task(task)
    go.set()
    assert all(task.ended.wait(10) for task in tasks)
    assert deepest == MOST_TAKEN + 1


def test_those_that_end_at_once_hold_nobody_up_for_ever(one_thread: Threads) -> None:
    """They may come without end: who lets them go first goes on after so many."""
    came_back = threading.Event()

    def comes_again() -> None:
        if not came_back.is_set():
            one_thread.add_task(Asked(comes_again, is_brief=True))

    def waits() -> None:
        one_thread.meanwhile(is_never_over)
        came_back.set()

    go = hold(one_thread, 1)
    one_thread.add_task(Asked(waits, is_brief=True))
    one_thread.add_task(Asked(comes_again, is_brief=True))
    go.set()
    assert came_back.wait(10)


def test_a_request_that_fails_takes_neither_the_one_below_nor_the_thread(
    one_thread: Threads,
) -> None:
    def fails() -> None:
        raise SystemExit

    below = Asked(lambda: one_thread.meanwhile(is_never_over), is_brief=True)
    go = hold(one_thread, 1)
    later = Asked()
    for task in (below, Asked(fails, is_brief=True), Asked(fails), later):
        one_thread.add_task(task)
    go.set()
    assert later.ended.wait(10)
    assert below.ended.is_set()


def test_at_the_end_what_was_not_begun_is_let_be_and_the_rest_is_waited_for() -> None:
    threads = Threads(3)
    go = hold(threads, 3)
    pending = Asked()
    threads.add_task(pending)
    ending = threading.Thread(target=threads.end, args=[10])
    ending.start()
    until(lambda: pending.cancelled)
    assert ending.is_alive()
    go.set()
    ending.join(10)
    assert not any(thread.is_alive() for thread in threads._threads)
    assert not pending.ended.is_set()


class Road:
    """The way to the server; the first call with jobs stands until it is told to go on."""

    def __init__(self, q: QueueState, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stands, self.go_on = threading.Event(), threading.Event()
        self.enqueued: list[int] = []
        call = q.server.call

        def stand(asked: Any) -> Any:
            if asked.script == "enqueue":
                self.enqueued.append((len(asked.argv) - 1) // 4)
                if not self.stands.is_set():
                    self.stands.set()
                    assert self.go_on.wait(10)
            return call(asked)

        monkeypatch.setattr(q.server, "call", stand)


def pending(api: Api) -> int:
    listener = api.serving._listener
    assert listener
    return len(listener.threads._tasks)


def test_one_thread_sends_together_what_came_while_it_waited_however_deep_it_is_nested(
    q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = Road(q, monkeypatch)
    with served(q.server, threads=1) as api:
        head = b'{"type":"echo","queue":"%b","payload":' % q.name.encode()
        levels = (BRIEF_BYTES - len(head) - 1) // 2
        body = head + b"[" * levels + b"]" * levels + b"}"
        first = api.starts("POST", "/api/jobs", body)
        assert road.stands.wait(10)
        rest = [api.starts("POST", "/api/jobs", body) for _ in range(MOST_TAKEN + 1)]
        until(lambda: pending(api) == len(rest))
        road.go_on.set()
        answers = [one.result(20) for one in (first, *rest)]
    assert {one.status for one in answers} == {202}, answers[-1].body
    assert len({one.json["id"] for one in answers}) == len(answers)
    assert road.enqueued == [1, MOST_TAKEN + 1]


@pytest.mark.parametrize(
    ("method", "path", "size", "is_brief"),
    [
        ("POST", "/api/jobs", 2, True),
        ("POST", "/api/jobs", BRIEF_BYTES, True),
        ("POST", "/api/jobs", BRIEF_BYTES + 1, False),
        ("POST", "/api/jobs/batch", 2, False),
        ("GET", "/api/jobs", 0, False),
        ("GET", "/healthz", 0, False),
        ("WEBSOCKET", "/api/jobs", 0, False),
    ],
)
def test_what_is_brief(method: str, path: str, size: int, *, is_brief: bool) -> None:
    request = StrictParser(Bounds(lambda _authorization: True))
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    request.received(head.encode())
    channel = type("StandIn", (), {"requests": [request]})()
    assert Channel.is_brief.fget(channel) is is_brief  # type: ignore[attr-defined]
    request.place = Place(Lot())  # as of one that has waited, and would not ask for others again
    assert Channel.is_brief.fget(channel) is False  # type: ignore[attr-defined]


def test_a_connection_is_kept_by_whichever_thread_has_answered(q: QueueState) -> None:
    with served(q.server, threads=2) as api:
        connections = [HTTPConnection("127.0.0.1", api.serving.port, timeout=10) for _ in range(12)]
        body = b'{"type":"echo","queue":"%b"}' % q.name.encode()
        for _ in range(5):
            for each in connections:
                each.request("POST", "/api/jobs", body, {"Content-Type": "application/json"})
            for each in connections:
                answer = each.getresponse()
                assert answer.status == 202
                answer.read()
        for each in connections:
            each.close()
