"""The command line. `boltq --help` imports nothing but click and this package."""

from boltq.cli.group import main

__all__ = ["main"]
