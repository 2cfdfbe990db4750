"""The list of mutants still fits the Lua; `make mutants` runs the suite on each."""

from pathlib import Path

import pytest
from mutant import LUA, ROOT, Mutant, listed, sources, spoiled

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
    folder, _, verb = mutant.file.partition("/")
    text = sources(None)[verb] if folder == "linked" else (LUA / mutant.file).read_text("utf-8")
    assert spoiled(text, mutant) != text
    assert [file for file in mutant.test_files() if not (ROOT / file).exists()] == []
