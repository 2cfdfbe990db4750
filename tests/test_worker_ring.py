"""A claim that waits at the server, behind the wait for the bell of a worker's only queue."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from queue_state import QueueState
from servers import until
from workers import ALONE, WITH_A_CLAIM, Gate, listens, state, wait_for, working

from boltq import scripts
from boltq.call import Call
from boltq.errors import NotAllowed, Unavailable
from boltq.evalsha import Bells, Server
from boltq.worker import fetch, pace, turns
from boltq.worker.claim import Send, Taken

Answers = list[object]


def wait_until_blocked(q: QueueState) -> None:
    until(lambda: q.raw.info("clients")["blocked_clients"] == 1)


def claim(q: QueueState, token: str = "t1") -> Call[scripts.ClaimReply]:
    return scripts.claim(
        q.name, token=token, worker="w1", lease_ms=60_000, limit=10, max_bytes=1000
    )


@pytest.fixture
def bells(q: QueueState, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bells]:
    # A wait is not to be over before what a test does meanwhile.
    monkeypatch.setattr("boltq.evalsha.bells.MOST_SECONDS", 30.0)
    bells = Bells(q.server)
    yield bells
    bells.close()


@contextmanager
def behind_a_wait(bells: Bells, call: Call[scripts.ClaimReply]) -> Iterator[Answers]:
    """Make a call behind a wait in another thread; at the end of the block it was answered."""
    answers: Answers = []

    def make() -> None:
        try:
            answers.append(bells.then(call, 30.0))
        except Unavailable as problem:
            answers.append(problem)

    thread = threading.Thread(target=make)
    thread.start()
    yield answers
    thread.join(50)
    assert not thread.is_alive()


def test_a_claim_behind_a_wait_is_made_when_the_bell_rings(q: QueueState, bells: Bells) -> None:
    with behind_a_wait(bells, claim(q)) as answers:
        wait_until_blocked(q)
        assert not answers
        q.enqueue("a", "b")
    (answer,) = answers
    assert isinstance(answer, scripts.Claimed)
    assert [job.id for job in answer.answers] == ["a", "b"]
    assert q.bell() == 0


def test_a_claim_behind_a_wait_is_made_when_the_wait_is_over(q: QueueState, bells: Bells) -> None:
    assert isinstance(bells.then(claim(q), 0.0), scripts.Empty)
    q.enqueue("a", delay_ms=30)
    q.raw.delete(q.key("bell"))
    answer = bells.then(claim(q), 0.1)
    assert isinstance(answer, scripts.Claimed)


def test_a_claim_whose_script_the_server_has_lost_is_made_all_the_same(
    q: QueueState, bells: Bells
) -> None:
    q.enqueue("a")
    q.raw.script_flush()
    assert isinstance(bells.then(claim(q), 2.0), scripts.Claimed)


def test_of_a_wait_that_is_cut_off_the_claim_is_not_made(q: QueueState, bells: Bells) -> None:
    with behind_a_wait(bells, claim(q)) as answers:
        wait_until_blocked(q)
        for client in q.raw.client_list():
            if client["cmd"] == "blpop":
                q.raw.client_kill_filter(_id=client["id"])
        q.enqueue("a")
    assert isinstance(answers[0], Unavailable)
    assert state(q, "a") == "queued"
    assert q.bell() == 1


def test_where_it_is_forbidden_to_wait_the_claim_is_made_once_and_none_waits_until_one_may(
    q: QueueState,
) -> None:
    q.raw.acl_setuser(
        "deaf", enabled=True, passwords="+p", categories=["+@all"], commands=["-blpop"], keys="*"
    )
    address = replace(q.server.address, username="deaf", password="p")
    bells = Bells(Server(address, prefix=q.server.prefix))
    try:
        q.enqueue("a")
        assert isinstance(bells.then(claim(q), 2.0), scripts.Claimed)
        assert not bells.lead_on
        with pytest.raises(NotAllowed):
            bells.wait([q.name], 0.01)
        assert not bells.lead_on
        q.raw.acl_setuser("deaf", commands=["+blpop"])
        bells.wait([q.name], 0.01)
        assert bells.lead_on
    finally:
        bells.close()
        q.raw.acl_deluser("deaf")


def claims_while_idle(q: QueueState, lease_seconds: float) -> int:
    """How many claims an idle worker makes in ten waits, however short each is."""

    def made() -> int:
        return int(q.raw.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])

    def waits() -> int:
        return int(q.raw.info("commandstats").get("cmdstat_blpop", {"calls": 0})["calls"])

    with (
        patch.object(turns, "LOOK_SECONDS", 60),
        working(q, {"t": lambda: None}, lease_seconds=lease_seconds),
    ):
        wait_until_blocked(q)
        before, began = made(), waits()
        until(lambda: waits() >= began + 10)
        return made() - before


def test_a_claim_waits_under_a_long_lease_alone_since_it_counts_from_before_the_wait(
    q: QueueState,
) -> None:
    assert claims_while_idle(q, ALONE) <= 1
    assert claims_while_idle(q, WITH_A_CLAIM) >= 9


def test_a_worker_whose_wait_was_cut_off_goes_on(q: QueueState) -> None:
    with working(q, {"t": lambda: None}, lease_seconds=WITH_A_CLAIM) as worker:
        listening = listens(worker)
        with patch.object(fetch, "BLOCK_SECONDS", 2.0):
            assert listening.wait(10)
            wait_until_blocked(q)
        for client in q.raw.client_list():
            if client["cmd"] == "blpop":
                q.raw.client_kill_filter(_id=client["id"])
        q.enqueue("a", type="t")
        wait_for(q, "completed", "a")


def test_a_worker_of_one_queue_claims_no_more_than_it_has_threads_for(q: QueueState) -> None:
    gate = Gate()
    told = {"queues": {q.name: 3}, "threads": 2, "lease_seconds": WITH_A_CLAIM}
    with working(q, {"t": gate}, **told):
        wait_until_blocked(q)
        q.enqueue(*"abcdef", type="t")
        until(lambda: len(gate.came) == 2)
        assert [state(q, id) for id in "abcdef"] == ["running"] * 2 + ["queued"] * 4
        gate.open.set()
        wait_for(q, "completed", *"abcdef")


def test_an_idle_worker_begins_the_job_that_it_hears_of_before_it_claims_again(
    q: QueueState,
) -> None:
    steps: list[str] = []
    begun = threading.Event()

    def begin() -> None:
        steps.append("begins")
        begun.set()

    def give_way(_seconds: float) -> None:
        # So long that a thread has begun, which on a busy machine is not said.
        assert begun.wait(30)
        begun.clear()

    told = {"lease_seconds": WITH_A_CLAIM}
    with (
        patch.object(pace, "time", SimpleNamespace(monotonic=time.monotonic, sleep=give_way)),
        working(q, {"t": begin}, **told) as worker,
    ):
        claim = worker._fetcher._claimer.claim

        def claiming(queue: str, limit: int, send: Send | None = None) -> Taken:
            steps.append("claims")
            taken = claim(queue, limit, send)
            steps.extend("hears" for _ in taken.jobs)
            return taken

        worker._fetcher._claimer.claim = claiming  # type: ignore[method-assign]
        for id in "abc":
            until(lambda: steps[-1:] == ["claims"])
            q.enqueue(id, type="t")
            wait_for(q, "completed", id)
    after = [later for former, later in pairwise(steps) if former == "hears"]
    assert after == ["begins"] * 3
