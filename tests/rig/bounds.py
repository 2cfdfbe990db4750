"""What a call costs on a queue of a million jobs: never 50 ms, nor 8 MiB.

python -m rig.bounds [--jobs N] [--seed N] [--servers redis,valkey]     from tests/, with the
repository in PYTHONPATH

A million jobs wait, a tenth as many come due within a second (delayed, and to be retried), as many
leases run out at once, as many are dead, and hundreds carry a payload of 1 MiB. Every verb is
called then, a hundred times or more in each way. What must be as fast as with ten jobs is called
on such a queue, too, in turn.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from audited import sound
from rig import bounds_calls
from rig.bounds_load import load
from rig.meter import Cost, Meter, at_least_of, median
from servers import TestServer, process_server

MOST_MS = 50.0
MOST_BYTES = 8 * 2**20
MOST_RATIO = 1.5
"""Of the median on a million jobs to that on ten: the sets are deeper, and in no cache."""


class Bounds(NamedTuple):
    """What one run has measured."""

    version: str
    jobs: int
    costs: dict[str, list[Cost]]
    pairs: dict[str, tuple[list[Cost], list[Cost]]]

    def wrong(self) -> list[str]:
        """Tell what is above its bound."""
        found = []
        for name, costs in self.costs.items():
            slowest, largest = max(cost.ms for cost in costs), max(cost[1] for cost in costs)
            if slowest > MOST_MS:
                found.append(f"{name}: {slowest:.1f} ms")
            if largest > MOST_BYTES:
                found.append(f"{name}: {largest} bytes")
        for name, ratio in self.ratios().items():
            if ratio > MOST_RATIO:
                found.append(f"{name}: {ratio:.2f} times as long as with ten jobs")
        return found

    def ratios(self) -> dict[str, float]:
        """Tell how much longer the median takes than on a queue of ten jobs."""
        return {name: median(many) / median(ten) for name, (many, ten) in self.pairs.items()}

    def table(self) -> list[str]:
        """Tell what each verb took."""
        lines = [f"{'call':34}{'calls':>7}{'median':>9}{'p99.9':>9}{'max ms':>9}{'max bytes':>11}"]
        for name, costs in sorted(self.costs.items()):
            times = [cost.ms for cost in costs]
            lines.append(
                f"{name:34}{len(costs):7}{median(costs):9.3f}{at_least_of(times, 0.999):9.3f}"
                f"{max(times):9.3f}{max(cost.reply_bytes for cost in costs):11}"
            )
        for name, (many, ten) in self.pairs.items():
            lines.append(
                f"{name + ', jobs to ten':34}{len(many):7}{median(many):9.3f} to "
                f"{median(ten):.3f}: {median(many) / median(ten):.2f}"
            )
        return lines

    def verdict(self, seed: int, seconds: float) -> str:
        """Tell it in one line."""
        times = [cost.ms for costs in self.costs.values() for cost in costs]
        largest = max(cost.reply_bytes for costs in self.costs.values() for cost in costs)
        ratios = " ".join(f"{name}={ratio:.2f}" for name, ratio in self.ratios().items())
        return (
            f"bounds {'FAILED' if self.wrong() else 'OK'} seed={seed} server={self.version} "
            f"jobs={self.jobs} calls={len(times)} max_ms={max(times):.1f} "
            f"p99.9_ms={at_least_of(times, 0.999):.1f} max_bytes={largest} to_ten: {ratios} "
            f"seconds={seconds:.0f}"
        )


def run(kind: str, seed: int, jobs: int, calls: int = 100) -> Bounds:
    """Load a server of a kind, and measure."""
    with process_server(kind) as server:
        meter = Meter(server, "large")
        small = Meter(server, "small")
        load(meter.q, jobs, jobs // 10)
        small.q.enqueue(*(f"small{n}" for n in range(10)))
        pairs = bounds_calls.in_pairs(meter, small, calls * 5)
        bounds_calls.every_verb(meter, calls, random.Random(seed))
        sound(small.q)
        return Bounds(_version(server), jobs, meter.costs, pairs)


def _version(server: TestServer) -> str:
    info: dict[str, Any] = server.raw().info("server")
    kind = "valkey" if "valkey_version" in info else "redis"
    return f"{kind}-{info[f'{kind}_version']}"


def main(arguments: Sequence[str]) -> int:
    """Run on each kind of server; returns 1 if something is above its bound."""
    parser = argparse.ArgumentParser(prog="bounds", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=100, help="of each verb in each way, at least")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--servers", default="redis,valkey")
    told = parser.parse_args(arguments)
    failed = False
    for kind in told.servers.split(","):
        began = time.monotonic()
        bounds = run(kind, told.seed, told.jobs, told.calls)
        for line in (*bounds.table(), *bounds.wrong()):
            print(line)
        print(bounds.verdict(told.seed, time.monotonic() - began), flush=True)
        failed = failed or bool(bounds.wrong())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
