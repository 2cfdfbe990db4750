"""A cluster while slots move between its nodes: calls wait it out, and nothing is half done."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from audited import sound
from clusters import Node, cluster_server, migrate, migrate_at_once, owner, slot_of
from queue_keys import Roads
from queue_state import QueueState
from replicas import FAILOVERS
from servers import TestServer, until
from traffic import Traffic
from workers import wait_for, working

from boltq import address, scripts
from boltq.errors import Unavailable
from boltq.evalsha import Bells, Server

KINDS = ["redis", "valkey"]
ROUNDS = FAILOVERS or 1


@pytest.fixture(scope="module", params=KINDS)
def three(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """Three nodes, of which the last has no slots: no list of the slots names it."""
    # Else a node whose last slot goes away becomes a replica of the one that has it.
    stay = ("--cluster-allow-replica-migration", "no")
    with cluster_server(3, request.param, *stay, shares=[1, 1, 0]) as server:
        yield server


@pytest.fixture
def q(three: TestServer, queue: str) -> Iterator[QueueState]:
    state = QueueState(three, queue, Roads(road_to(three), three.raw()))
    yield state
    sound(state)
    state.forget()
    state.server.close()


def road_to(server: TestServer, patience_seconds: float = 10.0) -> Server:
    return Server(address.parse(server.address), patience_seconds=patience_seconds)


@contextmanager
def half_moved(q: QueueState, three: TestServer, *parts: str) -> Iterator[None]:
    """The slot of a queue on its way to the node without slots, some of its keys there already."""
    slot = slot_of(q.name)
    source, target = owner(three.nodes, slot), three.nodes[-1]
    target.raw.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    source.raw.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    if parts:
        keys = [q.key(part) for part in parts]
        source.raw.execute_command(
            *("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        )
    yield
    migrate(slot, source, target, three.nodes)


def meanwhile(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    heard: list[Any] = []
    thread = threading.Thread(target=lambda: heard.append(call()), daemon=True)
    thread.start()
    return thread, heard


def test_a_queue_half_moved_is_named_as_unavailable_and_left_as_it_was(
    q: QueueState, three: TestServer
) -> None:
    q.run("a")
    q.enqueue("b")
    hasty = road_to(three, patience_seconds=0)
    before = q.dump()
    with half_moved(q, three, "jobs", "queued"):
        for call in (
            scripts.ack(q.name, [scripts.AckItem("a", "t1", b"")]),
            q.claim_call("t2"),
            scripts.stats(q.name),
        ):
            with pytest.raises(Unavailable):
                hasty.call(call)
            with pytest.raises(Unavailable):
                hasty.call_all([call])
    assert q.dump() == before
    hasty.close()


def test_calls_to_a_queue_that_moves_wait_until_it_has_arrived(
    q: QueueState, three: TestServer
) -> None:
    q.run("a", "b")
    acks = [scripts.ack(q.name, [scripts.AckItem(id, "t1", b"")]) for id in ("a", "b")]
    other = road_to(three)
    with half_moved(q, three, "jobs", "running", "leases"):
        one, heard = meanwhile(lambda: q.call(acks[0]))
        all, heard_of_all = meanwhile(lambda: other.call_all(acks[1:]))
        time.sleep(0.05)
        assert heard == heard_of_all == []
    one.join(10)
    all.join(10)
    assert [heard[0].answers, heard_of_all[0][0].answers] == [[scripts.AckDone()]] * 2
    assert set(q.order("completed")) == {"a", "b"}
    other.close()


def test_a_moving_queue_holds_up_no_other_of_the_same_round_trip(
    q: QueueState, three: TestServer
) -> None:
    q.enqueue("a")
    road = road_to(three, patience_seconds=0.1)
    with half_moved(q, three, "jobs"):
        elsewhere = f"{q.name}-2"
        moving, other = road.call_all([scripts.stats(q.name), scripts.stats(elsewhere)])
        assert isinstance(moving, Unavailable)
        assert other.queued == 0
    road.close()


def test_a_script_is_loaded_where_the_queue_has_moved_to(q: QueueState, three: TestServer) -> None:
    q.run("a")
    q.enqueue("b")
    with half_moved(q, three):
        pass
    three.nodes[-1].raw.script_flush()
    (acked,) = q.server.call_all([scripts.ack(q.name, [scripts.AckItem("a", "t1", b"")])])
    assert acked.answers == [scripts.AckDone()]
    three.nodes[-1].raw.script_flush()
    assert q.claimed("t2") == ["b"]


def test_a_bell_is_heard_on_the_node_to_which_its_queue_moves(
    q: QueueState, three: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The wait is not to be over before the slot has moved.
    monkeypatch.setattr("boltq.evalsha.bells.MOST_SECONDS", 20.0)
    bells = Bells(q.server)
    with half_moved(q, three):
        assert bells.wait([q.name], 0.05) is None
        waiting, heard = meanwhile(lambda: bells.wait([q.name], 20))
        until(lambda: three.nodes[-1].raw.info("clients")["blocked_clients"])
    q.enqueue("a")
    waiting.join(30)
    rung = heard[0] or bells.wait([q.name], 2)  # moved under a wait, it may have ended with none
    assert rung == q.name
    bells.close()


def test_nothing_is_lost_while_queues_move_to_and_fro_under_load(
    three: TestServer, queue: str
) -> None:
    nodes: list[Node] = three.nodes
    with Traffic(three, [f"{queue}-{n}" for n in range(4)]) as traffic:
        for turn in range(ROUNDS):
            for name in traffic.queues:
                source = owner(nodes, slot_of(name))
                migrate(slot_of(name), source, nodes[(nodes.index(source) + 1) % 3], nodes)
            traffic.must_go_on(f"round {turn}")
    traffic.must_be_whole()


@pytest.mark.parametrize("three", ["valkey"], indirect=True)  # Redis 7 knows no such move
def test_nothing_is_lost_while_slots_move_whole_under_load(three: TestServer, queue: str) -> None:
    nodes: list[Node] = three.nodes
    with Traffic(three, [f"{queue}-{n}" for n in range(4)]) as traffic:
        for turn in range(ROUNDS):
            for name in traffic.queues:
                source = owner(nodes, slot_of(name))
                migrate_at_once(slot_of(name), source, nodes[(nodes.index(source) + 1) % 3])
            traffic.must_go_on(f"round {turn}")
    traffic.must_be_whole()


def test_a_cluster_that_says_it_is_down_is_waited_for(q: QueueState, three: TestServer) -> None:
    q.enqueue("a")
    slot = slot_of(q.name)
    holder = owner(three.nodes, slot)
    hasty = road_to(three, patience_seconds=0)
    holder.raw.execute_command("CLUSTER", "DELSLOTS", slot)
    with pytest.raises(Unavailable):
        hasty.call(scripts.stats(q.name))
    waiting, heard = meanwhile(lambda: q.call(scripts.stats(q.name)))
    holder.raw.execute_command("CLUSTER", "ADDSLOTS", slot)
    waiting.join(10)
    assert heard[0].queued == 1
    hasty.close()


def test_a_worker_follows_its_queue_to_another_node(q: QueueState, three: TestServer) -> None:
    with working(q, {"t": lambda: None}, lease_seconds=2):
        q.enqueue("before", type="t")
        wait_for(q, "completed", "before")
        with half_moved(q, three, "jobs"):
            time.sleep(0.05)
        q.enqueue("after", type="t")
        wait_for(q, "completed", "after")
