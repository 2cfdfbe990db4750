"""The model of one queue: what each verb does, in plain Python; a second statement of the design.

    told = QueueModel("emails").answer("claim", now_ms, ["t1", "w1", 30000, 10, 4000000])

A verb gets the server's time and its arguments as they are sent, and gives the answer that a server
has to give. A batch is done item by item. All that is kept is in `jobs` and in a few plain members.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from job_model import DEFAULTS, ENDS, STAMPS, Job, Lease, first_stamp, last_stamp, time_ms
from lease_model import Item
from notes_model import BrokenError
from reading_model import Answer, Settings, flat, swept
from resting_model import Resting

OPTION = re.compile(r"([a-z_]+)=(\S+)")
# How many arguments come first, and how many make an item.
SHAPES = {
    "enqueue": (1, 4),
    "claim": (5, 0),
    "ack": (1, 3),
    "fail": (1, 7),
    "extend": (2, 2),
    "release": (1, 3),
    "promote": (1, 0),
    "reap": (1, 0),
    "cancel": (0, 1),
    "replay": (2, 1),
    "purge": (3, 2),
    "configure": (0, 2),
    "inspect": (1, 1),
    "list": (10, 0),
    "alter": (0, 4),
    "stats": (0, 0),
    "drop": (0, 0),
    "recall": (0, 1),
}
DUE_AT_ONCE = 100  # of each kind, before a claim takes jobs
LOOK_AGAIN_MS = 60_000


class QueueModel(Resting):
    """A queue: its jobs, each in one state, and what claims, totals, settings and bell hold."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.claims: dict[str, list[str]] = {}
        self.claim_ends: dict[str, int] = {}
        self.total: Counter[str] = Counter()
        self.settings = Settings()
        self.stamp = 0
        self.bell = False
        self.dropped = 0

    def answer(self, verb: str, now_ms: int, argv: Sequence[Any]) -> Answer:
        first, width = SHAPES[verb]
        items = [argv[at : at + width] for at in range(first, len(argv), width or 1)]
        if self.settings["needs"] > 1:
            return ["UPGRADE"]
        try:
            told: Answer = getattr(self, verb)(now_ms, *argv[:first], *([items] if width else []))
        except BrokenError:
            return ["BAD_ARGUMENT"]
        return told

    def pass_ms(self, ms: int) -> None:
        """Let time pass: whatever is compared with now is a score, and all of them move."""
        for job in self.jobs.values():
            if job.state != "queued":
                job.score -= ms * STAMPS
        for token in self.claim_ends:
            self.claim_ends[token] -= ms * STAMPS

    # --- in and out

    def enqueue(self, now_ms: int, *given: Any) -> Answer:
        words, items = given
        chosen = {name: json.loads(value) for name, value in OPTION.findall(words)}
        delay_ms = chosen.get("delay_ms", 0)
        kept_ms = chosen.get("retention_ms")
        if any(len(payload) > self.settings["payload_bytes"] for _, _, payload, _ in items):
            return ["TOO_LARGE"]
        if any(id in ("status", "batch") for id, *_ in items):
            return ["BAD_ARGUMENT"]
        held = {
            name: chosen.get(name.removeprefix("backoff_"), self.settings[f"job_{name}"])
            for name in DEFAULTS
        }
        earliest, first = self._head("scheduled"), self._next_stamp(now_ms)
        answers, made = [], []
        for n, (given_id, type, payload, headers) in enumerate(items):
            id = given_id or str(first + n)
            answers += ["DUPLICATE" if id in self.jobs else "CREATED", id]
            if id in self.jobs:
                continue
            state = "scheduled" if delay_ms else "queued"
            job = Job(id, type, now_ms, held, kept_ms, payload, headers, state, first + n)
            job.score += delay_ms * STAMPS if delay_ms else job.priority_base
            job.payload_bytes = len(payload)
            self.jobs[id] = job
            made.append(job)
        if made:
            self.stamp = first + len(items) - 1
            self.total["enqueued"] += len(made)
            self.bell |= not delay_ms or made[0].score < earliest
        shared = Job("", "", now_ms, held, kept_ms, "", "", "", 0)
        _, _, header = self.header(shared).partition(",")
        return ["ENQUEUED", now_ms, "{" + header, time_ms(first + delay_ms * STAMPS), *answers]

    def claim(self, now_ms: int, *given: Any) -> Answer:
        token, worker, lease_ms, limit, max_bytes = given
        if token in self.claims:  # sent before: nothing new, only what is still leased under it
            still = [self.jobs[id] for id in self.claims[token] if id in self.jobs]
            told = [self._claimed(job) for job in still if job.is_held(token, now_ms)]
            return ["CLAIMED", now_ms, 0, *flat(told)]
        self._move_due(now_ms)
        if self.settings["paused"]:
            return ["PAUSED", now_ms, self._wait_ms(now_ms), self.settings["pause_reason"]]
        waiting = self.members("queued")[:limit]
        if not waiting:
            return ["EMPTY", now_ms, self._wait_ms(now_ms)]
        taken, size = [], 0
        for job in waiting:
            size += self.record_bytes(job)
            if taken and (job.lost or size > max_bytes):
                break
            taken.append(job)
            if job.lost:  # it may have killed its worker: alone, it takes no neighbour with it
                break
        first = self._stamps(now_ms, len(taken))
        for fence, job in enumerate(taken, first):
            attempt, kept_ms = job.attempt + 1, job.retention_ms
            job.lease = Lease(token, worker, lease_ms, fence, attempt, now_ms, job.score, kept_ms)
            job.state, job.score = "running", fence + lease_ms * STAMPS
        self.claims[token] = [job.id for job in taken]
        self.claim_ends[token] = taken[-1].score
        more = bool(self.members("queued"))
        self.bell |= more
        return ["CLAIMED", now_ms, int(more), *flat(map(self._claimed, taken))]

    def _claimed(self, job: Job) -> Answer:
        lease = job.lease
        assert lease
        shown = ["JOB", job.id, self.header(job), job.headers, job.payload, lease.attempt]
        counts = [job.failures_ever, job.lost, lease.fence, time_ms(job.score)]
        return [*shown, *counts, str(lease.place)]

    def drop(self, now_ms: int) -> Answer:
        if self.jobs:
            return ["NOT_EMPTY", now_ms, len(self.jobs)]
        stamp = self.stamp
        self.__init__()  # type: ignore[misc] - as a queue that never was
        self.stamp = stamp if stamp >= first_stamp(now_ms) else 0
        return ["DROPPED", now_ms]

    # --- jobs that rest

    def promote(self, now_ms: int, limit: int) -> Answer:
        promoted = sum(self._promote(state, now_ms, limit) for state in ("scheduled", "retrying"))
        self.bell |= promoted > 0
        more = min(self._head("scheduled"), self._head("retrying")) <= last_stamp(now_ms)
        return ["PROMOTED", now_ms, promoted, int(more)]

    def replay(self, now_ms: int, limit: int, cursor: str, items: Sequence[Item]) -> Answer:
        ids, began_ms, next_cursor = [id for (id,) in items], now_ms, ""
        if not items:
            jobs, began_ms, next_cursor = swept(self.members("dead"), cursor, limit, now_ms)
            ids = [job.id for job in jobs]
        answers, first, again = [], None, 0
        for n, id in enumerate(ids):
            job = self.jobs.get(id)
            if job is None:
                answers += ["UNKNOWN", ""]
            elif job.state != "dead":
                answers += ["NOT_DEAD", job.state]
            elif items or (job.outcome and job.outcome.at_ms <= began_ms):
                first = first or self._stamps(now_ms, len(ids))
                assert job.tries
                job.tries.failures = job.tries.lost = 0
                job.state, job.score, job.outcome = "queued", job.priority_base + first + n, None
                again += 1
                answers += ["QUEUED", ""]
        self.total["replayed"] += again
        self.bell |= again > 0
        return ["REPLAYED", now_ms, again, next_cursor, *(answers if items else [])]

    def purge(
        self, now_ms: int, state: str, limit: int, cursor: str, items: Sequence[Item]
    ) -> Answer:
        if bool(state) == bool(items):
            return ["BAD_ARGUMENT"]
        ids, began_ms, next_cursor = [id for id, _ in items], now_ms, ""
        if state:
            jobs, began_ms, next_cursor = swept(self.members(state), cursor, limit, now_ms)
            ids = [job.id for job in jobs]
        answers, gone = [], 0
        for n, id in enumerate(ids):
            word, place = self._purged(id, items[n][1] if items else "")
            if word != "GONE":
                answers += [word, place]
            elif items or self.jobs[id].created_ms <= began_ms:
                del self.jobs[id]
                gone += 1
                answers += [word, place]
        if gone:
            self._stamps(now_ms, 1)
        self.total["purged"] += gone
        return ["PURGED", now_ms, gone, next_cursor, *(answers if items else [])]

    def _purged(self, id: str, seen_at: str) -> tuple[str, str]:
        job = self.jobs.get(id)
        if job is None:
            return "UNKNOWN", ""
        if job.state == "running":
            return "RUNNING", ""
        place = self._place(job)
        return ("MOVED", place) if seen_at and seen_at != place else ("GONE", "")

    def configure(self, now_ms: int, items: Sequence[Item]) -> Answer:
        was_paused = self.settings["paused"]
        for setting, value in items:
            self.settings.put(setting, value)
        if self.settings["paused"] and not was_paused:
            self.settings.put("paused_at_ms", str(now_ms))
        if was_paused and not self.settings["paused"]:
            for setting in ("paused", "pause_reason", "paused_by", "paused_at_ms"):
                self.settings.put(setting, "")
            self.bell = True
        told = [["SETTING", name, value] for name, value in self.settings.in_force().items()]
        return ["CONFIGURED", now_ms, *flat(told)]

    # --- what several verbs share

    def _move_due(self, now_ms: int) -> None:
        reaped = self._reap(now_ms, DUE_AT_ONCE)
        for state in ("scheduled", "retrying"):
            self._promote(state, now_ms, DUE_AT_ONCE)
        for end in ENDS:
            past = self._head(end) <= last_stamp(now_ms)
            self._trim(end, now_ms, only=past or (reaped > 0 and end != "completed"))
        ends = sorted((end, token) for token, end in self.claim_ends.items())
        for end_of_lease, token in ends[:DUE_AT_ONCE]:
            if end_of_lease <= last_stamp(now_ms):
                del self.claim_ends[token], self.claims[token]

    def _promote(self, state: str, now_ms: int, limit: int) -> int:
        due = self._due(state, now_ms)[:limit]
        for job in due:
            job.state, job.score = "queued", job.priority_base + job.score
        return len(due)

    def _wait_ms(self, now_ms: int) -> int:
        heads = map(self._head, ("scheduled", "retrying", "running"))
        due = min(*heads, last_stamp(now_ms) + LOOK_AGAIN_MS * STAMPS)
        return max(0, time_ms(int(due)) - now_ms)
