"""Keys that are deleted or evicted, commands that are denied, and scripts of two versions."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from audited import faults_of, sound
from corruptions import arrange
from every_verb import CASES, OLD, SCRIPTS
from queue_keys import PARTS, STATES, Roads
from queue_state import QueueState
from servers import TestServer, process_server

from boltq import BoltQ, address, doctor, fsck, scripts
from boltq.call import Call
from boltq.errors import NotAllowed, UpgradeNeeded
from boltq.evalsha import Server


@pytest.fixture(scope="module", params=["redis", "valkey"])
def own(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    with process_server(request.param) as server:
        yield server


def drain(q: QueueState) -> int:
    """Claim and ack until nothing is left that could be; returns how many were acked."""
    done = 0
    for n in range(60):
        for part in ("scheduled", "retrying", "running"):
            for id in q.raw.zrange(q.key(part), 0, -1):
                q.raw.zadd(q.key(part), {id: 0})
        taken = q.claimed(f"drain-{n}", limit=500)
        if taken:
            done += q.ack(*taken, token=f"drain-{n}").count(scripts.AckDone())
        elif not any(q.raw.zcard(q.key(part)) for part in STATES[:4]):
            return done
    pytest.fail("the queue is never empty")


@pytest.mark.parametrize("part", PARTS)
def test_verbs_go_on_where_somebody_deleted_a_key_and_jobs_without_record_are_counted(
    q: QueueState, part: str
) -> None:
    q.corrupted = True
    arrange(q)
    q.configure(paused=0)
    waiting, there = sum(len(q.order(state)) for state in STATES[:4]), q.dump()
    assert q.raw.delete(q.key(part)) == 1
    counted = q.stat("missing")
    done = drain(q)
    if part == "jobs":
        assert (done, q.stat("missing") - counted) == (0, waiting)
    else:
        # Only what was in a set that is gone is found by nobody, until fsck looks.
        lost = len(there[part]) if part in STATES[:4] else 0
        assert done == waiting - lost
        list(fsck.repair(q.server, q.name))
        assert drain(q) >= lost
    q.enqueue("after")
    assert q.claimed("t-after") == ["after"]
    assert q.ack("after", token="t-after") == [scripts.AckDone()]


def test_where_a_server_evicts_doctor_alarms_fsck_finds_and_claims_go_on(
    own: TestServer, queue: str
) -> None:
    raw = own.raw()
    raw.flushall()
    queues = [QueueState(own, f"{queue}-{n}", Roads(_road(own), raw)) for n in range(40)]
    boltq = BoltQ(own.address, patience_seconds=1)
    try:
        for q in queues:
            q.enqueue(*(f"j{n}" for n in range(8)), payload=bytes(500))
            q.claim("t1", limit=2)
        raw.config_set("maxmemory-policy", "allkeys-lru")
        raw.config_set("maxmemory", raw.info("memory")["used_memory"] - 60_000)
        for n in range(10):
            queues[n % 2].enqueue(f"more{n}")
        raw.config_set("maxmemory", "1gb")
        assert raw.info("stats")["evicted_keys"] > 20
        alarm = [one.level for one in doctor.examine(boltq, None) if one.check == "eviction"]
        assert alarm == ["problem"]
        found = {one.word for q in queues for one in fsck.walk(q.server, q.name)}
        assert found & {"NO_RECORD", "NO_SET"}
        for q in queues:
            drain(q)
            list(fsck.repair(q.server, q.name))
            drain(q)
            q.enqueue("after")
            assert q.claimed("t-after") == ["after"]
            assert not faults_of(q)
    finally:
        raw.config_set("maxmemory", 0)
        raw.config_set("maxmemory-policy", "noeviction")
        raw.flushall()
        boltq.close()
        queues[0].server.close()


def _road(own: TestServer) -> Server:
    return Server(address.parse(own.address))


WRITES = {"HSET", "HDEL", "HINCRBY", "ZADD", "ZREM", "ZREMRANGEBYRANK", "RPUSH"}


def commands_of(verb: str) -> list[str]:
    """The commands with which a script writes."""
    used = set(re.findall(r'redis\.call\("([A-Z]+)"', SCRIPTS[verb]["source"]))
    return sorted(used & WRITES)


@pytest.mark.parametrize("name", ["enqueue", "claim", "ack", "fail"])
def test_who_may_no_longer_use_a_command_is_told_at_once_and_fsck_mends_what_was_half_done(
    own: TestServer, queue: str, name: str
) -> None:
    """A script is stopped where it uses the command: what it wrote before stays written."""
    case, road = CASES[name], Server(address.parse(own.address), patience_seconds=60)
    half_done = 0
    for n, command in enumerate(commands_of(case.verb)):
        q = QueueState(own, f"{queue}-{n}", Roads(road, own.raw()))
        call = case.prepare(q)
        before = q.dump()
        if not is_refused(q, call, command):
            q.forget()
            continue
        half_done += before != q.dump()
        left = {one.word for one in fsck.repair(q.server, q.name) if not one.mended}
        assert left <= {"TRIES_OTHER"}, command
        q.call(call)
        assert set(before["jobs"]) - set(q.read("jobs")) <= {*OLD, "held-dropped"}, command
        assert drain(q) > 0, command
        q.forget()
    assert half_done > 0
    road.close()


def is_refused(q: QueueState, call: Call[Any], command: str) -> bool:
    """Send a call while a command is denied to all; False where the call does not use it."""
    q.raw.execute_command("ACL", "SETUSER", "default", f"-{command.lower()}")
    try:
        q.call(call)
    except NotAllowed:
        return True
    finally:
        q.raw.execute_command("ACL", "SETUSER", "default", "+@all")
    return False


def newer(own: TestServer, verb: str) -> Callable[[Call[Any]], list[Any]]:
    """The script as a version whose level is 2 would bring it, beside that of today."""
    source, level = SCRIPTS[verb]["source"], "local LEVEL = 1\n"
    assert source.count(level) == 1
    raw = own.raw()
    sha = raw.script_load(source.replace(level, "local LEVEL = 2\n"))

    def call(call: Call[Any]) -> list[Any]:
        keys = [f"boltq1:{{{call.queue}}}:{part}" for part in SCRIPTS[verb]["keys"]]
        reply: list[Any] = raw.evalsha(sha, len(keys), *keys, *call.argv)
        return reply

    return call


def test_clients_of_two_versions_share_a_queue_until_it_needs_the_newer_one(
    own: TestServer, queue: str
) -> None:
    q = QueueState(own, queue)
    new_claim, new_ack = newer(own, "claim"), newer(own, "ack")
    q.enqueue("a", "b", "c", "d")
    assert new_claim(q.claim_call("t-new", limit=1))[0] == b"CLAIMED"
    assert q.claimed("t-old", limit=1) == ["b"]
    # Each may end what the other has leased: the lease is in the keys, not in the script.
    assert q.ack("a", token="t-new") == [scripts.AckDone()]
    told = new_ack(scripts.ack(q.name, [scripts.AckItem("b", "t-old", b"")]))
    assert told[2:] == [b"DONE"]
    assert q.claimed("t-last", limit=1) == ["c"]
    q.configure(needs=2)
    before = q.dump()
    for verb in (
        lambda: q.enqueue("e"),
        lambda: q.claim("t-old-2"),
        lambda: q.ack("c", token="t-last"),
        lambda: q.call(scripts.stats(q.name)),
    ):
        with pytest.raises(UpgradeNeeded, match="needs level 2, this script is 1"):
            verb()
    assert q.dump() == before
    assert new_claim(q.claim_call("t-new-2", limit=9))[0] == b"CLAIMED"
    q.raw.hset(q.key("settings"), "needs", 1)
    sound(q)
    q.forget()
    q.server.close()
