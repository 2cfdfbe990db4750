"""A short chaos run on each server is judged right, and one on an engine with a mistake is not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mutants.mutant import ROOT, Mutant, make
from rig.chaos.__main__ import run
from rig.chaos.judge import KINDS
from rig.chaos.play import Score
from servers import TestServer

SEED = 8
FAULTS = ("server_killed", "answers_lost", "worker_stopped", "worker_killed", "scripts_flushed")


def short(kind: str) -> Score:
    return Score(
        kind,
        SEED,
        seconds=60.0,
        rate=250.0,
        lease=1.0,
        scale=0.1,
        gaps=(0.3, 0.6),
        faults=FAULTS,
        workers=(1, 1),
        most_faults=len(FAULTS),
    )


@pytest.mark.timeout(120)
def test_a_short_run_with_each_of_the_main_faults_is_right(
    server: TestServer, tmp_path: Path
) -> None:
    line, judged = run(short(server.kind), tmp_path, silent=True)
    assert judged.findings == []
    assert re.match(rf"chaos OK seed=8 server={server.kind}-[0-9.]+ ", line)
    assert all(f" {kind}=0" in line for kind in KINDS)
    assert judged.numbers["faults"] == len(FAULTS)
    assert judged.numbers["jobs"] > 200
    assert judged.numbers["runs"] > 100
    assert judged.numbers["leases_lost"] > 0


ANY_TOKEN = Mutant(
    "parts/held.lua",
    "    local live = found[i] and found[i]:find(start, 1, true) == 1\n",
    "    local live = found[i]\n",
    (),
)


@pytest.mark.timeout(120)
def test_an_engine_that_lets_any_token_end_a_lease_is_found_out(tmp_path: Path) -> None:
    folder = make(ANY_TOKEN, tmp_path / "mutant")
    told = {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT / "tests")))}
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "rig.chaos", "--server", "valkey", "--seed", str(SEED)),
            *("--minutes", "0.03", "--rate", "250", "--lease", "1", "--scale", "0.1"),
            *("--faults", "answers_lost", "--gaps", "0.3", "--workers", "1"),
            *("--folder", str(tmp_path)),
        ],
        cwd=tmp_path,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    line = ended.stdout.splitlines()[-1]
    assert line.startswith("chaos FAILED seed=8 server=valkey-")
    assert int(re.findall(r" stale=(\d+)", line)[0]) > 0
    assert " lost=0 " in line
