"""Histories written by hand, as a chaos run would write them: one call after the other."""

from collections import Counter
from typing import Any

from queue_keys import EPOCH_MS, stamp_of
from rig.chaos.history import Event
from rig.chaos.judge import Judgement, judge

TOTALS = (
    *("enqueued", "completed", "failed", "lost", "died", "cancelled", "replayed", "purged"),
    *("trimmed", "dead_trimmed", "missing"),
)
STATES = ("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead")
LEASE_MS = 3000


class Story:
    """Events of one queue. Each call takes 10 ms, unless it has no answer; then 10 ms go by."""

    def __init__(self) -> None:
        self.at = 100.0
        self.events: list[Event] = []
        self.totals: Counter[str] = Counter()

    @property
    def now_ms(self) -> int:
        return EPOCH_MS + round(self.at * 1000)

    def passes(self, seconds: float) -> None:
        self.at = round(self.at + seconds, 3)

    def note(self, what: str, who: str, **told: Any) -> None:
        self.events.append(Event(round(self.at, 3), what, who, **told))

    def call(
        self,
        verb: str,
        who: str,
        items: list[Any],
        answers: list[Any],
        word: str = "",
        *,
        tries: int = 1,
        **told: Any,
    ) -> None:
        n = len(self.events) + 1
        self.note("sent", who, n=n, verb=verb, queue="busy", items=items, told=told)
        self.passes(0.01)
        if word != "nothing":
            now_ms = self.now_ms
            self.note(
                "told",
                who,
                n=n,
                verb=verb,
                queue="busy",
                word=word,
                now_ms=now_ms,
                items=answers,
                told={"tries": tries},
            )
        self.passes(0.01)

    def enqueue(
        self, *ids: str, word: str = "CREATED", who: str = "producer1", **told: Any
    ) -> None:
        self.totals["enqueued"] += len(ids) * (word == "CREATED")
        self.call("enqueue", who, [[id] for id in ids], [[word] for _ in ids], "ENQUEUED", **told)

    def claim(
        self,
        *ids: str,
        token: str,
        who: str = "hand1",
        attempt: int = 1,
        failures: int = 0,
        lost: int = 0,
        fence: int | None = None,
        whole: int = 1,
        lease_ms: int = LEASE_MS,
    ) -> None:
        stamp = stamp_of(self.now_ms) if fence is None else fence
        end_ms = self.now_ms + lease_ms
        jobs = [[id, stamp + n, attempt, failures, lost, end_ms, whole] for n, id in enumerate(ids)]
        self.call("claim", who, [], jobs, "CLAIMED", token=token)

    def end(
        self, verb: str, id: str, token: str, word: str, who: str = "hand1", *, tries: int = 1
    ) -> None:
        answer = [word, self.now_ms + LEASE_MS] if word == "HELD" else [word]
        word = verb if word else "nothing"
        self.call(verb, who, [[id, token]], [answer], word, tries=tries)

    def wish(self, verb: str, id: str, word: str) -> None:
        self.call(verb, "hand1", [[id]], [[word]], verb)

    def run(self, id: str, token: str, seconds: float = 0.01, who: str = "worker1-7") -> None:
        self.begins(id, token, who)
        self.passes(seconds)
        self.note("ended", who, queue="busy", items=[[id, token]], word="done")

    def begins(self, id: str, token: str, who: str = "worker1-7") -> None:
        self.note("began", who, queue="busy", items=[[id, token]])

    def fault(self, name: str, seconds: float) -> None:
        n = len(self.events) + 1
        self.note("fault", "rig", n=n, word=name)
        self.passes(seconds)
        self.note("healed", "rig", n=n, word=name)

    def done(self, id: str, token: str, who: str = "hand1", **claimed: Any) -> None:
        """A job is claimed and acked."""
        self.claim(id, token=token, who=who, **claimed)
        if who.startswith("worker"):
            self.run(id, token)
        self.end("ack", id, token, "DONE", who)

    def judged(self, *kept: tuple[str, str, int, int], **totals: int) -> Judgement:
        """Let the queue hold these at the end: id, state, failures, lost leases; then judge.

        totals: what the server has counted, where it differs from what would be right.
        """
        items = [[id, state, 1, failures, lost] for id, state, failures, lost in kept]
        self.note("kept", "stock", queue="busy", items=items, told={"last": 1})
        states = Counter(state for _, state, *_ in kept)
        told = {f"{name}_total": self.totals[name] for name in TOTALS}
        told |= {state: states[state] for state in STATES}
        told |= {
            "completed_total": states["completed"] + self.totals["purged"],
            "cancelled_total": states["cancelled"],
            "died_total": states["dead"] + self.totals["replayed"],
            "failed_total": sum(failures for _, _, failures, _ in kept),
            "lost_total": sum(lost for *_, lost in kept),
        }
        self.note("totals", "stock", queue="busy", told=told | totals)
        return judge(lambda: self.events, lease=LEASE_MS / 1000)


def only(judged: Judgement, kind: str, says: str, also: str = "") -> None:
    """Fail unless there is one finding, of this kind, and it says so.

    also: one of another kind, that comes with it: what was counted does not fit either.
    """
    kinds = [finding.kind for finding in judged.findings]
    assert sorted(kinds) == sorted([kind, *also.split()]), judged.findings
    assert says in judged.findings[kinds.index(kind)].sentence


def right(judged: Judgement) -> None:
    assert judged.findings == []
