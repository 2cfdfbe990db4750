"""Whether a queue is sound: what `boltq fsck` would find in it, for tests to ask after every step.

sound(q)         fails with each fault, and what it is of
faults_of(q)     the same as {name: its words}; "" is the queue itself

The names come from the raw keys; the judgement is that of the script `audit`, at one instant.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from boltq import scripts
from boltq.call import Call

CLAIMS = ("claims", "claim_ends")
JOBS = (
    *("jobs", "payloads", "leases", "tries", "outcomes", "notes"),
    *("scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead"),
)
MOST = 200


class Queue(Protocol):
    """What is asked of a queue: QueueState and the model's have it."""

    name: str
    raw: Any

    def key(self, part: str) -> str: ...

    def call(self, call: Call[Any]) -> Any: ...


def sound(q: Queue) -> None:
    """Fail unless the queue is sound."""
    found = faults_of(q)
    assert not found, f"queue {q.name} is not sound: {found}"


def faults_of(q: Queue) -> dict[str, str]:
    """Name what is wrong: by job or token, and under "" with the queue itself."""
    jobs, claims = _names(q, JOBS), _names(q, CLAIMS)
    faults = {"": _audited(q, "job", (), {}).faults}
    _audited(q, "job", jobs, faults)
    _audited(q, "claim", claims, faults)
    return {name: words for name, words in faults.items() if words}


def _audited(q: Queue, of: Any, names: Iterable[bytes], faults: dict[str, str]) -> Any:
    left = sorted(names)
    while True:
        asked, left = left[:MOST], left[MOST:]
        told = q.call(scripts.audit(q.name, [scripts.AuditItem(name) for name in asked], of=of))
        for name, answer in zip(asked, told.answers, strict=True):
            if isinstance(answer, scripts.AuditFaulty):
                faults[name.decode("utf-8", "backslashreplace")] = answer.faults
            elif isinstance(answer, scripts.AuditLater):
                left.append(name)
        if not left:
            return told


def _names(q: Queue, parts: Iterable[str]) -> set[bytes]:
    types = q.raw.pipeline(transaction=False)
    for part in parts:
        types.type(q.key(part))
    reads = q.raw.pipeline(transaction=False)
    read: dict[bytes, Callable[..., Any]] = {
        b"hash": reads.hkeys,
        b"zset": lambda key: reads.zrange(key, 0, -1),
    }
    for part, kind in zip(parts, types.execute(), strict=True):
        if kind in read:
            read[kind](q.key(part))
    return {name for names in reads.execute() for name in names}
