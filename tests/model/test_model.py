"""The model against a real Redis and a real Valkey: `make model EXAMPLES=2000 SEED=7 SHRINK=1`."""

import os
import random
import sys

import pytest
from altered import Altered
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import Machine
from queue_state import Roads
from servers import TestServer

EXAMPLES = int(os.environ.get("EXAMPLES") or 40)
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
# To make smaller what failed takes minutes: worth it where somebody waits for it.
PHASES = (Phase.generate, Phase.shrink) if os.environ.get("SHRINK") else (Phase.generate,)
# A directed rule makes some 15 calls, so that fewer of them do.
RUNS = {"any calls": (Machine, EXAMPLES, 50), "directed": (Altered, (EXAMPLES + 3) // 4, 20)}


@pytest.mark.timeout(24 * 3600 if os.environ.get("EXAMPLES") else 120)
@pytest.mark.parametrize("run", RUNS)
def test_a_queue_does_what_its_model_does_whatever_is_sent(
    server: TestServer, roads: Roads, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, examples, steps = RUNS[run]
    machine = seed(SEED)(type("OnThisServer", (rules,), {"server": server, "roads": roads}))
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=PHASES,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    verdict = "DIFFERS"
    try:
        run_state_machine_as_test(machine, settings=how)
        verdict = "the same"
    except BaseException as error:
        error.add_note(f"to see it again: SEED={SEED}")
        raise
    finally:
        told = f"{run} on {server.kind}: {verdict}, {machine.steps} calls, SEED={SEED}"
        with capsys.disabled():
            sys.stdout.write(f"\nmodel: {told}\n")
