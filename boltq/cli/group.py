"""The program `boltq`: its commands by name, each imported when it is asked for."""

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from boltq import __version__
from boltq.cli.exits import MEANINGS, Exit, status_of
from boltq.cli.screen import tell
from boltq.errors import BoltQError

# The help of each stands here a second time, so that `boltq --help` imports none of them.
SECTIONS = {
    "Run it": {
        "up": "Run the API, a worker, and a server if none is named.",
        "api": "Run the HTTP API alone.",
        "worker": "Run a worker alone; the same as boltq-worker.",
    },
    "Jobs": {
        "enqueue": "Add a job, or many, and print the ids.",
        "get": "Show jobs whole.",
        "wait": "Wait until jobs have ended, and print their results.",
        "cancel": "Take jobs out before they run, or ask them to stop.",
    },
    "Look and steer": {
        "jobs": "List jobs, alter them, run them now, or delete them.",
        "dead": "List dead jobs, queue them again, or delete them.",
        "operations": "Replay, cancel, purge or run now many jobs at once.",
        "queues": "List queues, pause, resume, set and delete them.",
        "workers": "List the workers and what they run; let them rest, go on or end.",
        "top": "Watch queues, workers and jobs; pause and replay by a key.",
        "stats": "Count the jobs of queues by state.",
    },
    "Keep it well": {
        "doctor": "Look for what is wrong, and say what to do.",
        "fsck": "Look at all that is kept of queues, and say what is wrong.",
        "bench": "Measure what jobs cost: speed, waits, memory, the server's time.",
        "export": "Write the scripts, systemd units, a Procfile, or alerts.",
        "completion": "Print what teaches a shell to complete our commands.",
    },
}
COMMANDS = {name: help for section in SECTIONS.values() for name, help in section.items()}


class Commands(click.Group):
    """The commands, whose refusals are a sentence and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f"boltq.cli.commands.{cmd_name}"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, or tell which one may have been meant."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write what there is, by sections, without importing any of it."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), help) for name, help in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, without importing it."""
        named = [
            CompletionItem(name, help=help)
            for name, help in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BoltQError as refusal:
            tell(str(refusal), "Error")
            raise click.exceptions.Exit(status_of(refusal)) from refusal
        except KeyboardInterrupt as pressed:
            tell("stopped by Ctrl-C")
            raise click.exceptions.Exit(Exit.INTERRUPTED) from pressed


def _statuses() -> str:
    rows = (f"  {status.value:<4} {meaning}" for status, meaning in MEANINGS.items())
    return "\n".join(("\b", "Exit status:", *rows))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{_statuses()}\n\n\b\nExample: boltq stats --json",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Run BoltQ and look into it. Settings come from flags, else the environment, else `.env`.

    Data goes to standard output, everything else to standard error. A queue is `default` unless
    named; outside of it an id begins with the queue and a colon.
    """
