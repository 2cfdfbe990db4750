"""Real servers for the tests: Redis as a container or from PATH, Valkey as the embedded binary."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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
    nodes: list[Any] = field(default_factory=list)
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


def program_of(kind: str) -> Path | None:
    """The program of a kind of server; None: the embedded one."""
    if kind != "redis":
        return None
    found = shutil.which("redis-server")
    if found is None:
        missing("redis-server (Debian: apt install redis-server)")
    return Path(str(found))


@contextmanager
def process_server(kind: str, *options: str, persistent: bool = False) -> Iterator[TestServer]:
    """A server process on a socket in a folder of its own; it cannot outlive the tests."""
    if persistent:
        # With everysec a server may keep back what it has answered for 2 s while a slow disk syncs:
        # killed then, it loses that.
        options = ("--appendfsync", "no", *options)
    with tempfile.TemporaryDirectory(prefix="boltq-test-") as folder, ExitStack() as stack:
        embedded = Embedded(
            Path(folder), persistent=persistent, options=options, program=program_of(kind)
        )
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
    elif kind in {"cluster", "redis-cluster"}:
        from clusters import cluster_server

        how = cluster_server(kind="valkey" if kind == "cluster" else "redis")
    else:
        how = process_server("valkey" if kind == "acl" else kind)
    with how as server:
        server.kind = kind.removeprefix("redis-")
        yield server


def _free_ports(count: int) -> list[int]:
    """Ports that nobody has, and that no system gives to those who ask for any or who connect.

    Such a one could be taken before it is listened on.
    """
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            port = secrets.choice(range(20_000, 32_000))
            with suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
    return ports


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Look every 10 ms until `holds()` is true; fail when it is not within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(0.01)
