"""A noun among the commands: alone, or with flags only, it lists."""

import click


class Noun(click.Group):
    """A group of verbs, of which `list` is the one meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb in where it is left out."""
        flags_alone = bool(args) and args[0].startswith("-") and args[0] not in {"-h", "--help"}
        # A shell that completes has not heard yet whether a verb follows.
        if flags_alone or not (args or ctx.resilient_parsing):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the verbs in the order in which they were declared."""
        return list(self.commands)
