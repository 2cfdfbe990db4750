"""Judges a chaos run by its history and by what the queues held at its end.

judge(lambda: events, lease=3.0)      all that is wrong, and the numbers of the verdict
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rig.chaos import judge_jobs, judge_leases, judge_progress, judge_queues
from rig.chaos.history import Event
from rig.chaos.lives import Finding, gathered

KINDS = (
    *("lost", "stale", "duplicated", "overlap", "two_holders", "unexpected", "undone", "refused"),
    *("attempts", "order", "fence", "counters", "payload", "fsck", "progress", "rig"),
)
JOBS_AT_ONCE = 120_000
"""Of so many jobs the lives are in memory; the history is read again for each such part of them."""

Read = Callable[[], Iterable[Event]]


@dataclass
class Judgement:
    """findings: what is wrong. numbers: what a verdict tells beside."""

    findings: list[Finding] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS}


def judge(read: Read, lease: float, jobs_at_once: int = JOBS_AT_ONCE) -> Judgement:
    """read: gives the events anew each time. lease: of the workers, in seconds."""
    told = Judgement()
    course = judge_progress.course(read())
    told.findings += judge_progress.judge(course)
    told.longest_seconds = judge_progress.longest(course)
    told.numbers["faults"] = len(course.faults)
    told.numbers["runs"] = sum(map(len, course.begins.values()))
    windows = judge_progress.windows(course, lease)
    queues = judge_queues.looked_at(read())
    for name, queue in queues.items():
        told.findings += judge_queues.judge(name, queue)
    jobs = sum(queue.certain["enqueue"] for queue in queues.values())
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    parts = 1 + jobs // jobs_at_once
    for part in range(parts):
        found = gathered(read(), part, parts)
        for (name, _), life in found.lives.items():
            told.findings += judge_jobs.judge(life, found.open_claims, found.unseen[name])
            told.findings += judge_leases.judge(life, windows, found.open_claims)
            told.numbers["leases_lost"] += len(list(judge_leases.lapses(life, life.in_order())))
            told.numbers["claims"] += len(life.claims)
            if life.kept:
                sums[name] += Counter(failures=life.kept.failures, lost=life.kept.lost)
    for name, queue in queues.items():
        told.findings += judge_queues.judge_totals(name, queue, sums[name])
    told.findings += [
        Finding("fsck" if event.what == "faulty" else "rig", event.queue, event.who, event.word)
        for event in read()
        if event.what in ("faulty", "wrong")
    ]
    told.numbers["jobs"] = jobs
    return told
