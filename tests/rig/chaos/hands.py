"""Workers as programs in other languages are: raw calls of scripts, some of them late or wrong."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from rig.chaos.history import History
from rig.chaos.record import RecordedServer

from boltq import address, ids, scripts
from boltq.call import Call
from boltq.errors import BoltQError, Unavailable

VERBS = ("ack", "fail", "release", "extend")

Sent = Callable[[], tuple[str, str] | None]


class Hand(threading.Thread):
    """Claims from one queue until stopped, and then lets go of what it still holds.

    lease: the longest that it asks for, in seconds.
    """

    def __init__(
        self, place: str, history: History, name: str, queue: str, *, seed: str, lease: float
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.queue, self.lease_ms = queue, round(lease * 1000)
        self.some = random.Random(f"{seed} {name}")
        self.server = RecordedServer(address.parse(place), history, name, patience_seconds=0.5)
        self.stopping = threading.Event()

    def stop(self) -> None:
        self.stopping.set()

    def run(self) -> None:
        while not self.stopping.is_set():
            with suppress(BoltQError):  # none of its answers is needed for the next step
                self.step()
        self.server.close()

    def step(self) -> None:
        raise NotImplementedError

    def claim(self, lease_ms: int, limit: int) -> tuple[str, list[scripts.ClaimJob]]:
        """Claim under a new token; asked again with it where there was no answer."""
        token = ids.new_token()
        call = scripts.claim(
            self.queue,
            token=token,
            worker=self.name,
            lease_ms=lease_ms,
            limit=limit,
            max_bytes=1_000_000,
        )
        give_up = time.monotonic() + lease_ms / 1000
        reply = self.asked(call, give_up)
        if isinstance(reply, scripts.Claimed):
            if self.some.random() < 0.05:
                self.asked(call, give_up)
            return token, reply.answers
        self.stopping.wait(min(0.05, 0.001 + getattr(reply, "wait_ms", 50) / 1000))
        return token, []

    def asked(self, call: Call[Any], give_up: float) -> Any:
        """Send a call until it is answered, or for so long; None: it was not."""
        while not self.stopping.is_set():
            with suppress(Unavailable):
                return self.server.call(call)
            if time.monotonic() > give_up:
                break
            self.stopping.wait(0.05)
        return None


class OrderHand(Hand):
    """The only consumer of its queue: acks all that it gets."""

    def step(self) -> None:
        token, jobs = self.claim(self.lease_ms, self.some.randint(1, 20))
        if jobs:
            items = [scripts.AckItem(job.id, token, b"") for job in jobs]
            self.asked(scripts.ack(self.queue, items), time.monotonic() + 5)


class WildHand(Hand):
    """Does all that a worker may do, and much that it should not.

    sent: names a job that was enqueued, or gives None; it is cancelled now and then.
    """

    def __init__(self, *told: Any, sent: Sent, **more: Any) -> None:
        super().__init__(*told, **more)
        self._sent = sent
        self._late: deque[tuple[float, Call[Any]]] = deque()
        self._dead: deque[str] = deque(maxlen=100)

    def step(self) -> None:
        self._late_calls()
        if self.some.random() < 0.1:
            self._meddle()
        lease_ms = self.lease_ms // self.some.choice((10, 5, 2, 1))
        until = time.monotonic() + lease_ms / 1000
        token, jobs = self.claim(lease_ms, self.some.choice((1, 1, 5, 20)))
        for job in jobs:
            if self.some.random() < 0.1:
                self.server.call(self._end(self.some.choice(VERBS), job.id, ids.new_token()))
            self._treat(job.id, token, until)

    def _treat(self, id: str, token: str, until: float) -> None:
        """Do something about a job, and perhaps something else under the same token."""
        act = self.some.choices(
            ("ack", "fail", "release", "extend", "late", "leave"), (70, 8, 6, 5, 6, 2)
        )[0]
        if act == "extend":
            lease_ms = self.lease_ms // self.some.choice((5, 2))
            self.server.call(self._end("extend", id, token, lease_ms))
            until = max(until, time.monotonic() + lease_ms / 1000)
            act = self.some.choice(("ack", "ack", "fail", "release", "late"))
        if act == "late":
            verb = self.some.choice(VERBS)
            pause = self.some.choice(
                (-0.01, 0.0, 0.01, self.some.uniform(0.0, self.lease_ms / 1000))
            )
            self._late.append((until + pause, self._end(verb, id, token)))
        elif act != "leave":
            reply = self.server.call(self._end(act, id, token))
            if isinstance(reply, scripts.Failed) and isinstance(reply.answers[0], scripts.FailDead):
                self._dead.append(id)
            if self.some.random() < 0.1:
                verb = self.some.choice(VERBS)
                self.server.call(self._end(verb, id, token))

    def _end(self, verb: str, id: str, token: str, lease_ms: int = 1000) -> Call[Any]:
        if verb == "ack":
            return scripts.ack(self.queue, [scripts.AckItem(id, token, b"by hand")])
        if verb == "release":
            delay_ms = self.some.choice((0, 0, 200))
            return scripts.release(self.queue, [scripts.ReleaseItem(id, token, delay_ms)])
        if verb == "extend":
            items = [scripts.ExtendItem(id, token)]
            return scripts.extend(self.queue, items, lease_ms=lease_ms)
        delay_ms: int | scripts.LeftOut = self.some.choice(("", "", 100))
        final = int(self.some.random() < 0.1)
        item = scripts.FailItem(id, token, b"Error", b"by hand", b"", delay_ms, final)
        return scripts.fail(self.queue, [item])

    def _late_calls(self) -> None:
        now, left = time.monotonic(), deque[tuple[float, Call[Any]]]()
        late, self._late = self._late, left
        for at, call in late:
            if at <= now:
                with suppress(BoltQError):
                    self.server.call(call)
            else:
                left.append((at, call))

    def _meddle(self) -> None:
        """Do what people do to a queue."""
        act = self.some.choice(("cancel", "cancel", "replay", "reap", "promote", "forge"))
        one = self._sent()
        if act == "reap":
            self.server.call(scripts.reap(self.queue, limit=50))
        elif act == "promote":
            self.server.call(scripts.promote(self.queue, limit=50))
        elif act == "replay" and self._dead:
            item = scripts.ReplayItem(self._dead.popleft())
            self.server.call(scripts.replay(self.queue, [item], limit=1, cursor=""))
        elif one is not None:
            queue, id = one
            if act == "cancel":
                self.server.call(scripts.cancel(queue, [scripts.CancelItem(id)]))
            elif act == "forge":
                item = scripts.AckItem(id, ids.new_token(), b"")
                self.server.call(scripts.ack(queue, [item]))


def recent(producers: Iterable[Any], some: random.Random) -> Sent:
    """Choose among the jobs that these have sent of late, but those of the queue in order."""

    def chosen() -> tuple[str, str] | None:
        sent = [one for producer in producers for one in list(producer.sent)[-50:]]
        found = some.choice(sent) if sent else None
        return None if found is None or found[0] == "order" else found

    return chosen
