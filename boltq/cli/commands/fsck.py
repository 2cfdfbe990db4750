"""boltq fsck."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from boltq.cli import options
from boltq.cli.each import end_with
from boltq.cli.exits import Exit
from boltq.cli.progress import progress
from boltq.cli.screen import document, say, tell
from boltq.errors import Corrupt
from boltq.ids import checked_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boltq.client import BoltQ
    from boltq.fsck import Finding

MOST_SHOWN = 20
"""Findings of one kind that people are shown; --json has them all."""


def _queues(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> list[str]:
    return [checked_name("queue", name) for name in given]


@click.command(epilog=options.example("boltq fsck", "boltq fsck --queue mail --repair"))
@click.option(
    "--queue",
    "queues",
    multiple=True,
    callback=_queues,
    help="This queue alone; may be repeated. [all that are in use]",
)
@click.option("--repair", is_flag=True, help="Mend what needs no guess.")
@options.as_json
@options.client
def fsck(*, boltq: "BoltQ", queues: list[str], repair: bool, as_json: bool) -> None:
    """Look at all that is kept of queues, and say what is wrong.

    Queues may be in use meanwhile; nothing is written without --repair. Exit status 0 if all is
    sound, or mended and sound now; 1 if something is wrong still.
    """
    names = queues or boltq.server.queues()
    found = _findings(boltq, names, repair=repair)
    wrong, mended = _as_json(found) if as_json else _as_lines(found)
    verdict = f"fsck: {len(names)} {'queue' if len(names) == 1 else 'queues'} looked at"
    what = f"{mended} mended, {wrong} wrong still" if repair else f"{wrong} wrong"
    tell(f"{verdict}; {what if wrong + mended else 'sound'}")
    end_with(Exit.FAILURE if wrong else Exit.OK)


def _findings(boltq: "BoltQ", names: list[str], *, repair: bool) -> "Iterator[Finding]":
    from boltq import fsck

    look = fsck.repair if repair else fsck.walk
    for name in names:
        with progress(f"names of {name}", 2 * _jobs(boltq, name)) as advance:
            yield from look(boltq.server, name, advance)


def _jobs(boltq: "BoltQ", queue: str) -> int:
    try:
        stats = boltq.stats(queue)
    except Corrupt:
        return 0
    return sum(getattr(stats, state) for state in options.STATES)


def _as_lines(found: "Iterator[Finding]") -> tuple[int, int]:
    seen: Counter[tuple[Any, ...]] = Counter()
    counts = Counter[bool]()
    for finding in found:
        counts[finding.mended] += 1
        alike = (finding.queue, finding.word, finding.mended)
        seen[alike] += 1
        if seen[alike] <= MOST_SHOWN:
            say(finding.sentence)
    for (queue, word, _), count in seen.items():
        if count > MOST_SHOWN:
            say(f"queue {queue}: {count - MOST_SHOWN} more of the kind {word}; --json has them all")
    return counts[False], counts[True]


def _as_json(found: "Iterator[Finding]") -> tuple[int, int]:
    every = [finding._asdict() for finding in found]
    document(json.dumps({"findings": every}, ensure_ascii=True).encode())
    mended = sum(finding["mended"] for finding in every)
    return len(every) - mended, mended
