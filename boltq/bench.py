"""What a job costs the server: time of its whole life, and bytes while it waits."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from boltq import ids, scripts
from boltq.evalsha import Server

PAYLOAD = b'{"recipient":"user@example.com","subject":"Hello","body":"' + b"x" * 140 + b'"}'
"""About 200 bytes, the size that the figures of the design speak of."""

LEASE_MS = 30_000
MAX_BYTES = 4_000_000


class Life(NamedTuple):
    """Server time of a whole life in batches of one size, in microseconds a job."""

    batch: int
    jobs: int
    nothing_kept: bool
    enqueue_us: float
    claim_us: float
    ack_us: float

    @property
    def total_us(self) -> float:
        """Enqueue, claim and ack together."""
        return self.enqueue_us + self.claim_us + self.ack_us


class Waiting(NamedTuple):
    """Bytes that a queued job takes in the server: in all, and beyond its record and payload."""

    jobs: int
    bytes_a_job: float
    record_bytes: int


class Yardstick(NamedTuple):
    """Which server it is, and what the cheapest script there is costs on it."""

    server: str
    empty_stats_us: float


Figure = Yardstick | Waiting | Life

BATCHES = (1, 10, 100)
FIGURES = 2 + 2 * len(BATCHES)


def life(server: Server, *, batch: int, jobs: int, nothing_kept: bool = False) -> Life:
    """Enqueue, claim and ack jobs in batches of one size, and read the server's own clock of it.

    batch: 1 to 500 jobs a call. jobs: how many in all. nothing_kept: a queue that keeps no
    completed jobs. Each figure is the median over the calls, as `INFO commandstats` gives the time
    of EVALSHA; nothing else may call scripts on this server meanwhile. Leaves a queue of its own
    behind, empty.
    """
    queue = f"bench-{ids.new_token()}"
    if nothing_kept:
        off = [scripts.ConfigureItem("keep_completed_ms", b"0")]
        server.call(scripts.configure(queue, off))
    enqueue, claim, ack = [], [], []
    for _ in range(jobs // batch):
        before = _script_us(server)
        server.call(scripts.enqueue(queue, _items(batch), delay_ms=0))
        enqueue.append(_script_us(server) - before)
    for _ in range(jobs // batch):
        token = ids.new_token()
        asked = scripts.claim(
            queue, token=token, worker="bench", lease_ms=LEASE_MS, limit=batch, max_bytes=MAX_BYTES
        )
        before = _script_us(server)
        claimed = server.call(asked)
        middle = _script_us(server)
        assert isinstance(claimed, scripts.Claimed)
        server.call(
            scripts.ack(queue, [scripts.AckItem(job.id, token, b"") for job in claimed.answers])
        )
        claim.append(middle - before)
        ack.append(_script_us(server) - middle)
    _purge(server, queue, "completed")
    medians = (sorted(us)[len(us) // 2] / batch for us in (enqueue, claim, ack))
    return Life(batch, jobs, nothing_kept, *medians)


def waiting(server: Server, *, jobs: int) -> Waiting:
    """Enqueue jobs and read how much memory the server took for them; purges them afterwards."""
    queue = f"bench-{ids.new_token()}"
    before = int(server.info("memory")["used_memory"])
    for _ in range(jobs // 500):
        server.call(scripts.enqueue(queue, _items(500), delay_ms=0))
    taken = int(server.info("memory")["used_memory"]) - before
    header = len(b'{"type":"email","created_ms":1795558868404}\n')
    _purge(server, queue, "queued")
    return Waiting(jobs, taken / jobs, header + len(PAYLOAD))


def floor_us(server: Server, *, calls: int = 500) -> float:
    """Time the cheapest script there is, stats of an empty queue: the yardstick of this machine."""
    queue = f"bench-{ids.new_token()}"
    us = []
    for _ in range(calls):
        before = _script_us(server)
        server.call(scripts.stats(queue))
        us.append(_script_us(server) - before)
    return sorted(us)[calls // 2]


def measure(server: Server, *, jobs: int) -> Iterator[Figure]:
    """Measure all of it and yield each of the FIGURES as it is known.

    jobs: 1000 or more; so many wait for the figure of memory, and fewer live whole lives.
    """
    yield Yardstick(_named(server), floor_us(server))
    yield waiting(server, jobs=jobs)
    for batch in BATCHES:
        for nothing_kept in (False, True):
            yield life(server, batch=batch, jobs=jobs * batch // 100, nothing_kept=nothing_kept)


def lines(figures: Iterable[Figure]) -> Iterator[str]:
    """Write figures for people, the lives last."""
    lives = []
    for figure in figures:
        if isinstance(figure, Yardstick):
            yield f"server            {figure.server}"
            yield f"stats, empty      {figure.empty_stats_us:8.1f} us"
        elif isinstance(figure, Waiting):
            yield f"a queued job      {figure.bytes_a_job:8.0f} bytes"
            yield f"  its record      {figure.record_bytes:8.0f} bytes"
        else:
            lives.append(figure)
    yield "server time, us a job        enqueue    claim      ack    total"
    for one in lives:
        title = f"  batches of {one.batch:3}{', nothing kept' if one.nothing_kept else ''}"
        parts = (one.enqueue_us, one.claim_us, one.ack_us, one.total_us)
        yield f"{title:28}" + "".join(f"{us:8.1f} " for us in parts)


def shown(figures: Iterable[Figure]) -> dict[str, object]:
    """Give figures for programs."""
    members: dict[str, object] = {}
    lives = []
    for figure in figures:
        if isinstance(figure, Life):
            lives.append({**figure._asdict(), "total_us": figure.total_us})
        else:
            members |= figure._asdict()
    return {**members, "lives": lives}


def _named(server: Server) -> str:
    info = server.info("server")
    version = info.get("valkey_version") or info.get("redis_version")
    return f"{info.get('server_name', 'redis')} {version}"


def _purge(server: Server, queue: str, state: str) -> None:
    reply = server.call(scripts.purge(queue, [], state=state, limit=500, cursor=""))
    while reply.cursor:
        reply = server.call(scripts.purge(queue, [], state=state, limit=500, cursor=reply.cursor))


def _items(count: int) -> list[scripts.EnqueueItem]:
    return [scripts.EnqueueItem(ids.new_id(), "email", PAYLOAD, b"") for _ in range(count)]


def _script_us(server: Server) -> float:
    info: dict[str, Any] = server.info("commandstats")
    return float(info.get("cmdstat_evalsha", {}).get("usec", 0))
