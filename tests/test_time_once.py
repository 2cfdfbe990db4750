"""The server's clock is read once in a call: what a script decides, it decides at one instant."""

import re
from collections.abc import Iterator

import pytest
from every_verb import CASES, SCRIPTS, Case
from queue_state import QueueState
from servers import TestServer, process_server


@pytest.fixture(scope="module", params=["redis", "valkey"])
def alone(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A server that nobody else calls."""
    if request.param not in (request.config.getoption("--servers") or request.param).split(","):
        pytest.skip("not asked for")
    with process_server(request.param) as server:
        yield server


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_names_the_clock_once_and_in_no_loop(name: str) -> None:
    source = SCRIPTS[name]["source"]
    assert source.count('"TIME"') == 1
    # A definition, and one use: at the left edge, so in no loop, no branch and no function.
    assert re.findall(r"^(.*)\bclock\(\)", source, re.MULTILINE) == [
        "local function ",
        *re.findall(r"^(local now_ms(?:, now)? = )clock\(\)$", source, re.MULTILINE),
    ]
    assert len(re.findall(r"\bclock\(\)", source)) == 2


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_call_reads_the_clock_once(alone: TestServer, queue: str, case: Case) -> None:
    q = QueueState(alone, queue)
    call = case.prepare(q)
    q.raw.config_resetstat()
    q.call(call)
    assert q.raw.info("commandstats")["cmdstat_time"]["calls"] == 1
    q.server.close()
