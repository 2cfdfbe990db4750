"""GET /api/overview: all that a dashboard shows first, made once a second for whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass

import falcon

from boltq import counts, presence
from boltq.api.answers import array, encode, etag
from boltq.api.queues import without_clock
from boltq.api.snapshot import Answer, Snapshot
from boltq.client import BoltQ
from boltq.errors import BoltQError
from boltq.job import moment_of, shown_time
from boltq.presence import WorkerReport
from boltq.scripts import Stats


@dataclass(frozen=True, slots=True)
class Look:
    """What there was at one moment, `now_ms` by the server's clock; `answer` is that as JSON."""

    now_ms: int
    queues: Mapping[str, Stats]
    workers: list[WorkerReport]
    server: Mapping[str, object]
    answer: Answer


def looks(boltq: BoltQ) -> Snapshot[Look]:
    """Return the one look at a server that all share who show what it holds.

    A look costs a script `stats` for each queue, and 7 more calls, whatever the queues hold.
    """
    return Snapshot(lambda: _made(boltq))


class Overview:
    """GET /api/overview."""

    def __init__(self, looks: Snapshot[Look]) -> None:
        self._looks = looks

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Show counts of all queues, the longest waits first, the workers and the server."""
        self._looks.now().answer.send(resp)


def _made(boltq: BoltQ) -> Look:
    each = boltq.stats_of_all()
    total = counts.of_all(each)
    del total["queues"]
    longest_first = counts.longest_wait_first(each)
    queues = [{"queue": queue, **counts.of_queue(stats)} for queue, stats in longest_first]
    present = presence.workers(boltq.server)
    workers = array(worker.to_json() for worker in present)
    server = _server(boltq)
    now_ms = max((stats.now_ms for stats in each.values()), default=0) or boltq.server.now_ms()
    body = b'{"at":%b,"total":%b,"queues":%b,"workers":%b,"server":%b}' % (
        encode(shown_time(moment_of(now_ms))),
        encode(total),
        encode(queues),
        workers,
        encode(server),
    )
    lasting = encode(without_clock([total, queues])) + workers
    return Look(now_ms, each, present, server, Answer(body, "W/" + etag(lasting)))


def _server(boltq: BoltQ) -> dict[str, object]:
    shown: dict[str, object] = {"address": boltq.server.address.shown}
    try:
        about, memory = boltq.server.info("server"), boltq.server.info("memory")
    except BoltQError:  # a user may be without INFO
        return shown
    version = about.get("valkey_version") or about.get("redis_version")
    return {
        **shown,
        "name": about.get("server_name") or "redis",
        "version": str(version),
        "uptime_seconds": about.get("uptime_in_seconds"),
        "used_memory_bytes": memory.get("used_memory"),
        "max_memory_bytes": memory.get("maxmemory"),
    }
