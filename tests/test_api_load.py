"""The rigs of the API, for a moment: `python -m rig.api_mixed` and `rig.api_speed` take longer."""

import os
import random
from collections import Counter

import pytest
from rig import api_mixed, api_speed

SEED = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(2**32))


def test_a_mixed_load_from_64_connections_meets_no_error_of_ours() -> None:
    statuses, words = Counter[int](), Counter[str]()

    def is_enough() -> bool:
        return statuses[200] > 50 and statuses[202] > 20 and len(words) > 5

    with api_mixed.running("valkey") as setting:
        for turn in range(8):  # one is enough, unless the machine stands still
            outcome = api_mixed.load(setting, 2.5, 64, SEED + turn)
            assert outcome.wrong == [], f"TEST_SEED={SEED + turn}"
            statuses += outcome.statuses
            words += outcome.words
            if is_enough():
                break
    assert is_enough(), (statuses, words)


def test_the_rig_of_speed_measures_each_beside_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    api_speed.main(["--seconds", "0.05", "--pairs", "1", "--connections", "2"])
    *_, single, batch, verdict = capsys.readouterr().out.splitlines()
    assert single.startswith("POST /api/jobs, 2 at a time")
    assert batch.startswith("POST /api/jobs/batch, 2 at a time")
    assert verdict.startswith(("HOLDS", "MISSED"))
