"""One queue as a test sees it: short forms of the verbs, and everything that is kept of it.

q.enqueue("a", "b")                       one batch; more by keyword, as boltq.scripts.enqueue
q.claim("t1", limit=1)                    the claim's reply; t1 is its token
q.call(scripts.ack(q.name, [...]))        any call of boltq.scripts
q.send("ack", "a", "t1", b"")             any arguments at all; the reply as it came
q.dump()                                  {part: what it holds} of every key of the queue
q.make_due("retrying", "a")               time moves by moving scores
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import pytest
from audited import sound
from queue_keys import QueueKeys, Roads
from servers import TestServer

from boltq import scripts
from boltq.call import Argument, Call

R = TypeVar("R")


class QueueState(QueueKeys):
    """A queue of its own on a real server; its keys go when the test ends.

    Until then it is sound (audited.py), unless the test says that it corrupted it: raw writes.
    """

    corrupted = False

    def call(self, call: Call[R]) -> R:
        return self.server.call(call)

    def twice(self, call: Call[R]) -> tuple[R, R]:
        """Send a request two times; the second must leave every key as the first left it."""
        first, left = self.call(call), self.dump()
        second = self.call(call)
        assert self.dump() == left
        return first, second

    def send(self, script: str, *argv: Argument) -> list[Any]:
        """Run a script with any arguments; the reply is as Redis gave it."""
        return self.call(Call(script, self.name, argv, lambda reply: reply))

    def enqueue(
        self,
        *ids: str,
        payload: bytes = b"{}",
        headers: bytes = b"",
        type: str = "echo",
        **options: Any,
    ) -> list[scripts.EnqueueAnswer]:
        items = [scripts.EnqueueItem(id, type, payload, headers) for id in ids]
        return self.call(scripts.enqueue(self.name, items, **options)).answers

    def claim_call(
        self,
        token: str = "t1",
        *,
        worker: str = "w1",
        lease_ms: int = 30_000,
        limit: int = 10,
        max_bytes: int = 4_000_000,
    ) -> Call[scripts.ClaimReply]:
        return scripts.claim(
            self.name,
            token=token,
            worker=worker,
            lease_ms=lease_ms,
            limit=limit,
            max_bytes=max_bytes,
        )

    def claim(self, token: str = "t1", **options: Any) -> scripts.ClaimReply:
        return self.call(self.claim_call(token, **options))

    def claimed(self, token: str = "t1", **options: Any) -> list[str]:
        """Claim, and name the jobs that came, in their order; none if the queue gave none."""
        reply = self.claim(token, **options)
        return [job.id for job in reply.answers] if isinstance(reply, scripts.Claimed) else []

    def run(
        self, *ids: str, token: str = "t1", claim: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        """Enqueue jobs and claim them at once, each alone or in one batch, under the token."""
        self.enqueue(*ids, **options)
        assert self.claimed(token, limit=len(ids), **(claim or {})) == list(ids)

    def ack(
        self, *ids: str, token: str = "t1", result: bytes = b"", told: bytes | None = None
    ) -> list[scripts.AckAnswer]:
        items = [scripts.AckItem(id, token, result) for id in ids]
        return self.call(scripts.ack(self.name, items, told=told)).answers

    def fail(
        self,
        *ids: str,
        token: str = "t1",
        error: bytes = b"ValueError",
        message: bytes = b"no",
        stack: bytes = b"line 1",
        delay_ms: int | scripts.LeftOut = "",
        final: int = 0,
        told: bytes | None = None,
    ) -> list[scripts.FailAnswer]:
        items = [scripts.FailItem(id, token, error, message, stack, delay_ms, final) for id in ids]
        return self.call(scripts.fail(self.name, items, told=told)).answers

    def extend(
        self, *ids: str, token: str = "t1", lease_ms: int = 30_000, told: bytes | None = None
    ) -> list[scripts.ExtendAnswer]:
        items = [scripts.ExtendItem(id, token) for id in ids]
        return self.call(scripts.extend(self.name, items, lease_ms=lease_ms, told=told)).answers

    def release(
        self, *ids: str, token: str = "t1", delay_ms: int = 0, told: bytes | None = None
    ) -> list[scripts.ReleaseAnswer]:
        items = [scripts.ReleaseItem(id, token, delay_ms) for id in ids]
        return self.call(scripts.release(self.name, items, told=told)).answers

    def cancel(self, *ids: str) -> list[scripts.CancelAnswer]:
        return self.call(scripts.cancel(self.name, [scripts.CancelItem(id) for id in ids])).answers

    def alter(
        self,
        *ids: str,
        priority: int | scripts.LeftOut = "",
        delay_ms: int | scripts.LeftOut = "",
        place: str = "",
    ) -> list[tuple[str, str]]:
        """Alter jobs, all alike; each answer's word and place, which tuples of words would hide."""
        items = [part for id in ids for part in (id, priority, delay_ms, place)]
        told = [part.decode() for part in self.send("alter", *items)[2:]]
        return list(zip(told[::2], told[1::2], strict=True))

    def place(self, id: str) -> str:
        """Where inspect sees a job."""
        call = scripts.inspect(self.name, [scripts.InspectItem(id)], with_payload=0)
        (answer,) = self.call(call).answers
        assert isinstance(answer, scripts.InspectJob)
        return answer.place

    def list_call(
        self,
        state: str,
        order: str = "oldest",
        limit: int = 100,
        cursor: str = "",
        **narrowed: Any,
    ) -> Call[scripts.ListReply]:
        return scripts.list_(
            self.name,
            state=state,
            order=order,
            limit=limit,
            cursor=cursor,
            **narrowed,
        )

    def operate_call(
        self,
        action: str,
        state: str,
        id: str = "o1",
        *,
        dry_run: int = 0,
        rate: int = 0,
        **narrowed: Any,
    ) -> Call[scripts.OperateReply]:
        return scripts.operate(
            self.name,
            id_=id,
            action=action,
            state=state,
            dry_run=dry_run,
            rate=rate,
            **narrowed,
        )

    def reap(self, limit: int = 100) -> scripts.Reaped:
        return self.call(scripts.reap(self.name, limit=limit))

    def promote(self, limit: int = 100) -> scripts.Promoted:
        return self.call(scripts.promote(self.name, limit=limit))

    def configure(self, **settings: object) -> dict[str, str]:
        items = [
            scripts.ConfigureItem(name, str(value).encode()) for name, value in settings.items()
        ]
        answers = self.call(scripts.configure(self.name, items)).answers
        return {setting.name: setting.value for setting in answers}


@pytest.fixture(scope="session")
def roads(server: TestServer) -> Iterator[Roads]:
    """One connection of each kind for all tests of a server."""
    roads = Roads.to(server)
    yield roads
    roads.boltq.close()


@pytest.fixture
def q(server: TestServer, queue: str, roads: Roads) -> Iterator[QueueState]:
    state = QueueState(server, queue, roads)
    yield state
    try:
        if not state.corrupted:
            sound(state)
    finally:
        state.forget()
