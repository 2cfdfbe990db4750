"""Exit statuses: one for each thing about which a script may want to do something else."""

from enum import IntEnum

from boltq.errors import BoltQError


class Exit(IntEnum):
    """What a command ends with."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    SERVER = 5
    JOB_FAILED = 6
    TIMED_OUT = 7
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "it is done",
    Exit.FAILURE: "it failed, or you said no",
    Exit.USAGE: "a wrong flag, argument, payload or setting; or --yes is missing",
    Exit.NOT_FOUND: "nothing is kept of such a job or operation",
    Exit.CONFLICT: "a job is in the wrong state, another runs already, or a count differs",
    Exit.SERVER: "Redis is away, refuses us, or is full",
    Exit.JOB_FAILED: "a job that was waited for is dead or cancelled",
    Exit.TIMED_OUT: "a job that was waited for did not end in time",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
}

# By the word, so that no module is imported for a class alone.
_BY_WORD = {
    "BAD_ARGUMENT": Exit.USAGE,
    "TOO_LARGE": Exit.USAGE,
    "UNKNOWN": Exit.NOT_FOUND,
    "UNKNOWN_OPERATION": Exit.NOT_FOUND,
    "DIFFERS": Exit.CONFLICT,
    "BUSY": Exit.CONFLICT,
    "WRONG_STATE": Exit.CONFLICT,
    "LEASE_LOST": Exit.CONFLICT,
    "ALREADY_RUNNING": Exit.CONFLICT,
    "UNAVAILABLE": Exit.SERVER,
    "NOT_ALLOWED": Exit.SERVER,
    "FULL": Exit.SERVER,
    "DEAD": Exit.JOB_FAILED,
    "CANCELLED": Exit.JOB_FAILED,
    "WAIT_TIMEOUT": Exit.TIMED_OUT,
}


def status_of(refusal: BoltQError) -> Exit:
    """Return the status for a refusal; FAILURE for what nobody could do anything about."""
    return _BY_WORD.get(refusal.word, Exit.FAILURE)
