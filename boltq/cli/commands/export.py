"""boltq export."""

from pathlib import Path

import click

from boltq.cli import options
from boltq.cli.screen import say

folder_argument = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
app_option = click.option(
    "--app", metavar="MODULE:APP", help="Whose jobs the worker does. [the built-in types]"
)


@click.group(epilog=options.example("boltq export scripts ./boltq-scripts"))
def export() -> None:
    """Write the scripts, systemd units, a Procfile, or alerts."""


@export.command(epilog=options.example("boltq export scripts ./boltq-scripts"))
@folder_argument
def scripts(folder: Path) -> None:
    """Write the Lua scripts, as EVALSHA runs them, and manifest.json into a folder.

    They are what clients in other languages need. scripts.txt has a line for each script: its name,
    version, SHA-1, and the keys in their order.
    """
    from boltq.export import export_scripts

    for name in export_scripts(folder):
        say(str(folder / name))


@export.command(
    epilog=options.example("boltq export systemd ./units --app shop.jobs:app --user shop")
)
@folder_argument
@app_option
@click.option("--user", default="boltq", show_default=True, help="Who runs them; not root.")
def systemd(folder: Path, *, app: str | None, user: str) -> None:
    """Write systemd units for the API and for any number of workers.

    They run this very installation, in the current folder, with the settings of /etc/boltq.env.
    Put them into /etc/systemd/system; then start boltq-api, boltq-worker@1, boltq-worker@2, ...
    """
    from boltq.export import systemd_units, write

    for name in write(folder, systemd_units(app, user, Path.cwd())):
        say(str(folder / name))


@export.command(
    epilog=options.example(
        "boltq export procfile --app shop.jobs:app", "boltq export procfile ./here"
    )
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="[DIR]", required=False)
@app_option
def procfile(folder: Path | None, *, app: str | None) -> None:
    """Print a Procfile, or write it into a folder."""
    from boltq import export

    written = export.procfile(app)
    if folder is None:
        click.echo(written, nl=False)
        return
    for name in export.write(folder, {"Procfile": written.encode()}):
        say(str(folder / name))


@export.command(epilog=options.example("boltq export monitoring ./monitoring"))
@folder_argument
def monitoring(folder: Path) -> None:
    """Write alerts for Prometheus and a dashboard for Grafana, of the metrics that BoltQ has.

    Name alerts.yml under rule_files in Prometheus, and import grafana.json in Grafana.
    """
    from boltq import export

    for name in export.write(folder, export.monitoring()):
        say(str(folder / name))
