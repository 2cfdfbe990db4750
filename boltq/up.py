"""`boltq up`: the API, a worker and, where none is named, a server, as one program."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from threading import Event, Thread

from boltq import __version__, demo, ids, logs
from boltq.api.app import PATIENCE_SECONDS
from boltq.api.main import serving_of, url, warn_if_away
from boltq.client import BoltQ
from boltq.embedded import Embedded
from boltq.parent import Parent
from boltq.settings import Settings
from boltq.signals import stop_on_signals

EMAIL = (
    '{"type": "email", "payload": {"recipient": "user@example.com", "subject": '
    '"Hello from BoltQ", "body": "This is a test email from BoltQ"}, "max_attempts": 3}'
)

log = logging.getLogger(__name__)


def run(
    settings: Settings,
    app: str | None,
    *,
    with_worker: bool,
    with_demo: bool = False,
    say: Callable[[str], None],
) -> int:
    """Run all three until SIGTERM or SIGINT, then end them; returns the exit status.

    Must be called from the main thread.

    Args:
        settings: without a `redis_addr`, the embedded server of its data folder is run.
        app: `module:app`, whose jobs the worker does; None: the built-in types.
        with_worker: False leaves the jobs to workers elsewhere.
        with_demo: on an embedded server of ours, with the built-in types, the worker attends the
            queue `playground`, too, and a server that nobody has used gets some jobs to look at.
        say: takes the announcement, a sentence or a command a line.

    Raises AlreadyRunning, Unavailable or BadSetting where the data folder is in use, the server
    does not start, or the port cannot be had.
    """
    logs.configure(settings.log)
    stop, hurry = stop_on_signals()
    with ExitStack() as stack:
        server = None
        if settings.redis_addr is None:
            server = Embedded(settings.data_dir)
            # The last to end: what is entered below is left before it.
            stack.callback(server.stop)
            server.start()
        boltq = BoltQ(
            server.address if server else None,
            settings=settings,
            patience_seconds=PATIENCE_SECONDS,
        )
        stack.callback(boltq.close)
        serving = serving_of(settings, boltq)
        serving.start()
        parts = [Part("API", stop, lambda: serving.run(stop, hurry))]
        is_demo = with_demo and with_worker and server is not None and app is None
        if is_demo and "queues" not in settings.sources:
            settings = replace(settings, queues={ids.DEFAULT_QUEUE: 1, demo.QUEUE: 1})
        if with_worker:
            worker = _worker(settings, app, server)
            parts.append(Part("worker", stop, lambda: worker.keep_running(stop, hurry)))
        for part in parts:
            stack.enter_context(part)
        warn_if_away(boltq)
        place = url(settings.api_host, serving.port)
        server_line = (
            f"The server is an embedded Valkey in {server.folder}; its log is server.log there."
            if server
            else f"The server is {boltq.server.address.shown}."
        )
        announced = _announcement(settings, place, server_line, app, with_worker=with_worker)
        if is_demo and demo.plant(boltq):
            announced.insert(2, f"Some jobs to look at are in the queue {demo.QUEUE}.")
        for line in announced:
            say(line)
        if server:
            server.keep_running(stop)
        stop.wait()
    return max(part.status for part in parts)


class Part:
    """What runs on a thread of its own while entered: when it ends, however, everything ends.

    stop: ends it when set. work: what to run, until then; it may return an exit status.
    """

    def __init__(self, name: str, stop: Event, work: Callable[[], int | None]) -> None:
        self.status = 0
        self._name = name
        self._stop = stop
        self._work = work
        self._thread = Thread(target=self._run, name=name)

    def __enter__(self) -> None:
        """Start the thread."""
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        """Ask it to end, and wait until it has."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self.status = self._work() or 0
        except Exception:
            log.exception("a part broke: everything ends", extra={"part": self._name})
            self.status = 1
        finally:
            self._stop.set()


def _worker(settings: Settings, app: str | None, server: Embedded | None) -> Parent:
    # What came by a flag is known to us alone. In the environment no other user can read it.
    told = {
        "REDIS_ADDR": server.address if server else str(settings.redis_addr),
        "BOLTQ_DATA_DIR": str(settings.data_dir),
        "BOLTQ_PREFIX": settings.prefix,
        "BOLTQ_QUEUES": ",".join(f"{name}:{weight}" for name, weight in settings.queues.items()),
        "BOLTQ_LOG": settings.log,
    }
    return Parent(settings, [app] if app else [], told)


def _announcement(
    settings: Settings, place: str, server: str, app: str | None, *, with_worker: bool
) -> list[str]:
    lines = [f"BoltQ {__version__} runs, until Ctrl-C. See it in a browser: {place}/"]
    lines += [server, f"The API answers at {place}."]
    if with_worker:
        jobs = f"the jobs of {app} and the built-in ones" if app else "the built-in jobs"
        lines.append(f"A worker does {jobs} of: {', '.join(settings.queues)}.")
        outbox = settings.data_dir.expanduser().absolute() / "outbox"
        lines.append(
            f"Mails go to the SMTP server {settings.smtp_host}."
            if settings.smtp_host
            else f"Mails are written to {outbox}, since SMTP_HOST is not set."
        )
    else:
        lines.append("No worker runs here; start one with: boltq-worker")
    has_keys = settings.api_keys or settings.api_keys_file
    curl = "curl -H 'Authorization: Bearer SECRET'" if has_keys else "curl"
    return [
        *lines,
        "Try it:",
        f"  {curl} -X POST {place}/api/jobs -H 'Content-Type: application/json' -d '{EMAIL}'",
        f"  {curl} '{place}/api/jobs/status?id=ID'",
        f"  {curl} {place}/api/stats",
    ]
