"""The command boltq-worker."""

import gc
import logging
import os
import sys
from typing import Any

import click

from boltq import locate, logs
from boltq.child import GRACE_SECONDS, RECYCLE, USAGE
from boltq.errors import BadSetting, BoltQError, Unavailable
from boltq.evalsha import Server
from boltq.parent import Parent
from boltq.settings import Settings
from boltq.signals import stop_on_signals
from boltq.worker import builtin
from boltq.worker.fetch import ASKED, REPLACE, TROUBLE
from boltq.worker.life import show_life
from boltq.worker.load import load_app
from boltq.worker.measures import Measures
from boltq.worker.metrics_port import MetricsPort
from boltq.worker.run import Worker

log = logging.getLogger("boltq.worker")

COLLECT_AFTER = (10_000, 20, 50)
"""Of young objects, and of collections of those and of the next, before one of the three ages."""


class Refused(click.ClickException):
    """What the worker was told, it cannot do, now or ever: `boltq up` starts no other."""

    exit_code = USAGE


class Command(click.Command):
    """A command that remembers its arguments as they were given, for the processes of a parent."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments apart."""
        # Behind a `--`, what a parent adds would be taken for the app.
        ctx.obj = [one for one in args if one != "--"]
        return super().parse_args(ctx, args)


@click.command(
    cls=Command,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: boltq-worker mail.jobs:app --queues mail:3,default:1 --threads 16",
)
@click.argument("app", required=False, metavar="[MODULE:APP]")
@click.option(
    "--queues",
    help="Queue names with commas between, and weights, by which they share the threads, as in "
    "mail:3,default:1. [default]",
)
@click.option("--strict", is_flag=True, help="A queue has its turn when those before it are empty.")
@click.option("--threads", help="How many jobs run at a time. [8]")
@click.option("--burst", is_flag=True, help="End when nothing is queued or due any more.")
@click.option("--processes", help="How many processes of so many threads each, 1 to 64. [1]")
@click.option("--recycle-jobs", help="Replace a process after so many jobs. [0, never]")
@click.option("--recycle-mb", help="Replace a process that has more MiB of memory. [0, never]")
@click.option("--lease-seconds", help="How long a job stays ours without a sign of life. [30]")
@click.option("--worker-id", help="The worker's name, for people. [host-pid-random]")
@click.option(
    "--metrics-port",
    help="Where Prometheus asks how jobs fare; a second process takes the next port. [0, none]",
)
@click.option("--metrics-host", help="The address that it listens on. [127.0.0.1]")
@click.option("--redis-addr", help="host:port or a URL; may hold a password, others see it here.")
@click.option("--prefix", help="What the keys begin with. [boltq]")
@click.option("--log", "log_form", help="text or json. [text]")
@click.option(
    "--grace-seconds",
    type=click.FloatRange(0, 86400),
    default=GRACE_SECONDS,
    show_default=True,
    help="How long jobs may take to finish after SIGTERM or Ctrl-C, before they are given back.",
)
@click.option("--life-fd", type=int, hidden=True, help="Where a parent listens for our life.")
@click.pass_context
def main(
    ctx: click.Context,
    /,
    app: str | None,
    *,
    log_form: str | None,
    grace_seconds: float,
    strict: bool,
    burst: bool,
    life_fd: int | None,
    **flags: Any,
) -> None:
    """Run jobs: those of the handlers of the BoltQ object APP in MODULE, and of the built-in types.

    The first SIGTERM or Ctrl-C lets running jobs finish, the second ends at once; jobs that did not
    finish are given back. With --processes or --recycle-..., a parent runs them in processes of
    their own, and starts another for each that ends.
    """
    order = "strict" if strict else None
    try:
        settings = Settings.load({**flags, "log": log_form, "queue_order": order})
        logs.configure(settings.log)
        if life_fd is not None:
            show_life(life_fd)
        elif _wants_parent(settings):
            parent = Parent(settings, ctx.obj, grace_seconds=grace_seconds, burst=burst)
            sys.exit(parent.keep_running(*stop_on_signals()))
        worker = _worker(app, settings, burst=burst, has_parent=life_fd is not None)
    except BadSetting as problem:
        raise Refused(str(problem)) from problem
    except BoltQError as problem:
        raise click.ClickException(str(problem)) from problem
    code = serve(worker, grace_seconds, has_parent=life_fd is not None)
    logging.shutdown()
    if code is None:
        sys.exit(0)
    # A handler that has not ended could keep the interpreter from ending, too.
    sys.stdout.flush()
    os._exit(code)


def _wants_parent(settings: Settings) -> bool:
    """Whether anything is asked for that a process cannot do to itself."""
    return "processes" in settings.sources or settings.recycle_jobs > 0 or settings.recycle_mb > 0


def _worker(named: str | None, settings: Settings, *, burst: bool, has_parent: bool) -> Worker:
    handlers = builtin.handlers(settings)
    app = load_app(named) if named else None
    told = {settings.sources.get("redis_addr"), settings.sources.get("prefix")}
    if app is None or "a flag" in told:
        found = locate.server_address(settings)
        if locate.explained(settings, found):
            log.info(
                "no REDIS_ADDR is given: a server was looked for", extra={"server": found.shown}
            )
        server = Server(found, prefix=settings.prefix)
    else:
        server = app.server
    if app is not None:
        handlers |= app.handlers
    try:
        server.ping()
    except Unavailable as problem:
        log.warning("redis is away", extra={"error": str(problem)})
    measures = Measures(handlers) if settings.metrics_port else None
    if measures:
        MetricsPort(settings.metrics_host, settings.metrics_port, measures.families)
    return Worker(
        server,
        handlers,
        queues=settings.queues,
        strict=settings.queue_order == "strict",
        threads=settings.threads,
        lease_seconds=settings.lease_seconds,
        worker_id=settings.worker_id,
        starters=app.starters if app else (),
        stoppers=app.stoppers if app else (),
        middleware=app.middleware if app else (),
        burst=burst,
        recycle_jobs=settings.recycle_jobs,
        recycle_mb=settings.recycle_mb,
        has_parent=has_parent,
        log_done=settings.log_done,
        measures=measures,
    )


def _collect_rarely() -> None:
    """Leave out of each collection of garbage what was imported, and collect after more jobs.

    With Python's own thresholds a tenth of a fast job's time goes there: jobs in hand are many
    young objects, and none of them a cycle. A function of on_start may set others.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def serve(worker: Worker, grace_seconds: float, *, has_parent: bool = False) -> int | None:
    """Run the worker until a signal, or until it is through; returns the exit status.

    None is 0 where all handlers have ended. One that somebody asked to stop makes room for another
    if it has a parent. Must be called from the main thread.
    """
    stop, hurry = stop_on_signals()
    _collect_rarely()
    try:
        worker.start(stop)
    except BaseException:  # SystemExit, too, is but a start that failed
        log.exception("a function of on_start raised; the worker ends before its first claim")
        return 1
    stop.wait()
    if worker.reason in {"", ASKED}:
        log.info("stopping: running jobs are waited for", extra={"grace_seconds": grace_seconds})
    finished = worker.stop(grace_seconds, hurry)
    if hurry.is_set() or worker.reason == TROUBLE:
        return 1
    if worker.reason == REPLACE or (worker.reason == ASKED and has_parent):
        return RECYCLE
    return None if finished else 0


if __name__ == "__main__":
    main()
