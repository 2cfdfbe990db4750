"""The model of jobs that rest: what may change of them, and how they are taken out."""

from collections.abc import Sequence

from job_model import ENDS, PRIORITY_STEP, STAMPS, Job, last_stamp
from lease_model import Item, Leasing
from reading_model import Answer

RESTING = ("scheduled", "queued", "retrying")
MINUTE_MS = 60_000


class Resting(Leasing):
    """alter and cancel."""

    def cancel(self, now_ms: int, items: Sequence[Item]) -> Answer:
        keeps = self.settings["keep_cancelled"] and self.settings["keep_cancelled_ms"]
        answers, gone, first = [], set(), None
        for n, (id,) in enumerate(items):
            job = self.jobs.get(id)
            if job is None or (id in gone and not keeps):
                answers += ["UNKNOWN", ""]
            elif job.state == "cancelled":
                answers += ["ALREADY", ""]
            elif job.state in ENDS:
                answers += ["FINISHED", job.state]
            elif job.lease:
                job.lease.cancel = 1
                answers += ["ASKED", ""]
            else:
                first = first or self._stamps(now_ms, len(items))
                self._end_cancelled(job, "cancel", first + n, now_ms)
                gone.add(id)
                answers += ["GONE", ""]
        if gone:
            self._trim("cancelled", now_ms)
        return ["CANCELLED", now_ms, *answers]

    def alter(self, now_ms: int, items: Sequence[Item]) -> Answer:
        earliest = {state: self._head(state) for state in RESTING}
        answers, first = [], None
        for n, (id, priority, delay_ms, place) in enumerate(items):
            job = self.jobs.get(id)
            if job is None:
                answers += ["UNKNOWN", ""]
                continue
            if place and place != self._place(job):
                same = job.state in RESTING and self._is_as(job, priority, delay_ms, now_ms)
                word = "ALREADY" if same else "MOVED"
            elif job.state not in RESTING:
                word = "RUNNING" if job.lease else "FINISHED"
            else:
                word = "CHANGED"
                if delay_ms != "" and (delay_ms or job.state != "queued"):
                    first = first or self._stamps(now_ms, len(items))
                was = job.state
                self._change(job, priority, delay_ms, (first or 0) + n)
                queued = job.state == "queued"
                self.bell |= was != "queued" if queued else job.score < earliest[job.state]
            answers += [word, self._place(job)]
        return ["ALTERED", now_ms, *answers]

    @staticmethod
    def _is_as(job: Job, priority: int | str, delay_ms: int | str, now_ms: int) -> bool:
        if priority not in ("", job.options["priority"]):
            return False
        if isinstance(delay_ms, str):
            return True
        if not delay_ms:
            return job.state == "queued"
        late = last_stamp(now_ms) + delay_ms * STAMPS - job.score
        return job.state != "queued" and 0 <= late < MINUTE_MS * STAMPS

    @staticmethod
    def _change(job: Job, priority: int | str, delay_ms: int | str, stamp: int) -> None:
        if priority != "":
            job.options = {**job.options, "priority": priority}
        if delay_ms == "" or (job.state == "queued" and not delay_ms):
            if job.state == "queued":
                job.score = job.priority_base + job.score % PRIORITY_STEP
        elif delay_ms:
            job.state = "scheduled" if job.state == "queued" else job.state
            job.score = stamp + int(delay_ms) * STAMPS
        else:
            job.state, job.score = "queued", job.priority_base + min(job.score, stamp)
