"""All that is looked at, in order: what comes later needs what came before."""

import time
from collections.abc import Iterator
from datetime import tzinfo

from boltq import presence
from boltq.client import BoltQ
from boltq.doctor import nodes, queues, rights
from boltq.doctor.finding import Finding
from boltq.errors import BoltQError, NotAllowed, Unavailable
from boltq.evalsha.nodes import look
from boltq.evalsha.probe import Probe
from boltq.settings import Settings

MOST_APART_SECONDS = 2.0
"""Of the server's clock and ours."""

TRIPS = 5
SLOW_MS = 20.0
"""Of the quickest of some round trips: above, the server is far away, or always busy."""

STUCK_MS = 1000.0
"""Of the slowest of them: above, something holds the server."""


def of_settings(settings: Settings) -> Finding:
    """Tell which settings were found, and where."""
    sources = ", ".join(f"{name} from {source}" for name, source in settings.sources.items())
    return Finding("ok", "settings", sources or "all are the defaults")


def examine(boltq: BoltQ, zone: tzinfo | None) -> Iterator[Finding]:
    """Look at the server, its configuration, the scripts, and each queue in use.

    zone: in which times are told; None is this machine's. Where the server does not answer or lets
    us do nothing, that is the last finding, a problem called `server`. Costs some fifty round
    trips, one for each queue, and a few more where something is found.
    """
    try:
        yield from _reach(boltq)
        each = look(boltq.server)
        for node in each:
            for finding in nodes.examine(node):
                where = f"{node.name}: " if len(each) > 1 else ""
                yield finding._replace(said=f"{where}{finding.said}")
        probe = Probe(boltq.server)
        try:
            yield from rights.examine(boltq, probe)
            yield from queues.examine(boltq, probe, presence.workers(boltq.server), zone)
        finally:
            probe.close()
    except BoltQError as refusal:
        do = (
            "give this user what lua/README.md lists under Access"
            if isinstance(refusal, NotAllowed)
            else "start it, or name another in REDIS_ADDR"
        )
        yield Finding("problem", "server", str(refusal), do)


def _reach(boltq: BoltQ) -> Iterator[Finding]:
    try:
        boltq.ping()
    except Unavailable as refusal:
        # With a full disk it refuses even that, and still answers what doctor asks.
        if "MISCONF" not in str(refusal):
            raise
    began = time.time()
    server_seconds = boltq.server.now_ms() / 1000
    took = time.time() - began
    yield from _latency([_trip_ms(boltq) for _ in range(TRIPS)])
    shown = boltq.server.address.shown
    yield Finding("ok", "server", f"{shown} answers within {took * 1000:.1f} ms")
    apart = server_seconds - (began + took / 2)
    said = f"the server's clock and this machine's are {abs(apart):.1f} s apart"
    # When in that time it was read, nobody knows.
    if abs(apart) - took / 2 > MOST_APART_SECONDS:
        do = "jobs are timed by the server's alone; set the one that is wrong"
        yield Finding("warning", "clock", said, do)
    else:
        yield Finding("ok", "clock", said)


def _trip_ms(boltq: BoltQ) -> float:
    began = time.monotonic()
    boltq.server.now_ms()
    return (time.monotonic() - began) * 1000


def _latency(trips_ms: list[float]) -> Iterator[Finding]:
    best, worst = min(trips_ms), max(trips_ms)
    said = f"a round trip takes {best:.1f} to {worst:.1f} ms"
    if worst > STUCK_MS:
        do = "something holds the server: see its SLOWLOG, its disk and its neighbours"
        yield Finding("problem", "latency", said, do)
    elif best > SLOW_MS:
        do = "move workers nearer to it, or find what keeps it busy: LATENCY DOCTOR, SLOWLOG"
        yield Finding("warning", "latency", said, do)
    else:
        yield Finding("ok", "latency", said)
