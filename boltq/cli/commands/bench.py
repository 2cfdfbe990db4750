"""boltq bench."""

import json
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boltq.cli import options, tables
from boltq.cli.progress import progress
from boltq.cli.screen import document, tell
from boltq.cli.tables import Column
from boltq.ids import checked_name, new_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from boltq.bench import Figure

# Here a second time, so that `--help` imports none of them.
PARTS = {
    "enqueue": "by one client: one at a time, and in bulk",
    "drain": "by one worker process: handlers that do nothing, wait or compute",
    "processes": "by several worker processes",
    "pickup": "how long a job waits for an idle worker",
    "fair": "how long fast jobs wait among slow ones, claimed ahead and not",
    "life": "the server's time for a whole life, its queue full of finished jobs",
    "verbs": "the server's time for each verb, and the commands in it",
    "memory": "bytes of a job, by state",
    "backlog": "what calls cost beside many jobs that wait",
    "scheduled": "the same beside delayed jobs",
    "http": "by an API started for it: one a request, and in batches",
    "idle": "what a worker costs that has nothing to do",
}

MOST_STEM = 100


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers with commas between."""

    name = "N,N..."

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(one) for one in value.split(","))
        except ValueError:
            numbers = ()
        if not numbers or not all(self._least <= one <= self._most for one in numbers):
            self.fail(
                f"{value!r} is no list of whole numbers from {self._least} to {self._most}, "
                f"with commas between",
                param,
                ctx,
            )
        return numbers


def _parts(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    if value is None:
        return tuple(PARTS)
    named = tuple(value.split(","))
    for one in named:
        if one not in PARTS:
            raise click.BadParameter(f"{one!r} is no part: there are {', '.join(PARTS)}")
    return tuple(one for one in PARTS if one in named)


def _stem(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    stem = checked_name("queue", value or f"bench-{new_token()[:8]}")
    if len(stem) > MOST_STEM:
        raise click.BadParameter(f"it has {len(stem)} characters, and may have {MOST_STEM}")
    return stem


def _parts_told() -> str:
    width = max(map(len, PARTS))
    return "\n".join(("\b", "Parts:", *(f"  {n:{width}}  {told}" for n, told in PARTS.items())))


EXAMPLES = options.example(
    "boltq bench --only memory,life --jobs 2000 --rounds 1",
    "boltq bench --only enqueue --jobs 2000 --against redis --plot bench.svg",
    "boltq bench --only scheduled --scheduled 5000 --rounds 1 --json",
)


@click.command(epilog=f"{_parts_told()}\n\n{EXAMPLES}")
@click.option("--only", callback=_parts, metavar="PART,...", help="Some parts. [all]")
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Each figure is the median of so many.",
)
@click.option(
    "--jobs",
    type=click.IntRange(100, 10_000_000),
    default=20_000,
    show_default=True,
    help="How many a round moves; where a job is slow, fewer.",
)
@click.option(
    "--threads", type=Numbers(1, 500), default="1,8,64", show_default=True, help="Of a worker."
)
@click.option(
    "--processes", type=Numbers(1, 64), default="1,2,4", show_default=True, help="Of a worker."
)
@click.option(
    "--waiting",
    type=Numbers(1, 10_000_000),
    default="10,1000,100000",
    show_default=True,
    help="Jobs in a queue, for what calls cost then.",
)
@click.option(
    "--scheduled",
    type=click.IntRange(1, 10_000_000),
    default=100_000,
    show_default=True,
    help="Delayed jobs, for the same.",
)
@click.option(
    "--pickups",
    type=click.IntRange(1, 100_000),
    default=300,
    show_default=True,
    help="Jobs for an idle worker, 20 a second.",
)
@click.option(
    "--idle-seconds",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    help="How long a worker is watched that has nothing to do.",
)
@click.option(
    "--idle-queues", type=Numbers(1, 5000), default="1,1000", show_default=True, help="Its queues."
)
@click.option(
    "--against",
    type=click.Choice(["redis"]),
    help="The same moves with plain commands in pipelines, too: the floor.",
)
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write a plot, SVG, to a file."
)
@click.option(
    "--queue",
    "stem",
    callback=_stem,
    help="What the names of its queues begin with. [bench-, and some letters]",
)
@options.as_json
@options.server_flags
def bench(
    *, only: tuple[str, ...], plot: Path | None, stem: str, as_json: bool, **told: Any
) -> None:
    """Measure what jobs cost: speed, waits, memory, the server's time.

    It makes queues of its own, touches no other, and deletes them at the end, also after Ctrl-C;
    all parts take some minutes. The server counts for everybody who uses it: measure where
    nobody else does. Speeds are of this machine; only ratios within one run say something about
    another. Bar and goal are what BoltQ set out to reach, on two processors of 2026.
    """
    from boltq import bench as measured
    from boltq.bench.plot import plotted

    flags = {name: told.pop(name) for name in ("redis_addr", "prefix", "data_dir")}
    settings = options.settings(flags)
    plan = measured.Plan(against_redis=told.pop("against") is not None, **told)
    if plot is not None:
        _write(plot, "")  # before minutes are spent on it
    client = options.connected(settings)
    address = settings.redis_addr or client.server.address.shown
    # Whoever ends it by a signal, such as `timeout`, wants its queues gone, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with measured.site_on(client, address, stem) as site:
        about = measured.about(site, plan)
        figures = list(measured.measure(site, plan, only, _shown))
    if plot is not None:
        _write(plot, plotted(about, figures))
    if as_json:
        document(json.dumps({**about, "figures": [one._asdict() for one in figures]}).encode())
    else:
        _table(figures, against=plan.against_redis)
        tell(f"{about['server']} on {about['machine']}")


def _write(plot: Path, text: str) -> None:
    try:
        plot.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise click.ClickException(f"{plot} cannot be written: {problem}") from problem


@contextmanager
def _shown(what: str, steps: int) -> "Iterator[Callable[[int], None]]":
    with progress(f"measuring {what}", steps) as advance:
        yield advance


def _table(figures: "list[Figure]", *, against: bool) -> None:
    from boltq.bench.figure import number

    columns = [
        *(Column("part"), Column("what"), Column("median", right=True), Column("unit")),
        *(Column(title, right=True) for title in ("least", "most", "commands", "bar", "goal")),
    ]
    if against:
        columns.append(Column("to plain", right=True))
    rows = []
    for one in figures:
        row = [one.part, one.what, number(one.median), one.unit]
        row += map(number, (one.least, one.most, one.commands, one.bar, one.goal))
        rows.append([*row, number(one.ratio)] if against else row)
    tables.show(columns, rows)
