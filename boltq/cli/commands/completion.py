"""boltq completion."""

import click
from click.shell_completion import get_completion_class

from boltq.cli import options


@click.command(
    epilog=options.example(
        "boltq completion bash >boltq.bash",
        "boltq completion zsh >_boltq",
        "boltq completion fish >boltq.fish",
    )
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    r"""Print what teaches a shell to complete our commands.

    \b
    bash  put it into ~/.local/share/bash-completion/completions/boltq
    zsh   put it into a folder of $fpath, as the file _boltq
    fish  put it into ~/.config/fish/completions/boltq.fish

    For one session of bash or zsh: eval "$(boltq completion bash)".
    """
    program = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(program, {}, "boltq", "_BOLTQ_COMPLETE").source())
