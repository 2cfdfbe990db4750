"""BoltQ: a job queue whose whole behaviour is a set of atomic Lua scripts on Redis or Valkey."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.declare import Declared, Middleware
    from boltq.execution import Execution, FailForGood, Retry, current_job
    from boltq.follow import Enqueued
    from boltq.job import Job
    from boltq.newjob import Backoff, NewJob
    from boltq.queues import Page

__version__ = "0.1.0"
__all__ = [
    "Backoff",
    "BoltQ",
    "Declared",
    "Enqueued",
    "Execution",
    "FailForGood",
    "Job",
    "Middleware",
    "NewJob",
    "Page",
    "Retry",
    "current_job",
]

_HOMES = {
    "Backoff": "boltq.newjob",
    "BoltQ": "boltq.client",
    "Declared": "boltq.declare",
    "Enqueued": "boltq.follow",
    "Execution": "boltq.execution",
    "FailForGood": "boltq.execution",
    "Job": "boltq.job",
    "Middleware": "boltq.declare",
    "NewJob": "boltq.newjob",
    "Page": "boltq.queues",
    "Retry": "boltq.execution",
    "current_job": "boltq.execution",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module 'boltq' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
