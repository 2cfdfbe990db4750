"""What one look has found."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at.

    level: a problem loses jobs or leaves them lying; a warning may be meant so. check: what was
    looked at. said: how it is. do: what to do about it, empty where nothing is to be done.
    """

    level: Literal["ok", "warning", "problem"]
    check: str
    said: str
    do: str = ""
