"""An audit of live queues: every name in their keys, judged by the rules that each queue keeps.

The walk is by HSCAN and ZSCAN, and takes its time; each judgement is made by a script, at one
instant, over all that is kept of a job. So a job that moves meanwhile is no finding, and nothing
needs a second look.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any, Literal, NamedTuple

from boltq import scripts
from boltq.call import Call
from boltq.errors import Corrupt
from boltq.evalsha import Server
from boltq.evalsha.walk import CLAIM_ENDS, HASHES, SETS, Walk
from boltq.faults import EVERY

Kind = Literal["queue", "job", "claim"]
Progress = Callable[[int], object]

BATCH_NAMES = 100
LONGEST_NAME = 4096
_GUESSES = {"SCORE_BROKEN:scheduled", "SCORE_BROKEN:retrying"}
_LEFT_WHOLE = {"RECORD_BROKEN", "BAD_ID"}
_LATER = (scripts.AuditLater, scripts.MendLater)


class Finding(NamedTuple):
    """One thing that is wrong.

    kind: of what, the queue itself, a job or a claim, and its name. word: of `boltq.faults`, and
    what it speaks of. repairable: whether repair can do something about it. mended: whether it has.
    """

    queue: str
    kind: Kind
    name: str
    word: str
    detail: str
    sentence: str
    repairable: bool
    mended: bool = False


def walk(server: Server, queue: str, progress: Progress = lambda _more: None) -> Iterator[Finding]:
    """Yield what is wrong with a queue; nothing is written.

    progress: told how many names more have been seen; a job has one in each key that holds it.
    Costs about 25 us of the server for a job and 5 for each of its other names, in calls of 100;
    little memory, however large the queue. Raises UpgradeNeeded where it needs a newer version.
    """
    yield from _Look(server, queue, repairing=False).findings(progress)


def repair(
    server: Server, queue: str, progress: Progress = lambda _more: None
) -> Iterator[Finding]:
    """Do what `walk` does, and mend at once what needs no guess; a finding tells whether it is.

    Jobs may be run again by it, as at least once allows; none that has a record is lost.
    """
    yield from _Look(server, queue, repairing=True).findings(progress)


class _Judged(NamedTuple):
    """What a script said of one name: what is wrong with it, what was and is mended, its state."""

    queue: str
    kind: Kind
    name: str
    faults: str = ""
    mended: str = ""
    state: str = ""

    def findings(self) -> Iterator[Finding]:
        for fault in self.mended.split():
            yield self.finding(fault, f"mended; it is {self.state} now" if self.state else "mended")
        for fault in self.faults.split():
            yield self.finding(fault)

    def finding(self, fault: str, mended: str = "") -> Finding:
        word, _, detail = fault.partition(":")
        rule = EVERY[word]
        words = {one.partition(":")[0] for one in self.faults.split()}
        repairable = bool(rule.repair) and fault not in _GUESSES and not words & _LEFT_WHOLE
        ends = mended or (f"repair {rule.repair}" if repairable else "repair leaves it as it is")
        named = f"{self.kind} {self.name}" + f" of {self.queue}" * (self.kind != "queue")
        means = rule.means.format(detail=detail.replace(",", ", "))
        sentence = f"{named}: {means}; {ends}"
        return Finding(*self[:3], word, detail, sentence, repairable, bool(mended))


class _Look:
    """One look at all of a queue."""

    def __init__(self, server: Server, queue: str, *, repairing: bool) -> None:
        self._server, self._queue, self._repairing = server, queue, repairing

    def findings(self, progress: Progress) -> Iterator[Finding]:
        queue = _Judged(self._queue, "queue", self._queue)
        try:
            faults = self._server.call(scripts.audit(self._queue, of="job")).faults
        except Corrupt as refusal:
            yield queue.finding(f"BLOCKED:{refusal}")
            return
        blind = "TYPE:" in faults
        if blind or not self._repairing:
            yield from queue._replace(faults=faults).findings()
        if blind:
            # Each job that has something there would be a finding; mending would lose them all.
            return
        with closing(Walk(self._server)) as steps:
            for of, names in _names(steps, self._queue):
                while batch := list(islice(names, BATCH_NAMES)):
                    for judged in self._judge(of, batch):
                        yield from judged.findings()
                    progress(len(batch))
        if self._repairing:
            told = self._server.call(scripts.mend(self._queue, of="job"))
            yield from queue._replace(faults=told.faults, mended=told.mended).findings()

    def _judge(self, of: str, batch: list[bytes]) -> Iterator[_Judged]:
        """Judge names, and mend what is wrong with them."""
        kind: Kind = "claim" if of == "claim" else "job"
        names = [name for name in batch if len(name) <= LONGEST_NAME]
        for name in set(batch).difference(names):
            yield _Judged(self._queue, kind, _shown(name[:100]), "BAD_ID")

        def audit(names: list[bytes]) -> Call[scripts.Audited]:
            return scripts.audit(self._queue, map(scripts.AuditItem, names), of=of)

        def mend(names: list[bytes]) -> Call[scripts.Mended]:
            return scripts.mend(self._queue, map(scripts.MendItem, names), of=kind)

        told = self._ask(audit, names)
        if self._repairing:
            faulty = [name for name, answer in told if isinstance(answer, scripts.AuditFaulty)]
            told = self._ask(mend, faulty)
        for name, answer in told:
            if isinstance(answer, scripts.AuditFaulty | scripts.MendMended | scripts.MendLeft):
                yield _Judged(self._queue, kind, _shown(name), **answer._asdict())

    def _ask(
        self, ask: Callable[[list[bytes]], Call[Any]], names: list[bytes]
    ) -> Iterator[tuple[bytes, Any]]:
        while names:
            answers = self._server.call(ask(names)).answers
            told = list(zip(names, answers, strict=True))
            yield from told
            names = [name for name, answer in told if isinstance(answer, _LATER)]


def _names(steps: Walk, queue: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    first, *others, claims = HASHES
    every = chain.from_iterable
    yield "job", every(steps.names(queue, first))
    # A job that has a record has been judged with it.
    yield "stray", every(every(steps.names(queue, part) for part in (*others, *SETS)))
    yield "claim", every(every(steps.names(queue, part) for part in (claims, CLAIM_ENDS)))


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
