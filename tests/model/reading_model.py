"""The model's reading verbs, inspect, list, stats, recall; settings; the order within a state."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from job_model import (
    DEFAULTS,
    PRIORITY_STEP,
    STATES,
    Job,
    last_stamp,
    time_ms,
)

HOUR_MS = 3_600_000
Answer = list[Any]
Jobs = list[Job]
Lines = list[str]
# name: what it is when nothing was set, which also tells its type
SETTINGS: dict[str, int | float | str] = {
    "needs": 1,
    "paused": 0,
    "pause_reason": "",
    "paused_by": "",
    "paused_at_ms": 0,
    "payload_bytes": 1024 * 1024,
    "result_bytes": 65536,
    "keep_completed_ms": HOUR_MS,
    "keep_completed": 10_000,
    "keep_cancelled_ms": HOUR_MS,
    "keep_cancelled": 10_000,
    "keep_dead_ms": 90 * 24 * HOUR_MS,
    "keep_dead": 100_000,
    "keep_payloads": 0,
    "keep_events": 0,
    **{f"job_{name}": value for name, value in DEFAULTS.items()},
}
TOTALS = ("enqueued", "completed", "failed", "lost", "died", "cancelled", "replayed", "purged")
TOTALS += ("trimmed", "dead_trimmed", "missing")


def flat(parts: Iterable[Answer]) -> Answer:
    return [element for part in parts for element in part]


class Settings:
    """What configure has set, as text, and what is in force."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}

    def __getitem__(self, name: str) -> Any:
        default = SETTINGS[name]
        text = self.stored.get(name)
        if text is None:
            return default
        if isinstance(default, str):
            return text
        return float(text) if "." in text else int(text)

    def put(self, name: str, text: str) -> None:
        """Set it; an empty text brings the default back, and so does resuming."""
        whole = isinstance(SETTINGS[name], int) and name != "job_backoff_factor"
        if text and whole:
            text = str(int(text))
        if text == "" or (name, text) == ("paused", "0"):
            self.stored.pop(name, None)
        else:
            self.stored[name] = text

    def in_force(self) -> dict[str, str]:
        return {name: self.stored.get(name, str(value)) for name, value in SETTINGS.items()}


def swept(
    ordered: Sequence[Job], cursor: str, limit: int, now_ms: int, *, newest: bool = False
) -> tuple[list[Job], int, str]:
    """A page of a set after a cursor, when the sweep began, and the next cursor.

    A sweep ends at what was the far end when it began, however fast the set grows.
    """
    ordered = list(reversed(ordered)) if newest else list(ordered)
    if not ordered and not cursor:
        return [], now_ms, ""
    began_ms, bound, after = now_ms, ordered[-1].score if ordered else 0, None
    if cursor:
        texts = cursor.split(" ")
        began_ms, bound, after = int(texts[0]), int(texts[1]), (int(texts[2]), texts[3])
    sign = -1 if newest else 1
    left = [
        job
        for job in ordered
        if sign * job.score <= sign * bound
        and (after is None or _follows((job.score, job.id), after, newest=newest))
    ]
    page = left[:limit]
    if len(page) < limit:
        return page, began_ms, ""
    return page, began_ms, f"{began_ms} {bound} {page[-1].score} {page[-1].id}"


def _follows(one: tuple[int, str], other: tuple[int, str], *, newest: bool) -> bool:
    return one < other if newest else one > other


class Reading:
    """What does not change a queue."""

    jobs: dict[str, Job]
    claims: dict[str, Lines]
    total: Counter[str]
    settings: Settings

    def members(self, state: str) -> Jobs:
        """The jobs of a state in their order: by score, then by id."""
        found = [job for job in self.jobs.values() if job.state == state]
        return sorted(found, key=lambda job: (job.score, job.id))

    def _head(self, state: str) -> float:
        return min(
            (job.score for job in self.jobs.values() if job.state == state), default=math.inf
        )

    def header(self, job: Job) -> str:
        """One line of JSON; what is as everybody knows it is left out."""
        told: dict[str, Any] = {"type": job.type, "created_ms": job.created_ms}
        told |= {name: value for name, value in job.options.items() if value != DEFAULTS[name]}
        if job.retention_ms is not None:
            told["retention_ms"] = job.retention_ms
        if job.headers:
            told["headers_bytes"] = len(job.headers)
        if job.apart:
            told["payload_bytes"] = job.payload_bytes
        return json.dumps(told, separators=(",", ":"))

    def record(self, job: Job) -> str:
        return f"{self.header(job)}\n{job.headers}{'' if job.apart else job.payload}"

    def record_bytes(self, job: Job) -> int:
        return len(self.record(job)) + (len(job.payload) if job.apart else 0)

    def errors(self, job: Job) -> Lines:
        kept = job.tries.errors if job.tries else []
        return [json.dumps(error, separators=(",", ":")) + "\n" for error in kept]

    def inspect(self, now_ms: int, with_payload: int, items: Sequence[Any]) -> Answer:
        told: Answer = ["INSPECTED", now_ms]
        for (id,) in items:
            job = self.jobs.get(id)
            if job is None:
                told += ["UNKNOWN", *[""] * 23]
                continue
            notes = job.notes
            more = [notes.progress, "".join(notes.log)] if notes else ["", ""]
            told += [*self._shown(job, payload=bool(with_payload)), *more]
        return told

    def list(self, now_ms: int, *given: Any) -> Answer:
        state, order, limit, cursor, *asked, scan = given
        ordered, newest = self.members(state), order == "newest"
        scan = scan if any(one != "" for one in asked) else limit
        jobs, began_ms, after = swept(ordered, cursor, scan, now_ms, newest=newest)
        found: Jobs = []
        scanned = 0
        for scanned, job in enumerate(jobs, 1):
            found += [job] * self._is_asked_for(job, *asked)
            if len(found) == limit and scanned < len(jobs):
                bound = cursor.split(" ")[1] if cursor else ordered[0 if newest else -1].score
                after = f"{began_ms} {bound} {job.score} {job.id}"
                break
        shown = [self._shown(job, payload=False, whole=False) for job in found]
        return ["LISTED", now_ms, after, scanned, len(ordered), *flat(shown)]

    def _is_asked_for(self, job: Job, *asked: Any) -> bool:
        type, error, worker, since_ms, until_ms = asked
        errors = job.tries.errors if job.tries else []
        lease = job.lease or (job.outcome.lease if job.outcome else None)
        at_ms = time_ms(job.score % PRIORITY_STEP if job.state == "queued" else job.score)
        if job.lease:
            at_ms = job.lease.claimed_ms
        elif job.outcome:
            at_ms = job.outcome.at_ms
        return (
            type in ("", job.type)
            and (error == "" or (bool(errors) and errors[-1]["type"] == error))
            and worker in ("", lease.worker if lease else "")
            and (since_ms == "" or at_ms >= since_ms)
            and (until_ms == "" or at_ms < until_ms)
        )

    def _place(self, job: Job) -> str:
        asked = ":asked" if job.lease and job.lease.cancel else ""
        return f"{job.state}:{job.score}:{job.options['priority']}{asked}"

    def _shown(self, job: Job, *, payload: bool, whole: bool = True) -> Answer:
        tries, outcome = job.tries, job.outcome
        lease = job.lease or (outcome.lease if outcome else None)
        at_ms = time_ms(job.score % PRIORITY_STEP if job.state == "queued" else job.score)
        errors, kept = self.errors(job), payload and not (job.apart and not job.payload)
        return [
            *("JOB", job.id, job.state, self.header(job), job.headers),
            *(int(kept), job.payload if kept else ""),
            at_ms if job.state in ("scheduled", "retrying", "queued") else 0,
            lease.attempt if lease else job.attempt,
            *((tries.failures_ever, tries.lost_ever) if tries else (0, 0)),
            job.lease.fence if job.lease else 0,
            lease.claimed_ms if lease else 0,
            at_ms if job.lease else 0,
            lease.worker if lease else "",
            job.lease.cancel if job.lease else 0,
            *((outcome.how, outcome.at_ms) if outcome else ("", 0)),
            at_ms if outcome else 0,
            outcome.result if outcome and whole else "",
            "".join(errors if whole else errors[-1:]),
            self._place(job),
        ]

    def recall(self, now_ms: int, tokens: Sequence[Sequence[str]]) -> Answer:
        told = ["KNOWN" if token in self.claims else "UNKNOWN" for (token,) in tokens]
        return ["RECALLED", now_ms, *told]

    def stats(self, now_ms: int) -> Answer:
        queued = [job.score % PRIORITY_STEP for job in self.members("queued")]
        due = min(self._head("scheduled"), self._head("retrying"))
        lapsed = [job for job in self.members("running") if job.score <= last_stamp(now_ms)]
        return [
            *("STATS", now_ms, *(len(self.members(state)) for state in STATES)),
            max(0, now_ms - time_ms(min(queued))) if queued else 0,
            time_ms(int(due)) if due < math.inf else 0,
            len(lapsed),
            *(self.settings[n] for n in ("paused", "pause_reason", "paused_by", "paused_at_ms")),
            *(self.total[name] for name in TOTALS),
        ]
