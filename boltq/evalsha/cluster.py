"""A cluster: each request goes to the node that holds its queue, whatever the others do."""

from collections.abc import Sequence
from typing import Any, cast

from redis import exceptions as refused
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

from boltq.evalsha.exchange import exchange
from boltq.evalsha.packing import packed

Command = tuple[Any, ...]


class Cluster(RedisCluster):
    """redis-py's client of a cluster, for times when slots move and nodes are away."""

    def __init__(self, nodes: list[ClusterNode], *, retry: Retry, **options: Any) -> None:
        """Look for the cluster; see redis-py."""
        # It asks the first of the nodes which commands there are: if that is away, another.
        asking = Retry(NoBackoff(), len(nodes))
        super().__init__(startup_nodes=nodes, retry=asking, **options)
        self.set_retry(retry)
        self._given = [(node.host, node.port) for node in nodes]

    def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Send one command; see redis-py."""
        try:
            return super().execute_command(*args, **kwargs)  # type: ignore[no-untyped-call]
        except (refused.ConnectionError, refused.TimeoutError) as problem:
            # It asks the first node for all that needs no certain one, and only its own retries
            # would turn to another.
            away = getattr(problem, "connection", None)
            if away is None or self._is_default(away):
                self.replace_default_node()
            raise
        except refused.RedisClusterException:
            self._begin_anew()
            raise

    def get_node(
        self, host: str | None = None, port: int | None = None, node_name: str | None = None
    ) -> Any:
        """Find a node, also one whose first slot is on its way to it: no list names that."""
        found = super().get_node(host, port, node_name)  # type: ignore[no-untyped-call]
        if found is None and node_name is not None:
            host, _, port_text = node_name.rpartition(":")
            found = ClusterNode(host, int(port_text), "primary")  # type: ignore[no-untyped-call]
            self.nodes_manager.nodes_cache[found.name] = found
        return found

    def load(self, source: str, missing: Exception) -> None:
        """Load a script where it was missed: another node may be away."""
        where = missing.connection  # type: ignore[attr-defined]
        node = self.get_node(node_name=f"{where.host}:{where.port}")
        self.get_redis_connection(node).script_load(source)

    def send(self, commands: Sequence[Command]) -> list[object]:
        """Send commands, a round trip a node; an error, of a node too, stands in its place."""
        replies: list[object] = [None] * len(commands)
        for node, numbers in self._by_node(commands).items():
            try:
                there = [packed(*commands[n]) for n in numbers]
                answers = exchange(self.get_redis_connection(node), there)
            except (refused.RedisError, OSError) as problem:
                answers = [problem] * len(numbers)
                self._look_again(node)
            for n, answer in zip(numbers, answers, strict=True):
                replies[n] = answer
        return replies

    def _look_again(self, failed: ClusterNode) -> None:
        try:
            self.nodes_manager.initialize(last_failed_node_name=failed.name)
        except refused.RedisClusterException:
            self._begin_anew()
            raise

    def _begin_anew(self) -> None:
        """Look next where the user said: all nodes that were found since may have new addresses."""
        given = [ClusterNode(host, port) for host, port in self._given]  # type: ignore[no-untyped-call]
        self.nodes_manager.startup_nodes = {node.name: node for node in given}

    def _by_node(self, commands: Sequence[Command]) -> dict[ClusterNode, list[int]]:
        found: dict[ClusterNode, list[int]] = {}
        for n, command in enumerate(commands):
            slot = self.determine_slot(*command)
            node = self.nodes_manager.get_node_from_slot(cast("int", slot))
            found.setdefault(node, []).append(n)
        return found

    def _is_default(self, place: Any) -> bool:
        node = self.get_default_node()  # type: ignore[no-untyped-call]
        return node is not None and (place.host, place.port) == (node.host, node.port)
