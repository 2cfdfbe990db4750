"""A look at the server itself, or at each node of a cluster: for people, never for work."""

from typing import Any, NamedTuple, cast

from boltq.errors import BoltQError, NotAllowed
from boltq.evalsha.connect import ROAD_ERRORS, connect, named
from boltq.evalsha.server import Server, sources

SECTIONS = ("server", "memory", "persistence")


class Node(NamedTuple):
    """One node: INFO, and how often its append-only file is synced.

    What the user may not look at is empty, and then named in `forbidden`.
    """

    name: str
    info: dict[str, Any]
    appendfsync: str
    forbidden: list[str]


def look(server: Server) -> list[Node]:
    """Look at each node, over connections of its own. Raises Unavailable if one does not answer."""
    client = connect(server.address, timeout_seconds=5.0)
    try:
        if server.address.kind == "cluster":
            each = [(node.name, client.get_redis_connection(node)) for node in client.get_nodes()]
        else:
            each = [(server.address.shown, client)]
        return [_look(name, one) for name, one in each]
    except ROAD_ERRORS as problem:
        raise named(problem, server.address.shown) from problem
    finally:
        client.close()


def load_scripts(server: Server) -> None:
    """Load all scripts. Raises NotAllowed if the user may not: then they must be there already."""
    client = connect(server.address, timeout_seconds=5.0)
    try:
        for source in sources().values():
            client.script_load(source)
    except ROAD_ERRORS as problem:
        raise named(problem, server.address.shown) from problem
    finally:
        client.close()


def _look(name: str, client: Any) -> Node:
    node = Node(name, {}, "", [])
    for section in SECTIONS:
        try:
            node.info.update(client.info(section))
        except ROAD_ERRORS as problem:
            _note(node, "INFO", problem)
    try:
        told = cast("dict[str, str]", client.config_get("appendfsync"))
    except ROAD_ERRORS as problem:
        _note(node, "CONFIG GET", problem)
        return node
    return node._replace(appendfsync=told.get("appendfsync", ""))


def _note(node: Node, command: str, problem: Exception) -> None:
    error: BoltQError = named(problem, node.name)
    # A service that rents out servers may not know CONFIG at all.
    unknown = "unknown command" in str(problem)
    if not (unknown or isinstance(error, NotAllowed)):
        raise error from problem
    if command not in node.forbidden:
        node.forbidden.append(command)
