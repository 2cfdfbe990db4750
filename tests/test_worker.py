"""A worker on real servers: the life of a job through it, and what its handler is given."""

import json
import logging
import math
import threading
import time
from typing import Any
from unittest.mock import patch

import pytest
from queue_state import QueueState
from servers import until
from workers import errors, wait_for, working

from boltq import scripts
from boltq.errors import BadSetting
from boltq.worker import FailForGood, Worker, current_job, turns

AT_ONCE = {"base_ms": 1, "jitter": 0.0}


def test_a_job_runs_and_its_result_is_kept(q: QueueState) -> None:
    q.enqueue("a", payload=b'{"x": 2}', type="double")
    with working(q, {"double": lambda x: {"twice": 2 * x}}):
        wait_for(q, "completed", "a")
    outcome = q.outcome("a")
    assert outcome is not None
    assert (outcome.how, outcome.worker, outcome.attempt) == ("ack", "w1", 1)
    assert outcome.result == b'{"twice":4}'


def test_a_job_that_comes_while_the_worker_waits_is_run_at_the_ring_of_the_bell(
    q: QueueState,
) -> None:
    ran: list[int] = []
    # Else it would look at its queue soon anyway.
    with patch.object(turns, "LOOK_SECONDS", 60), working(q, {"note": ran.append}):
        for n in range(3):
            until(lambda: q.bell() == 0)
            q.enqueue(f"a{n}", payload=b"%d" % n, type="note")
            until(lambda: len(ran) == n + 1)  # noqa: B023 - it is called in this turn
    assert ran == [0, 1, 2]


def test_a_job_that_fails_is_tried_again_until_it_succeeds(q: QueueState) -> None:
    seen: list[tuple[int, int]] = []

    def fail_twice() -> str:
        job = current_job()
        seen.append((job.attempt, job.failures))
        if job.failures < 2:
            raise ValueError(f"failure {job.failures + 1}")
        return "at last"

    q.enqueue("a", type="t", **AT_ONCE)
    with working(q, {"t": fail_twice}):
        wait_for(q, "completed", "a")
    assert seen == [(1, 0), (2, 1), (3, 2)]
    assert [error["message"] for error in errors(q, "a")] == ["failure 1", "failure 2"]
    assert "in fail_twice" in errors(q, "a")[0]["stack"]


def test_a_job_whose_attempts_are_used_up_is_dead(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("no such luck\nsecond line")

    q.enqueue("a", type="t", max_attempts=2, **AT_ONCE)
    with working(q, {"t": fail}):
        wait_for(q, "dead", "a")
    told = {(record.levelname, record.getMessage()): record for record in caplog.records}
    assert vars(told["WARNING", "job failed"])["error"] == "OSError: no such luck"
    assert vars(told["WARNING", "job failed"])["next_run"].endswith("Z")
    dead = vars(told["ERROR", "job dead"])
    assert (dead["job"], dead["type"], dead["attempt"]) == (f"{q.name}:a", "t", 2)


def test_a_success_is_logged_with_its_time(q: QueueState, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    q.enqueue("a", type="t", payload=b'"never shown"')
    began = time.monotonic()
    with working(q, {"t": lambda _: None}):
        wait_for(q, "completed", "a")
    took_ms = (time.monotonic() - began) * 1000
    done = next(vars(record) for record in caplog.records if record.getMessage() == "job done")
    assert (done["job"], done["queue"], done["worker"]) == (f"{q.name}:a", q.name, "w1")
    assert 0 <= done["duration_ms"] < took_ms
    assert "never shown" not in caplog.text


PAYLOADS: dict[bytes, tuple[tuple[Any, ...], dict[str, Any]]] = {
    b'{"a": 1, "b c": [2]}': ((), {"a": 1, "b c": [2]}),
    b"{}": ((), {}),
    b"null": ((None,), {}),
    b"[1, {}]": (([1, {}],), {}),
    b'"text"': (("text",), {}),
    b"1.0": ((1.0,), {}),
    b"9007199254740993": ((9007199254740993,), {}),
    b"123456789012345678901234567890": ((123456789012345678901234567890,), {}),
    b"1e400": ((math.inf,), {}),
    rb'"\ud800"': (("\ud800",), {}),
    b"no json": ((b"no json",), {}),
    b"NaN": ((b"NaN",), {}),
    b"": ((b"",), {}),
    b"\xff\x00": ((b"\xff\x00",), {}),
    b"[" * 100_000: ((b"[" * 100_000,), {}),
}


def test_members_of_an_object_are_keyword_arguments_anything_else_is_the_one_argument(
    q: QueueState,
) -> None:
    given: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def note(*one: Any, **members: Any) -> None:
        given[current_job().inner_id] = (one, members)

    for n, payload in enumerate(PAYLOADS):
        q.enqueue(f"a{n}", payload=payload, type="t")
    with working(q, {"t": note}):
        until(lambda: len(given) == len(PAYLOADS))
    for n, payload in enumerate(PAYLOADS):
        assert given[f"a{n}"] == PAYLOADS[payload], payload[:20]
        assert type(given[f"a{n}"][0][0:1]) is type(PAYLOADS[payload][0][0:1])


def test_a_handler_knows_which_job_it_runs(q: QueueState) -> None:
    known: list[dict[str, Any]] = []

    def note() -> None:
        job = current_job()
        names = ("id", "queue", "type", "attempt", "failures", "lost", "headers", "cancelled")
        known.append({name: getattr(job, name) for name in names})
        known.append({"fence": job.fence, "remaining": job.remaining()})

    q.enqueue("a", type="t", headers=b'{"trace": "x1"}', timeout_ms=60_000)
    q.enqueue("b", type="t", timeout_ms=0)
    with working(q, {"t": note}, threads=1):
        wait_for(q, "completed", "a", "b")
    assert known[0] == {
        "id": f"{q.name}:a",
        "queue": q.name,
        "type": "t",
        "attempt": 1,
        "failures": 0,
        "lost": 0,
        "headers": {"trace": "x1"},
        "cancelled": False,
    }
    assert 55 < known[1]["remaining"] <= 60
    assert known[2]["headers"] == {}
    assert known[3]["remaining"] == math.inf
    assert known[3]["fence"] > known[1]["fence"] > 0


def test_outside_of_a_handler_there_is_no_current_job(q: QueueState) -> None:
    with pytest.raises(RuntimeError, match="outside of a handler"):
        current_job()
    seen: list[threading.Thread] = []
    q.enqueue("a", type="t")
    with working(q, {"t": lambda: seen.append(threading.current_thread())}):
        wait_for(q, "completed", "a")
    assert seen[0] is not threading.current_thread()


def test_a_result_that_cannot_be_kept_is_left_out_and_its_neighbours_keep_theirs(
    q: QueueState, caplog: pytest.LogCaptureFixture
) -> None:
    results: dict[str, Any] = {
        "set": {1, 2},
        "bytes": b"x",
        "nan": math.nan,
        "large": "x" * 70_000,
        "huge": "x" * 1_100_000,
        "none": None,
        "small": "kept",
    }
    # Held until all are in hand, so that they are acked in one batch.
    together = threading.Barrier(len(results))

    def give(name: str) -> Any:
        together.wait(30)
        return results[name]

    for name in results:
        q.enqueue(name, payload=json.dumps({"name": name}).encode(), type="t")
    with working(q, {"t": give}, threads=len(results)):
        wait_for(q, "completed", *results)
    kept = {name: outcome.result for name in results if (outcome := q.outcome(name))}
    assert kept == {name: b'"kept"' if name == "small" else b"" for name in results}
    left_out = [record for record in caplog.records if "result is not kept" in record.getMessage()]
    assert len(left_out) == 5


def test_queues_are_served_in_turn_so_that_a_full_one_holds_up_no_other(q: QueueState) -> None:
    other = f"{q.name}-other"
    ran: list[str] = []
    q.enqueue(*(f"a{n}" for n in range(100)), type="t")
    item = scripts.EnqueueItem("b", "t", b"{}", b"")
    q.call(scripts.enqueue(other, [item], delay_ms=0))
    with working(
        q, {"t": lambda: ran.append(current_job().queue)}, queues=[q.name, other], threads=1
    ):
        until(lambda: len(ran) == 101)
    assert ran.index(other) < 90
    q.call(scripts.purge(other, [scripts.PurgeItem("b")], state="", limit=1, cursor=""))


def test_a_worker_and_its_queues_are_noted_in_the_registries(q: QueueState) -> None:
    with working(q, {}, worker_id=f"noted-{q.name}"):
        until(lambda: q.raw.zscore("boltq1:workers", f"noted-{q.name}"))
        until(lambda: q.raw.zscore("boltq1:queues", q.name))
        seen_ms = q.raw.zscore("boltq1:workers", f"noted-{q.name}")
        assert abs(seen_ms - q.now_ms()) < 60_000


def test_an_async_handler_is_refused_before_anything_starts(q: QueueState) -> None:
    async def send() -> None: ...

    with pytest.raises(BadSetting, match="handler of type mail is an async function"):
        Worker(q.server, {"mail": send})


def test_a_handler_may_say_never_again(q: QueueState) -> None:
    def refuse() -> None:
        raise FailForGood("the address does not exist")

    q.enqueue("a", type="t", max_attempts=10)
    with working(q, {"t": refuse}):
        wait_for(q, "dead", "a")
    assert errors(q, "a")[0]["message"] == "the address does not exist"
