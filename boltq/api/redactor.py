"""A function of those who use BoltQ that says what is shown of a job: BOLTQ_REDACT names it."""

import json
import logging
from typing import Any

from boltq.errors import BadSetting
from boltq.imported import imported

_log = logging.getLogger(__name__)


class Redactor:
    """Asks the function `module:name` what is shown; safe for threads if the function is.

    It is called with the job's type, "payload", "result" or "headers", and the value, of which it
    may change what it likes; what it returns is shown. Raises BadSetting if there is none.
    """

    def __init__(self, named: str) -> None:
        function = imported(named)
        if not callable(function):
            raise BadSetting(f"{named} is a {type(function).__name__}, not a function")
        self._named, self._function = named, function
        self._has_told = False

    def shown(self, job_type: str, part: str, text: str) -> str | None:
        """Return what is shown of JSON, the same text if the value is as it was; None: nothing.

        Nothing it is where the function raises, or what it returns is no JSON, and where a member
        is there twice, of which the function would see one.
        """
        try:
            value = json.loads(text, object_pairs_hook=_each_once)
            before = json.dumps(value)
        except (ValueError, RecursionError):
            return None
        try:
            after = json.dumps(self._function(job_type, part, value), allow_nan=False)
        except Exception as problem:  # noqa: BLE001 - whatever it is, nothing is to leak
            self._tell(problem)
            return None
        return text if after == before else after

    def _tell(self, problem: Exception) -> None:
        if self._has_told:
            return
        self._has_told = True
        # Not what it says, nor where: that may hold the value.
        told = {"app": self._named, "error": type(problem).__name__}
        _log.error("what hides values broke, and what it was asked about is hidden", extra=told)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members
