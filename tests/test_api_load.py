"""The rigs of the API, for a moment: `python -m rig.api_mixed` and `rig.api_speed` take longer."""

import os
import random

import pytest
from rig import api_mixed, api_speed

SEED = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(2**32))


def test_a_mixed_load_from_64_connections_meets_no_error_of_ours() -> None:
    with api_mixed.running("valkey") as setting:
        outcome = api_mixed.load(setting, 2.5, 64, SEED)
    assert outcome.wrong == [], f"TEST_SEED={SEED}"
    assert outcome.statuses[200] > 50
    assert outcome.statuses[202] > 20
    assert len(outcome.words) > 5


def test_the_rig_of_speed_measures_each_beside_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    api_speed.main(["--seconds", "0.05", "--pairs", "1", "--connections", "2"])
    *_, single, batch, verdict = capsys.readouterr().out.splitlines()
    assert single.startswith("POST /api/jobs, 2 at a time")
    assert batch.startswith("POST /api/jobs/batch, 2 at a time")
    assert verdict.startswith(("HOLDS", "MISSED"))
