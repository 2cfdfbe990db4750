"""The command boltq-worker."""

import logging
import os
import sys
from typing import Any

import click

from boltq import locate, logs
from boltq.errors import BadSetting, BoltQError, Unavailable
from boltq.evalsha import Server
from boltq.settings import Settings
from boltq.signals import stop_on_signals
from boltq.worker import builtin
from boltq.worker.load import load_app
from boltq.worker.run import GRACE_SECONDS, Worker

log = logging.getLogger("boltq.worker")

USAGE = 2


class Refused(click.ClickException):
    """What the worker was told, it cannot do, now or ever: `boltq up` starts no other."""

    exit_code = USAGE


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: boltq-worker mail.jobs:app --queues urgent,default --threads 16",
)
@click.argument("app", required=False, metavar="[MODULE:APP]")
@click.option("--queues", help="Queue names with commas between; each has its turn. [default]")
@click.option("--threads", help="How many jobs run at a time. [8]")
@click.option("--lease-seconds", help="How long a job stays ours without a sign of life. [30]")
@click.option("--worker-id", help="The worker's name, for people. [host-pid-random]")
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
def main(app: str | None, log_form: str | None, grace_seconds: float, **flags: Any) -> None:
    """Run jobs: those of the handlers of the BoltQ object APP in MODULE, and of the built-in types.

    The first SIGTERM or Ctrl-C lets running jobs finish, the second ends at once; jobs that did not
    finish are given back.
    """
    try:
        settings = Settings.load({**flags, "log": log_form})
        logs.configure(settings.log)
        worker = _worker(app, settings)
    except BadSetting as problem:
        raise Refused(str(problem)) from problem
    except BoltQError as problem:
        raise click.ClickException(str(problem)) from problem
    code = serve(worker, grace_seconds)
    logging.shutdown()
    if code is None:
        sys.exit(0)
    # A handler that has not ended could keep the interpreter from ending, too.
    os._exit(code)


def _worker(named: str | None, settings: Settings) -> Worker:
    handlers = builtin.handlers(settings)
    app = load_app(named) if named else None
    told = {settings.sources.get("redis_addr"), settings.sources.get("prefix")}
    if app is None or "a flag" in told:
        found = locate.server_address(settings)
        if explained := locate.explained(settings, found):
            log.info(explained)
        server = Server(found, prefix=settings.prefix)
    else:
        server = app.server
    if app is not None:
        handlers |= app.handlers
    try:
        server.ping()
    except Unavailable as problem:
        log.warning("%s; the worker waits for it", problem)
    return Worker(
        server,
        handlers,
        queues=settings.queues,
        threads=settings.threads,
        lease_seconds=settings.lease_seconds,
        worker_id=settings.worker_id,
    )


def serve(worker: Worker, grace_seconds: float) -> int | None:
    """Run the worker until a signal; returns the exit status, None where all handlers have ended.

    Must be called from the main thread.
    """
    stop, hurry = stop_on_signals()
    worker.start()
    stop.wait()
    log.info("stopping: running jobs have %g s to finish", grace_seconds)
    finished = worker.stop(grace_seconds, hurry)
    if hurry.is_set():
        return 1
    return None if finished else 0


if __name__ == "__main__":
    main()
