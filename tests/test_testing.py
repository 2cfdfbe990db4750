"""boltq.testing, for tests of an app: its jobs run for real on queues of their own."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from servers import until

from boltq import (
    Backoff,
    BoltQ,
    Execution,
    FailForGood,
    NewJob,
    Retry,
    current_job,
    scripts,
    testing,
)
from boltq.api.app import create_app
from boltq.errors import BadArgument, BoltQError, JobDead, WrongState
from boltq.testing import NeverIdle, NoHandler, Ran, Scratch
from boltq.testing.shared import server_address
from boltq.worker import Worker


@pytest.fixture
def app() -> BoltQ:
    return BoltQ("127.0.0.1:1")  # where nothing listens: what went there would fail


@pytest.fixture
def queues(app: BoltQ) -> Iterator[Scratch]:
    with testing.scratch(app) as scratch:
        yield scratch


@pytest.fixture
def raw() -> Iterator[redis.Redis]:
    """The server that all these tests share, as any client sees it."""
    client = redis.Redis(unix_socket_path=str(server_address().socket_path), protocol=2)
    yield client
    client.close()


def states(ran: list[Ran]) -> list[str]:
    return [one.state for one in ran]


# --- what runs


def test_what_was_enqueued_is_seen_and_runs_when_the_test_says_so(
    app: BoltQ, queues: Scratch
) -> None:
    outbox: list[str] = []

    @app.job("email", queue="mail")
    def send_email(recipient: str, copies: list[str] | None = None) -> dict[str, Any]:
        outbox.append(recipient)
        return {"to": recipient, "copies": len(copies or ())}

    job = send_email.enqueue("a@example.com", copies=["b", "c"])
    assert queues.enqueued(send_email) == [{"recipient": "a@example.com", "copies": ["b", "c"]}]
    assert [one.state for one in queues.jobs(send_email)] == ["queued"]
    assert outbox == []

    (ran,) = queues.drain()
    assert outbox == ["a@example.com"]
    assert (ran.id, ran.type, ran.attempt, ran.state) == (job.id, "email", 1, "completed")
    assert ran.result == {"to": "a@example.com", "copies": 2}
    assert job.result(timeout=1) == ran.result
    assert queues.jobs(state="queued") == []
    assert queues.drain() == []


def test_what_a_job_is_given_and_returns_has_been_through_json(app: BoltQ, queues: Scratch) -> None:
    given: list[Any] = []

    @app.job("take")
    def take(value: Any) -> Any:
        given.append(value)
        return ("a", "tuple")

    take.enqueue({1: (2, 3)})
    app.enqueue("take", (4, 5))
    first, second = queues.drain()
    assert given == [{"1": [2, 3]}, [4, 5]]
    assert first.result == second.result == ["a", "tuple"]
    assert queues.enqueued(take) == [{"value": {"1": [2, 3]}}, [4, 5]]


def test_jobs_that_jobs_enqueue_run_in_the_same_drain(app: BoltQ, queues: Scratch) -> None:
    @app.job("walk")
    def walk(steps: int) -> None:
        if steps:
            walk.options(queue=f"q{steps}").enqueue(steps - 1)

    walk.enqueue(3)
    assert [ran.id.partition(":")[0] for ran in queues.drain()][1:] == ["q3", "q2", "q1"]


def test_each_queue_has_its_turn_and_keeps_its_own_order(app: BoltQ, queues: Scratch) -> None:
    @app.job("note")
    def note(name: str) -> str:
        return name

    for name in ("a1", "a2", "a3"):
        note.options(queue="a").enqueue(name)
    note.options(queue="a", priority=9).enqueue("a0")
    for name in ("b1", "b2"):
        note.options(queue="b").enqueue(name)
    assert [ran.result for ran in queues.drain()] == ["a0", "b1", "a1", "b2", "a2", "a3"]


def test_a_handler_finds_its_job_and_middleware_runs_around_it(app: BoltQ, queues: Scratch) -> None:
    seen: list[Any] = []

    @app.around
    def outer(job: Execution, call: Callable[[], Any]) -> Any:
        seen.append(("outer", job.headers))
        return {"outer": call()}

    @app.around
    def inner(_job: Execution, call: Callable[[], Any]) -> Any:
        seen.append("inner")
        return call()

    @app.job("report", with_job=True)
    def report(job: Execution, month: str) -> str:
        assert job is current_job()
        seen.append((job.attempt, job.id))
        return month

    job = report.options(headers={"lang": "fr"}).enqueue(month="may")
    (ran,) = queues.drain()
    assert seen == [("outer", {"lang": "fr"}), "inner", (1, job.id)]
    assert ran.result == {"outer": "may"}


def test_a_queue_that_is_paused_gives_nothing(app: BoltQ, queues: Scratch) -> None:
    app.job("echo")(lambda value: value)
    app.enqueue("echo", 1)
    app.pause()
    assert queues.drain() == []
    app.resume()
    assert states(queues.drain()) == ["completed"]


def test_a_job_of_a_type_without_a_handler_is_an_error_and_stays(
    app: BoltQ, queues: Scratch
) -> None:
    app.job("email")(lambda: None)
    job = app.enqueue("emial", {})
    with pytest.raises(NoHandler, match=f"job {job.id} is of type emial.* it has email$"):
        queues.drain()
    assert job.get().state == "queued"


def test_a_job_that_enqueues_itself_for_ever_is_an_error(app: BoltQ, queues: Scratch) -> None:
    @app.job("again")
    def again() -> None:
        again.enqueue()

    again.enqueue()
    with pytest.raises(NeverIdle, match=r"20 jobs ran and more are ready, first .* of type again"):
        queues.drain(limit=20)
    assert len(queues.jobs(state="completed")) == 20
    assert len(queues.jobs(state="queued")) == 1
    assert queues.jobs(state="running") == []


def test_a_limit_that_is_just_enough_is_none(app: BoltQ, queues: Scratch) -> None:
    app.job("echo")(lambda value: value)
    app.enqueue_many(NewJob("echo", n) for n in range(3))
    assert [ran.result for ran in queues.drain(limit=3)] == [0, 1, 2]


def test_a_result_that_the_queue_does_not_take_is_left_out_as_in_production(
    app: BoltQ, queues: Scratch, caplog: pytest.LogCaptureFixture
) -> None:
    app.job("big")(lambda: "x" * 70_000)
    job = app.enqueue("big", {})
    (ran,) = queues.drain()
    assert (ran.state, ran.result, job.get().result) == ("completed", None, None)
    assert "result" in caplog.text


# --- what fails


def test_what_a_handler_raises_reaches_the_test_once_it_is_kept(
    app: BoltQ, queues: Scratch
) -> None:
    @app.around
    def around(_job: Execution, call: Callable[[], Any]) -> Any:
        return call()

    @app.job("mail")
    def mail() -> None:
        raise ConnectionError("no mail server")

    job = mail.enqueue()
    mail.enqueue()
    with pytest.raises(ConnectionError, match="no mail server") as caught:
        queues.drain()
    # From the test into drain(), and out of it into the app: the worker's own steps are left out.
    assert [entry.path.stem for entry in caught.traceback[:3]] == [
        "test_testing",
        "queues",
        "inline",
    ]
    assert [entry.name for entry in caught.traceback[3:]] == ["around", "<lambda>", "mail"]
    assert caught.value.__notes__ == [
        f"raised by attempt 1 of job {job.id}, of type mail, which is now retrying"
    ]
    kept = job.get()
    assert (kept.state, kept.errors[0].type) == ("retrying", "ConnectionError")
    assert len(queues.jobs(state="queued")) == 1


def test_arguments_that_do_not_fit_are_a_failure_like_any_other(
    app: BoltQ, queues: Scratch
) -> None:
    app.job("greet")(lambda name: name)
    app.enqueue("greet", {"nmae": "Ada"})
    with pytest.raises(TypeError, match="nmae"):
        queues.drain()


def test_retries_are_played_through_by_letting_time_pass(app: BoltQ, queues: Scratch) -> None:
    tries: list[int] = []

    @app.job("flaky", max_attempts=3, backoff=Backoff(base_seconds=1000, factor=2, jitter=0))
    def flaky() -> None:
        tries.append(current_job().attempt)
        raise ValueError(f"try {tries[-1]}")

    job = flaky.enqueue()
    (ran,) = queues.drain(raising=False)
    assert (ran.state, str(ran.error)) == ("retrying", "try 1")
    queues.advance(900)  # what the test itself takes passes, too
    assert queues.drain(raising=False) == []
    queues.advance(100)
    assert states(queues.drain(raising=False)) == ["retrying"]
    queues.advance(timedelta(seconds=2000))
    assert states(queues.drain(raising=False)) == ["dead"]
    assert tries == [1, 2, 3]
    assert [error.message for error in job.get().errors] == ["try 1", "try 2", "try 3"]
    assert queues.jobs(flaky, state="dead") == [job.get()]
    with pytest.raises(JobDead, match="try 3"):
        job.result(timeout=1)


def test_a_handler_that_asks_for_another_try_does_not_fail_its_test(
    app: BoltQ, queues: Scratch
) -> None:
    @app.job("poll", with_job=True, max_attempts=2)
    def poll(job: Execution, *, count: bool) -> None:
        job.retry("not yet", after=30, count=count)

    poll.enqueue(count=False)
    (ran,) = queues.drain()
    assert ran.state == "scheduled"
    assert isinstance(ran.error, Retry)
    queues.advance(30)
    assert [(ran.attempt, ran.state) for ran in queues.drain()] == [(1, "scheduled")]

    poll.enqueue(count=True)
    assert states(queues.drain()) == ["retrying"]
    queues.advance(30)
    with pytest.raises(Retry, match="not yet"):  # its last attempt: now it is dead
        queues.drain()


def test_a_job_that_its_handler_gives_up_is_dead_and_fails_its_test(
    app: BoltQ, queues: Scratch
) -> None:
    @app.job("charge", with_job=True)
    def charge(job: Execution) -> None:
        job.fail_for_good("the card is stolen")

    job = charge.enqueue()
    with pytest.raises(FailForGood, match="stolen"):
        queues.drain()
    assert job.get().state == "dead"


def test_a_job_that_was_cancelled_does_not_fail_its_test(app: BoltQ, queues: Scratch) -> None:
    @app.job("long")
    def long() -> None:
        app.cancel(current_job().id)
        raise RuntimeError("stopped halfway")

    resting, running = long.enqueue(), long.enqueue()
    assert resting.cancel() == "cancelled"
    assert [(ran.id, ran.state) for ran in queues.drain()] == [(running.id, "cancelled")]
    assert len(queues.jobs(state="cancelled")) == 2


@pytest.mark.parametrize("meant_for_the_test", [KeyboardInterrupt, pytest.skip.Exception])
def test_what_ends_a_test_ends_it_also_from_inside_a_handler(
    app: BoltQ, queues: Scratch, meant_for_the_test: type[BaseException]
) -> None:
    def end() -> None:
        raise meant_for_the_test

    app.job("end")(end)
    app.enqueue("end", {})
    with pytest.raises(meant_for_the_test):
        queues.drain(raising=False)


def test_a_handler_that_calls_sys_exit_only_fails(app: BoltQ, queues: Scratch) -> None:
    @app.job("quit")
    def quit(status: int) -> None:
        sys.exit(status)

    app.enqueue("quit", 1)
    assert states(queues.drain(raising=False)) == ["retrying"]


# --- time


def test_a_delayed_job_is_due_when_its_time_has_passed_and_not_before(
    app: BoltQ, queues: Scratch
) -> None:
    app.job("remind")(lambda: None)
    app.enqueue("remind", {}, delay_seconds=3600)
    assert queues.drain() == []
    queues.advance(3500)
    assert queues.drain() == []
    queues.advance(100)
    assert states(queues.drain()) == ["completed"]


def test_what_was_queued_before_stays_before_what_falls_due(app: BoltQ, queues: Scratch) -> None:
    app.job("note")(lambda name: name)
    app.enqueue("note", "delayed", delay_seconds=60)
    app.enqueue("note", "at once")
    queues.advance(3600)
    app.enqueue("note", "later")
    assert [ran.result for ran in queues.drain()] == ["at once", "delayed", "later"]


def test_more_jobs_than_one_claim_moves_fall_due(app: BoltQ, queues: Scratch) -> None:
    app.job("note")(lambda n: n)
    app.enqueue_many((NewJob("note", n) for n in range(250)), delay_seconds=60)
    queues.advance(60)
    assert [ran.result for ran in queues.drain()] == list(range(250))


def test_completed_and_dead_jobs_go_when_they_have_been_kept_long_enough(
    app: BoltQ, queues: Scratch
) -> None:
    @app.job("one", max_attempts=1)
    def one(*, fails: bool) -> None:
        if fails:
            raise ValueError("no")

    one.enqueue(fails=False)
    one.enqueue(fails=True)
    queues.drain(raising=False)
    queues.advance(timedelta(minutes=61))
    queues.drain()
    assert [job.state for job in queues.jobs()] == ["dead"]
    queues.advance(timedelta(days=91))
    queues.drain()
    assert queues.jobs() == []
    assert queues.enqueued(one) == [{"fails": False}, {"fails": True}]


def test_a_lease_runs_out_when_its_time_has_passed(app: BoltQ, queues: Scratch) -> None:
    """A worker that died: here another client's claim, of which nothing more is heard."""
    app.job("poison", backoff=Backoff(base_seconds=100, jitter=0))(lambda: current_job().lost)
    app.enqueue("poison", {}, backoff=Backoff(base_seconds=100, jitter=0))
    app.server.call(
        scripts.claim(
            "default", token="t1", worker="w1", lease_ms=30_000, limit=1, max_bytes=1_000_000
        )
    )
    assert queues.drain() == []
    queues.advance(31)
    assert queues.drain() == []
    assert [job.state for job in queues.jobs()] == ["retrying"]
    queues.advance(100)
    assert [(ran.attempt, ran.result) for ran in queues.drain()] == [(2, 1)]


def test_more_leases_than_one_claim_ends_run_out(app: BoltQ, queues: Scratch) -> None:
    app.job("poison")(lambda _: current_job().lost)
    jobs = (NewJob("poison", n) for n in range(250))
    app.enqueue_many(jobs, backoff=Backoff(base_seconds=60, jitter=0))
    app.server.call(
        scripts.claim(
            "default", token="t1", worker="w1", lease_ms=30_000, limit=250, max_bytes=1_000_000
        )
    )
    queues.advance(31)
    assert queues.drain() == []
    assert len(queues.jobs(state="retrying")) == 250
    queues.advance(60)
    assert [ran.result for ran in queues.drain()] == [1] * 250


def test_time_moves_every_score_by_the_same_to_the_bit(
    app: BoltQ, queues: Scratch, raw: redis.Redis
) -> None:
    """One job in each state, at the least priority, whose scores are the largest."""

    @app.job("one", priority=0, max_attempts=1)
    def one(how: str) -> None:
        if how == "die":
            raise ValueError
        if how == "retry":
            current_job().retry(after=60)

    one.enqueue("complete")
    one.enqueue("die")
    one.options(max_attempts=2).enqueue("retry")
    one.enqueue("cancel").cancel()
    queues.drain(raising=False)
    for _ in range(2):
        one.enqueue("wait")
    one.options(delay=60).enqueue("wait")
    app.server.call(
        scripts.claim(
            "default", token="t1", worker="w1", lease_ms=30_000, limit=1, max_bytes=1_000_000
        )
    )

    def scores() -> dict[bytes, float]:
        begin = f"{app.server.prefix}1:{{default}}:"
        return {
            member: score
            for key in raw.keys(f"{begin}*")
            if raw.type(key) == b"zset"
            for member, score in raw.zrange(key, 0, -1, withscores=True)
        }

    before = scores()
    assert {job.state for job in queues.jobs()} == {
        *("queued", "scheduled", "running", "retrying", "completed", "cancelled", "dead")
    }
    queues.advance(12_345.678)
    assert {one: before[one] - score for one, score in scores().items()} == dict.fromkeys(
        before, 12_345_678 * 512
    )


@pytest.mark.parametrize("time", [-1, float("nan"), 315_360_001, timedelta(days=4000), "60"])
def test_time_does_not_run_backwards_nor_for_ever(queues: Scratch, time: Any) -> None:
    with pytest.raises(BadArgument, match="time must be seconds or a timedelta"):
        queues.advance(time)


def test_time_and_the_end_of_one_test_leave_all_others_alone(
    app: BoltQ, queues: Scratch, raw: redis.Redis
) -> None:
    app.enqueue("wait", 1, delay_seconds=60)
    own = app.server
    before = {key: raw.dump(key) for key in raw.keys(f"{own.prefix}*")}
    other = BoltQ()
    with testing.scratch(other) as others:
        other.enqueue("wait", 1, delay_seconds=60)
        others.advance(3600)
        prefix = other.server.prefix
        assert raw.keys(f"{prefix}*")
        assert prefix != own.prefix
    assert raw.keys(f"{prefix}*") == []
    assert before == {key: raw.dump(key) for key in raw.keys(f"{own.prefix}*")}
    assert queues.drain() == []


# --- what was enqueued


def test_what_was_enqueued_is_told_in_its_order_whatever_its_priority_and_delay(
    app: BoltQ, queues: Scratch
) -> None:
    app.enqueue("a", 0, delay_seconds=60)
    app.enqueue("a", 1)
    app.enqueue("b", 2, queue="other")
    app.enqueue("a", 3, priority=9)
    app.enqueue_many([NewJob("a", 4, id="one"), NewJob("a", 5)], queue="other")
    app.enqueue("a", 6, queue="other", id="one")  # a known id: nothing was added
    app.enqueue("a", raw=b"no json")
    assert queues.enqueued("a") == [0, 1, 3, 4, 5, b"no json"]
    assert queues.enqueued("b") == [2]
    assert [json.loads(job.payload or b"") for job in queues.jobs()[:-1]] == [0, 1, 2, 3, 4, 5]
    assert [job.type for job in queues.jobs(state="scheduled")] == ["a"]
    with pytest.raises(BadArgument, match="declared job or a type"):
        queues.enqueued(print)  # type: ignore[arg-type]


def test_a_large_payload_is_told_also_after_its_job_has_completed(
    app: BoltQ, queues: Scratch
) -> None:
    app.job("big")(lambda text: len(text) + 1)
    app.enqueue("big", "x" * 10_000)
    assert [ran.result for ran in queues.drain()] == [10_001]
    assert queues.jobs()[0].payload is None
    assert queues.enqueued("big") == ["x" * 10_000]


# --- where it runs


def test_the_app_is_as_before_afterwards_also_when_the_test_fails(app: BoltQ) -> None:
    before = app.server
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), testing.scratch(app):
            _ = app.enqueue("a").id[1 // int(app.server is before) :]
        assert app.server is before


def test_an_app_that_has_not_looked_for_a_server_is_not_made_to() -> None:
    app = BoltQ("no address at all:")  # looked for, it would be refused
    with testing.scratch(app):
        app.enqueue("a")
    with pytest.raises(BoltQError):
        _ = app.server


def test_blocks_may_be_nested_of_one_app_and_of_two(app: BoltQ, queues: Scratch) -> None:
    other = BoltQ()
    app.job("note")(lambda where: where)
    other.job("note")(lambda where: f"other {where}")
    app.enqueue("note", "outside")
    with testing.scratch(app) as inside, testing.scratch(other) as beside:
        app.enqueue("note", "inside")
        other.enqueue("note", "beside")
        assert [ran.result for ran in inside.drain()] == ["inside"]
        assert [ran.result for ran in beside.drain()] == ["other beside"]
    assert queues.enqueued("note") == ["outside"]
    assert [ran.result for ran in queues.drain()] == ["outside"]


def test_a_scratch_that_has_ended_touches_nothing(app: BoltQ) -> None:
    with testing.scratch(app) as queues:
        pass
    asked: list[Callable[[], object]] = [
        queues.drain,
        queues.jobs,
        lambda: queues.advance(1),
        lambda: queues.enqueued("a"),
    ]
    for ask in asked:
        with pytest.raises(WrongState, match="has ended"):
            ask()


def test_hooks_run_once_around_all_that_a_scratch_runs(app: BoltQ) -> None:
    seen: list[str] = []
    app.on_start(lambda: seen.append("start"))
    app.on_stop(lambda: seen.append("stop"))
    app.job("note")(lambda name: seen.append(f"job {name}"))
    with testing.scratch(app):
        app.enqueue("note", "never")
    assert seen == []
    with testing.scratch(app) as queues:
        for name in ("one", "two"):
            app.enqueue("note", name)
            queues.drain()
    assert seen == ["start", "job one", "job two", "stop"]


def test_a_worker_and_an_api_made_of_the_app_work_on_the_same_queues(
    app: BoltQ, queues: Scratch
) -> None:
    @app.job("note")
    def note(n: int) -> int:
        if n:
            note.enqueue(n - 1)
        return n

    create_app(app)
    note.enqueue(1)
    worker = Worker(app.server, app.handlers, threads=1)
    worker.start()
    try:
        until(lambda: len(queues.jobs(note, state="completed")) == 2)
    finally:
        worker.stop(grace_seconds=1)
    assert queues.enqueued(note) == [{"n": 1}, {"n": 0}]


def test_a_drain_inside_a_handler_leaves_the_handler_its_own_job(
    app: BoltQ, queues: Scratch
) -> None:
    app.job("inner")(lambda: current_job().type)

    @app.job("outer")
    def outer() -> list[str]:
        app.enqueue("inner", {})
        return [*(ran.result for ran in queues.drain()), current_job().type]

    outer.enqueue()
    assert queues.drain()[-1].result == ["inner", "outer"]


def test_a_worker_log_says_nothing_of_a_test_that_goes_well(
    app: BoltQ, queues: Scratch, caplog: pytest.LogCaptureFixture
) -> None:
    app.job("echo")(lambda value: value)
    app.enqueue("echo", 1)
    with caplog.at_level(logging.INFO):
        queues.drain()
    assert caplog.records == []


# --- a handler alone


def test_a_handler_can_be_called_alone_with_a_job_that_the_test_makes_up(app: BoltQ) -> None:
    @app.job("mail", with_job=True)
    def mail(job: Execution, to: str) -> tuple[Any, ...]:
        assert current_job() is job
        return (to, job.attempt, job.failures, job.headers, job.id, job.queue, job.cancelled)

    with testing.current(attempt=3, lost=1, headers={"n": (1,)}, id="bulk:a1", cancelled=True):
        assert mail("x") == ("x", 3, 1, {"n": [1]}, "bulk:a1", "bulk", True)
    with testing.current() as outside:
        with testing.current(timeout_seconds=3600) as inside:
            assert 3500 < inside.remaining() <= 3600
            assert current_job() is inside
        assert current_job() is outside
        assert (outside.attempt, outside.failures, outside.headers) == (1, 0, {})
        with pytest.raises(Retry):
            outside.retry(after=5)
    with pytest.raises(RuntimeError, match="outside of a handler"):
        mail("x")


@pytest.mark.parametrize(
    "wrong", [{"attempt": 0}, {"id": "a b"}, {"type": ""}, {"headers": {"a": {1}}}]
)
def test_a_job_that_could_not_be_is_not_made_up(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadArgument), testing.current(**wrong):
        pass
