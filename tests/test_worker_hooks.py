"""Hooks at the start and the end of a worker, and middleware around its handlers."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from queue_state import QueueState
from servers import until
from workers import Gate, command, errors, state, wait_for, working

from boltq import Execution
from boltq.errors import BadSetting
from boltq.worker import Worker, current_job

APP = """
import sys
from boltq import BoltQ

app = BoltQ()

@app.on_start
def begin():
    {begin}

@app.on_stop
def end():
    raise SystemExit("end broke")

@app.on_stop
def end_too():
    print("ended too", flush=True)

@app.job("t")
def t():
    return "done"
"""


def log(folder: Path) -> str:
    return (folder / "log.txt").read_text()


def test_starters_run_before_the_first_claim_and_stoppers_after_the_last_handler(
    q: QueueState,
) -> None:
    order: list[str] = []
    gate = Gate()
    q.enqueue("a", type="t")

    def work() -> None:
        order.append("handler")
        gate()
        order.append("handled")

    with working(
        q,
        {"t": work},
        starters=[lambda: order.append(f"one {state(q, 'a')}"), lambda: order.append("two")],
        stoppers=[lambda: order.append(f"end {state(q, 'a')}")],
    ) as worker:
        until(lambda: gate.came)
        gate.open.set()
        worker.stop(10)
    assert order[:5] == ["one queued", "two", "handler", "handled", "end completed"]


@pytest.mark.parametrize("begin", ["1 / 0", "sys.exit(0)"])
def test_a_start_that_breaks_ends_the_worker_with_1_and_claims_nothing(
    q: QueueState, tmp_path: Path, begin: str
) -> None:
    (tmp_path / "app.py").write_text(APP.format(begin=begin))
    q.enqueue("a", type="t")
    with command(q, "app:app", folder=tmp_path) as process:
        assert process.wait(20) == 1
    assert "a function of on_start raised" in log(tmp_path)
    assert "Traceback" in log(tmp_path)
    assert state(q, "a") == "queued"
    assert q.read("claims") is None


def test_a_stop_that_breaks_keeps_no_other_from_running(q: QueueState, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(begin="pass"))
    q.enqueue("a", type="t")
    with command(q, "app:app", folder=tmp_path) as process:
        wait_for(q, "completed", "a")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "a function of on_stop raised" in log(tmp_path)
    assert "end broke" in log(tmp_path)
    assert "ended too" in log(tmp_path)


def test_middleware_runs_around_each_handler_the_first_outermost(q: QueueState) -> None:
    seen: list[str] = []

    def outer(job: Execution, call: Callable[[], Any]) -> Any:
        assert current_job() is job
        seen.append(f"outer {job.type} {job.attempt}")
        return [call(), "outer"]

    def inner(_job: Execution, call: Callable[[], Any]) -> Any:
        seen.append("inner")
        return [call(), "inner"]

    q.enqueue("a", type="t", payload=b'{"x": 1}')
    q.enqueue("b", type="one", payload=b"[2]")
    handlers = {"t": lambda x: x, "one": lambda items: items}
    with working(q, handlers, middleware=[outer, inner], threads=1):
        wait_for(q, "completed", "a", "b")
    results = [outcome.result for id in "ab" if (outcome := q.outcome(id))]
    assert results == [b'[[1,"inner"],"outer"]', b'[[[2],"inner"],"outer"]']
    assert seen == ["outer t 1", "inner", "outer one 1", "inner"]


def test_what_middleware_raises_is_the_failure_and_what_it_swallows_is_none(q: QueueState) -> None:
    def judge(job: Execution, call: Callable[[], Any]) -> Any:
        if job.inner_id == "refused":
            raise PermissionError("not today")
        try:
            return call()
        except KeyError:
            return "forgiven"

    def fail() -> NoReturn:
        raise KeyError

    q.enqueue("refused", "forgiven", type="t", max_attempts=1)
    with working(q, {"t": fail}, middleware=[judge]):
        wait_for(q, "dead", "refused")
        wait_for(q, "completed", "forgiven")
    assert errors(q, "refused")[0]["type"] == "PermissionError"
    outcome = q.outcome("forgiven")
    assert outcome is not None
    assert outcome.result == b'"forgiven"'


def test_async_hooks_and_middleware_are_refused_before_anything_starts(q: QueueState) -> None:
    async def later(*_any: object) -> None: ...

    for told in ({"starters": [later]}, {"stoppers": [later]}, {"middleware": [later]}):
        with pytest.raises(BadSetting, match="later, which is a hook or middleware, is an async"):
            Worker(q.server, {}, **told)  # type: ignore[arg-type]


def test_a_retry_that_does_not_count_uses_no_attempt_and_keeps_no_error(q: QueueState) -> None:
    attempts: list[int] = []

    def come_back() -> str:
        job = current_job()
        attempts.append(job.attempt)
        if len(attempts) < 4:
            job.retry("not ready", after=0.02, count=False)
        return "ready"

    q.enqueue("a", type="t", max_attempts=1)
    with working(q, {"t": come_back}):
        wait_for(q, "completed", "a")
    assert attempts == [1, 1, 1, 1]
    assert errors(q, "a") == []
