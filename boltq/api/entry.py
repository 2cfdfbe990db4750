"""Jobs on their way in: those that come while others are under way go on together, in one call."""

import copy
import threading
from itertools import accumulate
from typing import NamedTuple

import msgspec

from boltq import ids, newjob, scripts
from boltq.api.parking import Meanwhile
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


class _Hand:
    """A thread that enters jobs, several of them if it begins others while it would wait.

    waits: it stands at its gate until something has changed for it. leads: the lanes whose next
    call it is to send.
    """

    __slots__ = ("gate", "leads", "waits")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.waits = False
        self.leads: list[_Lane] = []

    def call(self) -> None:
        """Let it look again; to be called with the lock of the entry."""
        if self.waits:
            self.waits = False
            self.gate.release()


class _Mine(threading.local):
    def __init__(self) -> None:
        self.hand = _Hand()


class _Newcomer:
    """A job on its way in, and the thread that brings it."""

    __slots__ = ("answer", "hand", "item")

    def __init__(self, item: scripts.EnqueueItem, hand: _Hand) -> None:
        self.item = item
        self.hand = hand
        self.answer: Entered | BaseException | None = None


class _Lane:
    """The jobs of a queue and with the same options that wait for the next call."""

    __slots__ = ("asked", "place", "waiting")

    def __init__(self, asked: JobRequest, place: tuple[object, ...]) -> None:
        self.asked, self.place = asked, place
        self.waiting: list[_Newcomer] = []


class Entry:
    """The way in for the jobs of single requests. Safe for threads.

    Of those with the same queue and options one call at a time is under way. What comes meanwhile
    waits for it, then goes in one call, too: many at once cost the server, and us, little more than
    one. A job that comes alone goes at once, and waits for nobody.

    A thread may bring several, of any queues: then it sends what it leads, and is answered, for all
    of them, wherever it stands.
    """

    def __init__(self, boltq: BoltQ) -> None:
        self._boltq = boltq
        # Nothing of a node that answers may wait for one that does not.
        self._is_apart = boltq.server.address.kind == "cluster"
        self._lock = threading.Lock()
        # By queue and options, for as long as a call is under way or about to be.
        self._lanes: dict[tuple[object, ...], _Lane] = {}
        self._mine = _Mine()

    def enter(
        self,
        asked: JobRequest,
        item: scripts.EnqueueItem,
        meanwhile: Meanwhile = lambda _is_over: None,
    ) -> Entered:
        """Enqueue a job. Raises as BoltQ.enqueue, and each for its own job alone.

        meanwhile: what the thread does before it would wait, such as to enter other jobs.
        """
        hand = self._mine.hand
        me = _Newcomer(item, hand)
        place = (asked.queue, *asked.chosen)
        with self._lock:
            lane = self._lanes.get(place)
            if lane is None:
                lane = self._lanes[place] = _Lane(asked, place)
                hand.leads.append(lane)
            lane.waiting.append(me)
        meanwhile(lambda: self._is_apart or me.answer is not None)
        while me.answer is None:
            if hand.leads:
                self._lead(hand)
            else:
                self._wait(me)
        if me.answer is _ALONE:
            (me.answer,) = self._send(asked, [item])
        if isinstance(me.answer, Unavailable):
            unknown = (ids.join(asked.queue, str(item.id)),)
            raise Unavailable(str(me.answer), unknown) from me.answer
        if isinstance(me.answer, BaseException):
            raise copy.copy(me.answer) from me.answer
        return me.answer

    def _wait(self, me: _Newcomer) -> None:
        """Wait until a job of this thread is answered, this one or another, or it is to lead."""
        with self._lock:
            if me.answer is not None or me.hand.leads:
                return
            me.hand.waits = True
        me.hand.gate.acquire()

    def _lead(self, hand: _Hand) -> None:
        """Send the jobs that wait in a lane; then let the first that came meanwhile lead."""
        with self._lock:
            lane = hand.leads.pop()
            count = _fitting(lane.waiting)
            together, lane.waiting = lane.waiting[:count], lane.waiting[count:]
        answers = self._send(lane.asked, [one.item for one in together])
        if count > 1 and isinstance(answers[0], BadArgument | TooLarge):
            answers = [_ALONE] * count
        with self._lock:
            ended = [lane]
            if isinstance(answers[0], Unavailable):
                # They have waited as long as one waits for a server that is away.
                ended += hand.leads
                hand.leads.clear()
                for each in ended:
                    together += each.waiting
                    each.waiting = []
                answers += [answers[0]] * (len(together) - count)
            for one, answer in zip(together, answers, strict=True):
                one.answer = answer
                one.hand.call()
            for each in ended:
                self._pass_on(each)

    def _pass_on(self, lane: _Lane) -> None:
        if lane.waiting:
            heir = lane.waiting[0].hand
            heir.leads.append(lane)
            heir.call()
        else:
            del self._lanes[lane.place]

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
        rest = _rest(reply, "scheduled" if common.get("delay_ms") else "queued")
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


def _fitting(waiting: list[_Newcomer]) -> int:
    """Return how many of those that wait go in one call: one at least."""
    sizes = accumulate(
        len(one.item.payload) + len(one.item.headers) for one in waiting[: newjob.MOST_ITEMS]
    )
    return max(1, sum(size <= newjob.MOST_BYTES for size in sizes))
