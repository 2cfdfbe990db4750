"""The road to Redis: the only package that speaks to it."""

from boltq.evalsha.bells import Bells
from boltq.evalsha.server import Server, sources

__all__ = ["Bells", "Server", "sources"]
