"""Real servers for the tests: Redis as a container or from PATH, Valkey as the embedded binary."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from boltq.embedded import Embedded

# Set where a missing tool must fail a test instead of skipping it, as in .ci/run.
STRICT = bool(os.environ.get("CI_STRICT"))
# Which Redis to test on: "container", "path" (redis-server), or the first of them that is there.
REDIS_FROM = os.environ.get("TEST_REDIS", "auto")
REDIS_IMAGE = "redis:7-alpine"


@dataclass
class TestServer:
    """One running server.

    `kind` is "redis", "valkey", "cluster" or "acl", `address` what REDIS_ADDR takes, `embedded` the
    launcher where the server is a process of ours (`.embedded.kill()`, `.embedded.start()`).
    """

    __test__ = False  # for pytest: no test class

    kind: str
    address: str
    connect: Callable[[], Any]
    embedded: Embedded | None = None
    nodes: list[Embedded] = field(default_factory=list)
    _clients: list[Any] = field(default_factory=list)

    def raw(self) -> Any:
        """A redis-py client of its own for looking at raw keys; bytes in, bytes out."""
        self._clients.append(self.connect())
        return self._clients[-1]

    def close(self) -> None:
        while self._clients:
            self._clients.pop().close()


def missing(what: str) -> None:
    """Skip aloud; fail where the strict variable says that nothing may be missing."""
    if STRICT:
        pytest.fail(f"CI_STRICT is set, and missing is {what}")
    pytest.skip(f"SKIPPED: missing is {what}")


def engine_answers() -> bool:
    """Whether a container engine is there."""
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(asked, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def process_server(kind: str, *options: str, persistent: bool = False) -> Iterator[TestServer]:
    """A server process on a socket in a folder of its own; it cannot outlive the tests."""
    program = None
    if kind == "redis":
        found = shutil.which("redis-server")
        if found is None:
            missing("redis-server (Debian: apt install redis-server)")
        program = Path(str(found))
    with tempfile.TemporaryDirectory(prefix="boltq-test-") as folder, ExitStack() as stack:
        embedded = Embedded(Path(folder), persistent=persistent, options=options, program=program)
        embedded.start()
        stack.callback(embedded.stop)
        path = str(embedded.socket_path)
        server = TestServer(
            kind,
            embedded.address,
            lambda: redis.Redis(unix_socket_path=path, protocol=2),
            embedded,
        )
        stack.callback(server.close)
        yield server


@contextmanager
def container_server(*options: str) -> Iterator[TestServer]:
    """Redis in a container, its port published on 127.0.0.1 alone."""
    # Its clean-up container may be unobtainable, and `with` below ends ours.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    # Else, inside a container, it would look for ours at the engine's bridge.
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
    from testcontainers.community.redis import RedisContainer

    container = RedisContainer(REDIS_IMAGE)
    container.ports = {"6379/tcp": ("127.0.0.1", None)}
    container.with_command(["redis-server", "--save", "", *options])
    with container:
        host, port = "127.0.0.1", int(container.get_exposed_port(6379))
        server = TestServer(
            "redis",
            f"redis://{host}:{port}",
            lambda: redis.Redis(host=host, port=port, protocol=2),
        )
        yield server
        server.close()


@contextmanager
def shared_server(kind: str) -> Iterator[TestServer]:
    """The server of that kind that most tests share."""
    if kind == "redis" and REDIS_FROM == "auto":
        how = container_server() if engine_answers() else process_server(kind)
    elif kind == "redis" and REDIS_FROM == "container":
        how = container_server()
    elif kind == "cluster":
        how = cluster_server()
    else:
        how = process_server("valkey" if kind == "acl" else kind)
    with how as server:
        server.kind = kind
        yield server


@contextmanager
def cluster_server(size: int = 3) -> Iterator[TestServer]:
    """A cluster of the embedded binary on loopback ports, its slots spread evenly."""
    with ExitStack() as stack:
        nodes, ports = [], []
        for _ in range(size):
            node, port, bus = stack.enter_context(_cluster_node())
            nodes.append(node)
            ports.append((port, bus))
        _join(nodes, ports)
        addresses = ",".join(f"127.0.0.1:{port}" for port, _ in ports)
        first = ports[0][0]
        server = TestServer(
            "cluster",
            f"redis+cluster://{addresses}",
            lambda: redis.RedisCluster(host="127.0.0.1", port=first, protocol=2),
            nodes=nodes,
        )
        stack.callback(server.close)
        yield server


@contextmanager
def _cluster_node() -> Iterator[tuple[Embedded, int, int]]:
    with tempfile.TemporaryDirectory(prefix="boltq-test-") as folder:
        # A port that was free may be taken by the time the server binds it: then try others.
        for attempt in range(5):
            port, bus = _free_ports(2)
            options = (
                *("--bind", "127.0.0.1", "--port", str(port), "--cluster-port", str(bus)),
                *("--cluster-enabled", "yes", "--cluster-node-timeout", "2000"),
            )
            node = Embedded(Path(folder), persistent=False, options=options)
            try:
                node.start()
                break
            except Exception:
                if attempt == 4:
                    raise
        try:
            yield node, port, bus
        finally:
            node.stop()


def _join(nodes: list[Embedded], ports: list[tuple[int, int]]) -> None:
    clients = [redis.Redis(unix_socket_path=str(node.socket_path), protocol=2) for node in nodes]
    try:
        for index, client in enumerate(clients):
            first, after = 16384 * index // len(nodes), 16384 * (index + 1) // len(nodes)
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, after - 1)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            for port, bus in ports[:index]:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        until(lambda: all(_is_whole(client, len(nodes)) for client in clients), 20)
    finally:
        for client in clients:
            client.close()


def _is_whole(client: Any, size: int) -> bool:
    told = client.execute_command("CLUSTER", "INFO")
    return b"cluster_state:ok" in told and f"cluster_size:{size}".encode() in told


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Look every 10 ms until `holds()` is true; fail when it is not within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(0.01)
