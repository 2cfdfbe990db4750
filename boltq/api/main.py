"""The API as a program of its own."""

import logging

from boltq import logs
from boltq.api.app import create_app
from boltq.api.driver import Driver
from boltq.api.keys import Keys
from boltq.api.limits import Limits
from boltq.api.request_lines import RequestLines
from boltq.api.serve import Serving
from boltq.client import BoltQ
from boltq.errors import BoltQError
from boltq.settings import Settings
from boltq.signals import stop_on_signals

log = logging.getLogger(__name__)


def run(settings: Settings, boltq: BoltQ) -> None:
    """Serve the API over a client until SIGTERM or SIGINT, then finish what is in work.

    A second signal ends it at once. Must be called from the main thread. Redis may be away: it is
    said, and answered with 503s until it is back. Raises BadSetting where the port cannot be had.
    """
    logs.configure(settings.log)
    stop, hurry = stop_on_signals()
    serving = serving_of(settings, boltq)
    serving.start()
    where = {"url": url(settings.api_host, serving.port), "server": boltq.server.address.shown}
    log.info("the API answers", extra=where)
    warn_if_away(boltq)
    serving.run(stop, hurry)


def serving_of(settings: Settings, boltq: BoltQ) -> Serving:
    """Return the API over a client, to be served as the settings say."""
    keys = Keys.of(settings)
    driver = Driver(boltq)
    lines = RequestLines(settings.log_requests)
    return Serving(
        create_app(boltq, settings, keys, driver, lines),
        settings.api_host,
        settings.api_port,
        threads=settings.api_threads,
        limits=Limits.of(settings),
        admits=keys.admit,
        driver=driver,
        leave_seconds=settings.api_leave_seconds,
        proxy=settings.api_proxy,
        at_end=lines.flush,
    )


def url(host: str, port: int) -> str:
    """Return where people on this machine reach what listens on a host and a port."""
    if host in {"0.0.0.0", "::", "127.0.0.1"}:  # noqa: S104 - what it is compared with
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warn_if_away(boltq: BoltQ) -> None:
    """Log that Redis does not answer, if so: each request looks for it again."""
    try:
        boltq.ping()
    except BoltQError as error:
        log.warning("redis is away", extra={"error": str(error)})
