"""Nodes that listen on loopback ports, and clusters of them; all end with the block.

node_on_port("redis")      one server on a port of its own
cluster_server()           three nodes of the embedded binary that share the slots
migrate(slot, a, b, nodes) a slot handed over key by key, as by people's tools
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot
from servers import TestServer, _free_ports, program_of, until

from boltq.embedded import Embedded

SLOTS = 16384


@dataclass
class Node:
    """One server process with a port; `bus` is the port where a cluster's nodes talk."""

    embedded: Embedded
    port: int
    bus: int
    raw: Any  # a redis-py client, over the socket

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def id(self) -> str:
        """Its name in the cluster."""
        return str(self.raw.execute_command("CLUSTER", "MYID").decode())


@contextmanager
def node_on_port(
    kind: str, *options: str, persistent: bool = False, in_cluster: bool = False
) -> Iterator[Node]:
    """A server on a free loopback port, beside its socket."""
    with tempfile.TemporaryDirectory(prefix="boltq-test-") as folder:
        # A port that was free may be taken by the time the server binds it: then try others.
        for attempt in range(5):
            port, bus = _free_ports(2)
            told = ("--bind", "127.0.0.1", "--port", str(port), *options)
            if in_cluster:
                told += ("--cluster-enabled", "yes", "--cluster-port", str(bus))
            embedded = Embedded(
                Path(folder), persistent=persistent, options=told, program=program_of(kind)
            )
            try:
                embedded.start()
                break
            except Exception:
                if attempt == 4:
                    raise
        raw = redis.Redis(unix_socket_path=str(embedded.socket_path), protocol=2)
        try:
            yield Node(embedded, port, bus, raw)
        finally:
            raw.close()
            embedded.stop()


@contextmanager
def cluster_server(
    size: int = 3,
    kind: str = "valkey",
    *options: str,
    persistent: bool = False,
    shares: Sequence[int] = (),
) -> Iterator[TestServer]:
    """A cluster on loopback ports, its slots spread evenly, or in such shares."""
    told = ("--cluster-node-timeout", "2000", *options)
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(node_on_port(kind, *told, persistent=persistent, in_cluster=True))
            for _ in range(size)
        ]
        join(nodes, shares or [1] * size)
        addresses = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        first = nodes[0].port
        server = TestServer(
            "cluster",
            f"redis+cluster://{addresses}",
            lambda: redis.RedisCluster(host="127.0.0.1", port=first, protocol=2),
            nodes=nodes,
        )
        stack.callback(server.close)
        yield server


def join(nodes: Sequence[Node], shares: Sequence[int]) -> None:
    """Make a cluster of nodes and wait until each of them knows it whole."""
    begin = 0
    for index, (node, share) in enumerate(zip(nodes, shares, strict=True)):
        after = begin + SLOTS * share // sum(shares)
        if index == max(n for n, one in enumerate(shares) if one):
            after = SLOTS  # what does not divide evenly
        if share:
            node.raw.execute_command("CLUSTER", "ADDSLOTSRANGE", begin, after - 1)
            begin = after
        node.raw.execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for known in nodes[:index]:
            node.raw.execute_command("CLUSTER", "MEET", "127.0.0.1", known.port, known.bus)
    size = sum(1 for share in shares if share)
    until(lambda: all(_is_whole(node.raw, len(nodes), size) for node in nodes), 30)


def _is_whole(raw: Any, known: int, size: int) -> bool:
    told = raw.execute_command("CLUSTER", "INFO")
    wanted = ("cluster_state:ok", f"cluster_known_nodes:{known}", f"cluster_size:{size}")
    return all(one.encode() in told for one in wanted)


def slot_of(queue: str) -> int:
    """The slot that holds the keys of a queue."""
    return int(key_slot(f"{{{queue}}}".encode()))


def owner(nodes: Sequence[Node], slot: int, known: Sequence[Node] = ()) -> Node:
    """The node that holds a slot, as the first of `nodes` that is up tells."""
    (up, *_) = [node for node in nodes if node.embedded.alive()]
    for begin, end, (_, port, *_), *_ in up.raw.execute_command("CLUSTER SLOTS"):
        if begin <= slot <= end:
            return next(node for node in known or nodes if node.port == port)
    raise AssertionError(f"nobody holds slot {slot}")


def migrate(slot: int, source: Node, target: Node, nodes: Sequence[Node]) -> None:
    """Hand a slot over, one key after the other, as people's tools do."""
    target.raw.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    source.raw.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    while keys := source.raw.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1):
        source.raw.execute_command(
            *("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "REPLACE", "KEYS", *keys)
        )
    others = [node for node in nodes if node not in (source, target)]
    for node in (target, source, *others):
        node.raw.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target.id)


def migrate_at_once(slot: int, source: Node, target: Node) -> None:
    """Hand a slot over whole, as Valkey 9 can, and wait until all is there."""
    source.raw.execute_command("CLUSTER MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target.id)
    until(lambda: owner([target], slot, [source, target]) is target, 20)
