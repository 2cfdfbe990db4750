"""Judges whether work goes on after each fault, in the same processes."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rig.chaos.history import NEVER, Event
from rig.chaos.lives import Finding

BOUND_SECONDS = 10.0
AFTERMATH_SECONDS = 4.0
"""How long after a fault leases still run out because of it, beside the length of one."""

STALL_SECONDS = 2.0
"""For so long a process may be away on a machine that has much to do."""


class Fault(NamedTuple):
    name: str
    began: float
    ended: float


class Course(NamedTuple):
    """What is needed of a run.

    begins: when each worker began runs. lives: when it lived. stops: when the load ended.
    """

    faults: list[Fault]
    begins: dict[str, list[float]]
    lives: dict[str, list[tuple[float, float]]]
    stops: list[float]


def course(events: Iterable[Event]) -> Course:
    found = Course([], defaultdict(list), defaultdict(list), [NEVER])
    faults: dict[int, Event] = {}
    starts: dict[str, float] = {}
    for event in events:
        match event.what:
            case "fault":
                faults[event.n] = event
            case "healed":
                found.faults.append(Fault(event.word, faults.pop(event.n).at, event.at))
            case "began":
                found.begins[event.who.rpartition("-")[0]].append(event.at)
            case "started":
                starts[event.who] = event.at
            case "gone":
                found.lives[event.who].append((starts.pop(event.who), event.at))
            case "load ended":
                found.stops.append(event.at)
    _complete(found, faults, starts)
    return found


def _complete(found: Course, faults: dict[int, Event], starts: dict[str, float]) -> None:
    """Add what had no end, and bring all into its order."""
    found.faults.extend(Fault(event.word, event.at, NEVER) for event in faults.values())
    found.faults.sort(key=lambda fault: fault.began)
    for who, at in starts.items():
        found.lives[who].append((at, NEVER))
    for times in found.begins.values():
        times.sort()


def windows(found: Course, lease: float) -> list[tuple[float, float]]:
    """When leases may run out by a fault; those that a process may sleep through, at any time."""
    if lease <= STALL_SECONDS:
        return [(0.0, NEVER)]
    return [(one.began - 0.1, one.ended + lease + AFTERMATH_SECONDS) for one in found.faults]


def waits(found: Course) -> Iterator[tuple[Fault, str, float, float]]:
    """Yield the waits after each fault, for each worker that lived on.

    The last two of each are until when it was left in peace, and when it began its next run.
    """
    for number, fault in enumerate(found.faults):
        rest = [*(one.began for one in found.faults[number + 1 :]), min(found.stops)]
        for who, lives in found.lives.items():
            times = found.begins.get(who, [])
            at = bisect_right(times, fault.ended)
            began = times[at] if at < len(times) else NEVER
            for start, gone in lives:
                if start < fault.began and fault.ended < gone:
                    yield fault, who, min(*rest, gone), began


def judge(found: Course) -> Iterator[Finding]:
    for fault, who, left, began in waits(found):
        # A fault that ends processes one after the other lets their parent pause before the next.
        if fault.name != "poison" and min(left, began) > fault.ended + BOUND_SECONDS:
            seconds = min(left, began) - fault.ended
            sentence = f"no run for {seconds:.1f} s after {fault.name} at {fault.ended:.3f}"
            yield Finding("progress", "", who, sentence)


def longest(found: Course) -> float:
    """How long the longest wait was of all that are known whole."""
    known = [
        began - fault.ended
        for fault, _, left, began in waits(found)
        if began < left and fault.name != "poison"
    ]
    return max(known, default=0.0)
