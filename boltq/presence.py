"""The workers that are there, as people and programs see them."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import msgspec

from boltq import orders, scripts
from boltq.evalsha import Server
from boltq.evalsha.registry import WORKERS_KEPT_MS
from boltq.job import described, moment_of, shown_time
from boltq.orders import Order

ALIVE_SECONDS = 30.0
"""A worker that was not heard of for longer is taken for gone."""

MOST_JOBS = 20
"""Of the jobs that a worker runs, it names the ones that have run longest."""


MOST_LOOKED_INTO, MOST_RUNNING = 50, 200
"""Of the queues from which workers claim over HTTP, and of the running jobs of each: how many are
looked at for what those workers hold."""

HTTP: Literal["http"] = "http"
"""How a worker comes that is none of our own programs."""

Status = Literal["working", "quiet", "stopping"]
"""What a worker does: it claims jobs; it claims none; it ends once what it runs is done."""


class ReportedJob(msgspec.Struct, frozen=True):
    """A job that a worker runs, as the worker writes it."""

    id: str
    type: str
    since_ms: int


class Report(msgspec.Struct, frozen=True):
    """What a worker writes of itself, as JSON; times are the server's."""

    id: str
    host: str
    pid: int
    version: str
    queues: dict[str, int]
    threads: int
    started_ms: int
    in_hand: int = 0
    worked: int = 0
    stuck: int = 0
    jobs: list[ReportedJob] = []
    status: Status = "working"
    via: Literal["", "http"] = ""

    def to_bytes(self) -> bytes:
        """Write it for the registry."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that a worker runs, and since when its handler is at it."""

    id: str
    type: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """One worker as it last said it was.

    queues: name -> weight, in the order in which it was given them. alive: whether it was heard of
    within the last 30 s. in_hand: how many jobs it holds leases of, of which `jobs` names the 20
    that run longest. worked: how many it has run since its start, whatever came of them. stuck: how
    many handlers never returned, although their leases are gone. order: what it is asked to do and
    may not have heard yet, by whom: see `boltq.orders`. via: "http" for one that claims over the
    API: it is heard of when it claims, its host is its address, what it holds is what the queues
    say, and it is alive for as long as it holds anything.
    """

    id: str
    host: str
    pid: int
    version: str
    queues: dict[str, int]
    threads: int
    started_at: datetime
    seen_at: datetime
    alive: bool
    in_hand: int = 0
    worked: int = 0
    stuck: int = 0
    jobs: list[RunningJob] = field(default_factory=list)
    status: Status = "working"
    order: Order | None = None
    via: Literal["", "http"] = ""

    def to_json(self) -> bytes:
        """Write it as JSON: times RFC 3339 in UTC."""
        jobs = [
            {"id": job.id, "type": job.type, "since": shown_time(job.since)} for job in self.jobs
        ]
        members: dict[str, object] = {
            "id": self.id,
            "host": self.host,
            "pid": self.pid,
            "version": self.version,
            "queues": self.queues,
            "threads": self.threads,
            "started_at": shown_time(self.started_at),
            "seen_at": shown_time(self.seen_at),
            "alive": self.alive,
            "status": self.status,
            "in_hand": self.in_hand,
            "worked": self.worked,
            "stuck": self.stuck,
            "jobs": jobs,
        }
        if self.via:
            members["via"] = self.via
        if self.order:
            members["order"] = {
                "word": self.order.word,
                "by": self.order.by,
                "at": shown_time(moment_of(self.order.at_ms)),
            }
        return msgspec.json.encode(members)


_REPORT = msgspec.json.Decoder(Report)


def workers(server: Server) -> list[WorkerReport]:
    """List the workers that were heard of within the last 10 minutes, by their names.

    At most 1000, the last heard of. What is no report of a worker is left out. Raises Unavailable.
    Costs four round trips, and a fifth where some claim over HTTP.
    """
    now_ms = server.now_ms()
    listed = server.registry.workers()
    read = (
        _read(written, seen_ms, now_ms, order)
        for seen_ms, written, order in listed
        if now_ms - seen_ms <= WORKERS_KEPT_MS  # the next to write takes it out, if there is one
    )
    found = sorted((one for one in read if one), key=lambda worker: worker.id)
    if any(one.via for one in found):
        held = _held(server, {queue for one in found if one.via for queue in one.queues})
        return [_holding(one, held.get(one.id, [])) if one.via else one for one in found]
    return found


def _held(server: Server, queues: set[str]) -> dict[str, list[RunningJob]]:
    """Return, by worker, the jobs that run, those that began first in front; within a bound."""
    calls = [
        scripts.list_(queue, state="running", order="oldest", limit=MOST_RUNNING, cursor="")
        for queue in sorted(queues)[:MOST_LOOKED_INTO]
    ]
    found: dict[str, list[RunningJob]] = {}
    for call, reply in zip(calls, server.call_all(calls), strict=True):
        if isinstance(reply, scripts.Listed):
            for job in (described(call.queue, item) for item in reply.answers):
                since = job.started_at or job.created_at
                found.setdefault(job.worker or "", []).append(RunningJob(job.id, job.type, since))
    return found


def _holding(worker: WorkerReport, held: list[RunningJob]) -> WorkerReport:
    jobs = sorted(held, key=lambda job: job.since)[:MOST_JOBS]
    return replace(worker, jobs=jobs, in_hand=len(held), alive=worker.alive or bool(held))


def _read(written: bytes, seen_ms: float, now_ms: int, order: bytes | None) -> WorkerReport | None:
    try:
        report = _REPORT.decode(written)
        return WorkerReport(
            id=report.id,
            host=report.host,
            pid=report.pid,
            version=report.version,
            queues=report.queues,
            threads=report.threads,
            started_at=moment_of(report.started_ms),
            seen_at=moment_of(int(seen_ms)),
            alive=now_ms - seen_ms <= ALIVE_SECONDS * 1000,
            in_hand=report.in_hand,
            worked=report.worked,
            stuck=report.stuck,
            jobs=[RunningJob(job.id, job.type, moment_of(job.since_ms)) for job in report.jobs],
            status=report.status,
            order=orders.read(order, report.started_ms),
            via=report.via,
        )
    except (msgspec.DecodeError, RecursionError, ValueError, OverflowError):
        return None  # another program's, or a time that no calendar has
