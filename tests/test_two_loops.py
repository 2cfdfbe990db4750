"""Two workers of one name, half of whose answers are lost: no job is shared, and none is lost."""

import random
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.call import Call

pytestmark = pytest.mark.everywhere

JOBS = 150
Steps = Generator[None, None, Any]


class Loop:
    """One worker: it sends each request again, with the same ids and token, until it hears."""

    def __init__(self, q: QueueState, name: str, chance: random.Random, work: "Work") -> None:
        self.q, self.name, self.chance, self.work = q, name, chance, work

    def run(self) -> Steps:
        turn = 0
        while len(self.work.acked) < JOBS:
            turn += 1
            token = f"{self.name}-{turn}"
            claim = self.q.claim_call(
                token, worker="same", limit=self.chance.randint(1, 9), lease_ms=HOUR_MS
            )
            reply = yield from self.until_heard(claim)
            if isinstance(reply, scripts.Claimed):
                yield from self.report(token, [job.id for job in reply.answers])

    def until_heard(self, call: Call[Any]) -> Steps:
        while self.chance.random() < 0.5:
            self.q.call(call)
            yield
        reply = self.q.call(call)
        yield
        return reply

    def report(self, token: str, ids: list[str]) -> Steps:
        self.work.begin(self, ids)
        yield
        done, failed, given_back = self.split(ids)
        # From the first send on another may hold the job, whether or not we hear that it arrived.
        self.work.end(self, ids)
        if done:
            items = [scripts.AckItem(id, token, b"") for id in done]
            reply = yield from self.until_heard(scripts.ack(self.q.name, items))
            assert set(reply.answers) <= {scripts.AckDone(), scripts.AckAlready()}
            self.work.acked.update(done)
        if failed:
            fails = [scripts.FailItem(id, token, b"E", b"", b"", 0, 0) for id in failed]
            reply = yield from self.until_heard(scripts.fail(self.q.name, fails))
            assert scripts.FailUnknown() not in reply.answers
        if given_back:
            backs = [scripts.ReleaseItem(id, token, 0) for id in given_back]
            reply = yield from self.until_heard(scripts.release(self.q.name, backs))
            assert scripts.ReleaseUnknown() not in reply.answers

    def split(self, ids: list[str]) -> tuple[list[str], list[str], list[str]]:
        ends: tuple[list[str], list[str], list[str]] = ([], [], [])
        for id in ids:
            self.chance.choice([ends[0], ends[0], ends[1], ends[2]]).append(id)
        return ends


class Work:
    """What both know: who works on which job, and how often each was acked."""

    def __init__(self) -> None:
        self.hands: dict[str, Loop] = {}
        self.acked: Counter[str] = Counter()

    def begin(self, loop: Loop, ids: list[str]) -> None:
        shared = [id for id in ids if id in self.hands]
        again = [id for id in ids if id in self.acked]
        assert (shared, again) == ([], [])
        self.hands |= dict.fromkeys(ids, loop)

    def end(self, loop: Loop, ids: list[str]) -> None:
        assert {self.hands.pop(id) for id in ids} <= {loop}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_loops_of_one_name_share_no_job_and_lose_none(q: QueueState, seed: int) -> None:
    ids = [f"j{n}" for n in range(JOBS)]
    q.enqueue(*ids, max_attempts=1000)
    chance, work = random.Random(seed), Work()
    loops = [Loop(q, name, chance, work).run() for name in ("one", "two")]
    steps = 0
    while loops:
        steps += 1
        assert steps < 20 * JOBS
        loop = chance.choice(loops)
        try:
            next(loop)
        except StopIteration:
            loops.remove(loop)
    assert work.acked == Counter(ids)
    left = q.dump()
    assert set(left["completed"]) == set(ids)
    assert not {"running", "leases", "queued", "retrying", "scheduled"} & set(left)
    assert (q.stat("completed"), q.stat("lost")) == (JOBS, 0)
