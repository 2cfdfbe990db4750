"""What a call does, and what it answers, is bounded however much a queue holds.

Told by the commands that the server counts, by items and by bytes, which do not depend on a
machine; rig/bounds.py measures the time.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from counted_calls import COUNTED
from queue_keys import stamp_of
from queue_state import QueueState
from rig import bounds
from rig.bounds_load import enqueue, let_come, load
from rig.meter import Meter
from servers import TestServer, process_server

from boltq import scripts
from boltq.call import Call

JOBS = 20_000
DUE = 5_000
MOST_BYTES = 8 * 2**20
MIB = bytes(2**20)


@pytest.fixture(scope="module", params=["redis", "valkey"])
def alone(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A server that nobody else calls."""
    if request.param not in (request.config.getoption("--servers") or request.param).split(","):
        pytest.skip("not asked for")
    with process_server(request.param) as server:
        yield server


def commands(server: TestServer, q: QueueState, call: Call[Any]) -> tuple[dict[str, int], int]:
    """Call a script: how often it called each command, and the bytes of its answer."""
    meter, raw = Meter(server, q.name), server.raw()
    raw.config_resetstat()
    meter.call("counted", call)
    told = raw.info("commandstats")
    called = {
        name.removeprefix("cmdstat_"): counts["calls"]
        for name, counts in told.items()
        if name not in {"cmdstat_evalsha", "cmdstat_info", "cmdstat_config|resetstat"}
    }
    return called, meter.costs["counted"][0].reply_bytes


@pytest.fixture(scope="module")
def crowd(alone: TestServer) -> Iterator[QueueState]:
    """A queue in which many wait; each test puts ten more urgent ones in front of them."""
    q = QueueState(alone, "crowd")
    enqueue(q, "waiting", JOBS)
    yield q
    q.server.close()


def leave(q: QueueState, ids: list[str]) -> None:
    """Take away what a test has put in front."""
    q.configure(paused="")
    q.raw.delete(*(q.key(part) for part in ("running", "leases", "claims", "claim_ends")))
    for part in ("jobs", "tries", "outcomes"):
        q.raw.hdel(q.key(part), *ids)
    for part in ("queued", "retrying", "completed", "cancelled", "dead"):
        q.raw.zrem(q.key(part), *ids)
    q.silence()


def stay_in_one_minute(q: QueueState) -> None:
    """Take its sequence into the midst of a minute that is to come.

    The first call of a minute notes how the queue is, and so does more than others.
    """
    ahead_ms = (q.now_ms() // 60_000 + 2) * 60_000 + 30_000
    q.raw.hset(q.key("stats"), "stamp", str(stamp_of(ahead_ms)))


@pytest.mark.parametrize("name", COUNTED)
def test_a_call_does_the_same_with_many_jobs_as_with_twenty(
    alone: TestServer, crowd: QueueState, queue: str, name: str
) -> None:
    few = QueueState(alone, queue)
    enqueue(few, "waiting", 10)
    found = []
    for q in (few, crowd):
        stay_in_one_minute(q)
        ids = [f"{queue}-{n}" for n in range(10)]
        q.enqueue(*ids, priority=9)
        COUNTED[name].prepare(q, ids)
        found.append(commands(alone, q, COUNTED[name].make(q, ids)))
        leave(q, [*ids, *(f"n{n}" for n in range(10))])
    (of_few, few_bytes), (of_crowd, crowd_bytes) = found
    assert of_crowd == of_few
    assert sum(of_few.values()) > 2
    assert abs(crowd_bytes - few_bytes) < 100
    few.forget()
    few.server.close()


@pytest.fixture
def due(alone: TestServer, queue: str) -> Iterator[QueueState]:
    """A queue with much that is due at once, behind a hundred that wait."""
    q = QueueState(alone, queue)
    load(q, 100, due=DUE)
    for part in ("scheduled", "retrying", "running"):
        let_come(q, part)
        assert len(q.order(part)) == DUE
    stay_in_one_minute(q)
    yield q
    q.forget()
    q.server.close()


def sizes(q: QueueState) -> dict[str, int]:
    return {part: q.raw.zcard(q.key(part)) for part in ("scheduled", "retrying", "running", "dead")}


def test_what_is_due_at_once_is_moved_by_a_bounded_number_in_each_call(
    alone: TestServer, due: QueueState
) -> None:
    at_first = sizes(due)
    called, _ = commands(alone, due, due.claim_call(limit=1))
    moved = {part: at_first[part] - left for part, left in sizes(due).items()}
    # A hundred of each; of the leases all are to be retried, and one new one is there.
    assert moved == {"scheduled": 100, "retrying": 0, "running": 99, "dead": 0}
    assert sum(called.values()) < 1500
    again, _ = commands(alone, due, due.claim_call("t2", limit=1))
    assert again == called
    for verb, part in ((scripts.promote, "scheduled"), (scripts.reap, "running")):
        before = sizes(due)[part]
        called, size = commands(alone, due, verb(due.name, limit=500))
        assert (before - sizes(due)[part], size < 100) == (500, True)
        assert sum(called.values()) < 5000
        assert commands(alone, due, verb(due.name, limit=500))[0] == called


def test_however_large_the_payloads_are_no_answer_is_above_8_mib(
    alone: TestServer, queue: str
) -> None:
    meter = Meter(alone, queue)
    q, ids = meter.q, [f"j{n:02}" for n in range(40)]
    for start in range(0, 40, 8):
        items = [scripts.EnqueueItem(id, "echo", MIB[:-200], b"") for id in ids[start : start + 8]]
        q.call(scripts.enqueue(q.name, items, delay_ms=0))
    shown = [scripts.InspectItem(id) for id in ids]
    meter.call("inspect", scripts.inspect(q.name, shown, with_payload=1))
    meter.call("list", scripts.list_(q.name, state="queued", order="oldest", limit=200, cursor=""))
    usual = meter.call("claim", q.claim_call(limit=500))
    most = q.claim_call("t2", limit=500, max_bytes=8_000_000)
    assert (len(usual.answers), len(meter.call("claim most", most).answers)) == (3, 7)
    assert meter.call("claim again", most).answers
    size = {name: costs[0].reply_bytes for name, costs in meter.costs.items()}
    assert max(size.values()) < MOST_BYTES
    assert size["list"] < 10_000
    assert 1_000_000 < size["inspect"] < 2_000_000
    assert size["claim"] < 4_000_000 < size["claim most"] == size["claim again"]
    q.forget()
    q.server.close()


@pytest.mark.parametrize("kind", ["valkey"])
def test_the_rig_measures_every_verb_and_its_verdict_is_one_line(kind: str) -> None:
    found = bounds.run(kind, 1, jobs=2000, calls=1)
    assert {name.split(" ")[0].rstrip(",") for name in found.costs} == {
        *("enqueue", "claim", "ack", "fail", "extend", "release", "promote", "reap", "cancel"),
        *("replay", "purge", "configure", "inspect", "list", "group", "stats", "audit", "mend"),
    }
    assert found.pairs.keys() == {"stats", "enqueue 1", "claim 1", "ack 1"}
    assert [line for line in found.wrong() if line.endswith("bytes")] == []
    verdict = found.verdict(1, 2.0)
    assert verdict.startswith(("bounds OK seed=1 server=valkey-", "bounds FAILED seed=1 server="))
    assert "\n" not in verdict
    slow = found._replace(costs={"ack 1": [bounds.Cost(51.0, 9 * 2**20)]}, pairs={})
    assert slow.wrong() == ["ack 1: 51.0 ms", "ack 1: 9437184 bytes"]
    assert slow.verdict(1, 2.0).startswith("bounds FAILED")
