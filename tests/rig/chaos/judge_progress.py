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


class Fault(NamedTuple):
    name: str
    began: float
    ended: float


class Course(NamedTuple):
    """What is needed of a run: its faults, when each worker began runs, and when it lived."""

    faults: list[Fault]
    begins: dict[str, list[float]]
    lives: dict[str, list[tuple[float, float]]]
    load_ended: float


def course(events: Iterable[Event]) -> Course:
    faults: list[Fault] = []
    open_faults: dict[int, Event] = {}
    begins: dict[str, list[float]] = defaultdict(list)
    starts: dict[str, float] = {}
    lives: dict[str, list[tuple[float, float]]] = defaultdict(list)
    load_ended = NEVER
    for event in events:
        if event.what == "fault":
            open_faults[event.n] = event
        elif event.what == "healed":
            faults.append(Fault(event.word, open_faults.pop(event.n).at, event.at))
        elif event.what == "began":
            begins[event.who.rpartition("-")[0]].append(event.at)
        elif event.what == "started":
            starts[event.who] = event.at
        elif event.what == "gone":
            lives[event.who].append((starts.pop(event.who), event.at))
        elif event.what == "load ended":
            load_ended = event.at
    faults += [Fault(event.word, event.at, NEVER) for event in open_faults.values()]
    for who, at in starts.items():
        lives[who].append((at, NEVER))
    for times in begins.values():
        times.sort()
    return Course(sorted(faults, key=lambda fault: fault.began), begins, lives, load_ended)


def windows(found: Course, lease: float) -> list[tuple[float, float]]:
    """When leases may run out by a fault."""
    return [(one.began - 0.1, one.ended + lease + AFTERMATH_SECONDS) for one in found.faults]


def waits(found: Course) -> Iterator[tuple[Fault, str, float, float]]:
    """After each fault, for each worker that lived on: until when it was left in peace, and when it
    began its next run.
    """
    for number, fault in enumerate(found.faults):
        rest = [*(one.began for one in found.faults[number + 1 :]), found.load_ended]
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
