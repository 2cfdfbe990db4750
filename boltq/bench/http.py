"""How fast an API takes jobs: one a request, and in batches."""

import json
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from boltq.bench import process
from boltq.bench.figure import Taken, Trial
from boltq.bench.moves import NOOP, PAYLOAD
from boltq.bench.plan import Plan
from boltq.bench.site import Site
from boltq.errors import Unavailable

SINGLE, BATCH = "POST /api/jobs", "POST /api/jobs/batch, 1,000 jobs each"
BATCH_JOBS = 1000
SHARE = 20
ACCEPTED = (b"200", b"202")
MOST_SECONDS = 30.0

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


@contextmanager
def posting(site: Site, plan: Plan) -> Iterator[list[Trial]]:
    """Make the trials, on one connection to an API that runs meanwhile."""
    with process.api(site) as port:

        def single() -> list[Taken]:
            queue, times = site.queue("http"), plan.jobs // SHARE
            request = _request("/api/jobs", _job(queue))
            return _post(site, queue, Taken(SINGLE, "jobs/s", times), port, [request] * times)

        def batch() -> list[Taken]:
            queue, times = site.queue("http"), max(1, plan.jobs // BATCH_JOBS)
            request = _request("/api/jobs/batch?mode=each", [_job(queue)] * BATCH_JOBS)
            return _post(
                site, queue, Taken(BATCH, "jobs/s", times * BATCH_JOBS), port, [request] * times
            )

        yield [Trial("single", single), Trial("batch", batch)]


def _job(queue: str) -> dict[str, object]:
    return {"type": NOOP, "queue": queue, "payload": PAYLOAD}


def _request(path: str, document: object) -> bytes:
    body = json.dumps(document)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _post(
    site: Site, queue: str, counted: Taken, port: int, requests: Sequence[bytes]
) -> list[Taken]:
    """Send requests one after the other; counted: the jobs in them, of which it makes a rate."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=MOST_SECONDS)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        for request in requests:
            _ask(connection, request)
        took = time.perf_counter() - began
    there = site.client.stats(queue).queued
    if there != counted.value:
        raise Unavailable(f"the API was sent {counted.value:.0f} jobs, and {there} are queued")
    site.forget(queue)
    return [counted._replace(value=counted.value / took)]


def _ask(connection: socket.socket, request: bytes) -> None:
    """Send a request, and read its answer whole; prepared bytes cost next to nothing here."""
    connection.sendall(request)
    heard = b""
    while True:
        more = connection.recv(1 << 20)
        heard += more
        head, blank, body = heard.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if blank else None
        if length and len(body) >= int(length[1]):
            break
        if not more:
            raise Unavailable("the API closed the connection")
    if head[9:12] not in ACCEPTED:
        raise Unavailable(f"the API refused a job: {body[:300].decode('utf-8', 'replace')}")
