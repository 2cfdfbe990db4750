"""Payloads that tell what is to be done with their job, and whether they came as they were sent."""

import hashlib
import json
from typing import Any

POISONED = 9
"""The exit status of a process that a poison pill has ended."""

SUM = b',"sum":"'


def made(id: str, **members: Any) -> bytes:
    """Make the payload of a job, its SHA-256 at its end."""
    text = json.dumps({"id": id, **members}).encode()[:-1]
    return text + SUM + hashlib.sha256(text).hexdigest().encode() + b'"}'


def is_whole(id: str, payload: bytes) -> bool:
    """Whether this is, to the bit, what was made for the job."""
    text, _, told = payload.rpartition(SUM)
    if hashlib.sha256(text).hexdigest().encode() + b'"}' != told:
        return False
    return bool(json.loads(payload)["id"] == id)


def read(payload: bytes) -> dict[str, Any]:
    """Return what is to be done."""
    members: dict[str, Any] = json.loads(payload)
    return members
