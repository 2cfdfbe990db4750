"""The queues in use: whether their jobs move."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Literal

from boltq import scripts
from boltq.client import BoltQ
from boltq.doctor.finding import Finding
from boltq.errors import BoltQError, UpgradeNeeded
from boltq.evalsha.probe import Probe
from boltq.job import moment_of
from boltq.presence import WorkerReport

WAITED_SECONDS = 60
"""For how long a job may have been queued before somebody should hear of it."""

LAPSED_SECONDS = 60
"""For how long leases may be past their end: a worker that claims ends them at once."""

NEAR_PERCENT = 80
"""Of the dead jobs that a queue keeps, from where on it is time to look at them."""

AHEAD_SECONDS = 2
"""By which a queue's own clock may be ahead of the server's; from HURTS_SECONDS on it hurts."""

HURTS_SECONDS = 60

BATCH = 100


def examine(
    boltq: BoltQ, probe: Probe, workers: Sequence[WorkerReport], zone: tzinfo | None
) -> Iterator[Finding]:
    """Look at each queue in use, and at who works on them."""
    silent = [worker for worker in workers if not worker.alive]
    served = {queue for worker in workers if worker.alive for queue in worker.queues}
    yield _of_workers(len(workers) - len(silent))
    for worker in silent:
        said = f"{worker.id} was last heard of at {_at(worker.seen_at, zone)}"
        do = "it has died or cannot reach the server; what it held comes back by itself"
        yield Finding("warning", "workers", said, do)
    names = boltq.queues()
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        answers = boltq.server.call_all([scripts.stats(name) for name in batch])
        for name, answer in zip(batch, answers, strict=True):
            yield from _of_queue(boltq, name, answer, zone, served=name in served)
            if not isinstance(answer, BoltQError):
                yield from _clock(name, probe.stamp_ms(name), answer.now_ms)


def _of_workers(alive: int) -> Finding:
    if alive:
        return Finding("ok", "workers", f"{alive} alive")
    return Finding("warning", "workers", "there is none alive", "start one: boltq-worker")


def _of_queue(
    boltq: BoltQ,
    queue: str,
    answer: scripts.Stats | BoltQError,
    zone: tzinfo | None,
    *,
    served: bool,
) -> Iterator[Finding]:
    check = f"queue {queue}"
    if isinstance(answer, BoltQError):
        do = (
            "a newer BoltQ has set it up: use that version"
            if isinstance(answer, UpgradeNeeded)
            else ""
        )
        yield Finding("problem", check, str(answer), do)
        return
    found = [finding for look in LOOKS if (finding := look(boltq, queue, answer))]
    if answer.paused:
        found.append(_paused(queue, answer, zone))
    if answer.queued and not served:
        found.append(_unserved(queue, answer))
    elif _waits_long(answer) and not answer.paused:
        said = f"the oldest queued job has waited for {answer.oldest_queued_ms // 1000} s"
        found.append(Finding("warning", check, said, "more workers, or more threads"))
    yield from found or [Finding("ok", check, f"{answer.queued} queued, {answer.running} running")]


def _paused(queue: str, stats: scripts.Stats, zone: tzinfo | None) -> Finding:
    by = f" by {stats.paused_by}" if stats.paused_by else ""
    reason = f": {stats.pause_reason}" if stats.pause_reason else ""
    said = f"paused{by} since {_at(moment_of(stats.paused_at_ms), zone)}{reason}"
    return Finding("warning", f"queue {queue}", said, f"boltq queues resume {queue}")


def _unserved(queue: str, stats: scripts.Stats) -> Finding:
    # Below that time it may be one in another language, which tells nobody that it is there.
    level: Literal["problem", "warning"] = "problem" if _waits_long(stats) else "warning"
    said = f"{stats.queued} queued, but no worker that is alive takes jobs from it"
    return Finding(level, f"queue {queue}", said, f"boltq-worker --queues {queue}")


def _waits_long(stats: scripts.Stats) -> bool:
    return stats.oldest_queued_ms > WAITED_SECONDS * 1000


def _clock(queue: str, stamp_ms: int, now_ms: int) -> Iterator[Finding]:
    ahead = (stamp_ms - now_ms) // 1000
    if ahead >= AHEAD_SECONDS:
        said = f"its times are {ahead} s ahead of the server's clock, which was set back"
        do = "delays, retries and leases last so much longer until it has caught up: see to its NTP"
        level: Literal["problem", "warning"] = "problem" if ahead >= HURTS_SECONDS else "warning"
        yield Finding(level, f"queue {queue}", said, do)


def _lapsed(boltq: BoltQ, queue: str, stats: scripts.Stats) -> Finding | None:
    if not stats.lapsed:
        return None
    call = scripts.list_(queue, state="running", order="oldest", limit=1, cursor="")
    first = boltq.server.call(call)
    past = max([(first.now_ms - job.lease_end_ms) // 1000 for job in first.answers], default=0)
    said = f"{stats.lapsed} running past the end of their leases"
    do = "the next claim frees them; if this stays, no worker claims from the queue"
    if past < LAPSED_SECONDS:
        return Finding("warning", f"queue {queue}", said, do)
    do = f"no worker claims from the queue: boltq-worker --queues {queue}"
    return Finding("problem", f"queue {queue}", f"{said}, the first for {past} s", do)


def _dead(boltq: BoltQ, queue: str, stats: scripts.Stats) -> Finding | None:
    if not stats.dead:
        return None
    settings = boltq.server.call(scripts.configure(queue, [])).answers
    most = next(int(one.value) for one in settings if one.name == "keep_dead")
    look = f"boltq dead list --queue {queue}"
    if stats.dead * 100 < most * NEAR_PERCENT:
        return Finding("warning", f"queue {queue}", f"{stats.dead} dead", look)
    said = (
        f"{stats.dead} dead, of {most} that are kept, and {stats.dead_trimmed_total} dropped so far"
    )
    do = f"replay or purge them, or raise keep_dead: else the oldest are dropped; {look}"
    level: Literal["problem", "warning"] = "warning" if stats.dead < most else "problem"
    return Finding(level, f"queue {queue}", said, do)


def _missing(_boltq: BoltQ, queue: str, stats: scripts.Stats) -> Finding | None:
    if not stats.missing_total:
        return None
    said = f"{stats.missing_total} found without the record of the job, so far"
    do = "the server evicts keys, or something else deletes them"
    return Finding("warning", f"queue {queue}", said, do)


def _at(moment: datetime, zone: tzinfo | None) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


LOOKS = (_lapsed, _dead, _missing)
