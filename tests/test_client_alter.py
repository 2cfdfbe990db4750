"""The Python client on jobs that rest: altered, searched, and counted by how they failed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from queue_state import QueueState
from servers import TestServer

from boltq import BoltQ
from boltq.call import Call
from boltq.errors import BadArgument, Moved, UnknownJob, WrongState


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


@pytest.fixture
def calls(app: BoltQ, monkeypatch: pytest.MonkeyPatch) -> list[Call[Any]]:
    """What the client has called."""
    made: list[Call[Any]] = []
    send = app.server.call

    def call(one: Call[Any]) -> Any:
        made.append(one)
        return send(one)

    monkeypatch.setattr(app.server, "call", call)
    return made


def test_a_priority_and_a_due_time_are_changed_and_the_new_place_is_told(
    app: BoltQ, queue: str
) -> None:
    id = app.enqueue("echo", queue=queue).id
    place = app.alter(id, priority=9, delay_seconds=timedelta(minutes=1))
    job = app.get(id)
    assert (job.state, job.priority, job.place) == ("scheduled", 9, place)
    assert job.run_at is not None
    assert 50 < (job.run_at - datetime.now(UTC)).total_seconds() <= 61
    assert app.run_now(id) == app.get(id).place
    assert app.get(id).state == "queued"


def test_a_job_that_has_left_its_place_is_not_altered(app: BoltQ, queue: str) -> None:
    id = app.enqueue("echo", queue=queue).id
    place = app.get(id).place
    assert app.list("queued", queue=queue).jobs[0].place == place
    moved = app.alter(id, priority=1, place=place)
    with pytest.raises(Moved, match=f"job {id} is queued, and no more as it was seen") as told:
        app.alter(id, priority=2, place=place)
    assert (told.value.place, app.get(id).priority) == (moved, 1)
    assert app.alter(id, priority=1, place=place) == moved


def test_only_a_known_job_that_rests_is_altered(app: BoltQ, queue: str) -> None:
    id = app.enqueue("echo", queue=queue).id
    app.cancel(id)
    with pytest.raises(WrongState, match="is cancelled: only a job that rests can be altered"):
        app.run_now(id)
    with pytest.raises(UnknownJob):
        app.run_now(f"{queue}:none")
    with pytest.raises(BadArgument, match="given a priority or a delay_ms"):
        app.alter(id)
    with pytest.raises(BadArgument, match="delay_seconds must be"):
        app.alter(id, delay_seconds=-1)


def test_a_page_shows_what_is_asked_for_and_how_far_it_has_seen(q: QueueState, app: BoltQ) -> None:
    for n in range(5):
        q.run(f"j{n}", type="mail" if n % 2 else "echo", claim={"worker": f"w{n}"}, token=f"t{n}")
        q.fail(f"j{n}", token=f"t{n}", error="\u00e9rror".encode(), final=1)
    start = datetime.now(UTC) - timedelta(minutes=1)
    page = app.list("dead", queue=q.name, type="mail", error="\u00e9rror", since=start)
    assert [job.id for job in page.jobs] == [f"{q.name}:j3", f"{q.name}:j1"]
    assert (page.scanned, page.total, page.cursor) == (5, 5, "")
    part = app.list("dead", queue=q.name, worker="w0", scan=2)
    assert (part.jobs, part.scanned, bool(part.cursor)) == ([], 2, True)
    assert app.list("dead", queue=q.name, until=start).jobs == []


def test_a_long_page_is_read_in_short_calls_and_tells_what_a_long_one_would(
    q: QueueState, app: BoltQ, calls: list[Call[Any]]
) -> None:
    ids = [f"j{n:03}" for n in range(130)]
    q.enqueue(*ids, type="mail")
    page = app.list("queued", queue=q.name, limit=60, newest=False)
    assert [job.id for job in page.jobs] == [f"{q.name}:{id}" for id in ids[:60]]
    assert (len(calls), page.scanned, page.total) == (3, 60, 130)
    rest = app.list("queued", queue=q.name, limit=200, newest=False, cursor=page.cursor)
    assert [job.id for job in rest.jobs] == [f"{q.name}:{id}" for id in ids[60:]]
    assert (rest.scanned, rest.cursor) == (70, "")
    calls.clear()
    none = app.list("queued", queue=q.name, type="none", scan=110)
    assert (none.jobs, len(calls), none.scanned, none.total) == ([], 2, 110, 130)
    last = app.list("queued", queue=q.name, type="none", cursor=none.cursor)
    assert (last.jobs, last.scanned, last.cursor) == ([], 20, "")
    for wrong in (0, -1):
        with pytest.raises(BadArgument, match="limit must be"):
            app.list("queued", queue=q.name, limit=wrong)


def test_running_jobs_which_change_places_with_their_leases_are_looked_at_in_one_call(
    q: QueueState, app: BoltQ, calls: list[Call[Any]]
) -> None:
    q.run(*(f"j{n:03}" for n in range(130)))
    assert len(app.list("running", queue=q.name, limit=130).jobs) == 130
    assert app.list("running", queue=q.name, worker="none").scanned == 130
    assert len(calls) == 2


def test_dead_jobs_are_counted_over_as_many_pages_as_it_takes(
    q: QueueState, app: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boltq.queues.CALL_GROUPED", 2)
    for n in range(7):
        q.run(f"j{n}", token=f"t{n}")
        q.fail(f"j{n}", token=f"t{n}", message=b"b" if n % 3 == 0 else b"a", final=1)
    told = app.groups("dead", q.name)
    assert [(one.message, one.jobs, one.id) for one in told.groups] == [
        ("a", 4, f"{q.name}:j5"),
        ("b", 3, f"{q.name}:j6"),
    ]
    assert (told.scanned, told.total, told.others) == (7, 7, 0)
    assert all(one.oldest <= one.newest for one in told.groups)
    few = app.groups("dead", q.name, most=3)
    assert (few.scanned, few.total, [one.jobs for one in few.groups]) == (3, 7, [2, 1])
    assert app.groups("completed", q.name).groups == []
