"""When a worker tells what became of its jobs: at once, or a moment later and together."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from queue_state import QueueState
from workers import wait_for, working

from boltq.call import Call
from boltq.worker import settle
from boltq.worker.pace import Pace


def test_while_jobs_wait_the_ends_of_others_are_told_together(
    q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All wait here from the start, and several end within the moment, also where each takes 10 ms.
    monkeypatch.setattr(Pace, "room", lambda _pace, held: 400 - held)
    monkeypatch.setattr(settle, "LINGER_SECONDS", 0.05)
    ids = [f"a{n}" for n in range(400)]
    q.enqueue(*ids, type="t")
    told: list[int] = []
    with working(q, {"t": lambda: time.sleep(0.001)}, threads=2) as worker:
        call_all = worker._settler._server.call_all

        def note(calls: Sequence[Call[Any]]) -> list[Any]:
            told.append(len(calls))
            return call_all(calls)

        worker._settler._server.call_all = note  # type: ignore[method-assign]
        wait_for(q, "completed", *ids)
    assert len(told) < 150  # one by one it would be some 300


def test_where_none_waits_an_end_is_told_at_once(
    q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "LINGER_SECONDS", 30.0)
    with working(q, {"t": lambda: None}):
        for name in ("a", "b"):
            q.enqueue(name, type="t")
            wait_for(q, "completed", name)
