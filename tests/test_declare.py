"""Declared jobs: checked and enqueued as calls, with options apart from the arguments."""

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from servers import TestServer

from boltq import Backoff, BoltQ, Declared, Execution, current_job
from boltq.errors import BadArgument, BadSetting, Unavailable


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


@pytest.fixture
def send(app: BoltQ, queue: str) -> Declared[..., Any]:
    @app.job("mail:send", queue=queue, max_attempts=7)
    def send(recipient: str, subject: str = "none", *, copies: int = 1) -> str:
        """Send a mail."""
        return f"{recipient} {subject} {copies}"

    return send


def test_a_declared_function_is_called_as_before(send: Declared[..., Any]) -> None:
    assert send("a@b.c", copies=2) == "a@b.c none 2"
    assert (send.__name__, send.__doc__, send.type) == ("send", "Send a mail.", "mail:send")


def test_arguments_travel_by_name_and_defaults_do_not(send: Declared[..., Any]) -> None:
    assert send.enqueue("a@b.c").get().payload == b'{"recipient":"a@b.c"}'
    assert send.enqueue("a@b.c", "hi").get().payload == b'{"recipient":"a@b.c","subject":"hi"}'
    made = send.enqueue(copies=3, recipient="a@b.c")
    assert made.get().payload == b'{"copies":3,"recipient":"a@b.c"}'


def test_the_declaration_has_defaults_and_options_win_over_them(
    app: BoltQ, send: Declared[..., Any], queue: str
) -> None:
    usual = send.enqueue("a").get()
    assert (usual.queue, usual.max_attempts, usual.priority) == (queue, 7, 4)
    chosen = send.options(max_attempts=2, priority=9, backoff=Backoff(base_seconds=5), id="order-1")
    made = chosen.options(headers={"tenant": "acme"}).enqueue("a")
    job = made.get()
    assert (made.id, job.max_attempts, job.priority) == (f"{queue}:order-1", 2, 9)
    assert job.headers == b'{"tenant":"acme"}'
    assert send.enqueue("a").get().max_attempts == 7
    elsewhere = send.options(queue=f"{queue}-2").enqueue("a")
    assert (elsewhere.get().queue, app.stats(f"{queue}-2").queued) == (f"{queue}-2", 1)


@pytest.mark.parametrize("delay", [90, 90.0, timedelta(minutes=1, seconds=30)])
def test_a_delay_is_seconds_or_a_timedelta(send: Declared[..., Any], delay: Any) -> None:
    job = send.options(delay=delay).enqueue("a").get()
    assert job.state == "scheduled"
    assert job.run_at is not None
    assert abs((job.run_at - job.created_at).total_seconds() - 90) < 0.1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (((), {}), "recipient is missing"),
        ((("a", "b", "c"), {}), "too many positional arguments"),
        ((("a",), {"recipient": "b"}), "recipient is given twice"),
        ((("a",), {"copys": 2}), "copys is unknown: did you mean copies?"),
        (((), {"recipient": "a", "x": 1, "y": 1}), "x, y are unknown"),
        ((("a", {1, 2}), {}), "subject must be what JSON can say"),
        ((("a",), {"copies": float("nan")}), "copies must be what JSON can say"),
    ],
)
def test_a_call_that_would_fail_is_refused_where_it_is_made(
    app: BoltQ, send: Declared[..., Any], queue: str, call: tuple[Any, Any], said: str
) -> None:
    with pytest.raises(BadArgument) as refusal:
        send.enqueue(*call[0], **call[1])
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("mail:send(recipient: str, subject: str = 'none', *, ")
    assert app.stats(queue).enqueued_total == 0


def test_a_function_that_takes_any_name_is_given_any(app: BoltQ, queue: str) -> None:
    @app.job("any", queue=queue)
    def take(first: int, *rest: int, **others: int) -> None: ...

    assert take.enqueue(1, more=2).get().payload == b'{"first":1,"more":2}'
    with pytest.raises(BadArgument, match="has no name in a payload"):
        take.enqueue(1, 2)


def test_many_calls_are_checked_counted_and_sent_in_batches(
    app: BoltQ, send: Declared[..., Any], queue: str
) -> None:
    assert send.enqueue_many({"recipient": str(n)} for n in range(1200)) == 1200
    assert app.stats(queue).queued == 1200
    assert send.enqueue_many([send.arguments("a", copies=2)]) == 1
    assert send.enqueue_many([]) == 0
    with pytest.raises(BadArgument, match="recipient is missing"):
        send.enqueue_many([{"recipient": "a"}, {}])
    with pytest.raises(BadArgument, match="the option id is for one job"):
        send.options(id="one").enqueue_many([{"recipient": "a"}])


def test_each_of_many_calls_is_sent_when_it_is_asked_for(
    app: BoltQ, send: Declared[..., Any], queue: str
) -> None:
    made = send.enqueue_each({"recipient": str(n)} for n in range(1200))
    assert app.stats(queue).queued == 0
    first = next(made)
    assert app.stats(queue).queued == 500
    assert first.get().payload == b'{"recipient":"0"}'
    assert len(list(made)) == 1199
    assert app.stats(queue).queued == 1200


@pytest.mark.timeout(180)  # each piece of memory is written down meanwhile
def test_any_number_of_calls_takes_no_more_memory(
    app: BoltQ, send: Declared[..., Any], queue: str
) -> None:
    send.enqueue_many({"recipient": "a" * 100} for _ in range(1000))
    tracemalloc.start()
    try:
        send.enqueue_many({"recipient": "a" * 100} for _ in range(6_000))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_500_000, most
    app.purge("queued", queue)


def test_with_job_a_function_gets_the_job_first(app: BoltQ, queue: str) -> None:
    @app.job("report", with_job=True, queue=queue)
    def report(job: Execution, month: str) -> str:
        return f"{month} {job.attempt}"

    assert report.enqueue("may").get().payload == b'{"month":"may"}'
    with pytest.raises(BadArgument, match=r"report\(month: str\): job is unknown"):
        report.enqueue(month="may", job=1)
    with pytest.raises(RuntimeError, match="outside of a handler"):
        report("may")


def test_what_no_worker_could_call_is_refused_where_it_is_declared(app: BoltQ) -> None:
    with pytest.raises(BadSetting, match="async function"):

        @app.job("a")
        async def wait() -> None: ...

    with pytest.raises(BadSetting, match="takes x by position alone"):

        @app.job("b")
        def place(x: int, /) -> None: ...

    with pytest.raises(BadSetting, match="no first argument for the job"):

        @app.job("c", with_job=True)  # type: ignore[arg-type]
        def none() -> None: ...

    with pytest.raises(BadArgument, match="type must be"):
        app.job("no blanks")
    with pytest.raises(BadArgument, match="queue must be"):
        app.job("d", queue="no blanks")
    assert app.handlers == {}


def test_a_type_is_done_by_one_function(app: BoltQ) -> None:
    def first() -> int:
        return 1

    @app.job("once")
    def second() -> int:
        return 2

    with pytest.raises(BadSetting, match=r"type once are done by .*second already"):
        app.job("once")(first)
    app.job("once")(second)  # a module that was run again
    assert app.handlers["once"]() == 2


def test_hooks_and_middleware_are_kept_in_their_order(app: BoltQ) -> None:
    @app.on_start
    def one() -> None: ...

    @app.on_start
    def two() -> None: ...

    @app.on_stop
    def three() -> None: ...

    @app.around
    def timed(_job: Execution, call: Any) -> Any:
        return call()

    assert app.starters == [one, two]
    assert app.stoppers == [three]
    assert app.middleware == [timed]


def test_async_hooks_and_middleware_are_refused(app: BoltQ) -> None:
    async def later(*_: Any) -> None: ...

    for declare in (app.on_start, app.on_stop, app.around):
        with pytest.raises(BadSetting, match="is an async function"):
            declare(later)


def test_a_lost_answer_names_the_jobs_in_doubt(queue: str) -> None:
    away = BoltQ("localhost:1", patience_seconds=0)
    send = away.job("send", queue=queue, id=None)(_nothing)  # type: ignore[call-overload]
    with pytest.raises(Unavailable) as refusal:
        send.options(id="order-1").enqueue()
    assert refusal.value.unknown_ids == (f"{queue}:order-1",)
    away.close()


def _nothing() -> None: ...


def test_outside_of_a_handler_there_is_no_current_job() -> None:
    with pytest.raises(RuntimeError, match="outside of a handler"):
        current_job()
