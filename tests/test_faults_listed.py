"""FAULTS.md says of every fault which tests show it; `make mutants` proves that they can fail."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from mutants.mutant import ROOT, Mutant, listed

TESTS = Path(__file__).parent
FAULTS = 84
LEAST_SHOWN = 65
WITHOUT = ("cannot be shown: ", "issue 5: ", "later: ", "no protection: ")
"""What the last column begins with where no mutant stands behind a row."""
NOT_SHOWN = WITHOUT[:3]
MUTANTS = [
    one
    for path in sorted((TESTS / "mutants").glob("*.txt"))
    for one in listed(path.read_text("utf-8"))
]


class Row(NamedTuple):
    number: int
    fault: str
    tests: list[str]
    without: str

    @property
    def shown(self) -> bool:
        return not self.without.startswith(NOT_SHOWN)

    @property
    def mutants(self) -> list[Mutant]:
        return [one for one in MUTANTS if self.number in one.rows]


def rows() -> list[Row]:
    found = []
    for line in (TESTS / "FAULTS.md").read_text("utf-8").splitlines():
        if cells := re.fullmatch(r"\| (\d+) \| (.+?) \| ?(.*?) ?\| (.+) \|", line):
            tests = re.findall(r"`([^`]+::[^`]+)`", cells[3])
            found.append(Row(int(cells[1]), cells[2], tests, cells[4]))
    return found


ROWS = rows()


def test_every_fault_has_its_row_and_enough_are_shown() -> None:
    assert [row.number for row in ROWS] == list(range(1, FAULTS + 1))
    assert sum(row.shown for row in ROWS) >= LEAST_SHOWN


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_names_tests_that_are_there_and_a_mutant_or_the_reason_why_there_is_none(
    row: Row,
) -> None:
    assert row.tests or not row.shown
    for test in row.tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (TESTS / f"{file}.py").read_text("utf-8")
    assert bool(row.mutants) != row.without.startswith(WITHOUT)


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.rows], ids=lambda one: one.name)
def test_a_mutant_of_a_fault_is_killed_by_tests_of_its_row(mutant: Mutant) -> None:
    tests = {
        address.removeprefix("tests/").replace(".py::", "::") for address in mutant.addresses()
    }
    assert all("::" in test for test in tests)
    for row in ROWS:
        if row.number in mutant.rows:
            assert tests & set(row.tests)
    assert (ROOT / "tests").samefile(TESTS)
