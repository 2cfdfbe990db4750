"""The servers under all other tests: of the right kind, apart from each other, gone afterwards."""

from collections.abc import Callable

import pytest
from servers import STRICT, TestServer, container_server, engine_answers, missing, process_server

from boltq.embedded import running_socket


def test_the_shared_server_is_of_its_kind_and_holds_what_is_written(
    server: TestServer, queue: str
) -> None:
    client = server.raw()
    client.set(queue, b"\xff\x00")
    assert client.get(queue) == b"\xff\x00"
    if server.kind != "cluster":
        assert ("valkey_version" in client.info("server")) == (server.kind == "valkey")


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_private_server_takes_options_and_is_nobody_elses(
    private_server: Callable[..., TestServer], kind: str
) -> None:
    one, other = private_server(kind, "--maxmemory", "7mb"), private_server(kind)
    one.raw().set("key", "one")
    assert other.raw().get("key") is None
    assert one.raw().config_get("maxmemory") == {"maxmemory": str(7 * 1024 * 1024)}


def test_a_private_server_ends_with_a_test_that_fails() -> None:
    folders = []

    def fail_with_a_server() -> None:
        with process_server("valkey") as server:
            folders.append(server.embedded.folder)
            assert running_socket(folders[0]) is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_with_a_server()
    assert running_socket(folders[0]) is None


@pytest.mark.cluster
def test_the_cluster_has_three_nodes_and_all_slots(cluster: TestServer) -> None:
    client = cluster.raw()
    for key in ("a", "b", "c", "d"):
        client.set(key, key)
    assert [client.get(key) for key in ("a", "b", "c", "d")] == [b"a", b"b", b"c", b"d"]
    assert len({client.get_node_from_key(key).port for key in ("a", "b", "c")}) == 3


@pytest.mark.container
def test_redis_runs_in_a_container_where_an_engine_runs() -> None:
    if not engine_answers():
        missing("a container engine (`docker version` fails)")
    with container_server("--maxmemory", "7mb") as server:
        assert server.raw().config_get("maxmemory") == {"maxmemory": str(7 * 1024 * 1024)}
        assert server.address.startswith("redis://127.0.0.1:")


def test_what_is_missing_skips_and_in_strict_runs_fails() -> None:
    with pytest.raises(pytest.fail.Exception if STRICT else pytest.skip.Exception):
        missing("nothing")
