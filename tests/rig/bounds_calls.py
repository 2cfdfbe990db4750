"""The calls that are measured: each verb in each way, round after round."""

import functools
import random
from collections.abc import Sequence
from typing import Any

from queue_keys import HOUR_MS, STATES
from rig.bounds_load import PAYLOAD, STACK, let_come
from rig.meter import Cost, Meter

from boltq import scripts
from boltq.filters import CALL_GROUPED, call_sizes

LARGE = bytes(2**20)


def in_pairs(large: Meter, small: Meter, calls: int) -> dict[str, tuple[list[Cost], list[Cost]]]:
    """Call what must not depend on the number of jobs, on each queue in turn."""
    for n in range(calls):
        for meter in (large, small) if n % 2 else (small, large):
            q, token = meter.q, f"pair{n}"
            meter.call("stats", scripts.stats(q.name))
            _enqueue(meter, "enqueue 1", [token])
            (job,) = meter.call("claim 1", q.claim_call(token, limit=1)).answers
            meter.call("ack 1", scripts.ack(q.name, [scripts.AckItem(job.id, token, b"done")]))
    return {name: (costs, small.costs[name]) for name, costs in dict(large.costs).items()}


def every_verb(meter: Meter, rounds: int, chance: random.Random) -> None:
    """Let all come due that is to come, then call each verb in each way, once a round."""
    for part in ("scheduled", "retrying", "running"):
        let_come(meter.q, part)
    for n in range(rounds):
        _work(meter, f"n{n}", chance)
        _large(meter, f"large{n}")
        _rest(meter, f"rest{n}")
        _look(meter, chance)
        _search(meter)


def _work(meter: Meter, name: str, chance: random.Random) -> None:
    q, few = meter.q, {f"{name}-1": 1, f"{name}-100": 100}
    _enqueue(meter, "enqueue 500", [f"{name}-{n}" for n in range(500)])
    held = {token: _claim(meter, token, size) for token, size in few.items()}
    for verb in ("ack", "fail", "release", "bury"):
        held[f"{name}-{verb}"] = _claim(meter, f"{name}-{verb}", 500)
    meter.call("claim 500 again", q.claim_call(f"{name}-ack", limit=500))
    for token, ids in held.items():
        items = [scripts.ExtendItem(id, token) for id in ids]
        meter.call(f"extend {few.get(token, 500)}", scripts.extend(q.name, items, lease_ms=HOUR_MS))
    for size, token in (("1", f"{name}-1"), ("100", f"{name}-100"), ("500", f"{name}-ack")):
        acks = [scripts.AckItem(id, token, b"done") for id in held[token]]
        meter.call(f"ack {size}", scripts.ack(q.name, acks))
        meter.call(f"ack {size} again", scripts.ack(q.name, acks))
    _fail(meter, held[f"{name}-fail"], f"{name}-fail", "fail 500", chance.choice((0, HOUR_MS)))
    _fail(meter, held[f"{name}-bury"], f"{name}-bury", "fail 500 for ever", final=1)
    token = f"{name}-release"
    back = [scripts.ReleaseItem(id, token, chance.choice((0, 1))) for id in held[token]]
    meter.call("release 500", scripts.release(q.name, back))
    dead = [scripts.ReplayItem(id) for id in held[f"{name}-bury"]]
    meter.call("replay 250", scripts.replay(q.name, dead[:250], limit=1, cursor=""))
    meter.call("promote 500", scripts.promote(q.name, limit=500))
    meter.call("reap 500", scripts.reap(q.name, limit=500))
    _sweep(meter, "replay all, 100", lambda cursor: _replay_all(meter, cursor), steps=2)


def _large(meter: Meter, name: str) -> None:
    """Seven jobs of 1 MiB, more urgent than all others, from beginning to end."""
    q, ids = meter.q, [f"{name}-{n}" for n in range(7)]
    _enqueue(meter, "enqueue 7 of 1 MiB", ids, LARGE, priority=9)
    shown = [scripts.InspectItem(id) for id in ids]
    meter.call("inspect 7 of 1 MiB", scripts.inspect(q.name, shown, with_payload=1))
    first = q.claim_call(f"{name}-a", limit=500)
    call = q.claim_call(f"{name}-b", limit=500, max_bytes=8_000_000)
    held = {
        f"{name}-a": meter.call("claim 500, some of 1 MiB", first),
        f"{name}-b": meter.call("claim 500 of 8 MB", call),
    }
    meter.call("claim again, of 1 MiB", first)
    acks = [
        scripts.AckItem(job.id, token, 8192 * b"r")
        for token, reply in held.items()
        for job in reply.answers
    ]
    for start in range(0, len(acks), 500):
        meter.call("ack 500, some of 1 MiB", scripts.ack(q.name, acks[start : start + 500]))


def _rest(meter: Meter, name: str) -> None:
    """Jobs that wait, and are called off; half of them are forgotten, and the oldest trimmed."""
    q, ids = meter.q, [f"{name}-{n}" for n in range(500)]
    _enqueue(meter, "enqueue 500, delayed", ids, delay_ms=HOUR_MS)
    meter.call("cancel 500", scripts.cancel(q.name, [scripts.CancelItem(id) for id in ids]))
    gone = [scripts.PurgeItem(id) for id in ids[:250]]
    meter.call("purge 250", scripts.purge(q.name, gone, limit=1, cursor=""))
    waiting = scripts.purge(q.name, [], state="queued", limit=500, cursor="")
    meter.call("purge 500 queued", waiting)
    _sweep(meter, "purge cancelled, 100", lambda cursor: _purge_all(meter, cursor), steps=2)
    settings = [scripts.ConfigureItem("pause_reason", b"none")]
    meter.call("configure", scripts.configure(q.name, settings))


def _look(meter: Meter, chance: random.Random) -> None:
    q = meter.q
    meter.call("stats", scripts.stats(q.name))
    for state in STATES:
        order = chance.choice(("newest", "oldest"))
        told = _sweep(
            meter,
            f"list 200 {state}",
            lambda cursor, state=state, order=order: scripts.list_(
                q.name, state=state, order=order, limit=200, cursor=cursor
            ),
            steps=3,
        )
        ids = [job.id for job in told.answers][:100]
        if ids:
            items = [scripts.InspectItem(id) for id in ids]
            meter.call("inspect 100", scripts.inspect(q.name, items, with_payload=1))
        names = [scripts.AuditItem(job.id.encode()) for job in told.answers]
        meter.call("audit 200 jobs", scripts.audit(q.name, names, of="job"))
        meter.call("mend 200 jobs", scripts.mend(q.name, _mends(names), of="job"))
    tokens = q.raw.zrange(q.key("claim_ends"), -200, -1)
    names = [scripts.AuditItem(token) for token in tokens]
    meter.call("audit 200 claims", scripts.audit(q.name, names, of="claim"))


def _search(meter: Meter) -> None:
    """Look for jobs as the product does: by what all have, then by what none has, and by groups."""
    for state, name, narrowed in (
        ("dead", "a type of all", {"type_": "email"}),
        ("dead", "no type", {"type_": "none"}),
        ("dead", "no error", {"error": b"none"}),
        ("running", "no worker", {"worker": "none"}),
    ):
        found = functools.partial(_found, meter, state, narrowed)
        _sweep(meter, f"list {state}, {name}", found, steps=3)
    _sweep(meter, f"group {CALL_GROUPED} dead", functools.partial(_grouped, meter), steps=3)


def _found(meter: Meter, state: Any, narrowed: Any, cursor: str) -> Any:
    limit, scan = call_sizes(state)
    return scripts.list_(
        meter.q.name,
        state=state,
        order="newest",
        limit=limit,
        cursor=cursor,
        scan=scan,
        **narrowed,
    )


def _grouped(meter: Meter, cursor: str) -> Any:
    return scripts.group(meter.q.name, state="dead", scan=CALL_GROUPED, cursor=cursor)


def _mends(names: Sequence[scripts.AuditItem]) -> list[scripts.MendItem]:
    return [scripts.MendItem(*name) for name in names]


def _enqueue(
    meter: Meter, name: str, ids: Sequence[str], payload: bytes = PAYLOAD, **options: Any
) -> None:
    items = [scripts.EnqueueItem(id, "email", payload, b"") for id in ids]
    meter.call(name, scripts.enqueue(meter.q.name, items, **{"delay_ms": 0} | options))


def _claim(meter: Meter, token: str, limit: int) -> list[str]:
    reply = meter.call(f"claim {limit}", meter.q.claim_call(token, limit=limit))
    return [job.id for job in reply.answers]


def _fail(
    meter: Meter, ids: Sequence[str], token: str, name: str, delay_ms: int = 0, *, final: int = 0
) -> None:
    items = [scripts.FailItem(id, token, b"E", b"no", STACK, delay_ms, final) for id in ids]
    meter.call(name, scripts.fail(meter.q.name, items))


def _replay_all(meter: Meter, cursor: str) -> Any:
    return scripts.replay(meter.q.name, [], limit=100, cursor=cursor)


def _purge_all(meter: Meter, cursor: str) -> Any:
    return scripts.purge(meter.q.name, [], state="cancelled", limit=100, cursor=cursor)


def _sweep(meter: Meter, name: str, call_at: Any, *, steps: int) -> Any:
    """Call page after page, some only; gives the last that held any."""
    reply = meter.call(name, call_at(""))
    for _ in range(steps - 1):
        if reply.cursor:
            reply = meter.call(name, call_at(reply.cursor))
    return reply
