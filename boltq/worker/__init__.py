"""The worker: claims jobs, runs their handlers on threads, and settles them."""

from boltq.execution import Execution, FailForGood, Retry, current_job
from boltq.worker.run import Worker

__all__ = ["Execution", "FailForGood", "Retry", "Worker", "current_job"]
