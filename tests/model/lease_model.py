"""The model's leases: how each of them ends, and what becomes of its job."""

from collections.abc import Callable, Sequence
from typing import Any

from job_model import ENDS, STAMPS, TEXT_BYTES, Job, Outcome, first_stamp, last_stamp, time_ms
from notes_model import heard
from reading_model import Answer, Jobs, Reading, flat

Answers = list[Answer]
Item = Sequence[Any]
Scores = list[int]
AT_MOST_TRIMMED = 500


class Leasing(Reading):
    """The verbs of who holds a lease, and reap."""

    claim_ends: dict[str, int]
    stamp: int
    bell: bool
    dropped: int  # acked without being kept: no total tells of them

    def ack(self, now_ms: int, told: str, items: Sequence[Item]) -> Answer:
        if any(len(result) > self.settings["result_bytes"] for *_, result in items):
            return ["TOO_LARGE"]
        notes = heard(told, len(items))
        first, answers, kept = self._next_stamp(now_ms), [], False
        for n, (id, token, result) in enumerate(items):
            if not self._is_held(id, token, now_ms):
                answers.append(self._not_held(id, token, "ack"))
                continue
            self.stamp = first + len(items) - 1
            self.total["completed"] += 1
            answers.append("DONE")
            job = self.jobs[id]
            keep_ms = self.settings["keep_completed_ms"]
            keep_ms = keep_ms if job.retention_ms is None else job.retention_ms
            if not keep_ms or not self.settings["keep_completed"]:
                del self.jobs[id]
                self.dropped += 1
                continue
            job.hear(notes.get(n), now_ms)
            self._finish(job, "completed", "ack", now_ms, first + n + keep_ms * STAMPS, result)
            kept = True
            if job.apart and not self.settings["keep_payloads"]:
                job.payload = ""
        over = len(self.members("completed")) > self.settings["keep_completed"]
        self._trim("completed", now_ms, only=kept and over)
        return ["ACKED", now_ms, *answers]

    def fail(self, now_ms: int, told: str, items: Sequence[Item]) -> Answer:
        earliest = self._head("retrying")
        retries: Scores = []

        def end(stamp: int, job: Job, *given: Any) -> Answer:
            token, *texts, delay_ms, final = given
            assert job.lease
            named = zip(TEXT_BYTES, texts, strict=True)
            error = {name: text[: TEXT_BYTES[name]] for name, text in named}
            job.note("fail", token, {**error, "worker": job.lease.worker, "at_ms": now_ms})
            assert job.tries
            self.total["failed"] += 1
            if job.lease.cancel:
                self._end_cancelled(job, "fail", stamp, now_ms)
                return ["CANCELLED", ""]
            if final or job.tries.failures >= job.options["max_attempts"]:
                self._bury(job, "fail", stamp, now_ms)
                return ["DEAD", ""]
            pause = job.pause_ms(job.tries.failures, now_ms) if delay_ms == "" else delay_ms
            job.lease, job.state, job.score = None, "retrying", stamp + pause * STAMPS
            retries.append(job.score)
            return ["RETRYING", time_ms(job.score)]

        answers = self._end_leases(now_ms, "fail", told, items, end)
        self.bell |= min(retries, default=earliest) < earliest
        return ["FAILED", now_ms, *answers]

    def release(self, now_ms: int, told: str, items: Sequence[Item]) -> Answer:
        earliest = self._head("scheduled")

        def end(stamp: int, job: Job, token: str, delay_ms: int) -> Answer:
            lease = job.lease
            assert lease
            job.note("release", token)
            if lease.cancel:
                self._end_cancelled(job, "release", stamp, now_ms)
                return ["CANCELLED"]
            job.lease, job.state, job.score = None, "queued", lease.place
            if delay_ms:
                job.state, job.score = "scheduled", stamp + delay_ms * STAMPS
            self.bell |= not delay_ms or job.score < earliest
            return ["BACK"]

        answers = self._end_leases(now_ms, "release", told, items, end)
        return ["RELEASED", now_ms, *answers]

    def _end_leases(
        self,
        now_ms: int,
        verb: str,
        told: str,
        items: Sequence[Item],
        end: Callable[..., Answer],
    ) -> Answer:
        """End those that are held; tell the others, repeats among them, as if sent after these."""
        notes = heard(told, len(items))
        answers: Answers = [[] for _ in items]
        first = None
        for n, (id, token, *more) in enumerate(items):
            if self._is_held(id, token, now_ms):
                first = first or self._stamps(now_ms, len(items))
                self.jobs[id].hear(notes.get(n), now_ms)
                answers[n] = end(first + n, self.jobs[id], token, *more)
        if first:
            self._trim("dead", now_ms, only=verb == "fail")
            self._trim("cancelled", now_ms)
        for n, (id, token, *_) in enumerate(items):
            answers[n] = answers[n] or [self._not_held(id, token, verb), *[""] * (verb == "fail")]
        return flat(answers)

    def extend(self, now_ms: int, lease_ms: int, told: str, items: Sequence[Item]) -> Answer:
        until_then = first_stamp(now_ms) + lease_ms * STAMPS
        notes = heard(told, len(items))
        held = [self._is_held(id, token, now_ms) for id, token in items]
        for n, (id, token) in enumerate(items):
            if held[n]:
                self.jobs[id].hear(notes.get(n), now_ms)
            if held[n]:  # never shortened
                self.jobs[id].score = max(self.jobs[id].score, until_then + n)
                if token in self.claim_ends:
                    self.claim_ends[token] = max(self.claim_ends[token], until_then)
        answers = []
        for n, (id, token) in enumerate(items):
            job = self.jobs.get(id)
            if held[n] and job and job.lease:
                answers += ["HELD", time_ms(job.score), job.lease.cancel]
            else:
                answers += [self._not_held(id, token, "extend"), "", ""]
        return ["EXTENDED", now_ms, *answers]

    def reap(self, now_ms: int, limit: int) -> Answer:
        reaped = self._reap(now_ms, limit)
        trimmed = sum(self._trim(end, now_ms) for end in ENDS)
        self.bell |= reaped > 0
        more = min(map(self._head, ("running", *ENDS))) <= last_stamp(now_ms)
        return ["REAPED", now_ms, reaped, trimmed, int(more)]

    def _reap(self, now_ms: int, limit: int) -> int:
        lapsed = self._due("running", now_ms)[:limit]
        first = self._stamps(now_ms, len(lapsed)) if lapsed else 0
        for stamp, job in enumerate(lapsed, first):
            lease = job.lease
            assert lease
            message = "the lease ran out before the job was acked"
            error = {"type": "LeaseLost", "message": message, "stack": "", "worker": lease.worker}
            job.note("reap", lease.token, {**error, "at_ms": now_ms})
            self.total["lost"] += 1
            pause = job.pause_ms(job.attempt, now_ms)
            if lease.cancel:
                self._end_cancelled(job, "reap", stamp, now_ms)
            elif job.lost > job.options["max_lost"]:
                self._bury(job, "reap", stamp, now_ms)
            elif pause:
                job.lease, job.state, job.score = None, "retrying", stamp + pause * STAMPS
            else:
                job.lease, job.state, job.score = None, "queued", job.priority_base + stamp
        return len(lapsed)

    # --- what several verbs share

    def _trim(self, end: str, now_ms: int, *, only: bool = True) -> int:
        """Forget what is past its time or above its number, the oldest first."""
        kept = self.members(end) if only else []
        over = len(kept) - self.settings[f"keep_{end}"] if only else 0
        gone = kept[: min(max(len(self._due(end, now_ms)), over, 0), AT_MOST_TRIMMED)]
        for job in gone:
            del self.jobs[job.id]
        self.total["dead_trimmed" if end == "dead" else "trimmed"] += len(gone)
        return len(gone)

    @staticmethod
    def _finish(job: Job, end: str, how: str, now_ms: int, *kept: Any) -> None:
        """End a job, kept until a score, with a result if there is one."""
        kept_until, result = (*kept, "")[:2]
        job.outcome = Outcome(how, now_ms, job.lease, result)
        job.lease, job.state, job.score = None, end, kept_until

    def _end_cancelled(self, job: Job, how: str, stamp: int, now_ms: int) -> None:
        keep_ms = self.settings["keep_cancelled_ms"]
        self._finish(job, "cancelled", how, now_ms, stamp + keep_ms * STAMPS if keep_ms else 0)
        self.total["cancelled"] += 1

    def _bury(self, job: Job, how: str, stamp: int, now_ms: int) -> None:
        keep_ms = self.settings["keep_dead_ms"]
        self._finish(job, "dead", how, now_ms, stamp + keep_ms * STAMPS if keep_ms else 0)
        self.total["died"] += 1

    def _is_held(self, id: str, token: str, now_ms: int) -> bool:
        return id in self.jobs and self.jobs[id].is_held(token, now_ms)

    def _not_held(self, id: str, token: str, verb: str) -> str:
        if id not in self.jobs:
            return "UNKNOWN"
        return "ALREADY" if self.jobs[id].ended_by() == (token, verb) else "LEASE_LOST"

    def _due(self, state: str, now_ms: int) -> Jobs:
        return [job for job in self.members(state) if job.score <= last_stamp(now_ms)]

    def _next_stamp(self, now_ms: int) -> int:
        return max(self.stamp + 1, first_stamp(now_ms))

    def _stamps(self, now_ms: int, count: int) -> int:
        first = self._next_stamp(now_ms)
        self.stamp = first + count - 1
        return first
