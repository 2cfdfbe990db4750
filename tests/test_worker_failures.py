"""What a handler may raise, and how the worker lives through it."""

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from queue_state import QueueState
from servers import until
from workers import errors, state, wait_for, working

from boltq.worker import Retry, current_job, outcome, unknown


class Odd(BaseException):
    """Neither an Exception, nor willing to say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Hushed(BaseException):
    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__


def exit_process() -> NoReturn:
    sys.exit(3)


def recurse() -> None:
    recurse()


def use_up_memory() -> NoReturn:
    raise MemoryError


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


def stop_iteration() -> NoReturn:
    raise StopIteration


def be_odd() -> NoReturn:
    raise Odd


def be_hushed() -> NoReturn:
    raise Hushed


def say_much() -> NoReturn:
    raise ValueError("é" * 5_000_000)


def say_bytes() -> NoReturn:
    raise ValueError("\ud800\x00 \x1b[31m\nsecond line")


def raise_group() -> NoReturn:
    raise BaseExceptionGroup("two", [KeyError("k"), SystemExit()])


def take_no_arguments(**_none: None) -> None:
    int("x")


ZOO: dict[str, tuple[Callable[[], None], str, str]] = {
    "exit": (exit_process, "SystemExit", "3"),
    "recursion": (recurse, "RecursionError", "maximum recursion depth exceeded"),
    "memory": (use_up_memory, "MemoryError", ""),
    "interrupt": (interrupt, "KeyboardInterrupt", ""),
    "stop": (stop_iteration, "StopIteration", ""),
    "odd": (be_odd, "Odd", "(its message could not be made: RuntimeError)"),
    "hushed": (be_hushed, "Hushed", "(its message could not be made: SystemExit)"),
    "much": (say_much, "ValueError", "é" * 500),
    "bytes": (say_bytes, "ValueError", "?\x00 \x1b[31m\nsecond line"),
    "group": (raise_group, "BaseExceptionGroup", "two (2 sub-exceptions)"),
    "value": (take_no_arguments, "ValueError", "invalid literal for int() with base 10: 'x'"),
}


def test_whatever_a_handler_raises_is_a_failure_of_its_job_alone(q: QueueState) -> None:
    for kind in ZOO:
        q.enqueue(kind, type=kind, max_attempts=1)
    q.enqueue("after", type="after")
    handlers: dict[str, Callable[..., Any]] = {kind: raised for kind, (raised, _, _) in ZOO.items()}
    with working(q, {**handlers, "after": lambda: None}, threads=1):
        wait_for(q, "completed", "after")
        wait_for(q, "dead", *ZOO)
    for kind, (raised, name, message) in ZOO.items():
        error = errors(q, kind)[0]
        assert (error["type"], error["message"]) == (name, message), kind
        assert f"in {raised.__name__}" in error["stack"], kind


def test_arguments_that_the_handler_does_not_take_are_a_failure(q: QueueState) -> None:
    q.enqueue("a", type="t", payload=b'{"wrong": 1}', max_attempts=1)
    with working(q, {"t": lambda right: right}):
        wait_for(q, "dead", "a")
    assert "unexpected keyword argument 'wrong'" in errors(q, "a")[0]["message"]


def test_of_a_long_stack_the_end_is_kept_and_its_cause_stands_before_it(q: QueueState) -> None:
    def deep(n: int) -> None:
        if n:
            deep(n - 1)
        try:
            raise KeyError("the cause")  # noqa: TRY301 - it is the cause that is looked for
        except KeyError as cause:
            raise ValueError("the end") from cause

    q.enqueue("long", type="t", payload=b"60", max_attempts=1)
    q.enqueue("short", type="t", payload=b"0", max_attempts=1)
    with working(q, {"t": deep}):
        wait_for(q, "dead", "long", "short")
    for id in ("long", "short"):
        stack = errors(q, id)[0]["stack"]
        assert len(stack.encode()) <= outcome.STACK_BYTES
        assert stack.rstrip().endswith('raise ValueError("the end") from cause')
    before, _, after = errors(q, "short")[0]["stack"].partition("KeyError: 'the cause'\nthen:\n")
    assert 'raise KeyError("the cause")' in before
    assert "in deep" in after


def test_a_handler_may_name_its_own_delay(q: QueueState) -> None:
    def wait() -> NoReturn:
        raise Retry("not yet", after_seconds=3600)

    q.enqueue("a", type="t")
    with working(q, {"t": wait}):
        wait_for(q, "retrying", "a")
    in_seconds = (q.read("retrying")["a"] // 512 + 1_735_689_600_000 - q.now_ms()) / 1000
    assert 3590 < in_seconds <= 3600
    assert errors(q, "a")[0]["message"] == "not yet"


@pytest.mark.parametrize("seconds", [-1, float("nan"), 1e12])
def test_a_delay_that_no_job_can_have_is_refused_where_it_is_made(seconds: float) -> None:
    with pytest.raises(ValueError, match="after_seconds of a Retry must be 0 to 315360000"):
        Retry(after_seconds=seconds)


def test_a_type_that_nobody_knows_is_given_back_for_a_minute(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    q.enqueue("a", type="later", max_attempts=1)
    with working(q, {"now": lambda: None}):
        wait_for(q, "scheduled", "a")
    in_seconds = (q.read("scheduled")["a"] // 512 + 1_735_689_600_000 - q.now_ms()) / 1000
    assert 30 < in_seconds <= 60
    assert "no handler for this type" in caplog.text
    q.make_due("scheduled", "a")
    with working(q, {"later": lambda: None}):
        wait_for(q, "completed", "a")
    assert errors(q, "a") == []


def test_a_type_that_stays_unknown_for_an_hour_is_failed_for_good(
    q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "PATIENCE_SECONDS", 0.0)
    q.enqueue("a", type="nope", max_attempts=5)
    with working(q, {"one": print, "two": print}):
        wait_for(q, "dead", "a")
    error = errors(q, "a")[0]
    assert error["type"] == "UnknownType"
    assert error["message"].startswith("no handler for type nope came up within ")
    assert error["message"].endswith("; this worker knows one, two")


def test_the_memory_of_unknown_types_is_bounded(q: QueueState) -> None:
    types = unknown.UnknownTypes([])
    q.enqueue("a", type="t")
    kept: list[Any] = []
    with working(q, {"t": lambda: kept.append(current_job())}):
        wait_for(q, "completed", "a")
    for n in range(unknown.MOST_TYPES + 10):
        kept[0].type = f"t{n}"
        types.outcome(kept[0])
    assert len(types._first_seen) <= unknown.MOST_TYPES


def test_a_thread_that_is_broken_from_outside_goes_on(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    threads: list[threading.Thread] = []

    def note() -> None:
        threads.append(threading.current_thread())

    q.enqueue("a", type="t")
    with working(q, {"t": note}, threads=1):
        wait_for(q, "completed", "a")
        ident = ctypes.c_ulong(threads[0].ident or 0)
        assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(SystemExit)) == 1
        # It strikes when the thread runs its next line, which is when it is woken for these.
        q.enqueue("b", "c", type="t", base_ms=1)
        wait_for(q, "completed", "b", "c")
    assert threads[-1] is threads[0]
    assert errors(q, "b") == []
    assert "a thread of the worker broke and goes on" in caplog.text


def test_a_job_that_breaks_off_with_its_thread_runs_again_once_its_lease_is_over(
    q: QueueState,
) -> None:
    with working(q, {"t": lambda: None}, threads=1, lease_seconds=0.4) as worker:
        take, broken = worker._performer.waiting.take, list[str]()

        def take_and_break() -> Any:
            execution = take()
            if execution and not broken:
                broken.append(execution.inner_id)
                raise SystemExit
            return execution

        worker._performer.waiting.take = take_and_break  # type: ignore[method-assign]
        q.enqueue("before", "b", type="t", base_ms=1)
        wait_for(q, "completed", "before", "b")
    # On a busy machine the other may lose one, too, or this one another.
    assert broken[0] in {id for id in ("before", "b") if errors(q, id)}
    told = {error["type"] for id in ("before", "b") for error in errors(q, id)}
    assert told == {"LeaseLost"}


def test_a_child_that_a_handler_forks_settles_nothing(q: QueueState) -> None:
    statuses: list[int] = []

    def fork(fails: bool) -> str:  # noqa: FBT001 - the payload's member
        child = os.fork()
        if child:
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            return "parent"
        if fails:
            raise ValueError("in the child")
        return "child"

    q.enqueue("a", type="t", payload=b'{"fails": false}')
    q.enqueue("b", type="t", payload=b'{"fails": true}')
    with working(q, {"t": fork}, threads=1):
        wait_for(q, "completed", "a", "b")
    assert statuses == [0, 1]
    results = [outcome.result for id in ("a", "b") if (outcome := q.outcome(id))]
    assert results == [b'"parent"', b'"parent"']


def test_each_start_of_a_job_is_logged_for_who_wants_to_know(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "boltq.worker")
    q.enqueue("a", type="t")
    with working(q, {"t": lambda: None}):
        until(lambda: state(q, "a") == "completed")
    started = [vars(each) for each in caplog.records if each.getMessage() == "job started"]
    assert [each["job"] for each in started] == [f"{q.name}:a"]
