"""A server that starts on an append-only file cut short holds what the last whole call left."""

import os
from pathlib import Path

import pytest
from rig import aof
from servers import process_server

SEED = int(os.environ.get("TEST_SEED", "1"))
EVERY = os.environ.get("TEST_AOF") == "every"


@pytest.mark.timeout(1800 if EVERY else 60)
@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_file_cut_at_any_byte_loses_the_call_in_it_whole_and_no_other(kind: str) -> None:
    verdict, wrong = aof.run(kind, SEED, every=EVERY)
    print(verdict)
    assert wrong == []
    assert verdict.startswith(f"aof OK seed={SEED} server={kind}-")


def test_a_state_that_is_not_that_of_the_last_whole_call_is_told() -> None:
    with process_server("valkey", *aof.OPTIONS, persistent=True) as server:
        assert server.embedded
        program = server.embedded._program
        recording = aof.record(server, "cut")
        (first, _), (second, _) = recording.states[:2]
        recording.states[0] = (first, {})
        told = aof.check(recording, program, first)
        assert told is not None
        assert told.startswith("bell, cancelled, claim_ends, ")
        assert told.endswith(" tries not as after the last whole call")
        assert aof.check(recording, program, second) is None
        assert aof.check(recording, program, second - 1) is not None
        assert aof.check(recording, Path("/nowhere"), second) is not None
