"""What is wrong with a BoltQ, and what to do about it. Nothing is changed by looking."""

from boltq.doctor.examine import examine, of_settings
from boltq.doctor.finding import Finding

__all__ = ["Finding", "examine", "of_settings"]
