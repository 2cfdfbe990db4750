"""The scripts, under the user that we are: each is run, in a way that changes nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from boltq import scripts
from boltq.call import Call
from boltq.client import BoltQ
from boltq.doctor.finding import Finding
from boltq.errors import BadArgument, BoltQError, NotAllowed, Unavailable, UpgradeNeeded
from boltq.evalsha.nodes import load_scripts
from boltq.evalsha.probe import Probe

NOBODY = "boltq-doctor"
"""A job and a token that nobody has: a verb that is asked about them has nothing to do."""


def examine(boltq: BoltQ, probe: Probe) -> Iterator[Finding]:
    """Look whether the user may load the scripts, run each, and write as they do."""
    try:
        load_scripts(boltq.server)
    except NotAllowed as refusal:
        yield Finding(
            "warning",
            "scripts",
            f"this user may not load scripts: {refusal}",
            "another has to load the manifest after each start of the server",
        )
    queue, refused = _allowed(boltq)
    access = "give this user what lua/README.md lists under Access"
    if refused:
        said = f"{', '.join(refused)} of {queue} are refused: {next(iter(refused.values()))}"
        yield Finding("problem", "scripts", said, access)
    elif forbidden := probe.forbidden_writes(queue):
        said = f"this user may not send {', '.join(forbidden)}, by which scripts write"
        yield Finding("problem", "scripts", said, access)
    else:
        yield Finding("ok", "scripts", "they run")


def _allowed(boltq: BoltQ) -> tuple[str, dict[str, BoltQError]]:
    """Find a queue on which all scripts run, or what is refused on the first, by its script."""
    seen = []
    for queue in boltq.queues() or ["default"]:
        asked = {call.script: _refusal(boltq, call) for call in _harmless(queue)}
        refused = {script: why for script, why in asked.items() if why}
        seen.append((queue, refused))
        # A user may be allowed some of the queues alone.
        if not all(isinstance(why, NotAllowed) for why in refused.values()) or not refused:
            return seen[-1]
    return seen[0]


def _refusal(boltq: BoltQ, call: Call[Any]) -> BoltQError | None:
    try:
        boltq.server.call(call)
    except Unavailable:
        raise
    except (BadArgument, UpgradeNeeded):
        return None  # a word of the script: it ran; the queue itself tells of the second
    except BoltQError as refusal:
        return refusal
    return None


def _harmless(queue: str) -> Sequence[Call[Any]]:
    """Make a call of each script; those that could move jobs are refused for an argument."""
    return [
        scripts.stats(queue),
        scripts.enqueue(queue, [scripts.EnqueueItem("status", "echo", b"", b"")]),
        scripts.claim(queue, token=NOBODY, worker=NOBODY, lease_ms=0, limit=1, max_bytes=1),
        scripts.promote(queue, limit=0),
        scripts.reap(queue, limit=0),
        scripts.ack(queue, [scripts.AckItem(NOBODY, NOBODY, b"")]),
        scripts.fail(queue, [scripts.FailItem(NOBODY, NOBODY, b"", b"", b"", "", 0)]),
        scripts.extend(queue, [scripts.ExtendItem(NOBODY, NOBODY)], lease_ms=1000),
        scripts.release(queue, [scripts.ReleaseItem(NOBODY, NOBODY, 0)]),
        scripts.cancel(queue, [scripts.CancelItem(NOBODY)]),
        scripts.replay(queue, [scripts.ReplayItem(NOBODY)], limit=1, cursor=""),
        scripts.purge(queue, [scripts.PurgeItem(NOBODY)], limit=1, cursor=""),
        scripts.configure(queue, []),
        scripts.inspect(queue, [scripts.InspectItem(NOBODY)], with_payload=0),
        scripts.list_(queue, state="queued", order="oldest", limit=1, cursor=""),
        scripts.audit(queue, [scripts.AuditItem(NOBODY.encode())], of="job"),
    ]
