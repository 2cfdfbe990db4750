"""A request of each verb that reaches all its branches, and a queue to send it to.

call = CASES["fail"].prepare(q)    the queue is arranged; sent now, the call changes the keys
CASES["fail"].writes               that this names, and no others

Tests of what holds for all verbs run over these.
"""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any, NamedTuple

from queue_keys import EPOCH_MS, HOUR_MS, MINUTE_MS, PARTS, STATES
from queue_state import QueueState

from boltq import scripts
from boltq.call import Call

SCRIPTS = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["scripts"]
LARGE = b"x" * 5000
TOLD = b"1 1 0 0.5 half\na line of its log"
OLD = ("old-completed", "old-cancelled", "old-dead")
LAPSED = ("lapsed-retries", "lapsed-dies", "lapsed-asked")


class Case(NamedTuple):
    verb: str
    prepare: Callable[[QueueState], Call[Any]]
    writes: str = ""
    # Keys that the verb declares, but does not read in this case.
    unread: tuple[str, ...] = ()
    # Keys that it does without, or leaves alone, where they are of the wrong type.
    spares: tuple[str, ...] = ()


def fill(q: QueueState, *, past: bool = True) -> None:
    """Put jobs with large payloads into every set, three of them kept past their time."""
    q.configure(keep_payloads=1, keep_events=1000)
    q.enqueue(*OLD, "held", payload=LARGE)
    q.enqueue("held-dropped", payload=LARGE, retention_ms=0)
    q.claim("t0")
    q.release(*OLD, "held", "held-dropped", token="t0")
    q.enqueue("held-2", "held-asked", "dead", "completed", payload=LARGE, headers=b"{}")
    q.enqueue("lapsed-retries", "lapsed-asked", payload=LARGE)
    q.enqueue("lapsed-queues", payload=LARGE, base_ms=0)
    q.enqueue("lapsed-dies", payload=LARGE, max_lost=0)
    q.claim(limit=500)
    for id in q.order("running"):
        q.extend(id, told=TOLD)
    q.cancel("held-asked", "lapsed-asked", "old-cancelled")
    q.ack("completed", "old-completed", result=b"done")
    q.fail("dead", "old-dead", final=1)
    q.release("old-cancelled")
    q.enqueue("retrying", "retrying-2", payload=LARGE)
    q.claim("t2")
    q.fail("retrying", "retrying-2", token="t2", delay_ms=HOUR_MS)
    q.enqueue("scheduled", "scheduled-2", payload=LARGE, delay_ms=HOUR_MS)
    q.enqueue("cancelled", "queued", "queued-2", payload=LARGE)
    q.cancel("cancelled")
    for id in OLD if past else ():
        q.make_due(id.removeprefix("old-"), id)
    assert all(q.order(state) for state in STATES)
    q.silence()


def begin_a_minute(q: QueueState) -> None:
    """Let the next call that takes a stamp be the first of its minute."""
    q.corrupted = True
    stamp = int(q.read("stats")["stamp"])
    q.raw.hset(q.key("stats"), "stamp", stamp - MINUTE_MS * 512)


def let_time_pass(q: QueueState) -> None:
    """Let a delay, a retry, a claim and leases with every end run out; two entries are stray."""
    q.corrupted = True
    q.make_due("scheduled", "scheduled-2")
    q.make_due("retrying", "retrying-2")
    q.make_due("running", *LAPSED, "lapsed-queues")
    q.make_due("claim_ends", "t0")
    q.raw.zadd(q.key("retrying"), {"stray": 1})
    q.raw.zadd(q.key("running"), {"stray-2": 1})


def _enqueue(q: QueueState, delay_ms: int) -> Call[Any]:
    fill(q)
    items = [scripts.EnqueueItem(id, "echo", LARGE, b"{}") for id in ("new", "queued")]
    return scripts.enqueue(q.name, items, delay_ms=delay_ms)


def _claim(q: QueueState, *, moves: bool, past: bool = True) -> Call[Any]:
    fill(q, past=past)
    if moves:
        let_time_pass(q)
    return q.claim_call("t9", limit=1)


def _ack(q: QueueState, *more: tuple[str, str]) -> Call[Any]:
    fill(q)
    return _ack_call(q, ("held-dropped", "t1"), *more)


def _ack_one_too_many(q: QueueState) -> Call[Any]:
    fill(q)
    q.configure(keep_completed=1)
    return _ack_call(q)


def _ack_call(q: QueueState, *more: tuple[str, str]) -> Call[Any]:
    held = [("held", "t1"), *more]
    return scripts.ack(q.name, [scripts.AckItem(*item, b"done") for item in held], told=TOLD)


def _fail(q: QueueState) -> Call[Any]:
    fill(q)
    items = [
        scripts.FailItem("held", "t1", b"E", b"m", b"s", 1, 0),
        scripts.FailItem("held-2", "t1", b"E", b"m", b"s", "", 1),
        scripts.FailItem("held-asked", "t1", b"E", b"m", b"s", "", 0),
        scripts.FailItem("held-dropped", "stale", b"E", b"m", b"s", "", 0),
        scripts.FailItem("unknown", "t1", b"E", b"m", b"s", "", 0),
    ]
    return scripts.fail(q.name, items, told=TOLD)


def _extend(q: QueueState) -> Call[Any]:
    fill(q)
    held = [("held", "t1"), ("held-2", "stale"), ("unknown", "t1")]
    items = [scripts.ExtendItem(*item) for item in held]
    return scripts.extend(q.name, items, lease_ms=HOUR_MS, told=b"1 0 - 0.75 more")


def _release(q: QueueState) -> Call[Any]:
    fill(q)
    held = [
        ("held", "t1", 0),
        ("held-2", "t1", 1),
        ("held-asked", "t1", 0),
        ("dead", "t1", 0),
    ]
    return scripts.release(q.name, [scripts.ReleaseItem(*item) for item in held], told=TOLD)


def _promote(q: QueueState) -> Call[Any]:
    fill(q)
    let_time_pass(q)
    return scripts.promote(q.name, limit=100)


def _reap(q: QueueState, *, moves: bool) -> Call[Any]:
    fill(q)
    if moves:
        let_time_pass(q)
    return scripts.reap(q.name, limit=100)


def _cancel(q: QueueState) -> Call[Any]:
    fill(q)
    ids = ("held", "scheduled", "queued", "retrying", "dead", "cancelled", "unknown")
    return scripts.cancel(q.name, [scripts.CancelItem(id) for id in ids])


def _replay(q: QueueState, *ids: str) -> Call[Any]:
    fill(q)
    return scripts.replay(q.name, [scripts.ReplayItem(id) for id in ids], limit=100, cursor="")


def _purge(q: QueueState, *ids: str, state: str | None = None) -> Call[Any]:
    fill(q)
    items = [scripts.PurgeItem(id) for id in ids]
    return scripts.purge(q.name, items, state=state, limit=100, cursor="")


def _configure(q: QueueState) -> Call[Any]:
    fill(q)
    q.configure(paused=1, pause_reason="why")
    return scripts.configure(q.name, [scripts.ConfigureItem("paused", b"0")])


def _inspect(q: QueueState) -> Call[Any]:
    fill(q)
    ids = ("held", *(state for state in STATES if state != "running"), "unknown")
    return scripts.inspect(q.name, [scripts.InspectItem(id) for id in ids], with_payload=1)


def _list(q: QueueState, state: str) -> Call[Any]:
    fill(q)
    return q.list_call(state, "newest", 10)


def _searched(q: QueueState) -> Call[Any]:
    fill(q)
    return q.list_call("dead", error=b"ValueError", worker="w1", type_="echo", since_ms=1)


def _group(q: QueueState) -> Call[Any]:
    fill(q)
    return scripts.group(q.name, state="dead", scan=100, cursor="")


def _alter(q: QueueState) -> Call[Any]:
    """Change a job in each state, later ones only where they still are: a delay counts anew."""
    fill(q)
    q.alter("scheduled-2", delay_ms=2 * HOUR_MS)
    changes: dict[str, tuple[Any, Any]] = {
        "scheduled": (7, 0),
        "queued": (9, ""),
        "queued-2": ("", HOUR_MS),
        "scheduled-2": (0, 60_000),
        "retrying": ("", 0),
        "retrying-2": (1, 60_000),
        "held": (9, 0),
        "dead": (9, 0),
    }
    items = [scripts.AlterItem(id, *change, q.place(id)) for id, change in changes.items()]
    return scripts.alter(q.name, [*items, scripts.AlterItem("unknown", 1, "", "")])


def _operate(q: QueueState) -> Call[Any]:
    fill(q)
    return q.operate_call("purge", "dead", rate=5, expected=2, type_="echo")


def _step(q: QueueState, action: str, state: str, **options: Any) -> Call[Any]:
    fill(q)
    assert isinstance(q.call(q.operate_call(action, state, **options)), scripts.Started)
    if action == "replay" and not options.get("dry_run"):
        return scripts.step_replay(q.name, id_="o1", limit=100)
    return scripts.step(q.name, id_="o1", limit=100)


def _stop(q: QueueState) -> Call[Any]:
    fill(q)
    q.call(q.operate_call("purge", "dead"))
    return scripts.stop(q.name, id_="o1")


def _drop(q: QueueState, *, empty: bool) -> Call[Any]:
    fill(q)
    q.call(q.operate_call("purge", "dead"))
    if empty:
        q.ack(*q.order("running"))
        for state in RESTING:
            q.call(scripts.purge(q.name, [], state=state, limit=100, cursor=""))
        q.raw.rpush(q.key("bell"), "1")
        stamped_ms = int(q.read("stats")["stamp"]) // 512 + EPOCH_MS
        while q.now_ms() <= stamped_ms:  # within its own millisecond the stamp would stay
            pass
    return scripts.drop(q.name)


def _operations(q: QueueState, id: str | None) -> Call[Any]:
    fill(q)
    q.call(q.operate_call("purge", "dead"))
    return scripts.operations(q.name, id_=id)


def _stats(q: QueueState) -> Call[Any]:
    fill(q)
    return scripts.stats(q.name)


def _series(q: QueueState) -> Call[Any]:
    fill(q)
    return scripts.series(q.name, minutes=60)


def _events(q: QueueState) -> Call[Any]:
    fill(q)
    return scripts.events(q.name, after="1-1", limit=100)


def _audit(q: QueueState) -> Call[Any]:
    fill(q)
    ids = ("held", *(state for state in STATES if state != "running"), "unknown")
    return scripts.audit(q.name, [scripts.AuditItem(id.encode()) for id in ids], of="job")


def _mend(q: QueueState) -> Call[Any]:
    """Spoil something in each key that can be mended by names of jobs."""
    fill(q)
    q.corrupted = True
    for state in STATES:
        q.raw.zadd(q.key(state), {"stray": 5})
    for part in ("payloads", "leases", "tries", "outcomes", "notes"):
        q.raw.hset(q.key(part), "stray", "x")
    q.raw.zrem(q.key("queued"), "queued-2")
    q.raw.hset(q.key("claims"), "t1", "forgotten")
    q.raw.zrem(q.key("claim_ends"), "t1")
    names = ("stray", "queued-2", "held", "held-2")
    return scripts.mend(q.name, [scripts.MendItem(name.encode()) for name in names], of="job")


def _listing(state: str) -> Case:
    unread = [other for other in STATES if other != state]
    if state != "running":
        unread.append("leases")
    return Case("list", lambda q: _list(q, state), unread=tuple(unread))


def _recall(q: QueueState) -> Call[Any]:
    fill(q)
    return scripts.recall(q.name, [scripts.RecallItem(token) for token in ("t1", "unknown")])


TRIMMED = "jobs payloads tries completed cancelled dead outcomes stats notes "
ENDED = "jobs payloads running leases tries outcomes stats notes events "
ALL_BUT_SETTINGS = tuple(part for part in PARTS if part != "settings")
MENDED_WITH_THE_QUEUE = ("jobs", "operations", "series", "events")
NOT_DEAD = tuple(state for state in STATES if state != "dead")
RESTING = tuple(state for state in STATES if state != "running")
CASES = {
    "enqueue": Case(
        "enqueue",
        lambda q: _enqueue(q, 0),
        "jobs payloads queued stats bell events",
        spares=("scheduled",),
    ),
    "enqueue later": Case(
        "enqueue", lambda q: _enqueue(q, 5000), "jobs payloads scheduled stats bell events"
    ),
    "claim": Case(
        "claim",
        lambda q: _claim(q, moves=True),
        TRIMMED + "queued scheduled retrying running leases claims claim_ends bell events",
        spares=("notes",),
    ),
    "claim with nothing lapsed or due": Case(
        "claim",
        lambda q: _claim(q, moves=False),
        TRIMMED + "queued running leases claims claim_ends bell events",
        spares=("notes",),
    ),
    "claim with nothing due at all": Case(
        "claim",
        lambda q: _claim(q, moves=False, past=False),
        "queued running leases claims claim_ends stats bell events",
        spares=("outcomes", "notes"),
    ),
    "ack": Case("ack", _ack, ENDED + "completed"),
    "ack with some not held": Case(
        "ack", lambda q: _ack(q, ("held-2", "stale"), ("unknown", "t1")), ENDED + "completed"
    ),
    "ack of one too many to keep": Case("ack", _ack_one_too_many, ENDED + "completed"),
    "fail": Case("fail", _fail, ENDED + "retrying dead cancelled bell"),
    "extend": Case("extend", _extend, "running claim_ends notes"),
    "release": Case("release", _release, ENDED + "queued scheduled cancelled bell"),
    "promote": Case("promote", _promote, "queued scheduled retrying stats bell events"),
    "reap": Case(
        "reap",
        lambda q: _reap(q, moves=True),
        TRIMMED + "running leases queued retrying bell events",
        spares=("notes",),
    ),
    "reap with nothing lapsed": Case(
        "reap", lambda q: _reap(q, moves=False), TRIMMED, spares=("notes",)
    ),
    "cancel": Case(
        "cancel",
        _cancel,
        "jobs payloads scheduled queued retrying cancelled leases tries outcomes stats notes "
        "events",
        spares=("notes",),
    ),
    "replay ids": Case(
        "replay",
        lambda q: _replay(q, "dead", "queued", "unknown"),
        "queued dead tries outcomes stats bell events",
    ),
    "replay all": Case("replay", _replay, "queued dead tries outcomes stats bell events"),
    "alter": Case("alter", _alter, "jobs scheduled queued retrying stats bell events"),
    "operate": Case("operate", _operate, "operations stats"),
    "step that cancels": Case(
        "step",
        lambda q: _step(q, "cancel", "queued"),
        "operations jobs payloads tries outcomes queued cancelled stats notes events",
        spares=("notes",),
    ),
    "step that purges": Case(
        "step",
        lambda q: _step(q, "purge", "dead"),
        "operations jobs payloads tries outcomes dead stats notes events",
        spares=("notes",),
    ),
    "step that runs now": Case(
        "step",
        lambda q: _step(q, "run_now", "retrying"),
        "operations retrying queued stats bell events",
        spares=("notes",),
    ),
    "step that counts": Case(
        "step",
        lambda q: _step(q, "replay", "dead", dry_run=1, since_ms=1),
        "operations",
        spares=("notes",),
    ),
    "step_replay": Case(
        "step_replay",
        lambda q: _step(q, "replay", "dead", error=b"ValueError"),
        "operations queued dead tries outcomes stats bell events",
    ),
    "stop": Case("stop", _stop, "operations"),
    "drop": Case(
        "drop",
        lambda q: _drop(q, empty=True),
        "operations claims claim_ends stats settings bell events",
    ),
    "drop of what is not empty": Case("drop", lambda q: _drop(q, empty=False)),
    "operations": Case("operations", lambda q: _operations(q, None)),
    "operations of an id": Case("operations", lambda q: _operations(q, "o1")),
    "purge ids": Case(
        "purge",
        lambda q: _purge(q, *RESTING, "held", "unknown"),
        " ".join(["jobs payloads tries outcomes stats notes events", *RESTING]),
        spares=("notes",),
    ),
    "purge dead": Case(
        "purge",
        lambda q: _purge(q, state="dead"),
        "jobs payloads dead tries outcomes stats notes events",
        spares=("notes",),
    ),
    "configure": Case("configure", _configure, "settings bell events"),
    "inspect": Case("inspect", _inspect),
    **{f"list {state}": _listing(state) for state in STATES},
    "list searched": Case("list", _searched, unread=(*NOT_DEAD, "leases")),
    "group": Case("group", _group, unread=(*NOT_DEAD, "leases")),
    "stats": Case("stats", _stats),
    "series": Case("series", _series),
    "events": Case("events", _events),
    "recall": Case("recall", _recall),
    # Of a part of the wrong type they tell, and leave it.
    "audit": Case("audit", _audit, unread=ALL_BUT_SETTINGS),
    "mend": Case(
        "mend",
        _mend,
        " ".join(part for part in ALL_BUT_SETTINGS if part not in MENDED_WITH_THE_QUEUE),
        unread=ALL_BUT_SETTINGS,
    ),
}
