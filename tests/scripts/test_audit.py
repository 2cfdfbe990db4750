"""audit: each word for the corruption that it is there to find, and none for a sound queue."""

from collections.abc import Callable
from typing import Any

import pytest
from audited import faults_of, sound
from queue_keys import HOUR_MS, PARTS, PRIORITY_STEP, STATES
from queue_state import QueueState

from boltq import scripts
from boltq.errors import UpgradeNeeded
from boltq.scripts import AuditFaulty, AuditItem, AuditLater, AuditSound

LARGE = bytes(5000)


@pytest.fixture
def busy(q: QueueState) -> QueueState:
    """A job in each state, of that name, and one that has been tried before: `again`."""
    q.corrupted = True
    q.run("completed", "dead", "cancelled", "retrying", "again", payload=LARGE, token="t0")
    q.ack("completed", token="t0", result=b"done")
    q.fail("dead", token="t0", final=1)
    q.fail("retrying", token="t0", delay_ms=HOUR_MS)
    q.fail("again", token="t0", delay_ms=0)
    q.cancel("cancelled")
    q.release("cancelled", token="t0")
    q.enqueue("running", priority=9, retention_ms=HOUR_MS)
    assert q.claimed("t1", limit=2) == ["running", "again"]
    q.enqueue("scheduled", delay_ms=HOUR_MS)
    q.enqueue("queued", "queued-2")
    sound(q)
    return q


def drop(part: str, name: str) -> Callable[[QueueState], Any]:
    command = "HDEL" if PARTS[part] == "hash" else "ZREM"
    return lambda q: q.raw.execute_command(command, q.key(part), name)


def score(part: str, name: str, value: object) -> Callable[[QueueState], Any]:
    return lambda q: q.raw.zadd(q.key(part), {name: value})


def put(part: str, name: str, value: object) -> Callable[[QueueState], Any]:
    return lambda q: q.raw.hset(q.key(part), name, value)


def edit(part: str, name: str, old: bytes, new: bytes) -> Callable[[QueueState], Any]:
    def act(q: QueueState) -> None:
        value = q.read(part)[name]
        assert old in value
        q.raw.hset(q.key(part), name, value.replace(old, new, 1))

    return act


def forget(*places: tuple[str, str]) -> Callable[[QueueState], Any]:
    return lambda q: [drop(*place)(q) for place in places]


def in_lease(index: int, value: str) -> Callable[[QueueState], Any]:
    def act(q: QueueState) -> None:
        fields = q.read("leases")["running"].decode().split(" ", 8)
        fields[index] = value
        q.raw.hset(q.key("leases"), "running", " ".join(fields))

    return act


HEADER = b'{"type":"echo","created_ms":1%b}\n'
MISSING = {"": "UNACCOUNTED:1"}
# What is done to the queue, and what is found then.
CASES: dict[str, tuple[Callable[[QueueState], Any], dict[str, str]]] = {
    "a record is gone": (drop("jobs", "queued"), {"queued": "NO_RECORD:queued", **MISSING}),
    "a running record is gone": (
        drop("jobs", "again"),
        {"again": "NO_RECORD:running,payload,lease,tries", **MISSING},
    ),
    "a payload is left": (put("payloads", "x", "x"), {"x": "NO_RECORD:payload"}),
    "a lease is left": (put("leases", "x", "x"), {"x": "NO_RECORD:lease"}),
    "tries are left": (put("tries", "x", "x"), {"x": "NO_RECORD:tries"}),
    "an outcome is left": (put("outcomes", "x", "x"), {"x": "NO_RECORD:outcome"}),
    "a job without a trace": (
        forget(("jobs", "queued"), ("queued", "queued")),
        MISSING,
    ),
    "no set": (drop("queued", "queued"), {"queued": "NO_SET"}),
    "two sets": (
        score("scheduled", "queued", 5),
        {"queued": "TWO_SETS:queued,scheduled"},
    ),
    "not running": (drop("running", "running"), {"running": "NO_SET LEASE_EXTRA"}),
    "a negative place": (score("retrying", "retrying", -1), {"retrying": "SCORE_BROKEN:retrying"}),
    "half a place": (score("dead", "dead", 0.5), {"dead": "SCORE_BROKEN:dead"}),
    "an endless place": (score("queued", "queued", 1e300), {"queued": "SCORE_BROKEN:queued"}),
    "another priority": (score("queued", "queued", 9 * PRIORITY_STEP), {"queued": "PRIORITY"}),
    "a hostile id": (
        lambda q: [put("jobs", "a b", HEADER % b"")(q), score("queued", "a b", 5)(q)],
        {"a b": "BAD_ID PRIORITY", "": "TOTAL_LOW:enqueued"},
    ),
    "no JSON": (put("jobs", "queued", b"{\n{}"), {"queued": "RECORD_BROKEN"}),
    "no type": (put("jobs", "queued", b'{"created_ms":1}\n{}'), {"queued": "RECORD_BROKEN"}),
    "no line": (put("jobs", "queued", b"{}"), {"queued": "RECORD_BROKEN"}),
    "an option out of its range": (
        put("jobs", "queued", HEADER % b',"max_attempts":0'),
        {"queued": "RECORD_BROKEN"},
    ),
    "an option that is no number": (
        put("jobs", "queued", HEADER % b',"priority":"4"'),
        {"queued": "RECORD_BROKEN"},
    ),
    "headers longer than the record": (
        put("jobs", "queued", HEADER % b',"headers_bytes":9'),
        {"queued": "RECORD_BROKEN"},
    ),
    "an option of a newer version": (put("jobs", "queued", HEADER % b',"new":[{}]'), {}),
    "no payload": (drop("payloads", "dead"), {"dead": "PAYLOAD_MISSING"}),
    "a payload cut": (put("payloads", "dead", LARGE[1:]), {"dead": "PAYLOAD_SIZE"}),
    "a payload twice": (put("payloads", "queued", LARGE), {"queued": "PAYLOAD_EXTRA"}),
    "no lease": (drop("leases", "running"), {"running": "LEASE_MISSING"}),
    "a lease too many": (put("leases", "queued", "x"), {"queued": "LEASE_EXTRA"}),
    "a lease of nonsense": (put("leases", "running", "x"), {"running": "LEASE_BROKEN"}),
    "a lease with another place": (in_lease(6, "5000000000000000"), {"running": "LEASE_OTHER"}),
    "a lease with another retention": (in_lease(1, "-"), {"running": "LEASE_OTHER"}),
    "a lease with another attempt": (in_lease(4, "2"), {"running": "TRIES_MISSING"}),
    "a lease of the first attempt": (
        edit("leases", "again", b" 2 ", b" 1 "),
        {"again": "TRIES_OTHER"},
    ),
    "a fence of tomorrow": (in_lease(3, "549755813888000"), {"running": "FENCE_AHEAD"}),
    "a claim without its jobs": (
        drop("claims", "t1"),
        {"running": "CLAIM_MISSING", "again": "CLAIM_MISSING", "t1": "CLAIM_NO_IDS"},
    ),
    "a claim without its end": (
        drop("claim_ends", "t1"),
        {"running": "CLAIM_MISSING", "again": "CLAIM_MISSING", "t1": "CLAIM_NO_END"},
    ),
    "a claim without one of its jobs": (
        put("claims", "t1", "running"),
        {"again": "CLAIM_MISSING"},
    ),
    "a claim of nonsense": (put("claims", "t0", "\n"), {"t0": "CLAIM_BROKEN"}),
    "an end of nonsense": (score("claim_ends", "t0", 1e300), {"t0": "CLAIM_BROKEN"}),
    "no outcome": (drop("outcomes", "dead"), {"dead": "OUTCOME_MISSING"}),
    "an outcome too many": (put("outcomes", "queued", "x"), {"queued": "OUTCOME_EXTRA"}),
    "an outcome of nonsense": (put("outcomes", "dead", "x"), {"dead": "OUTCOME_BROKEN"}),
    "an outcome of another end": (
        edit("outcomes", "completed", b"ack", b"reap"),
        {"completed": "TRIES_MISSING OUTCOME_OTHER"},
    ),
    "dead though cancelled": (
        edit("outcomes", "dead", b" 0 w1", b" 1 w1"),
        {"dead": "OUTCOME_OTHER"},
    ),
    "no tries": (drop("tries", "retrying"), {"retrying": "TRIES_MISSING"}),
    "tries of nonsense": (put("tries", "retrying", "x"), {"retrying": "TRIES_BROKEN"}),
    "tries with more errors than failures": (
        put("tries", "retrying", b'1 0 1 0 t0 fail\n{"attempt":1,}\n{"attempt":1,}\n'),
        {"retrying": "TRIES_BROKEN"},
    ),
    "attempts beyond the bound": (
        lambda q: [put("tries", "queued", "3 0 3 0 t0 fail\n")(q), put("stats", "failed", 9)(q)],
        {"queued": "TRIES_BOUND"},
    ),
    "losses beyond the bound": (
        lambda q: [put("tries", "queued", "0 6 0 6 t0 reap\n")(q), put("stats", "lost", 9)(q)],
        {"queued": "TRIES_BOUND"},
    ),
    "more failures than ever counted": (
        put("stats", "failed", 0),
        dict.fromkeys(("retrying", "dead", "again"), "TRIES_UNCOUNTED"),
    ),
    "an end with a fence of tomorrow": (
        put("outcomes", "cancelled", "cancel 5 t0 - 30000 549755813888000 1 1 5 0 w1\n"),
        {"cancelled": "FENCE_AHEAD"},
    ),
    "far too many settings": (
        lambda q: q.raw.hset(q.key("settings"), mapping={f"s{n}": n for n in range(201)}),
        {"": "SETTING_UNKNOWN:201"},
    ),
    "far too many totals": (
        lambda q: q.raw.hset(q.key("stats"), mapping={f"s{n}": n for n in range(200)}),
        {"": "STAT_UNKNOWN:206"},
    ),
    "an unknown setting": (put("settings", "a b\0", 1), {"": "SETTING_UNKNOWN:a?b?"}),
    "a setting of nonsense": (
        put("settings", "keep_dead", "1e3"),
        {"": "SETTING_BROKEN:keep_dead"},
    ),
    "a pause without its time": (
        put("settings", "paused", 1),
        {"": "SETTING_BROKEN:paused_at_ms"},
    ),
    "an unknown total": (put("stats", "x", 1), {"": "STAT_UNKNOWN:x"}),
    "a total of nonsense": (put("stats", "trimmed", "x"), {"": "STAT_BROKEN:trimmed"}),
    "a total too low": (put("stats", "died", 0), {"": "TOTAL_LOW:died"}),
    "more jobs than were enqueued": (put("stats", "enqueued", 7), {"": "TOTAL_LOW:enqueued"}),
    "jobs that nobody accounts for": (put("stats", "enqueued", 11), {"": "UNACCOUNTED:2"}),
    "no stamp": (drop("stats", "stamp"), {"": "STAMP_BROKEN"}),
    "a stamp of nonsense": (put("stats", "stamp", "x"), {"": "STAMP_BROKEN"}),
    "a bell that rings twice": (
        lambda q: q.raw.rpush(q.key("bell"), "1", "1"),
        {"": "BELL_LONG"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_of_whom_it_concerns_and_of_nobody_else(
    busy: QueueState, name: str
) -> None:
    act, expected = CASES[name]
    act(busy)
    before = busy.dump()
    found = {name: set(words.split()) for name, words in faults_of(busy).items()}
    assert found == {name: set(words.split()) for name, words in expected.items()}
    assert busy.dump() == before


def test_a_key_of_the_wrong_type_is_told_and_not_read(busy: QueueState) -> None:
    kept = {part: busy.raw.dump(busy.key(part)) for part in PARTS}
    for part in set(PARTS) - {"settings"}:
        busy.raw.delete(busy.key(part))
        busy.raw.set(busy.key(part), "x")
        assert f"TYPE:{part},string" in faults_of(busy)[""].split()
        busy.raw.delete(busy.key(part))
        if kept[part]:
            busy.raw.restore(busy.key(part), 0, kept[part])
    sound(busy)


def test_what_may_look_strange_and_is_by_design_is_sound(q: QueueState) -> None:
    q.configure(keep_completed_ms=0, keep_cancelled=0, paused=1, job_backoff_factor="2.50")
    q.configure(paused=0)
    q.run("dropped", "lapsed", "asked", payload=LARGE)
    q.ack("dropped")
    q.cancel("asked")
    q.make_due("running", "lapsed", "asked")
    sound(q)
    q.reap()
    q.promote()
    sound(q)
    q.configure(keep_completed_ms="", keep_payloads=1)
    q.run("kept", payload=LARGE, token="t2")
    q.ack("kept", token="t2")
    q.configure(keep_payloads=0)
    q.run("let-go", payload=LARGE, token="t3")
    q.ack("let-go", token="t3")
    q.run("replayed", token="t4")
    q.fail("replayed", token="t4", final=1)
    q.call(scripts.replay(q.name, [], limit=10, cursor=""))
    q.enqueue("soon", delay_ms=1000, priority=0)
    q.make_due("scheduled", "soon")
    q.promote()
    q.raw.delete(q.key("bell"))
    sound(q)
    for state in set(STATES) - {"running"}:
        q.call(scripts.purge(q.name, [], state=state, limit=500, cursor=""))
        sound(q)


def test_the_answers_stand_in_the_order_of_the_names(busy: QueueState) -> None:
    drop("queued", "queued")(busy)
    names = [b"unknown", b"queued", b"running", b"queued", b""]
    items = [AuditItem(name) for name in names]
    told = busy.call(scripts.audit(busy.name, items, of="job"))
    ok, faulty = AuditSound(), AuditFaulty("NO_SET")
    assert (told.faults, told.answers) == ("", [ok, faulty, ok, faulty, ok])
    # A stray has no record; who has one is judged by his own name.
    told = busy.call(scripts.audit(busy.name, items, of="stray"))
    assert told.answers == [ok] * 5


def test_of_many_large_values_some_are_left_for_another_call(q: QueueState) -> None:
    q.configure(result_bytes=1_000_000)
    ids = [f"j{n}" for n in range(5)]
    q.run(*ids)
    q.ack(*ids[:4], result=bytes(1_000_000))
    items = [AuditItem(id.encode()) for id in ids]
    told = q.call(scripts.audit(q.name, items, of="job"))
    assert told.answers == [AuditSound()] + [AuditLater()] * 4
    sound(q)


def test_a_queue_that_needs_a_newer_version_is_not_judged_by_this_one(q: QueueState) -> None:
    q.corrupted = True
    q.raw.hset(q.key("settings"), "needs", 2)
    with pytest.raises(UpgradeNeeded):
        q.call(scripts.audit(q.name, of="job"))
