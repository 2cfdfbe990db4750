"""A job followed from outside: its states, its end, what its handler returned."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from queue_state import QueueState
from servers import TestServer
from workers import Gate, working

from boltq import BoltQ, Execution, FailForGood, current_job, scripts
from boltq.errors import JobCancelled, JobDead, UnknownJob, WaitTimeout


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


def test_a_result_is_waited_for(app: BoltQ, q: QueueState) -> None:
    @app.job("add", queue=q.name)
    def add(a: int, b: int = 1) -> list[int]:
        return [a + b]

    made = [add.enqueue(n) for n in range(5)]
    with working(q, app.handlers):
        assert [one.result(10) for one in made] == [[n + 1] for n in range(5)]
    assert made[0].wait(timedelta(seconds=1)).state == "completed"
    assert app.follow(made[0].id).result() == [1]
    assert app.wait(made[0].id).result == b"[1]"


def test_nothing_returned_is_none(app: BoltQ, q: QueueState) -> None:
    made = app.enqueue("nothing", queue=q.name)
    with working(q, {"nothing": lambda *_: None}):
        assert made.result(10) is None


def test_states_are_told_as_they_are_seen(app: BoltQ, q: QueueState) -> None:
    gate = Gate()
    made = app.enqueue("gate", {}, queue=q.name)
    seen = made.states(10)
    assert next(seen).state == "queued"
    with working(q, {"gate": gate}):
        assert next(seen).state == "running"
        gate.open.set()
        assert [job.state for job in seen] == ["completed"]


def test_another_attempt_is_another_state(app: BoltQ, q: QueueState) -> None:
    def fail(job: Execution) -> str:
        if job.attempt == 1:
            job.retry("not yet", after=0)
        return "now"

    made = app.enqueue("fail", {}, queue=q.name)
    with working(q, {"fail": lambda: fail(current_job())}):
        assert made.result(10) == "now"
    job = made.get()
    assert (job.attempt, [error.message for error in job.errors]) == (2, ["not yet"])


def test_waiting_ends_and_the_job_goes_on(app: BoltQ, queue: str) -> None:
    made = app.enqueue("echo", queue=queue)
    with pytest.raises(WaitTimeout, match=r"is queued: it has not ended within 0\.03 s") as over:
        made.wait(0.03)
    assert isinstance(over.value, TimeoutError)
    assert made.get().state == "queued"


def test_the_result_of_a_dead_job_is_its_last_error(app: BoltQ, q: QueueState) -> None:
    def fail() -> None:
        current_job().fail_for_good("no such address")

    made = app.enqueue("fail", {}, queue=q.name)
    with (
        working(q, {"fail": fail}),
        pytest.raises(JobDead, match="is dead after attempt 1: FailForGood: no such address"),
    ):
        made.result(10)
    assert made.wait().state == "dead"


def test_the_last_of_several_errors_is_told(app: BoltQ, q: QueueState) -> None:
    def fail() -> None:
        job = current_job()
        if job.attempt == 1:
            job.retry("first", after=0)
        raise FailForGood("second")

    made = app.enqueue("fail", {}, queue=q.name)
    with working(q, {"fail": fail}), pytest.raises(JobDead, match=r"attempt 2: .*second"):
        made.result(10)


def test_a_cancelled_job_has_no_result(app: BoltQ, queue: str) -> None:
    made = app.enqueue("echo", queue=queue)
    assert made.cancel() == "cancelled"
    with pytest.raises(JobCancelled, match="was cancelled"):
        made.result()


def test_a_result_that_is_no_json_is_given_as_its_bytes(app: BoltQ, q: QueueState) -> None:
    made = app.enqueue("echo", queue=q.name)
    inside = made.id.partition(":")[2]
    assert q.claimed("t1") == [inside]
    q.call(scripts.ack(q.name, [scripts.AckItem(inside, "t1", b"\xff")]))
    assert made.result() == b"\xff"


def test_a_job_of_which_nothing_is_kept_cannot_be_waited_for(app: BoltQ, queue: str) -> None:
    with pytest.raises(UnknownJob):
        app.wait(f"{queue}:none")
