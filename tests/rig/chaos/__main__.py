"""Chaos: a queue under load while servers, lines and workers are killed, stopped and cut off.

python -m rig.chaos [--minutes 5] [--seed N] [--server redis|valkey|both]     from tests/

Every call and its answer is written down; in the end the queue is drained, and the history judged.
One line is the verdict; what is wrong stands above it, and then the history is kept. The seed
repeats the plan of the faults and the loads, not the moments at which processes meet.

With --fsync no or always a server writes down what it answers before it answers, so a kill takes
nothing of it. With everysec it does not wait while a slow disk is being synced: then a kill does.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rig.chaos.faults import ALL
from rig.chaos.history import read
from rig.chaos.judge import Judgement, judge
from rig.chaos.play import Score, play

MOST_SHOWN = 40


def verdict(score: Score, version: str, judged: Judgement, seconds: float) -> str:
    """Say in one line how it went."""
    numbers = judged.numbers
    told = {
        "seed": score.seed,
        "server": f"{score.kind}-{version}",
        "minutes": f"{score.seconds / 60:g}",
        **{name: numbers[name] for name in ("jobs", "claims", "runs", "faults", "leases_lost")},
        **judged.counts(),
        "longest_without_progress_s": f"{judged.longest_seconds:.1f}",
        "seconds": f"{seconds:.0f}",
    }
    word = "FAILED" if judged.findings else "OK"
    return f"chaos {word} " + " ".join(f"{name}={value}" for name, value in told.items())


def run(score: Score, folder: Path, *, silent: bool = False) -> tuple[str, Judgement]:
    """Play and judge; returns the verdict, and what is behind it."""
    began = time.monotonic()
    version = play(score, folder, silent=silent)
    judged = judge(lambda: read(folder), score.lease)
    return verdict(score, version, judged, time.monotonic() - began), judged


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--server", choices=("redis", "valkey", "both"), default="both")
    parser.add_argument("--rate", type=float, default=400.0, help="jobs a second")
    parser.add_argument("--lease", type=float, default=3.0, help="seconds, of the workers")
    parser.add_argument("--scale", type=float, default=1.0, help="how long faults are; 1 is full")
    parser.add_argument("--gaps", default="2,5,11,11", help="seconds between faults")
    parser.add_argument("--workers", default="1,1,2", help="their processes")
    parser.add_argument("--faults", default=",".join(ALL), help="names, with commas between")
    parser.add_argument("--fsync", default="no", help="no, always or everysec")
    parser.add_argument("--folder", help="where histories are kept; else that for temporary files")
    parser.add_argument("--keep", action="store_true", help="keep the history also if all is well")
    told = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # all we started ends too
    failed = False
    for kind in ("redis", "valkey") if told.server == "both" else (told.server,):
        score = Score(
            kind,
            told.seed,
            told.minutes * 60,
            told.rate,
            told.lease,
            told.scale,
            [float(gap) for gap in told.gaps.split(",")],
            told.faults.split(","),
            [int(processes) for processes in told.workers.split(",")],
            fsync=told.fsync,
        )
        folder = Path(tempfile.mkdtemp(prefix="boltq-chaos-", dir=told.folder))
        line, judged = run(score, folder)
        for finding in judged.findings[:MOST_SHOWN]:
            print(finding)
        if judged.findings or told.keep:
            print(f"the history is in {folder}")
        else:
            shutil.rmtree(folder)
        print(line, flush=True)
        failed = failed or bool(judged.findings)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
