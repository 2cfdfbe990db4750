"""boltq bench."""

import json
from typing import TYPE_CHECKING

import click

from boltq.cli import options
from boltq.cli.progress import progress
from boltq.cli.screen import document, say

if TYPE_CHECKING:
    from boltq.client import BoltQ


@click.command(
    epilog=options.example("boltq bench --jobs 20000", "boltq bench --jobs 20000 --json")
)
@click.option("--jobs", default=100_000, show_default=True, help="How many wait at once.")
@options.as_json
@options.client
def bench(jobs: int, *, boltq: "BoltQ", as_json: bool) -> None:
    """Measure what a job costs the server.

    The server's own clock is read, so nothing else should use it meanwhile; the jobs are purged
    afterwards. Only ratios within one run say something about another machine.
    """
    from boltq import bench

    measured = []
    with progress("measuring", bench.FIGURES) as advance:
        for figure in bench.measure(boltq.server, jobs=max(jobs, 1000)):
            measured.append(figure)
            advance(1)
    if as_json:
        document(json.dumps(bench.shown(measured)).encode())
    else:
        for line in bench.lines(measured):
            say(line)
