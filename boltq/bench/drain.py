"""How fast a worker process drains a queue, and what that costs it and the server."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from boltq import ids, scripts
from boltq.bench import process
from boltq.bench.figure import Taken, Trial
from boltq.bench.floor import Floor
from boltq.bench.moves import MOST, NOOP, batches, claim, fill
from boltq.bench.plan import Plan
from boltq.bench.site import Site
from boltq.evalsha.plain import Counters

HANDLERS = {
    "bench:noop": ("no-op handler", 1),
    "bench:pause": ("handler of 1 ms", 10),
    "bench:compute": ("computing handler", 20),
}
"""Type -> how people call it, and by how much fewer jobs are drained."""

WARM_JOBS = 500
"""Done before, so that the worker knows how long its jobs take."""

USUAL_THREADS = 8
CLAIMED = 100
"""The jobs of one claim without a worker: about what one claims."""

LOOP = "a loop that claims and acks, no worker"
OF_LOOP = "no-op handler, 8 threads, of that"

MOST_SECONDS, LOOK_SECONDS = 600.0, 0.05


def named(kind: str, threads: int) -> str:
    """Name a drain."""
    many = "thread" if threads == 1 else "threads"
    return f"{HANDLERS[kind][0]}, {threads} {many}"


@contextmanager
def draining(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials of one worker process: each handler, with so many threads."""
    trials = []
    for kind, (_, fewer) in HANDLERS.items():
        for threads in plan.threads:
            count = max(WARM_JOBS, plan.jobs // fewer)
            trials.append(_trial(named(kind, threads), _drain, site, kind, count, threads))
            if kind == NOOP and threads == USUAL_THREADS:
                what = f"{named(kind, threads)}, jobs done not logged"
                trials.append(_trial(what, _unlogged, site, count, threads))
    if plan.against_redis:
        names = [named(NOOP, threads) for threads in plan.threads]
        trials.append(Trial("plain", partial(_floor, names, site, plan.jobs)))
    yield trials


@contextmanager
def processing(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials of several worker processes, of 8 threads each."""
    yield [
        _trial(f"{n} process{'' if n == 1 else 'es'} of 8 threads", _processes, site, plan.jobs, n)
        for n in plan.processes
    ]


def _trial(name: str, run: Callable[..., list[Taken]], *arguments: object) -> Trial:
    return Trial(name, partial(run, name, *arguments))


class Drain(NamedTuple):
    """What a drain took: seconds, seconds of the worker's processor, what the server did."""

    seconds: float
    cpu_seconds: float
    counted: Counters


def _drain(what: str, site: Site, kind: str, count: int, threads: int) -> list[Taken]:
    took = _drain_once(site, kind, count, threads)
    taken = [Taken(what, "jobs/s", count / took.seconds)]
    if kind != NOOP:
        return taken  # what a handler costs hides the rest
    if threads == USUAL_THREADS:
        loop_seconds = _loop(site, count)
        taken.append(Taken(LOOP, "jobs/s", count / loop_seconds))
        taken.append(Taken(OF_LOOP, "x", loop_seconds / took.seconds))
    us, commands = took.counted.scripts_us / count, took.counted.in_scripts / count
    return [
        *taken,
        Taken(f"{what}: worker's CPU", "us a job", took.cpu_seconds / count * 1e6),
        Taken(f"{what}: server's CPU", "us a job", took.counted.cpu_us / count),
        Taken(f"{what}: scripts", "us a job", us, commands=commands),
    ]


def _unlogged(what: str, site: Site, count: int, threads: int) -> list[Taken]:
    """Drain by a worker whose log has no line for a job that is done: so one sees their cost."""
    took = _drain_once(site, NOOP, count, threads, log_done=0)
    return [Taken(f"{what}: worker's CPU", "us a job", took.cpu_seconds / count * 1e6)]


def _drain_once(
    site: Site, kind: str, count: int, threads: int, log_done: int | None = None
) -> Drain:
    queue = site.queue("drain")
    with process.worker(site, [queue], threads=threads, log_done=log_done) as worker:
        _warm_up(site, queue, kind, worker)
        before = cpu_seconds(site, queue)
        site.client.pause(queue)
        fill(site, queue, count, kind=kind)
        counters = site.server.counters(queue)
        seconds = _drained(site, queue, count, worker)
        counted = site.server.counters(queue).since(counters)
        took = Drain(seconds, cpu_seconds(site, queue) - before, counted)
    site.forget(queue)
    return took


def _loop(site: Site, count: int) -> float:
    """Claim and ack all jobs of a queue on one thread, with nothing between; returns seconds."""
    queue = site.queue("loop")
    fill(site, queue, count)
    began = time.perf_counter()
    token = ids.new_token()
    reply: Any = site.server.call(claim(queue, token, CLAIMED))
    while isinstance(reply, scripts.Claimed):
        done = scripts.ack(queue, [scripts.AckItem(job.id, token, b"") for job in reply.answers])
        token = ids.new_token()
        _, reply = site.server.call_all([done, claim(queue, token, CLAIMED)])
    took = time.perf_counter() - began
    site.forget(queue)
    return took


def _processes(what: str, site: Site, count: int, processes: int) -> list[Taken]:
    queue = site.queue("processes")
    with process.worker(site, [queue], processes=processes) as worker:
        _warm_up(site, queue, NOOP, worker)
        site.client.pause(queue)
        fill(site, queue, count)
        took = _drained(site, queue, count, worker)
    site.forget(queue)
    return [Taken(what, "jobs/s", count / took)]


def _floor(names: list[str], site: Site, count: int) -> list[Taken]:
    queue = site.queue("floor")
    floor = Floor(site.server, queue)
    for size in batches(count, MOST):
        floor.enqueue(size)
    began = time.perf_counter()
    while found := floor.claim(CLAIMED):
        floor.ack(found)
    took = time.perf_counter() - began
    site.forget(queue)
    return [Taken(what, "jobs/s", count / took, floor=True) for what in names]


def _warm_up(site: Site, queue: str, kind: str, worker: process.Process) -> None:
    fill(site, queue, WARM_JOBS, kind=kind)
    _wait(site, queue, WARM_JOBS, worker)


def _drained(site: Site, queue: str, count: int, worker: process.Process) -> float:
    """Let the jobs go; returns how many seconds it took until the last was acked.

    Both by the server's clock: who looks all the time takes from the worker's processor.
    """
    done = site.client.stats(queue).completed_total + count
    resumed = scripts.configure(queue, [scripts.ConfigureItem("paused", b"0")])
    began_ms = site.server.call(resumed).now_ms
    _wait(site, queue, done, worker)
    newest = scripts.list_(queue, state="completed", order="newest", limit=1, cursor="")
    (last,) = site.server.call(newest).answers
    return max(1, last.ended_ms - began_ms) / 1000


def _wait(site: Site, queue: str, done: int, worker: process.Process) -> None:
    def are_done() -> bool:
        return site.client.stats(queue).completed_total >= done

    worker.wait_for(f"{done} jobs are done", are_done, MOST_SECONDS, LOOK_SECONDS)


def cpu_seconds(site: Site, queue: str) -> float:
    """Ask the worker of a queue how much processor it has used so far."""
    return float(site.client.enqueue("bench:cpu", {}, queue=queue).result(MOST_SECONDS))
