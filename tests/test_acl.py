"""Each verb as a user who may touch the keys that its header declares, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from declared_keys import SCRIPTS, DeclaredKeysOnly
from every_verb import CASES
from queue_state import QueueState
from redis.exceptions import ResponseError
from servers import TestServer

from boltq import address, scripts
from boltq.errors import NotAllowed
from boltq.evalsha import Server

CASE_OF = {case.verb: case for case in CASES.values()}


@pytest.fixture(scope="module")
def road(server: TestServer) -> Iterator[DeclaredKeysOnly]:
    if server.kind == "cluster":
        pytest.skip("each node of a cluster has users of its own, and keeps scripts to their slot")
    road = DeclaredKeysOnly(server)
    yield road
    road.close()


@pytest.mark.parametrize("name", CASES)
def test_a_verb_does_its_whole_work_with_the_keys_that_it_declares(
    q: QueueState, road: DeclaredKeysOnly, name: str
) -> None:
    call = CASES[name].prepare(q)
    before = q.dump()
    road.call(call)
    after = q.dump()
    changed = {part for part in before | after if before.get(part) != after.get(part)}
    assert changed == set(CASES[name].writes.split())


@pytest.mark.parametrize("verb", SCRIPTS)
def test_who_may_not_touch_one_of_its_keys_may_not_use_the_verb(
    q: QueueState, road: DeclaredKeysOnly, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = CASE_OF[verb].prepare(q)
    before, keys = q.dump(), SCRIPTS[verb]["keys"]
    for left_out in keys:
        monkeypatch.setitem(SCRIPTS[verb], "keys", [key for key in keys if key != left_out])
        road.forget()
        with pytest.raises(NotAllowed):
            road.call(call)
    road.forget()
    assert q.dump() == before


@pytest.mark.parametrize("command", ['"HGET", ARGV[1], "a"', '"HSET", ARGV[1], "a", "b"'])
def test_a_script_that_touches_a_key_it_does_not_declare_is_stopped(
    q: QueueState, road: DeclaredKeysOnly, command: str
) -> None:
    road.call(CASE_OF["stats"].prepare(q))
    before = q.dump()
    as_stats: Any = road._as_user["stats"]._redis
    # Redis and Valkey say it in words of their own.
    with pytest.raises(ResponseError, match=r"(?i)no permissions to access a key|can't access"):
        as_stats.eval(f"#!lua\nreturn redis.call({command})", 1, q.key("stats"), q.key("jobs"))
    assert q.dump() == before


def test_a_user_who_may_write_no_events_does_all_else_as_ever(
    q: QueueState, server: TestServer
) -> None:
    if server.kind == "cluster":
        pytest.skip("each node of a cluster has users of its own")
    q.configure(keep_events=100)
    before = q.read("events")
    rules = ["reset", "on", ">none", f"~boltq1:{{{q.name}}}:*", "+@all", "-xadd"]
    q.raw.execute_command("ACL", "SETUSER", "feedless", *rules)
    feedless = Server(replace(address.parse(server.address), username="feedless", password="none"))
    try:
        items = [scripts.EnqueueItem("a", "echo", b"1", b"")]
        feedless.call(scripts.enqueue(q.name, items, delay_ms=0))
        claimed = feedless.call(q.claim_call("t1"))
        assert [job.id for job in claimed.answers] == ["a"]
        feedless.call(scripts.configure(q.name, [scripts.ConfigureItem("keep_events", b"0")]))
    finally:
        feedless.close()
        q.raw.execute_command("ACL", "DELUSER", "feedless")
    assert q.read("events") == before
    q.configure(keep_events=0)
