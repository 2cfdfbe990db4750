"""What CI does with a test that failed: it is run again, and passes all the times or fails."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

AGAIN = Path(__file__).parent.parent / ".ci" / "again"

PYTEST = """#!/bin/sh
echo "$@" >>runs.txt
! test -e broken.txt || ! mkdir once 2>/dev/null
"""
"""Instead of the real one, for what it would run is known: it notes what it was asked to run, and
fails once, in whichever run comes first, where there is a broken.txt."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in (".ci", ".venv/bin", ".pytest_cache/v/cache"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(AGAIN, tmp_path / ".ci")
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    runner = tmp_path / ".venv/bin/pytest"
    runner.write_text(PYTEST)
    runner.chmod(0o755)
    (tmp_path / "runs.txt").touch()
    return tmp_path


def again(project: Path, *failed: str) -> subprocess.CompletedProcess[str]:
    """Run it after a run of all tests in which these failed."""
    told = project / ".pytest_cache/v/cache/lastfailed"
    told.write_text(json.dumps(dict.fromkeys(failed, True)))
    return subprocess.run([project / ".ci/again"], capture_output=True, text=True, check=False)


def runs(project: Path) -> list[str]:
    return (project / "runs.txt").read_text().splitlines()


def test_what_passes_12_times_is_told_to_be_unsteady(project: Path) -> None:
    ran = again(project, "test_a.py::test_b[x y]", "test_c.py::test_d")
    assert ran.returncode == 0
    assert runs(project) == ["-q -p no:cacheprovider test_a.py::test_b[x y] test_c.py::test_d"] * 12
    assert ran.stderr.splitlines() == [
        f"!! UNSTEADY: {name} failed once, above, then passed 12 times of 12"
        for name in ("test_a.py::test_b[x y]", "test_c.py::test_d")
    ]


def test_one_failure_of_those_runs_is_a_failure(project: Path) -> None:
    (project / "broken.txt").touch()
    assert again(project, "test_a.py::test_b").returncode == 1
    assert len(runs(project)) == 4  # the other three ran beside it


def test_more_than_three_tests_that_failed_are_broken(project: Path) -> None:
    assert again(project, *"abcd").returncode == 1
    assert runs(project) == []


def test_where_no_test_failed_the_run_itself_did(project: Path) -> None:
    assert again(project).returncode == 1
    (project / ".pytest_cache/v/cache/lastfailed").unlink()
    assert again(project).returncode == 1
    assert runs(project) == []
