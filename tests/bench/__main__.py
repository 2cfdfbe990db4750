"""`make bench`: all figures on a Redis and a Valkey of their own, written down in RESULTS.md.

    python -m bench                             with tests/ in PYTHONPATH, as `make bench` has it
    python -m bench --only drain --rounds 5 --to /tmp
    python -m bench --servers valkey --jobs 100000

Where there are two processors or more, the server has the first and all else the others, but for
`processes`, which has them all. Nobody else should use the machine; how busy it was is noted.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.apart import apart
from bench.report import written
from servers import TestServer, process_server

from boltq.bench import PARTS

HERE = Path(__file__).resolve().parent
SIZES = {
    "rounds": "3",
    "jobs": "50000",
    "threads": "1,8,64",
    "processes": "1,2,4",
    "waiting": "10,1000,200000,1000000",
    "scheduled": "100000",
    "pickups": "200",
    "idle-seconds": "10",
}
"""Flags of `boltq bench`, and how large they are here."""

SPREAD = "processes"
"""The part that needs more than one processor beside the server's."""


def main(arguments: Sequence[str]) -> int:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--servers", default="redis,valkey")
    parser.add_argument("--only", default=",".join(PARTS))
    for name, usual in SIZES.items():
        parser.add_argument(f"--{name}", default=usual)
    parser.add_argument("--to", type=Path, default=HERE, help="the folder of what is written")
    told = parser.parse_args(arguments)
    sizes = [f"--{name}={getattr(told, name.replace('-', '_'))}" for name in SIZES]
    runs = []
    for kind in told.servers.split(","):
        with process_server(kind) as server:
            runs.append(_measured(server, told.only.split(","), sizes, told.to / f"{kind}.svg"))
    told.to.joinpath("RESULTS.md").write_text(written(runs, _commit()), encoding="utf-8")
    return 0


def _measured(
    server: TestServer, parts: Sequence[str], sizes: Sequence[str], plot: Path
) -> dict[str, Any]:
    """Run `boltq bench`: the parts that share a processor, and the one that does not."""
    found = []
    if alone := [part for part in parts if part != SPREAD]:
        with apart(server):
            found.append(_bench(server, alone, [*sizes, f"--plot={plot}"]))
    if SPREAD in parts:
        found.append(_bench(server, [SPREAD], sizes))
    figures = [figure for run in found for figure in run["figures"]]
    figures.sort(key=lambda figure: list(PARTS).index(figure["part"]))
    return {**found[0], "figures": figures}


def _bench(server: TestServer, parts: Sequence[str], flags: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-c", "from boltq.cli import main; main()", "bench", "--json"]
    command += ["--only", ",".join(parts), "--against", "redis", *flags]
    done = subprocess.run(
        command,
        env=os.environ | {"REDIS_ADDR": server.address},
        stdout=subprocess.PIPE,
        check=True,
    )
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def _commit() -> str:
    asked = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
