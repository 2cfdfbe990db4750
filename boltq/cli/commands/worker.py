"""boltq worker."""

import click


@click.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def worker(arguments: tuple[str, ...]) -> None:
    """Run a worker alone; the same as boltq-worker."""
    from boltq.worker.main import main as boltq_worker

    boltq_worker(list(arguments), prog_name="boltq worker")
