"""Jobs that come by single requests at the same time: in one call, and each with its own answer."""

import secrets
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from servers import TestServer, until

from boltq import ids
from boltq.api.entry import Entered, Entry
from boltq.api.parking import Meanwhile
from boltq.api.requests import JobRequest, read_job
from boltq.call import Call
from boltq.client import BoltQ
from boltq.errors import BoltQError, ServerFull, TooLarge, Unavailable
from boltq.newjob import MOST_BYTES
from boltq.scripts import EnqueueItem


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"entry-{secrets.token_hex(6)}", patience_seconds=0.5)
    yield client
    client.close()


class Road:
    """The way to the server, whose first call stands until it is told to go on."""

    def __init__(self, boltq: BoltQ) -> None:
        self.enqueued: list[int] = []  # by call, how many jobs
        self.first_stands, self.go_on = threading.Event(), threading.Event()
        self.problem: Exception | None = None  # of the first call
        self._call, self._call_all = boltq.server.call, boltq.server.call_all
        boltq.server.call = self.call  # type: ignore[method-assign,assignment]
        boltq.server.call_all = self.call_all  # type: ignore[method-assign]

    def call(self, call: Call[Any]) -> Any:
        self._stand([call])
        return self._call(call)

    def call_all(self, calls: Sequence[Call[Any]]) -> list[Any]:
        self._stand(calls)
        return self._call_all(calls)

    def _stand(self, calls: Sequence[Call[Any]]) -> None:
        counts = [(len(call.argv) - 1) // 4 for call in calls if call.script == "enqueue"]
        self.enqueued += counts
        if counts and not self.first_stands.is_set():
            self.first_stands.set()
            assert self.go_on.wait(10)
            if self.problem:
                raise self.problem


class Callers:
    """Threads that each enter a job, the first before all others; what came of each by its id."""

    def __init__(self, boltq: BoltQ) -> None:
        self.road, self.entry = Road(boltq), Entry(boltq)
        self.came: dict[str, Entered | BoltQError | ZeroDivisionError] = {}
        self._threads: list[threading.Thread] = []

    def send(self, id: str, *, queue: str = "a", payload: bytes = b"1", more: str = "") -> None:
        body = f'{{"type": "echo", "queue": "{queue}"{more}}}'.encode()
        asked, item = read_job(body), EnqueueItem(id, "echo", payload, b"")
        thread = threading.Thread(target=self._enter, args=[asked, item], daemon=True)
        thread.start()
        self._threads.append(thread)

    def _enter(
        self,
        asked: JobRequest,
        item: EnqueueItem,
        meanwhile: Meanwhile = lambda _is_over: None,
    ) -> None:
        try:
            self.came[str(item.id)] = self.entry.enter(asked, item, meanwhile)
        except (BoltQError, ZeroDivisionError) as problem:
            self.came[str(item.id)] = problem

    def bring(self, *jobs: tuple[str, str]) -> None:
        """Send jobs, each an id and its queue, by one thread, each on top of the one before."""
        thread = threading.Thread(target=self._bring, args=[list(jobs)], daemon=True)
        thread.start()
        self._threads.append(thread)

    def _bring(self, jobs: list[tuple[str, str]]) -> None:
        if jobs:
            (id, queue), *others = jobs
            asked = read_job(f'{{"type": "echo", "queue": "{queue}"}}'.encode())
            self._enter(
                asked, EnqueueItem(id, "echo", b"1", b""), lambda _is_over: self._bring(others)
            )

    def waiting(self) -> int:
        return sum(len(lane.waiting) for lane in list(self.entry._lanes.values()))

    def let_first_stand(self) -> None:
        self.send("first")
        assert self.road.first_stands.wait(10)

    def all_end(self) -> None:
        self.road.go_on.set()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def callers(boltq: BoltQ) -> Callers:
    return Callers(boltq)


def test_jobs_that_come_while_a_call_is_under_way_go_in_one_call(
    callers: Callers, boltq: BoltQ
) -> None:
    callers.let_first_stand()
    for n in range(7):
        callers.send(f"j{n}", payload=f"{n}".encode())
    until(lambda: callers.waiting() == 7)
    callers.all_end()
    assert callers.road.enqueued == [1, 7]
    for n in range(7):
        came = callers.came[f"j{n}"]
        assert isinstance(came, Entered)
        assert (came.id, came.created) == (f"a:j{n}", True)
        assert boltq.get(f"a:j{n}").payload == f"{n}".encode()
    assert callers.entry._lanes == {}


def test_a_job_that_repeats_one_of_the_same_call_is_no_new_one(callers: Callers) -> None:
    callers.let_first_stand()
    found: list[bool] = []

    def enter() -> None:
        asked = read_job(b'{"type": "echo", "queue": "a"}')
        found.append(callers.entry.enter(asked, EnqueueItem("same", "echo", b"1", b"")).created)

    threads = [threading.Thread(target=enter) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: callers.waiting() == 3)
    callers.all_end()
    for thread in threads:
        thread.join(10)
    assert sorted(found) == [False, False, True]


def test_one_that_is_refused_takes_no_other_with_it(callers: Callers, boltq: BoltQ) -> None:
    boltq.configure("a", payload_bytes=100)
    callers.let_first_stand()
    for n in range(4):
        callers.send(f"j{n}", payload=b"1" * (200 if n == 2 else 20))
    until(lambda: callers.waiting() == 4)
    callers.all_end()
    refusal = callers.came["j2"]
    assert isinstance(refusal, TooLarge)
    assert str(refusal).startswith("item 1: payload has 200 bytes")
    others = [callers.came[id] for id in ("first", "j0", "j1", "j3")]
    assert [one.created for one in others if isinstance(one, Entered)] == [True] * 4


def test_a_refused_job_that_is_alone_is_sent_once(callers: Callers, boltq: BoltQ) -> None:
    boltq.configure("a", payload_bytes=100)
    callers.road.go_on.set()
    callers.send("big", payload=b"1" * 200)
    callers.all_end()
    assert isinstance(callers.came["big"], TooLarge)
    assert callers.road.enqueued == [1]


@pytest.mark.parametrize(
    "other", [{"queue": "b"}, {"more": ', "priority": 9'}, {"more": ', "delay_seconds": 60'}]
)
def test_another_queue_and_other_options_wait_for_nobody(
    callers: Callers, boltq: BoltQ, other: dict[str, str]
) -> None:
    callers.let_first_stand()
    callers.send("other", **other)
    until(lambda: "other" in callers.came)
    assert "first" not in callers.came
    callers.all_end()
    job = boltq.get(ids.join(other.get("queue", "a"), "other"))
    assert (job.priority == 9, job.state == "scheduled") == (
        "priority" in str(other),
        "delay" in str(other),
    )


def test_while_the_server_is_away_nobody_waits_twice_and_each_learns_its_own_id(
    callers: Callers,
) -> None:
    callers.road.problem = Unavailable("Redis does not answer")
    callers.let_first_stand()
    for n in range(3):
        callers.send(f"j{n}")
    until(lambda: callers.waiting() == 3)
    callers.all_end()
    assert callers.road.enqueued == [1]
    for id, problem in callers.came.items():
        assert isinstance(problem, Unavailable)
        assert problem.unknown_ids == (f"a:{id}",)
    callers.send("later")
    callers.all_end()
    assert isinstance(callers.came["later"], Entered)


@pytest.mark.parametrize("problem", [ServerFull("Redis is full"), ZeroDivisionError("a mistake")])
def test_any_other_error_leaves_nobody_waiting(callers: Callers, problem: Exception) -> None:
    callers.road.problem = problem
    callers.let_first_stand()
    callers.send("next")
    until(lambda: callers.waiting() == 1)
    callers.all_end()
    assert type(callers.came["first"]) is type(problem)
    assert isinstance(callers.came["next"], Entered)


def test_one_call_carries_no_more_bytes_than_a_batch(callers: Callers, boltq: BoltQ) -> None:
    boltq.configure("a", payload_bytes=MOST_BYTES)
    callers.let_first_stand()
    for n in range(5):
        callers.send(f"j{n}", payload=b"1" * (MOST_BYTES // 3))
    until(lambda: callers.waiting() == 5)
    callers.all_end()
    assert callers.road.enqueued == [1, 3, 2]
    assert all(isinstance(one, Entered) for one in callers.came.values())


def test_what_one_thread_brings_goes_in_one_call(callers: Callers) -> None:
    callers.road.go_on.set()
    callers.bring(("a1", "a"), ("a2", "a"), ("a3", "a"))
    callers.all_end()
    assert callers.road.enqueued == [3]
    assert {id: type(came) for id, came in callers.came.items()} == dict.fromkeys(
        ("a1", "a2", "a3"), Entered
    )


def test_threads_that_bring_several_lead_for_each_other(callers: Callers) -> None:
    callers.let_first_stand()
    callers.bring(("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"))
    until(lambda: callers.road.enqueued == [1, 1, 1])  # c1 and b1, while a1 and a2 wait
    callers.bring(("c2", "c"), ("a3", "a"))
    callers.send("a4")
    # c2 has gone, else it would be counted for one of the four that wait.
    until(lambda: callers.road.enqueued == [1, 1, 1, 1] and callers.waiting() == 4)
    callers.all_end()
    for id in ("first", "a1", "a2", "a3", "a4", "b1", "c1", "c2"):
        assert isinstance(callers.came[id], Entered), id
    assert callers.road.enqueued == [1, 1, 1, 1, 4]
    assert callers.entry._lanes == {}


def test_what_one_thread_brings_waits_once_for_a_server_that_is_away(callers: Callers) -> None:
    callers.road.problem = Unavailable("Redis does not answer")
    callers.road.go_on.set()
    callers.bring(("a1", "a"), ("b1", "b"), ("c1", "c"))
    callers.all_end()
    assert callers.road.enqueued == [1]
    for id, problem in callers.came.items():
        assert isinstance(problem, Unavailable)
        assert problem.unknown_ids == (f"{id[0]}:{id}",)
    assert callers.entry._lanes == {}


def test_before_jobs_of_a_cluster_wait_nothing_is_done_on_top(boltq: BoltQ) -> None:
    """Its node may be away, while that of another queue answers."""
    asked, item = read_job(b'{"type": "echo"}'), EnqueueItem("a", "echo", b"1", b"")
    told: list[bool] = []
    Entry(boltq).enter(asked, item, lambda is_over: told.append(is_over()))
    cluster = BoltQ("redis+cluster://127.0.0.1:1", patience_seconds=0.0)
    with pytest.raises(Unavailable):
        Entry(cluster).enter(asked, item, lambda is_over: told.append(is_over()))
    assert told == [False, True]
