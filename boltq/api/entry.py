"""Jobs on their way in: those that come while others are under way go on together, in one call."""

import copy
import threading
from itertools import accumulate, pairwise
from typing import NamedTuple

import msgspec

from boltq import ids, newjob, scripts
from boltq.api.requests import JobRequest
from boltq.client import BoltQ
from boltq.errors import BadArgument, BoltQError, TooLarge, Unavailable
from boltq.job import moment_of, read_header, shown_time


class Entered(NamedTuple):
    """A job that is in: its id outside, and as JSON, if it is new, how it was when it came in.

    Its `run_at` is that of the first of its call, which may be a millisecond before its own.
    """

    id: str
    shown: bytes | None

    @property
    def created(self) -> bool:
        """Whether it is new."""
        return self.shown is not None


_ALONE = BoltQError("one job of the call was refused, and so all of it: each is sent alone")


class _Newcomer:
    """A job whose thread waits until another one has sent it, or until it may lead the next."""

    __slots__ = ("answer", "called", "following", "item")

    def __init__(self, item: scripts.EnqueueItem) -> None:
        self.item = item
        self.called = threading.Lock()
        self.called.acquire()
        self.answer: Entered | BaseException | None = None
        self.following: _Newcomer | None = None


_Lane = list[_Newcomer]


class Entry:
    """The way in for the jobs of single requests. Safe for threads.

    Of those with the same queue and options one call at a time is under way. What comes meanwhile
    waits for it, then goes in one call, too: many at once cost the server, and us, little more than
    one. A job that comes alone goes at once, and waits for nobody.
    """

    def __init__(self, boltq: BoltQ) -> None:
        self._boltq = boltq
        self._lock = threading.Lock()
        # By queue and options, for as long as a call is under way: who waits for its end.
        self._lanes: dict[tuple[object, ...], _Lane] = {}

    def enter(self, asked: JobRequest, item: scripts.EnqueueItem) -> Entered:
        """Enqueue a job. Raises as BoltQ.enqueue, and each for its own job alone."""
        me = _Newcomer(item)
        place = (asked.queue, *asked.chosen)
        with self._lock:
            lane = self._lanes.get(place)
            if lane is None:
                self._lanes[place] = []
            else:
                lane.append(me)
        if lane is not None:
            me.called.acquire()
            if me.following:
                me.following.called.release()
        if me.answer is None:
            self._lead(me, asked, place)
        if me.answer is _ALONE:
            (me.answer,) = self._send(asked, [item])
        if isinstance(me.answer, Unavailable):
            unknown = (ids.join(asked.queue, str(item.id)),)
            raise Unavailable(str(me.answer), unknown) from me.answer
        if isinstance(me.answer, BaseException):
            raise copy.copy(me.answer) from me.answer
        assert me.answer
        return me.answer

    def _lead(self, me: _Newcomer, asked: JobRequest, place: tuple[object, ...]) -> None:
        """Send a job and those that wait; then let the first that came meanwhile lead."""
        with self._lock:
            lane = self._lanes[place]
            count = _fitting(me, lane)
            together, lane[:] = [me, *lane[:count]], lane[count:]
        answers = self._send(asked, [one.item for one in together])
        if len(together) > 1 and isinstance(answers[0], BadArgument | TooLarge):
            answers = [_ALONE] * len(together)
        with self._lock:
            if isinstance(answers[0], Unavailable):
                # They have waited as long as one waits for a server that is away.
                answers += [answers[0]] * len(lane)
                together += lane
                lane.clear()
            if lane:
                lane.pop(0).called.release()
            else:
                del self._lanes[place]
        for one, answer in zip(together, answers, strict=True):
            one.answer = answer
        # Each calls the next: all at once would only wait for the interpreter's lock.
        for one, following in pairwise(together):
            one.following = following
        if me.following:
            me.following.called.release()

    def _send(
        self, asked: JobRequest, items: list[scripts.EnqueueItem]
    ) -> list[Entered | BaseException]:
        """Return what became of each, also where that is the same error for all."""
        try:
            return list(self._sent(asked, items))
        except BaseException as problem:  # noqa: BLE001 - raised by the thread of each
            return [problem] * len(items)

    def _sent(self, asked: JobRequest, items: list[scripts.EnqueueItem]) -> list[Entered]:
        server, queue = self._boltq.server, asked.queue
        common = newjob.common(asked.options(), server.now_ms)
        reply = server.call(scripts.enqueue(queue, items, **common))
        server.note_queue(queue, reply.now_ms)
        rest = _rest(reply, "scheduled" if common["delay_ms"] else "queued")
        return [
            Entered(ids.join(queue, answer.id), _shown(queue, item, rest))
            if isinstance(answer, scripts.EnqueueCreated)
            else Entered(ids.join(queue, answer.id), None)
            for item, answer in zip(items, reply.answers, strict=True)
        ]


def _rest(reply: scripts.Enqueued, state: str) -> bytes:
    """Return the end of the JSON of each new job of a call: what they have in common."""
    header = read_header(b'{"type":"",' + reply.header[1:])
    members = {
        "state": state,
        "priority": header.priority,
        "attempt": 0,
        "failures": 0,
        "max_attempts": header.max_attempts,
        "created_at": shown_time(moment_of(header.created_ms)),
        "run_at": shown_time(moment_of(reply.run_at_ms)),
        "errors": [],
    }
    return msgspec.json.encode(members)[1:]


def _shown(queue: str, item: scripts.EnqueueItem, rest: bytes) -> bytes:
    """Return a new job as Job.to_json writes it; its payload and headers are known to be JSON."""
    names = (ids.join(queue, str(item.id)).encode(), queue.encode(), item.type.encode())
    opening = b'{"id":"%b","queue":"%b","type":"%b","payload":%b,' % (*names, item.payload)
    return opening + (b'"headers":%b,' % item.headers if item.headers else b"") + rest


def _fitting(first: _Newcomer, waiting: _Lane) -> int:
    """Return how many of those that wait go in one call with the first."""
    if not waiting:
        return 0
    together = [first, *waiting[: newjob.MOST_ITEMS - 1]]
    sizes = accumulate(len(one.item.payload) + len(one.item.headers) for one in together)
    return max(0, sum(size <= newjob.MOST_BYTES for size in sizes) - 1)
