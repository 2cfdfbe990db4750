"""Every way to corrupt a queue by hand in one step, and a queue to do it to.

arrange(q)                    jobs in every state, small and large, with all that is kept of them
for spoil in corruptions(q):  each a name, the part it is about, and the raw commands that do it
keep(q), bring_back(q, kept)  the whole queue, aside and as it was
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from queue_keys import HOUR_MS, PARTS, PRIORITY_STEP, STATES
from queue_state import QueueState

LARGE = b"x" * 5000
HASHES = [part for part, kind in PARTS.items() if kind == "hash"]
SETS = [part for part, kind in PARTS.items() if kind == "zset"]
FIELDS_OF_TEXT = ("jobs", "leases", "tries", "outcomes", "claims", "operations", "notes")
WRONG_SCORES = {"negative": -1, "endless": "+inf", "huge": 1e300, "broken": 0.5}
WRONG_RECORDS = {
    "no line": b"{}",
    "no json": b"{type}\n",
    "a list": b"[1]\n",
    "no type": b'{"created_ms":1}\n',
    "no time": b'{"type":"echo"}\n',
    "a priority of 10": b'{"type":"echo","created_ms":1,"priority":10}\n',
    "headers longer than it is": b'{"type":"echo","created_ms":1,"headers_bytes":5}\nabc',
    "a payload twice": b'{"type":"echo","created_ms":1,"payload_bytes":5000}\nabc',
    "deep json": b"[" * 2000 + b"\n",
}
# Which field of a lease, and what it is made.
WRONG_LEASES = {
    "a token that is no name": (0, "!"),
    "a token of nobody": (0, "t99"),
    "a retention that is not its own": (1, "77"),
    "a length of 0": (2, "0"),
    "an end in a million years": (3, "9007199254740991"),
    "an attempt of 0": (4, "0"),
    "an attempt that it never had": (4, "7"),
    "a place in no priority": (6, "1e30"),
    "a place of another priority": (6, "2251799813685249"),
    "a cancel of 2": (7, "2"),
    "no worker": (8, ""),
}
WRONG_TRIES = {
    "more lost than ever": "0 9 0 0 - -\n",
    "too many failures": "9 0 9 0 t1 fail\n",
    "another count": "1 1 9 9 t1 fail\n",
    "an error that is none": "1 0 1 0 t1 fail\nno\n",
    "an unknown end": "1 0 1 0 t1 gone\n",
}
# Which member of an operation, and what it is made; None: left out.
WRONG_OPERATIONS: dict[str, tuple[str, Any]] = {
    "another id": ("id", "o9"),
    "an unknown action": ("action", "eat"),
    "a state that it cannot have": ("state", "running"),
    "two states": ("state", "queued retrying"),
    "an unknown status": ("status", ""),
    "no type": ("type", None),
    "an error that is a number": ("error", 5),
    "no start": ("started_ms", None),
    "a rate that is text": ("rate", "5"),
    "a broken count": ("done", 0.5),
    "a negative count": ("skipped", -1),
    "an end that is a list": ("ended_ms", [1]),
    "a cursor that is none": ("cursor", "x"),
    "a stamp in a million years": ("as_of", 2**53),
}
WRONG_SETTINGS = [
    *(("keep_dead", "x"), ("paused", "2"), ("job_backoff_factor", "inf"), ("what", "1")),
    *(("needs", "x"), ("paused_at_ms", "0x10")),
]


class Spoil(NamedTuple):
    """One corruption: its name, which parts it is about, and what does it."""

    name: str
    part: str
    act: Callable[[], Any]


def arrange(q: QueueState) -> None:
    """Put two jobs into each state, one with a large payload and headers, most tried before."""
    q.configure(keep_payloads=1, keep_dead=50, keep_events=50)
    for n, state in enumerate(STATES):
        small, large = f"{state}-s", f"{state}-l"
        q.enqueue(small, payload=b"{}", priority=n)
        q.enqueue(large, payload=LARGE, headers=b"head", max_attempts=4, retention_ms=HOUR_MS)
    ids = [f"{state}-{size}" for state in STATES for size in "sl"]
    assert sorted(q.claimed("t1", limit=100, lease_ms=HOUR_MS)) == sorted(ids)
    # All but those that are to stay small have failed once.
    again = [id for id in ids if id.endswith("l")]
    q.fail(*again, token="t1", delay_ms=0)
    q.promote()
    assert sorted(q.claimed("t2", limit=100, lease_ms=HOUR_MS)) == sorted(again)
    for token, size in (("t1", "s"), ("t2", "l")):
        q.ack(f"completed-{size}", token=token, result=b"done")
        q.fail(f"dead-{size}", token=token, final=1)
        q.fail(f"retrying-{size}", token=token, delay_ms=HOUR_MS)
        q.release(f"queued-{size}", f"cancelled-{size}", token=token)
        q.release(f"scheduled-{size}", token=token, delay_ms=HOUR_MS)
        q.cancel(f"cancelled-{size}")
    q.enqueue("queued-2", "queued-3")
    q.enqueue("once", "lapsed", priority=9)
    assert q.claimed("t3", limit=2, lease_ms=HOUR_MS) == ["once", "lapsed"]
    q.make_due("running", "lapsed")
    q.call(q.operate_call("purge", "dead", "o1", rate=5, since_ms=1, until_ms=2))
    q.call(q.operate_call("replay", "dead", "o2", dry_run=1, error=b"E"))
    q.extend("once", token="t3", told=b"1 2 0 0.5 half\none\ntwo")
    q.configure(paused=1, pause_reason="why", paused_by="who")


def keep(q: QueueState) -> dict[str, bytes | None]:
    return {part: q.raw.dump(q.key(part)) for part in PARTS}


def bring_back(q: QueueState, kept: dict[str, bytes | None]) -> None:
    for part, content in kept.items():
        q.raw.delete(q.key(part))
        if content:
            q.raw.restore(q.key(part), 0, content)


def corruptions(q: QueueState) -> Iterator[Spoil]:
    """Yield them all; the queue is as `arrange` left it whenever one is asked for."""
    held, raw = q.dump(), q.raw
    for part in held:
        key = q.key(part)
        yield Spoil(f"{part} deleted", part, lambda key=key: raw.delete(key))
        for kind, write in {"string": raw.set, "set": raw.sadd}.items():
            yield Spoil(
                f"{part} retyped to a {kind}",
                part,
                lambda key=key, write=write: (raw.delete(key), write(key, "x")),
            )
    for part in set(held) - {"bell", "events"}:
        for name in held[part]:
            drop = raw.hdel if part in HASHES else raw.zrem
            yield Spoil(
                f"{part} without {name}",
                part,
                lambda part=part, name=name, drop=drop: drop(q.key(part), name),
            )
    yield from _doubled(q, held)
    yield from _wrong_scores(q, held)
    yield from _wrong_values(q, held)
    yield from _wrong_lines(q)
    yield Spoil("bell rings twice", "bell", lambda: raw.rpush(q.key("bell"), "1", "1", "1"))


def _doubled(q: QueueState, held: dict[str, Any]) -> Iterator[Spoil]:
    for state in STATES:
        for name, score in held[state].items():
            for other in STATES:
                if other != state:
                    yield Spoil(
                        f"{name} in {other}, too",
                        other,
                        lambda other=other, name=name, score=score: q.raw.zadd(
                            q.key(other), {name: score % PRIORITY_STEP}
                        ),
                    )
    for part in ("payloads", *FIELDS_OF_TEXT):
        for name, value in held[part].items():
            yield Spoil(
                f"{part} of {name} under another name",
                part,
                lambda part=part, value=value: q.raw.hset(q.key(part), "ghost", value),
            )
    for part in SETS:
        yield Spoil(
            f"{part} with a stranger", part, lambda part=part: q.raw.zadd(q.key(part), {"ghost": 5})
        )
        yield Spoil(
            f"{part} with no name", part, lambda part=part: q.raw.zadd(q.key(part), {"a b\n": 5})
        )


def _wrong_scores(q: QueueState, held: dict[str, Any]) -> Iterator[Spoil]:
    for part in SETS:
        name = next(iter(held[part]))
        for what, score in WRONG_SCORES.items():
            yield Spoil(
                f"{part} of {name} with a score that is {what}",
                part,
                lambda part=part, name=name, score=score: q.raw.zadd(q.key(part), {name: score}),
            )
    for name, score in held["queued"].items():
        yield Spoil(
            f"{name} queued under another priority",
            "queued",
            lambda name=name, score=score: q.raw.zadd(
                q.key("queued"), {name: (score + PRIORITY_STEP) % (10 * PRIORITY_STEP)}
            ),
        )


def _wrong_values(q: QueueState, held: dict[str, Any]) -> Iterator[Spoil]:
    for part in FIELDS_OF_TEXT:
        for name, value in list(held[part].items())[:4]:
            for what, wrong in {
                "empty": b"",
                "junk": b"\xff\0 junk",
                "a digit": b"7",
                "cut": value[: min(len(value) // 2, 9)],
                "JSON": b'{"a": 1}\n',
            }.items():
                yield _put(q, f"{part} of {name} is {what}", part, name, wrong)
    for what, wrong in WRONG_RECORDS.items():
        yield _put(q, f"a record with {what}", "jobs", "queued-2", wrong)
    for what, (index, field) in WRONG_LEASES.items():
        lease = held["leases"]["once"].decode().split(" ", 8)
        lease[index] = field
        yield _put(q, f"a lease with {what}", "leases", "once", " ".join(lease))
    for what, entry in WRONG_TRIES.items():
        yield _put(q, f"tries with {what}", "tries", "retrying-l", entry)
    for what, (member, made) in WRONG_OPERATIONS.items():
        operation = json.loads(held["operations"]["o1"]) | {member: made}
        line = json.dumps({name: value for name, value in operation.items() if value is not None})
        yield _put(q, f"an operation with {what}", "operations", "o1", line)
    yield from _wrong_sizes_and_totals(q, held)


def _wrong_lines(q: QueueState) -> Iterator[Spoil]:
    series, events = q.key("series"), q.key("events")
    for what, line in {
        "no number": "x 0 0 1 1 1 1 1 1 1 1",
        "ten numbers": "5 0 0 1 1 1 1 1 1 1",
        "another minute": "6 0 0 1 1 1 1 1 1 1 1",
        "a fraction": "5 0.5 0 1 1 1 1 1 1 1 1",
        "a number that is none": "5 0 0 1 1 1 1 1 1 1 " + "9" * 20,
    }.items():
        yield _put(q, f"series with a line of {what}", "series", "5", line)
    yield _put(q, "series with a minute that no day has", "series", "1440", "1440" + " 0" * 10)
    for what, fields in {
        "no verb": {"jobs": "queued 1 a"},
        "no jobs": {"verb": "ack"},
        "a verb that is none": {"verb": "a b", "jobs": "queued 1 a"},
        "a state that is none": {"verb": "ack", "jobs": "? 1 a"},
        "no count": {"verb": "ack", "jobs": "queued a"},
        "a third field": {"verb": "ack", "jobs": "queued 1 a", "more": "x"},
    }.items():
        yield Spoil(
            f"events with {what}", "events", lambda fields=fields: q.raw.xadd(events, fields)
        )
    yield Spoil("series deleted", "series", lambda: q.raw.delete(series))
    yield Spoil("series retyped", "series", lambda: (q.raw.delete(series), q.raw.set(series, "x")))


def _wrong_sizes_and_totals(q: QueueState, held: dict[str, Any]) -> Iterator[Spoil]:
    for name in held["payloads"]:
        yield _put(q, f"payload of {name} longer", "payloads", name, LARGE + b"x")
        yield _put(q, f"payload of {name} empty", "payloads", name, b"")
    yield _put(q, "a payload beside the record's", "payloads", "queued-2", LARGE)
    for name in held["stats"]:
        for text in ("", "-1", "inf", "9" * 20):
            yield _put(q, f"total {name} is {text!r}", "stats", name, text)
    yield _put(q, "an unknown total", "stats", "what\n", "1")
    for name, text in WRONG_SETTINGS:
        yield _put(q, f"setting {name} is {text!r}", "settings", name, text)


def _put(q: QueueState, name: str, part: str, field: str, value: bytes | str) -> Spoil:
    return Spoil(name, part, lambda: q.raw.hset(q.key(part), field, value))
