"""A node of a cluster that is killed: queues on the others go on, its own when it is back."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from audited import sound
from clusters import Node, cluster_server, owner, slot_of
from line import line_to
from queue_keys import Roads
from queue_state import QueueState
from replicas import FAILOVERS, kinds
from servers import TestServer, until
from traffic import Traffic
from workers import KEPT, state, working

from boltq import address, scripts
from boltq.errors import Unavailable
from boltq.evalsha import Server
from boltq.worker.outage import QUIET_SECONDS

# Nodes go on although one is away; what a node held is there when it is back.
OPTIONS = ("--cluster-require-full-coverage", "no")


@pytest.fixture(scope="module", params=kinds("redis"))
def lasting(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A cluster whose nodes keep a file; a test starts again what it kills."""
    with cluster_server(3, request.param, *OPTIONS, persistent=True) as server:
        yield server


@pytest.fixture
def road(lasting: TestServer) -> Iterator[Server]:
    road = Server(address.parse(lasting.address))
    yield road
    road.close()


@pytest.fixture
def one_a_node(lasting: TestServer, queue: str, road: Server) -> Iterator[list[QueueState]]:
    """A queue on each node, in the order of the nodes: every client asks the first for the time."""
    names = [f"{queue}-{n}" for n in range(60)]
    found = []
    for node in lasting.nodes:
        name = next(one for one in names if owner(lasting.nodes, slot_of(one)) is node)
        found.append(QueueState(lasting, name, Roads(road, node.raw)))
    yield found
    for node in lasting.nodes:
        if not node.embedded.alive():
            start(node)


def start(node: Node) -> None:
    """Start it again; here, since a server ends with the thread that started it."""
    node.embedded.start()
    until(lambda: b"cluster_state:ok" in node.raw.execute_command("CLUSTER", "INFO"), 20)


def test_queues_on_other_nodes_go_on_and_its_own_when_it_is_back(
    lasting: TestServer, one_a_node: list[QueueState], road: Server
) -> None:
    first, second, _ = one_a_node
    first.enqueue("before")
    hasty = Server(road.address, patience_seconds=0)
    lasting.nodes[0].embedded.kill()
    second.enqueue("a")
    assert second.claimed() == ["a"]
    for _ in range(2):
        with pytest.raises(Unavailable):
            hasty.call(scripts.stats(first.name))
    gone, there = Server(road.address, patience_seconds=0.2).call_all(
        [scripts.stats(first.name), scripts.stats(second.name)]
    )
    assert isinstance(gone, Unavailable)
    assert there.running == 1
    # The first node is the one that is asked for what any node could tell.
    assert road.now_ms() > 0
    heard: list[Any] = []
    waiting = threading.Thread(target=lambda: heard.append(road.call(scripts.stats(first.name))))
    waiting.start()
    start(lasting.nodes[0])
    waiting.join(20)
    assert heard[0].queued == 1
    hasty.close()


def test_a_script_is_loaded_although_another_node_is_away(
    lasting: TestServer, one_a_node: list[QueueState]
) -> None:
    _, second, _ = one_a_node
    lasting.nodes[0].embedded.kill()
    lasting.nodes[1].raw.script_flush()
    second.enqueue("a")
    lasting.nodes[1].raw.script_flush()
    (stats,) = second.server.call_all([scripts.stats(second.name)])
    assert stats.queued == 1


def test_a_worker_of_queues_on_all_nodes_works_on_where_nodes_are_left(
    lasting: TestServer, one_a_node: list[QueueState], caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = one_a_node
    began = time.monotonic()
    go = threading.Event()

    def slow() -> None:
        assert go.wait(40)

    names = [q.name for q in one_a_node]
    with working(
        first, {"t": lambda: None, "slow": slow}, queues=names, threads=4, lease_seconds=KEPT
    ):
        first.enqueue("held", type="slow")
        second.enqueue("long", type="slow")
        until(lambda: state(first, "held") == state(second, "long") == "running")
        lasting.nodes[0].embedded.kill()
        third.enqueue(*(f"j{n}" for n in range(5)), type="t")
        until(lambda: third.raw.zcard(third.key("completed")) == 5, 15)
        # Longer than a lease: the heartbeat goes on, too.
        claimed_until = second.raw.zscore(second.key("running"), "long")
        until(lambda: second.raw.zscore(second.key("running"), "long") > claimed_until, 15)
        third.enqueue("x", type="t")
        until(lambda: state(third, "x") == "completed", 15)
        start(lasting.nodes[0])
        go.set()
        until(lambda: state(second, "long") == "completed", 15)
        first.enqueue("again", type="t")
        until(lambda: {state(first, id) for id in ("held", "again")} == {"completed"}, 20)
    assert second.lease("long") is None
    # Each call to the one node is lost, and each to another answered: that is told now and then.
    assert caplog.text.count("redis is away") <= 1 + (time.monotonic() - began) / QUIET_SECONDS
    for q in one_a_node:
        sound(q)


def test_nothing_is_lost_while_each_node_is_killed_once_under_load(
    lasting: TestServer, queue: str
) -> None:
    with Traffic(lasting, [f"{queue}-{n}" for n in range(4)]) as traffic:
        for node in lasting.nodes if FAILOVERS else lasting.nodes[:1]:
            node.embedded.kill()
            time.sleep(0.05)
            start(node)
            traffic.must_go_on("a node was killed")
    traffic.must_be_whole()


def test_a_cluster_that_comes_back_at_other_addresses_is_found_by_its_name(queue: str) -> None:
    call = scripts.stats(queue)
    with cluster_server(1) as one, line_to(("127.0.0.1", one.nodes[0].port)) as name:
        place = address.parse(name.address.replace("redis", "redis+cluster"))
        roads = Server(place, patience_seconds=0), Server(place, patience_seconds=0)
        assert [road.call(call).queued for road in roads] == [0, 0]
        one.nodes[0].embedded.kill()
        with pytest.raises(Unavailable):
            roads[0].call(call)
        with pytest.raises(Unavailable):
            roads[1].call_all([call])
        with cluster_server(1) as other:
            name.lead_to(("127.0.0.1", other.nodes[0].port))
            for road in roads:
                road.patience_seconds = 10
                assert road.call(call).queued == 0
                road.close()


def test_a_client_may_be_made_before_any_node_is_there(queue: str) -> None:
    with cluster_server(1, "valkey", persistent=True) as server:
        (node,) = server.nodes
        node.embedded.stop()
        road = Server(address.parse(server.address), patience_seconds=0.1)
        with pytest.raises(Unavailable):
            road.call(scripts.stats(queue))
        road.patience_seconds = 20
        start(node)
        assert road.call(scripts.stats(queue)).queued == 0
        node.embedded.kill()
        road.patience_seconds = 0
        for _ in range(3):  # also when no node at all is left
            with pytest.raises(Unavailable):
                road.call(scripts.stats(queue))
        road.close()
