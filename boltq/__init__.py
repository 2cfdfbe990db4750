"""BoltQ: a job queue whose whole behaviour is a set of atomic Lua scripts on Redis or Valkey."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boltq.client import BoltQ, Enqueued, Page
    from boltq.job import Job
    from boltq.newjob import Backoff, NewJob

__version__ = "0.1.0"
__all__ = ["Backoff", "BoltQ", "Enqueued", "Job", "NewJob", "Page"]

_HOMES = {
    "Backoff": "boltq.newjob",
    "BoltQ": "boltq.client",
    "Enqueued": "boltq.client",
    "Job": "boltq.job",
    "NewJob": "boltq.newjob",
    "Page": "boltq.client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module 'boltq' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
