"""A master and its replica on loopback ports, the stream between them held back when asked.

with pair("valkey") as (master, replica, stream):
    stream.stop("answers")        what is written from now on never reaches the replica
    master.embedded.kill()
    promote(replica)
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from clusters import Node, node_on_port
from line import Line, line_to
from queue_keys import Roads
from queue_state import QueueState
from servers import TestServer, until

from boltq import address
from boltq.evalsha import Server

KINDS = ["redis", "valkey"]
Pair = tuple[Node, Node, Line]

FAILOVERS = int(os.environ.get("TEST_FAILOVERS", "0"))
"""So many failovers in a row; unless it is set, a few, and each test on one kind of server."""


# Nothing is waited for before a copy is sent, and all that is done in turns is done often.
QUICK = ("--repl-diskless-sync-delay", "0", "--hz", "100", "--dynamic-hz", "no")


def kinds(usual: str) -> list[str]:
    """The kinds of server for a test that takes long: both where time is given."""
    return ["redis", "valkey"] if FAILOVERS else [usual]


@contextmanager
def pair(kind: str) -> Iterator[tuple[Node, Node, Line]]:
    """A master, a replica that has caught up, and the line by which it is fed."""
    with (
        node_on_port(kind, *QUICK) as master,
        node_on_port(kind, *QUICK) as replica,
        # The replica asks for the stream, so it comes as answers.
        line_to(("127.0.0.1", master.port), raw=True) as stream,
    ):
        follow(replica, stream.port)
        yield master, replica, stream


def follow(replica: Node, port: int) -> None:
    """Make a replica of the server at a port, and wait until it has what that one had."""
    replica.raw.execute_command("REPLICAOF", "127.0.0.1", port)
    until(lambda: replica.raw.info("replication")["master_link_status"] == "up", 20)


def caught_up(master: Node, replica: Node) -> None:
    """Wait until a replica has all that its master had."""
    offset = master.raw.info("replication")["master_repl_offset"]
    until(lambda: replica.raw.info("replication")["slave_repl_offset"] >= offset, 20)


def promote(replica: Node) -> None:
    """Make a master of it: no scripts are loaded there."""
    replica.raw.execute_command("REPLICAOF", "NO", "ONE")


def served(node: Node) -> TestServer:
    """The node as the server of a queue's tests."""
    return TestServer("node", node.address, lambda: node.raw)


@pytest.fixture(params=kinds("redis"))
def two_servers(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(request.param) as found:
        yield found


@pytest.fixture
def queue_on(queue: str) -> Iterator[Callable[[Node], QueueState]]:
    """The queue as one of the servers has it."""
    roads: list[Server] = []

    def at(node: Node) -> QueueState:
        roads.append(Server(address.parse(node.address), patience_seconds=5))
        return QueueState(served(node), queue, Roads(roads[-1], node.raw))

    yield at
    for road in roads:
        road.close()
