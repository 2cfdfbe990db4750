"""What is done to all jobs of a state: counted, agreed to, shown as it goes, stopped by Ctrl-C."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import click

from boltq.cli.exits import Exit
from boltq.cli.jobs_shown import one_line
from boltq.cli.progress import progress
from boltq.cli.screen import say, tell

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.filters import State

SAMPLE_JOBS = 3


class Sweep(NamedTuple):
    """One sweep: over which jobs, and the word for what becomes of them.

    `done` ends the sentences "5 dead jobs of mail ..." and "... would be ...".
    """

    boltq: "BoltQ"
    state: "State"
    queue: str
    done: str

    def title(self, count: int) -> str:
        """Name so many of the jobs."""
        return f"{count} {self.state} {'job' if count == 1 else 'jobs'} of {self.queue}"

    def now(self) -> int:
        """Count the jobs as they are now."""
        return int(getattr(self.boltq.stats(self.queue), self.state))

    def run(self, steps: Iterator[int], total: int) -> None:
        """Take the steps, and say how many jobs that were; Ctrl-C ends it after a whole step."""
        count, stopped = 0, False
        with progress(f"{self.state} jobs of {self.queue}", total) as advance, _ctrl_c() as pressed:
            for more in steps:
                count += more
                advance(more)
                if stopped := bool(pressed):
                    break
        say(f"{self.title(count)} {self.done}")
        if stopped:
            tell("stopped by Ctrl-C; the rest is as it was")
            click.get_current_context().exit(Exit.INTERRUPTED)


def purge(
    boltq: "BoltQ", state: "State", queue: str, *, agreed_already: bool, dry_run: bool
) -> None:
    """Delete all jobs of a state, once somebody has agreed."""
    sweep = Sweep(boltq, state, queue, "purged")
    count = sweep.now()
    if dry_run:
        say(f"{sweep.title(count)} would be purged")
        return
    if count and not agreed_already:
        _ask(sweep, count)
    sweep.run(boltq.purge_steps(state, queue), count)


def replay(boltq: "BoltQ", queue: str, *, dry_run: bool) -> None:
    """Queue all dead jobs again."""
    sweep = Sweep(boltq, "dead", queue, "queued again")
    count = sweep.now()
    if dry_run:
        say(f"{sweep.title(count)} would be queued again")
    else:
        sweep.run(boltq.replay_steps(queue), count)


def _ask(sweep: Sweep, count: int) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            f"this would delete {sweep.title(count)}: say --yes, since there is nobody to ask"
        )
    newest = sweep.boltq.list(sweep.state, queue=sweep.queue, limit=SAMPLE_JOBS).jobs
    tell(f"this deletes {sweep.title(count)} for good; the newest:")
    for job in newest:
        click.echo(f"  {one_line(job)}", err=True)
    if not click.confirm(f"Delete {sweep.title(count)}?", err=True):
        tell("nothing was deleted")
        click.get_current_context().exit(Exit.FAILURE)


@contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """Gather Ctrl-C instead of breaking off a step of which nobody would know whether it ran."""
    pressed: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        pressed.append(number)

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
