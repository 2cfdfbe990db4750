"""Judges what holds of a whole queue: its order, its fences, its totals, and its pauses."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rig.chaos.history import NEVER, Call, Event, calls
from rig.chaos.lives import Finding

ORDINARY = 4
"""The priority of a job that names none."""


class Sent(NamedTuple):
    """The first enqueue of a job that is not delayed, and its place in the batch."""

    began: float
    ended: float
    priority: int
    batch: tuple[str, int]
    place: int


class First(NamedTuple):
    """The first claim of a job."""

    fence: int
    began: float
    ended: float
    id: str


@dataclass
class Queue:
    """What is needed of a queue, much less than its history."""

    sent: dict[str, Sent] = field(default_factory=dict)
    firsts: dict[str, First] = field(default_factory=dict)
    fences: list[tuple[float, float, int, int]] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)  # surely paused between
    certain: Counter[str] = field(default_factory=Counter)
    perhaps: Counter[str] = field(default_factory=Counter)
    totals: dict[str, int] | None = None
    tokens: dict[str, float] = field(default_factory=dict)  # of claims without an answer so far
    paused: float = NEVER
    answered: dict[str, tuple[set[str], int]] = field(default_factory=dict)  # of hands
    odd: list[tuple[str, str, str]] = field(default_factory=list)


def looked_at(events: Iterable[Event]) -> dict[str, Queue]:
    """Take from the history what is needed."""
    queues: dict[str, Queue] = defaultdict(Queue)
    for one in calls(events):
        if isinstance(one, Event):
            if one.what == "totals":
                queues[one.queue].totals = one.told
        else:
            _note(queues[one.sent.queue], one)
    return queues


def _note(queue: Queue, call: Call) -> None:
    if call.sent.verb == "enqueue":
        _note_sent(queue, call)
    elif call.sent.verb == "claim":
        token = call.sent.told["token"]
        began = queue.tokens.pop(token, call.began)
        if call.ended == NEVER:
            queue.tokens[token] = began
        else:
            _note_claimed(queue, call, began)
    elif call.sent.verb == "configure" and call.ended != NEVER:
        if call.sent.told.get("paused") == "1":
            queue.paused = call.ended
        elif queue.paused != NEVER:
            queue.pauses.append((queue.paused, call.began))
            queue.paused = NEVER
    if call.sent.verb in ("enqueue", "replay"):
        _count(queue, call)


def _count(queue: Queue, call: Call) -> None:
    for _, answer in call.answers():
        word = answer[0] if answer else call.word
        queue.certain[call.sent.verb] += word in ("CREATED", "QUEUED")
        queue.perhaps[call.sent.verb] += word not in ("CREATED", "QUEUED")


def _note_sent(queue: Queue, call: Call) -> None:
    if call.sent.told.get("delay_ms"):
        return
    priority = call.sent.told.get("priority", ORDINARY)
    for place, ((id,), answer) in enumerate(call.answers()):
        before = queue.sent.get(id)
        ended = call.ended if answer and answer[0] in ("CREATED", "DUPLICATE") else NEVER
        began, batch = call.began, (call.sent.who, call.sent.n)
        if before:
            began, ended, batch = before.began, min(before.ended, ended), before.batch
        queue.sent[id] = Sent(began, ended, priority, batch, place)


def _note_claimed(queue: Queue, call: Call, began: float) -> None:
    items = call.told.items if call.told else []
    if not items:
        return
    if _is_repeat(queue, call):
        return
    fences = [item[1] for item in items]
    queue.fences.append((began, call.ended, min(fences), max(fences)))
    for id, fence, attempt, *_ in items:
        before = queue.firsts.get(id)
        if before is None or fence < before.fence:
            if attempt == 1:
                queue.firsts[id] = First(fence, began, call.ended, id)
            else:  # its first claim was not seen
                queue.firsts.pop(id, None)


def _is_repeat(queue: Queue, call: Call) -> bool:
    """Whether it was answered before; it leases nothing new then, nor names what has run out."""
    assert call.told
    token, who, now_ms = call.sent.told["token"], call.sent.who, call.told.now_ms
    ends = {item[0]: item[5] for item in call.told.items}
    for id, end_ms in ends.items():
        if end_ms <= now_ms:
            told = f"{who} was told of a lease that had run out {now_ms - end_ms} ms before"
            queue.odd.append(("stale", id, told))
    if not who.startswith("hand"):
        return False  # a worker asks again only where there was no answer
    again = token in queue.answered
    first, first_end_ms = queue.answered.setdefault(token, (set(ends), min(ends.values())))
    for id in ends.keys() - first:
        if now_ms < first_end_ms:
            queue.odd.append(("duplicated", id, f"{who} got it by a claim that was asked again"))
    return again


def judge(name: str, queue: Queue) -> Iterator[Finding]:
    """Judge all but the totals, and let go of what was needed for that."""
    for kind, id, sentence in (*queue.odd, *_order(queue), *_fences(queue), *_paused(queue)):
        yield Finding(kind, name, id, sentence)
    for held in (queue.sent, queue.firsts, queue.fences, queue.answered):
        held.clear()


def judge_totals(name: str, queue: Queue, lives: Mapping[str, int]) -> Iterator[Finding]:
    """lives: what the jobs that were kept have in sum: failures and lost leases."""
    for kind, id, sentence in _totals(queue, lives):
        yield Finding(kind, name, id, sentence)


Told = Iterator[tuple[str, str, str]]


def _order(queue: Queue) -> Told:
    """First in, first out within a priority, and the higher priority first.

    Looked at from the last claim backwards: of the jobs that were claimed later, the one that was
    there first tells whether any of them should have been claimed before.
    """
    earliest: dict[int, tuple[float, str]] = {}
    places: dict[tuple[str, int], int] = {}
    for first in sorted(queue.firsts.values(), reverse=True):
        sent = queue.sent.get(first.id)
        if sent is None:
            continue
        ended, other = earliest.get(sent.priority, (NEVER, ""))
        if ended < sent.began:
            yield "order", first.id, f"it was claimed before {other}, which was enqueued earlier"
        if places.get(sent.batch, sent.place) < sent.place:
            yield "order", first.id, "it was claimed before an earlier one of its batch"
        for priority, (there, urgent) in earliest.items():
            if priority > sent.priority and there < first.began:
                yield "order", first.id, f"it was claimed before {urgent}, which is more urgent"
        places[sent.batch] = sent.place
        if sent.ended < ended:
            earliest[sent.priority] = (sent.ended, first.id)


def _fences(queue: Queue) -> Told:
    """A claim that was sent after another had been answered has the higher fences."""
    by_end = sorted(queue.fences, key=lambda claim: claim[1])
    highest, at = 0, 0
    for began, _, least, _ in sorted(queue.fences):
        while by_end[at][1] < began:
            highest = max(highest, by_end[at][3])
            at += 1
        if least <= highest:
            yield "fence", "", f"a claim got {least} after another had got {highest}"


def _paused(queue: Queue) -> Told:
    for first in queue.firsts.values():
        if any(began < first.began and first.ended < ended for began, ended in queue.pauses):
            yield "unexpected", first.id, "it was handed out while the queue was paused"


def _totals(queue: Queue, lives: Mapping[str, int]) -> Told:
    """What the server has counted, against what is there and what was answered."""
    if queue.totals is None:
        yield "counters", "", "no totals were taken at the end"
        return
    told: dict[str, Any] = queue.totals
    resting = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")
    gone = ("purged_total", "trimmed_total", "dead_trimmed_total", "missing_total")
    completed = told["completed"] + told["purged_total"]
    equal = {
        "enqueued_total": sum(told[name] for name in (*resting, *gone)),
        "completed_total": completed,
        "cancelled_total": told["cancelled"],
        "died_total": told["dead"] + told["replayed_total"],
        "failed_total": lives["failures"],
        "lost_total": lives["lost"],
        "missing_total": 0,
        "trimmed_total": 0,
        "dead_trimmed_total": 0,
    }
    for name, wanted in equal.items():
        if told[name] != wanted:
            yield "counters", "", f"{name} is {told[name]}, and {wanted} are to be found"
    for verb, name in (("enqueue", "enqueued_total"), ("replay", "replayed_total")):
        least, most = queue.certain[verb], queue.certain[verb] + queue.perhaps[verb]
        if not least <= told[name] <= most:
            yield "counters", "", f"{name} is {told[name]}, and {least} to {most} were answered"
