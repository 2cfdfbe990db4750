"""All that is looked at, in order: what comes later needs what came before."""

import time
from collections.abc import Iterator
from datetime import tzinfo

from boltq import presence, scripts
from boltq.client import BoltQ
from boltq.doctor import nodes, queues
from boltq.doctor.finding import Finding
from boltq.errors import BoltQError, NotAllowed, Unavailable
from boltq.evalsha.nodes import load_scripts, look
from boltq.settings import Settings

MOST_APART_SECONDS = 2.0
"""Of the server's clock and ours."""


def of_settings(settings: Settings) -> Finding:
    """Tell which settings were found, and where."""
    sources = ", ".join(f"{name} from {source}" for name, source in settings.sources.items())
    return Finding("ok", "settings", sources or "all are the defaults")


def examine(boltq: BoltQ, zone: tzinfo | None) -> Iterator[Finding]:
    """Look at the server, its configuration, the scripts, and each queue in use.

    zone: in which times are told; None is this machine's. Where the server does not answer or lets
    us do nothing, that is the last finding, a problem called `server`. Costs some thirty round
    trips and two for each hundred queues.
    """
    try:
        yield from _reach(boltq)
        each = look(boltq.server)
        for node in each:
            for finding in nodes.examine(node):
                where = f"{node.name}: " if len(each) > 1 else ""
                yield finding._replace(said=f"{where}{finding.said}")
        yield from _scripts(boltq)
        yield from queues.examine(boltq, presence.workers(boltq.server), zone)
    except BoltQError as refusal:
        do = (
            "give this user what lua/README.md lists under Access"
            if isinstance(refusal, NotAllowed)
            else "start it, or name another in REDIS_ADDR"
        )
        yield Finding("problem", "server", str(refusal), do)


def _reach(boltq: BoltQ) -> Iterator[Finding]:
    boltq.ping()
    began = time.time()
    server_seconds = boltq.server.now_ms() / 1000
    took = time.time() - began
    shown = boltq.server.address.shown
    yield Finding("ok", "server", f"{shown} answers within {took * 1000:.1f} ms")
    apart = server_seconds - (began + took / 2)
    said = f"the server's clock and this machine's are {abs(apart):.1f} s apart"
    if abs(apart) > MOST_APART_SECONDS:
        do = "jobs are timed by the server's alone; set the one that is wrong"
        yield Finding("warning", "clock", said, do)
    else:
        yield Finding("ok", "clock", said)


def _scripts(boltq: BoltQ) -> Iterator[Finding]:
    known = boltq.queues() or ["default"]
    try:
        load_scripts(boltq.server)
    except NotAllowed as refusal:
        yield Finding(
            "warning",
            "scripts",
            f"this user may not load scripts: {refusal}",
            "another has to load the manifest after each start of the server",
        )
    try:
        boltq.server.call(scripts.stats(known[0]))
    except Unavailable:
        raise
    except BoltQError as refusal:
        yield Finding("problem", "scripts", f"stats of {known[0]} is refused: {refusal}")
    else:
        yield Finding("ok", "scripts", "they run")
