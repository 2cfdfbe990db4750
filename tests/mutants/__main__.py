"""Makes each mutant and runs the suite on it; who survives shows a test that is missing.

    python -m tests.mutants                    all of them
    python -m tests.mutants --sample 5 --seed 7
    python -m tests.mutants --only extend      those whose name holds the word
    python -m tests.mutants --only "fault 6 "  what proves the tests of row 6 of FAULTS.md

Each test that a mutant names alone must fail; of those that name files, any test of the suite.
Exit status 0: all were killed; 1: some survived, each shown; 2: the suite fails without a mutant.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

# Imported here once for all mutants, since it takes longer than most of them live.
import hypothesis.stateful  # noqa: F401
import pytest
import redis  # noqa: F401

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from mutant import ROOT, Mutant, listed, make, sources  # noqa: E402 - this folder is no package

MUTANTS = [one for path in sorted(HERE.glob("*.txt")) for one in listed(path.read_text("utf-8"))]
WHOLE_SUITE = ["tests/scripts", "tests/model"]
GREEN = 0
PLUGINS = ("boltq", "randomly", "cacheprovider", "unraisableexception")
"""Left out: what a test that fails leaves open is not the matter here."""

say: Callable[[str], object] = partial(print, flush=True)


class Fate(NamedTuple):
    mutant: Mutant
    killed_by: list[str]  # [] if it survived
    seconds: float


class FirstFailure:
    """A plugin that remembers which test failed."""

    def __init__(self) -> None:
        self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid.removeprefix("tests/")


def run(tests: list[str]) -> str:
    """Run tests on the `boltq` that is imported first; the one that failed, "" if none did."""
    failure = FirstFailure()
    options = ["-x", "-q", "--tb=no", "--no-header", "--servers=valkey"]
    options += [part for name in PLUGINS for part in ("-p", f"no:{name}")]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is imported above
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        status = pytest.main([*options, *tests], plugins=[failure])
    if status != GREEN and not failure.test:
        raise RuntimeError(f"pytest ended with {status} on {tests}")
    return failure.test


@contextmanager
def imported_first(folder: str) -> Iterator[None]:
    """In a process that has not imported boltq yet: for it, and for programs that it starts."""
    sys.path.insert(0, folder)
    os.environ.update(PYTHONPATH=folder, SEED="1", EXAMPLES="150")
    os.chdir(ROOT)
    yield


def fails_without(tests: list[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="boltq-mutant-") as folder, imported_first(folder):
        make(None, Path(folder))
        return run(tests)


def killers(mutant: Mutant) -> list[str]:
    """The tests that fail: each of those named alone, or one of a suite; [] if it lives."""
    alone = [test for test in mutant.addresses() if "::" in test]
    failed = [run([test]) for test in alone]
    if alone:
        return failed if all(failed) else []
    return list(filter(None, [run(mutant.addresses()) or run(WHOLE_SUITE)]))


def try_mutant(mutant: Mutant, say_all: bool) -> Fate:  # noqa: FBT001 - called by a pool
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="boltq-mutant-") as folder, imported_first(folder):
        make(mutant, Path(folder))
        killed_by = killers(mutant)
    fate = Fate(mutant, killed_by, time.monotonic() - began)
    if say_all or not killed_by:
        told = f"killed by {', '.join(killed_by)}" if killed_by else "SURVIVED"
        say(f"{mutant.name} {fate.seconds:.1f} s: {told}")
    return fate


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sample", type=int, default=0, help="so many, chosen by the seed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="those whose name holds this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--all", action="store_true", help="name also those that were killed")
    options = parser.parse_args(arguments)
    mutants = [mutant for mutant in MUTANTS if options.only in mutant.name]
    if options.sample:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    began = time.monotonic()
    sources(None)  # read and linked once
    # One process each, made from this one, which has imported what is slow to import.
    with get_context("fork").Pool(options.jobs, maxtasksperchild=1) as pool:
        tried = [(mutant, options.all) for mutant in mutants]
        fates = pool.starmap(try_mutant, tried, chunksize=1)
        # A test that fails anyway kills nobody.
        killed_by = sorted({f"tests/{test}" for fate in fates for test in fate.killed_by})
        if killed_by and (failed := pool.apply(fails_without, (killed_by,))):
            say(f"mutants: a test fails without a mutant, too: {failed}")
            return 2
    survivors = [fate.mutant for fate in fates if not fate.killed_by]
    for mutant in survivors:
        say(f"survivor {mutant.name}\n  {mutant.shown}")
    sampled = f", SEED={options.seed}" if options.sample else ""
    verdict = f"{len(survivors)} SURVIVED" if survivors else "all killed"
    seconds = time.monotonic() - began
    say(f"mutants: {verdict} of {len(mutants)}, {seconds:.0f} s{sampled}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
