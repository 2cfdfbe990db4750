"""Fixtures that every test may use.

- server: the shared Redis, then the shared Valkey; choose with --servers=redis,valkey,cluster,acl;
  a test in scripts/ or marked `everywhere` runs on all four. On `acl` a script may touch only the
  keys that it declares, so these prove that no script leaves its queue. `cluster` is three nodes of
  Valkey; `redis-cluster`, only where asked for, of Redis
- private_server: starts one whose configuration a test changes, or that it kills
- cluster: three nodes of the embedded binary
- queue: a queue name that no other test has
- q: that queue on that server: short forms of the verbs, and all its keys (queue_state.py)
"""

import re
import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import TestServer, process_server, shared_server

pytest_plugins = ["queue_state", "replicas"]

SCRIPTS = Path(__file__).parent / "scripts"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        help="the kinds of server that tests with the fixture `server` run on: redis, valkey, "
        "cluster, redis-cluster, acl (default: redis,valkey; in scripts/ and where marked "
        "`everywhere` all but redis-cluster)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        everywhere = (
            metafunc.definition.get_closest_marker("everywhere")
            or SCRIPTS in metafunc.definition.path.parents
        )
        usual = "redis,valkey,cluster,acl" if everywhere else "redis,valkey"
        kinds = (metafunc.config.getoption("--servers") or usual).split(",")
        marked = [
            pytest.param(kind, marks=pytest.mark.cluster) if "cluster" in kind else kind
            for kind in kinds
        ]
        metafunc.parametrize("server", marked, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True, optionalhook=True)  # there may be no xdist
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Two processes a core for `-n auto`: half of a test's time is waiting, for leases and ends."""
    return 2 * (yield)


@pytest.fixture(scope="session")
def shared_servers() -> Iterator[Callable[[str], TestServer]]:
    """Each kind started when first asked for and kept, in whatever order tests ask."""
    with ExitStack() as stack:
        started: dict[str, TestServer] = {}

        def shared(kind: str) -> TestServer:
            if kind not in started:
                started[kind] = stack.enter_context(shared_server(kind))
            return started[kind]

        yield shared


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, shared_servers: Callable[[str], TestServer]
) -> TestServer:
    return shared_servers(request.param)


@pytest.fixture(scope="session")
def cluster(shared_servers: Callable[[str], TestServer]) -> TestServer:
    return shared_servers("cluster")


@pytest.fixture
def private_server() -> Iterator[Callable[..., TestServer]]:
    """Call it with a kind, options of the server, and `persistent=True` for an append-only file."""
    with ExitStack() as stack:

        def start(kind: str, *options: str, persistent: bool = False) -> TestServer:
            return stack.enter_context(process_server(kind, *options, persistent=persistent))

        yield start


@pytest.fixture
def queue(request: pytest.FixtureRequest) -> str:
    # The test's name, so that a leftover key or a log line tells where it came from.
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", request.node.originalname)[:80]
    return f"{name}-{secrets.token_hex(4)}"
