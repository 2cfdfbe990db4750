"""A call of each verb that finds ten jobs in its way, at the head of a queue.

case = COUNTED["ack"]
case.prepare(q, ids)      ten urgent jobs, just enqueued, are brought to where the verb wants them
case.make(q, ids)         the call, about these ten
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.call import Call


class Counted(NamedTuple):
    """See above."""

    prepare: Callable[[QueueState, list[str]], object]
    make: Callable[[QueueState, list[str]], Call[Any]]


def _claim(q: QueueState, ids: list[str]) -> None:
    assert q.claimed(limit=10) == ids


def _bury(q: QueueState, ids: list[str]) -> None:
    _claim(q, ids)
    q.fail(*ids, final=1)


def _nothing(_q: QueueState, _ids: list[str]) -> None:
    pass


def _list(order: Any) -> Callable[[QueueState, list[str]], Call[Any]]:
    def make(q: QueueState, _ids: list[str]) -> Call[Any]:
        return scripts.list_(q.name, state="queued", order=order, limit=5, cursor="")

    return make


def _next_page(q: QueueState, ids: list[str]) -> Call[Any]:
    cursor = q.call(_list("oldest")(q, ids)).cursor
    return scripts.list_(q.name, state="queued", order="oldest", limit=5, cursor=cursor)


COUNTED = {
    "enqueue": Counted(
        _nothing,
        lambda q, _ids: scripts.enqueue(
            q.name, [scripts.EnqueueItem(f"n{n}", "echo", b"", b"") for n in range(10)], delay_ms=0
        ),
    ),
    "claim": Counted(_nothing, lambda q, _ids: q.claim_call(limit=10)),
    "claim again": Counted(_claim, lambda q, _ids: q.claim_call(limit=10)),
    "ack": Counted(
        _claim, lambda q, ids: scripts.ack(q.name, [scripts.AckItem(id, "t1", b"") for id in ids])
    ),
    "fail": Counted(
        _claim,
        lambda q, ids: scripts.fail(
            q.name, [scripts.FailItem(id, "t1", b"", b"", b"", "", 0) for id in ids]
        ),
    ),
    "extend": Counted(
        _claim,
        lambda q, ids: scripts.extend(
            q.name, [scripts.ExtendItem(id, "t1") for id in ids], lease_ms=HOUR_MS
        ),
    ),
    "release": Counted(
        _claim,
        lambda q, ids: scripts.release(q.name, [scripts.ReleaseItem(id, "t1", 0) for id in ids]),
    ),
    "promote": Counted(_nothing, lambda q, _ids: scripts.promote(q.name, limit=500)),
    "reap": Counted(_nothing, lambda q, _ids: scripts.reap(q.name, limit=500)),
    "cancel": Counted(
        _nothing, lambda q, ids: scripts.cancel(q.name, [scripts.CancelItem(id) for id in ids])
    ),
    "replay": Counted(
        _bury,
        lambda q, ids: scripts.replay(
            q.name, [scripts.ReplayItem(id) for id in ids], limit=1, cursor=""
        ),
    ),
    "replay all": Counted(_bury, lambda q, _ids: scripts.replay(q.name, [], limit=10, cursor="")),
    "purge": Counted(
        _nothing,
        lambda q, ids: scripts.purge(
            q.name, [scripts.PurgeItem(id) for id in ids], limit=1, cursor=""
        ),
    ),
    "purge all": Counted(
        _nothing, lambda q, _ids: scripts.purge(q.name, [], state="queued", limit=10, cursor="")
    ),
    "configure": Counted(
        _nothing, lambda q, _ids: scripts.configure(q.name, [scripts.ConfigureItem("paused", b"1")])
    ),
    "inspect": Counted(
        _nothing,
        lambda q, ids: scripts.inspect(
            q.name, [scripts.InspectItem(id) for id in ids], with_payload=1
        ),
    ),
    "list oldest": Counted(_nothing, _list("oldest")),
    "list newest": Counted(_nothing, _list("newest")),
    "list, next page": Counted(_nothing, _next_page),
    "stats": Counted(_nothing, lambda q, _ids: scripts.stats(q.name)),
    "audit": Counted(
        _nothing,
        lambda q, ids: scripts.audit(
            q.name, [scripts.AuditItem(id.encode()) for id in ids], of="job"
        ),
    ),
    "mend": Counted(
        _nothing,
        lambda q, ids: scripts.mend(
            q.name, [scripts.MendItem(id.encode()) for id in ids], of="job"
        ),
    ),
}
