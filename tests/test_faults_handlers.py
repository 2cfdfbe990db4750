"""Handlers that raise, return and leave behind what no handler should: their own job's matter."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

import pytest
from queue_state import QueueState
from servers import until
from workers import errors, state, wait_for, working

from boltq.scripts import AckLeaseLost, ExtendLeaseLost
from boltq.worker import current_job

HUGE = 100_000_000
"""Letters of a text that a handler makes."""


class Hostile(BaseException):
    """No Exception, and every look at it raises another that is none."""

    def __str__(self) -> str:
        raise KeyboardInterrupt

    def __repr__(self) -> str:
        raise SystemExit(9)


class Huge(Exception):
    def __str__(self) -> str:
        return "\0\n\x1b[2J\udcff" + "é" * HUGE


def raise_huge() -> NoReturn:
    raise Huge


def raise_hostile() -> NoReturn:
    raise Hostile from Hostile()


def raise_huge_name() -> NoReturn:
    raise type("N" * HUGE, (BaseException,), {})


def raise_huge_cause() -> NoReturn:
    raise ValueError from Huge()


def exit_thread() -> NoReturn:
    raise SystemExit("x" * HUGE)


def recurse(n: int = 0) -> None:
    recurse(n + 1)


def use_up_memory() -> None:
    bytes(2**62)


def stop() -> NoReturn:
    raise GeneratorExit


RAISED: dict[str, tuple[Callable[[], None], str, str]] = {
    "huge": (raise_huge, "Huge", "\0\n\x1b[2J?"),
    "hostile": (raise_hostile, "Hostile", "(its message could not be made: KeyboardInterrupt)"),
    "huge-name": (raise_huge_name, "N" * 200, ""),
    "huge-cause": (raise_huge_cause, "ValueError", ""),
    "exit": (exit_thread, "SystemExit", "xxx"),
    "recursion": (recurse, "RecursionError", "maximum recursion depth"),
    "memory": (use_up_memory, "MemoryError", ""),
    "generator": (stop, "GeneratorExit", ""),
}


def test_nothing_that_a_handler_raises_breaks_its_thread_or_is_kept_at_any_length(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    handlers: dict[str, Callable[..., Any]] = {
        kind: raised for kind, (raised, _, _) in RAISED.items()
    }
    for kind in RAISED:
        q.enqueue(kind, type=kind, max_attempts=1)
    q.enqueue("after", type="after")
    with working(q, {**handlers, "after": lambda: None}, threads=1) as worker:
        first = worker._crew._members[0].thread.ident
        wait_for(q, "completed", "after", seconds=30)
        wait_for(q, "dead", *RAISED)
        assert worker._crew._members[0].thread.ident == first
    assert "broke" not in caplog.text
    for kind, (_, name, message) in RAISED.items():
        (error,) = errors(q, kind)
        assert error["type"] == name
        assert error["message"].startswith(message), kind
        assert len(error["message"].encode()) <= 1000
    assert max(map(len, q.read("tries").values())) < 6000
    assert (
        max(len(record.getMessage()) + len(str(vars(record))) for record in caplog.records) < 9000
    )


def test_no_result_of_any_length_or_kind_breaks_its_job_or_is_kept_in_part(q: QueueState) -> None:
    class Odd:
        def __json__(self) -> str:
            raise SystemExit

    results: dict[str, tuple[Any, bytes]] = {
        "huge": ("x" * HUGE, b""),
        "bytes": (b"\xff\x00", b""),
        "surrogate": ("\udcff", b""),
        "control": ("\0\r\n\x1b", rb'"\u0000\r\n\u001b"'),
        "odd": (Odd(), b""),
        "deep": (_deep(100_000), b""),
        "just": ("x" * 65_534, b'"%s"' % (b"x" * 65_534)),
        "above": ("x" * 65_535, b""),
    }
    for name in results:
        q.enqueue(name, type="t", payload=b'"%s"' % name.encode(), max_attempts=1)
    with working(q, {"t": lambda name: results[name][0]}, threads=1):
        wait_for(q, "completed", *results, seconds=30)
    for name, (_, kept) in results.items():
        outcome = q.outcome(name)
        assert outcome is not None
        assert outcome.result == kept, name


def _deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.fixture
def forked() -> Iterator[list[int]]:
    """Processes that must have ended when the test has."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


@pytest.mark.parametrize("way", ["returns", "raises", "exits"])
def test_a_child_that_a_handler_left_behind_settles_nothing_and_does_not_go_on_as_a_worker(
    q: QueueState, forked: list[int], way: str
) -> None:
    go = threading.Event()

    def fork() -> str:
        if child := os.fork():
            forked.append(child)
            assert go.wait(20)
            return "parent"
        if way == "raises":
            raise ValueError
        if way == "exits":
            raise SystemExit(0)
        return "child"

    q.enqueue("a", type="t", max_attempts=1)
    with working(q, {"t": fork, "free": os.getpid}, threads=2):
        until(lambda: forked)
        until(lambda: os.waitpid(forked[0], os.WNOHANG)[0])
        assert state(q, "a") == "running"
        q.enqueue("b", type="free")
        wait_for(q, "completed", "b")
        go.set()
        wait_for(q, "completed", "a")
    assert [q.outcome(id).result for id in ("a", "b")] == [b'"parent"', b"%d" % os.getpid()]
    assert q.stat("completed") == 2


def test_a_thread_that_outlives_its_job_is_no_handler_and_holds_nothing_up(q: QueueState) -> None:
    go, said = threading.Event(), []

    def leave() -> str:
        def run_on() -> None:
            assert go.wait(20)
            try:
                current_job()
            except RuntimeError as problem:
                said.append(str(problem))

        left.append(threading.Thread(target=run_on))
        left[0].start()
        return "left"

    left: list[threading.Thread] = []
    q.enqueue("a", type="t")
    with working(q, {"t": leave, "free": lambda: None}, threads=1) as worker:
        wait_for(q, "completed", "a")
        q.enqueue("b", type="free")
        wait_for(q, "completed", "b")
        assert worker.stop(grace_seconds=1)
    before = q.dump()
    go.set()
    left[0].join(10)
    assert "outside of a handler" in said[0]
    assert q.dump() == before


@pytest.mark.parametrize("after", ["it ran out", "reap", "another claim"])
def test_an_extend_after_the_end_of_the_lease_is_refused(q: QueueState, after: str) -> None:
    q.run("a", base_ms=0)
    q.make_due("running", "a")
    if after != "it ran out":
        assert q.reap().reaped == 1
    if after == "another claim":
        assert q.claimed("t2") == ["a"]
    before = q.dump()
    assert q.extend("a") == [ExtendLeaseLost()]
    assert q.ack("a") == [AckLeaseLost()]
    assert q.dump() == before
