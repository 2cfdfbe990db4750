"""A server out of memory takes no new jobs, and can be drained, looked at and configured."""

from collections.abc import Callable, Iterator

import pytest
from every_verb import CASES
from queue_state import QueueState
from servers import TestServer, process_server

from boltq.errors import ServerFull

ADDING = {"enqueue", "replay", "step_replay"}


@pytest.fixture(scope="module", params=["redis", "valkey"])
def small(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A server of this module's own, whose memory the tests set."""
    with process_server(request.param) as server:
        yield server


@pytest.fixture
def small_q(small: TestServer, queue: str) -> Iterator[QueueState]:
    q = QueueState(small, queue)
    yield q
    q.raw.config_set("maxmemory", 0)
    q.forget()


def fill_up(q: QueueState) -> None:
    """Leave no memory; also no script is known, as after a restart."""
    q.raw.config_set("maxmemory-policy", "noeviction")
    q.raw.config_set("maxmemory", 1)
    q.raw.script_flush()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.verb in ADDING])
def test_what_adds_to_queues_is_refused_whole(small_q: QueueState, name: str) -> None:
    call = CASES[name].prepare(small_q)
    before = small_q.dump()
    fill_up(small_q)
    with pytest.raises(ServerFull, match="it takes no new jobs until some have gone"):
        small_q.call(call)
    assert small_q.dump() == before
    small_q.raw.config_set("maxmemory", 0)
    small_q.call(call)
    assert small_q.dump() != before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.verb not in ADDING])
def test_all_else_does_its_whole_work(small_q: QueueState, name: str) -> None:
    call = CASES[name].prepare(small_q)
    before = small_q.dump()
    fill_up(small_q)
    small_q.call(call)
    after = small_q.dump()
    changed = {part for part in before | after if before.get(part) != after.get(part)}
    assert changed == set(CASES[name].writes.split())


def test_a_full_server_is_drained_to_its_last_job(
    private_server: Callable[..., TestServer], queue: str
) -> None:
    q = QueueState(private_server("valkey"), queue)
    q.enqueue(*(f"j{n}" for n in range(20)), payload=b"x" * 5000)
    fill_up(q)
    for n in range(4):
        ids = q.claimed(f"t{n}", limit=5)
        q.ack(*ids[:3], token=f"t{n}")
        q.fail(*ids[3:], token=f"t{n}", final=1)
    with pytest.raises(ServerFull):
        q.enqueue("more")
    assert {state for id in range(20) for state in q.states(f"j{id}")} == {"completed", "dead"}
