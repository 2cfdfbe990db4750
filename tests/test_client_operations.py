"""The Python client on many jobs at once: operations are begun, driven, watched and stopped."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from queue_state import QueueState
from servers import TestServer

from boltq import BoltQ
from boltq.errors import (
    BadArgument,
    CountDiffers,
    NotEmpty,
    TooManyOperations,
    UnknownJob,
    UnknownOperation,
    WrongState,
)


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


def bury(q: QueueState, *ids: str, type: str = "echo") -> None:
    q.run(*ids, token=f"bury-{ids[0]}", type=type)
    q.fail(*ids, token=f"bury-{ids[0]}", final=1)


def test_an_operation_is_driven_to_its_end(q: QueueState, app: BoltQ) -> None:
    bury(q, "a", "b", "c")
    bury(q, "d", type="mail")
    begun = app.start_operation("replay", "dead", queue=q.name, type="echo", expected=3, by="Ada")
    assert begun.id.startswith(f"{q.name}:")
    assert (begun.status, begun.total, begun.by, begun.ended) == ("counting", 4, "Ada", False)
    seen = list(app.run_operation(begun.id, limit=2))
    last = seen[-1]
    assert [one.status for one in seen].count("counting") >= 1
    assert (last.status, last.counted, last.done, last.skipped) == ("finished", 3, 3, 1)
    assert last.ended
    assert last == app.operation(begun.id) == app.operations(q.name)[0]
    assert (q.order("queued"), q.order("dead")) == (["a", "b", "c"], ["d"])
    assert list(app.run_operation(begun.id)) == [last]


def test_a_dry_run_and_an_expected_count_that_differs_do_nothing(q: QueueState, app: BoltQ) -> None:
    bury(q, "a", "b")
    dry = app.start_operation("purge", "dead", queue=q.name, dry_run=True, type="echo")
    assert list(app.run_operation(dry.id))[-1].counted == 2
    with pytest.raises(CountDiffers, match="2 jobs are dead, not 5: nothing was begun") as told:
        app.start_operation("purge", "dead", queue=q.name, expected=5)
    assert told.value.counted == 2
    some = app.start_operation("purge", "dead", queue=q.name, expected=5, type="echo")
    assert list(app.run_operation(some.id))[-1].status == "refused"
    assert q.order("dead") == ["a", "b"]


def test_an_operation_that_is_started_twice_is_one(q: QueueState, app: BoltQ) -> None:
    start = datetime(2026, 1, 2, tzinfo=UTC)
    asked = {"since": start, "until": start + timedelta(days=1), "error": "E"}
    one = app.start_operation("purge", "dead", queue=q.name, id="mine", rate=5, **asked)
    two = app.start_operation("purge", "dead", queue=q.name, id=f"{q.name}:mine")
    assert one == two
    assert (one.since, one.until, one.error, one.type) == (*asked.values(), None)
    assert len(app.operations(q.name)) == 1


def test_a_stopped_operation_stays_where_it_is(q: QueueState, app: BoltQ) -> None:
    bury(q, "a", "b")
    id = app.start_operation("purge", "dead", queue=q.name).id
    assert app.step_operation(id, limit=1).done == 1
    assert app.stop_operation(id).status == "stopped"
    assert app.stop_operation(id) == app.operation(id)
    assert app.step_operation(id).done == 0
    assert q.order("dead") == ["b"]


def test_a_driver_keeps_to_the_rate(
    q: QueueState, app: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("boltq.operations.time.sleep", waits.append)
    q.enqueue(*(f"j{n}" for n in range(100)))
    before = app.server.now_ms()

    def passed() -> float:
        return (app.server.now_ms() - before) / 1000

    id = app.start_operation("cancel", "queued", queue=q.name, rate=1).id
    done, seconds = 0, 0.0
    for step in app.run_operation(id):
        if waits:
            break
        done, seconds = step.done, passed()
        assert done <= seconds
    # Until the next job may be done, and no longer.
    assert done + 1 - seconds - 0.002 <= waits[0] <= 1


def test_what_cannot_be_is_refused_in_a_sentence(q: QueueState, app: BoltQ) -> None:
    with pytest.raises(BadArgument, match="state must be one of dead for replay, not 'queued'"):
        app.start_operation("replay", "queued", queue=q.name)
    for ask in (app.operation, app.stop_operation, app.step_operation):
        with pytest.raises(UnknownOperation, match=f"operation {q.name}:none is not known"):
            ask(f"{q.name}:none")
    for n in range(100):
        app.start_operation("purge", "dead", queue=q.name, id=f"o{n}")
    with pytest.raises(TooManyOperations, match="keeps 100 operations that have not ended"):
        app.start_operation("purge", "dead", queue=q.name)
    assert len(app.operations(q.name)) == 100


def test_the_operations_of_all_queues_are_shown_newest_first(q: QueueState, app: BoltQ) -> None:
    other = f"{q.name}.2"
    bury(q, "a")
    app.enqueue("echo", queue=other)
    one = app.start_operation("replay", "dead", queue=q.name)
    two = app.start_operation("cancel", "queued", queue=other)
    mine = [found for found in app.operations_of_all() if found.queue in (q.name, other)]
    assert sorted(found.id for found in mine) == sorted([one.id, two.id])
    starts = [found.started_at for found in mine]
    assert starts == sorted(starts, reverse=True)
    app.purge("queued", other)
    app.purge("cancelled", other)
    app.drop_queue(other)


def test_one_job_is_deleted_and_an_empty_queue_too(q: QueueState, app: BoltQ) -> None:
    q.run("a")
    id = f"{q.name}:a"
    with pytest.raises(WrongState, match="is running: only a job that does not run"):
        app.purge_job(id)
    with pytest.raises(NotEmpty, match=f"queue {q.name} keeps 1 jobs"):
        app.drop_queue(q.name)
    q.ack("a")
    app.purge_job(id)
    with pytest.raises(UnknownJob):
        app.purge_job(id)
    app.configure(q.name, job_priority=7)
    assert app.settings(q.name)["job_priority"] == "7"
    assert q.name in app.queues()
    app.drop_queue(q.name)
    assert app.settings(q.name)["job_priority"] == "4"
    assert q.name not in app.queues()
