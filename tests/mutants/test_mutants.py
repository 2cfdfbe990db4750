"""The lists of mutants still fit the code; `make mutants` runs the suite on each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutant import ROOT, Mutant, listed, make, right_text, spoiled

LISTS = sorted(Path(__file__).parent.glob("*.txt"))
MUTANTS = [one for path in LISTS for one in listed(path.read_text("utf-8"))]


def test_there_are_many_and_each_is_there_once() -> None:
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) > 150


def test_the_mistakes_are_spread_over_all_scripts_that_workers_and_people_call() -> None:
    spoilt = {Path(one.file).stem for one in MUTANTS}
    assert {"enqueue", "claim", "ack", "fail", "extend", "release", "promote", "reap"} <= spoilt
    assert {"cancel", "replay", "purge", "configure", "inspect", "stats", "page"} <= spoilt


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_what_is_to_be_spoiled_stands_there_once_and_its_tests_are_there(mutant: Mutant) -> None:
    text = right_text(mutant)
    assert spoiled(text, mutant) != text
    for file, _, test in (address.partition("::") for address in mutant.addresses()):
        assert (f"def {test}(" if test else "def test_") in (ROOT / file).read_text("utf-8")


@pytest.mark.parametrize("file", ["boltq/ids.py", "boltq/worker/heartbeat.py"])
def test_a_mistake_in_the_clients_is_imported_and_the_rest_is_as_it_was(
    file: str, tmp_path: Path
) -> None:
    first = (ROOT / file).read_text("utf-8").split("\n", 1)[0]
    make(Mutant(file, first, '"""Spoiled."""', ()), tmp_path)
    module = file.removesuffix(".py").replace("/", ".")
    asked = f"import {module} as it, boltq.evalsha as other; print(it.__doc__, other.__doc__)"
    told = subprocess.run(
        [sys.executable, "-P", "-c", asked],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("Spoiled. The road to Redis")


def test_a_list_names_faults_tests_and_files() -> None:
    (mutant,) = listed("# why\nboltq/ids.py: 6 17 ./test_ids::test_a ack\n- a\n-   b\n+ c\n")
    assert mutant == Mutant("boltq/ids.py", "a\n  b", "c", ("./test_ids::test_a", "ack"), (6, 17))
    assert mutant.name.startswith("fault 6 fault 17 boltq/ids.py-")
    assert mutant.addresses() == ["tests/test_ids.py::test_a", "tests/scripts/test_ack.py"]
