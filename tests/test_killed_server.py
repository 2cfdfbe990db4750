"""A server that is killed over and over under load keeps what it has answered.

Its file is in memory where there is such a place: while a slow disk is being synced, a server that
syncs every second answers up to two seconds before it writes, and a kill then loses that. This is
Redis' own, happens where disks are busy, and would fail a test now and then.
"""

import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest
from audited import sound
from queue_keys import Roads
from queue_state import QueueState
from servers import TestServer, process_server, until

from boltq import address, ids, scripts
from boltq.embedded import Embedded
from boltq.errors import Unavailable
from boltq.evalsha import Server

SLOW_REWRITE = ("--rdb-key-save-delay", "1000000")
"""In microseconds: a queue has few keys, and is to be rewritten when the server is killed."""
IN_MEMORY = "/dev/shm"
KILLS = int(os.environ.get("TEST_KILLS", "5"))
"""The issue's figure is 50, for a longer run."""
AT_ONCE = 20


class Load(threading.Thread):
    """Enqueues, claims and acks on a connection of its own; `queued` and `done` were answered."""

    def __init__(self, server: Server, queue: str, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.server, self.queue = server, queue
        self.queued: set[str] = set()
        self.done: set[str] = set()
        self.stopping = threading.Event()

    def run(self) -> None:
        rounds = 0
        while not self.stopping.is_set():
            rounds += 1
            with suppress(Unavailable):
                self._round([f"{self.name}-{rounds}-{n}" for n in range(AT_ONCE)])

    def _round(self, new: list[str]) -> None:
        items = [scripts.EnqueueItem(id, "echo", b"{}" * 50, b"") for id in new]
        self.server.call(scripts.enqueue(self.queue, items, delay_ms=0, max_lost=1000))
        self.queued.update(new)
        token = ids.new_token()
        told = self.server.call(
            scripts.claim(
                self.queue,
                token=token,
                worker=self.name,
                lease_ms=500,
                limit=AT_ONCE // 2,
                max_bytes=1_000_000,
            )
        )
        if not isinstance(told, scripts.Claimed):
            return
        acks = [scripts.AckItem(job.id, token, b"") for job in told.answers]
        answers = self.server.call(scripts.ack(self.queue, acks)).answers
        self.done.update(
            item.id
            for item, answer in zip(acks, answers, strict=True)
            if isinstance(answer, scripts.AckDone | scripts.AckAlready)
        )


class Killed(NamedTuple):
    """A queue, and the server with an append-only file on which it is."""

    q: QueueState
    embedded: Embedded

    def under_load(self, *, rewriting: bool = False) -> list[Load]:
        """Kill the server and start it again, over and over, while two threads work on it."""
        some = random.Random(KILLS)
        loads = [Load(self.q.server.another(patience_seconds=0.0), self.q.name, n) for n in "ab"]
        for load in loads:
            load.start()
        try:
            for _ in range(KILLS):
                before = [len(load.done) for load in loads]
                until(lambda: _all_went_on(loads, before))  # noqa: B023
                if rewriting:
                    self.q.raw.bgrewriteaof()
                time.sleep(some.uniform(0.0, 0.05))
                if rewriting:
                    assert self.q.raw.info("persistence")["aof_rewrite_in_progress"]
                self.embedded.kill()
                self.embedded.start()
        finally:
            for load in loads:
                load.stopping.set()
                load.join(20)
                load.server.close()
        return loads


def _all_went_on(loads: list[Load], before: list[int]) -> bool:
    return all(len(load.done) > count for load, count in zip(loads, before, strict=True))


@pytest.fixture(params=["always", "everysec"])
def killed(
    request: pytest.FixtureRequest, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Killed]:
    """One of its own, of the kind that the test runs on, whose file is synced as it says."""
    if os.access(IN_MEMORY, os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", IN_MEMORY)
    options = ("--appendfsync", request.param, *SLOW_REWRITE)
    with process_server(server.kind, *options, persistent=True) as own:
        assert own.embedded
        road = Server(address.parse(own.address))
        q = QueueState(own, "killed", Roads(road, own.raw()))
        q.configure(keep_completed=10_000_000)
        yield Killed(q, own.embedded)
        road.close()


def _keeps_what_it_answered(q: QueueState, loads: list[Load]) -> None:
    queued = {id for load in loads for id in load.queued}
    done = {id for load in loads for id in load.done}
    assert len(queued) > KILLS * AT_ONCE
    assert len(done) > KILLS
    assert queued - set(q.read("jobs") or ()) == set()
    assert done - set(q.read("completed") or ()) == set()
    sound(q)


@pytest.mark.timeout(60 + 3 * KILLS)
def test_what_was_answered_outlives_kills_of_the_server(killed: Killed) -> None:
    _keeps_what_it_answered(killed.q, killed.under_load())


@pytest.mark.timeout(60 + 3 * KILLS)
@pytest.mark.parametrize("killed", ["everysec"], indirect=True)
def test_what_was_answered_outlives_kills_while_the_file_is_rewritten(killed: Killed) -> None:
    _keeps_what_it_answered(killed.q, killed.under_load(rewriting=True))
