"""A queue at the other end of a line, whose jobs tell by their payloads which answer is whose."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from line import Line, line_to
from queue_keys import Roads
from queue_state import QueueState
from servers import TestServer, process_server

from boltq import address, scripts
from boltq.evalsha import Server


@pytest.fixture(scope="module", params=["redis", "valkey"])
def own(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    with process_server(request.param) as server:
        yield server


@pytest.fixture
def line(own: TestServer, tmp_path: Path) -> Iterator[Line]:
    assert own.embedded
    with line_to(own.embedded.socket_path, tmp_path) as line:
        yield line


@pytest.fixture
def q(own: TestServer, queue: str, line: Line) -> Iterator[QueueState]:
    """A queue at the other end of the line, with jobs whose payloads tell them apart."""
    road = Server(address.parse(line.address))
    q = QueueState(own, queue, Roads(road, own.raw()))
    items = [scripts.EnqueueItem(f"j{n}", "echo", b"%d" % n, b"") for n in range(20)]
    q.call(scripts.enqueue(queue, items, delay_ms=0))
    yield q
    road.close()


def ask(q: QueueState, n: int) -> Any:
    return scripts.inspect(q.name, [scripts.InspectItem(f"j{n}")], with_payload=1)


def heard(reply: scripts.Inspected) -> bytes:
    (answer,) = reply.answers
    assert isinstance(answer, scripts.InspectJob)
    return answer.payload
