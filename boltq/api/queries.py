"""What the query of a list may say: each parameter with its rule."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

import falcon

from boltq import ids
from boltq.api import strict
from boltq.api.problems import BadField
from boltq.errors import BadArgument
from boltq.filters import Narrowed

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ERROR_BYTES = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def refuse_others(req: falcon.Request, known: Collection[str]) -> None:
    """Raise BadField for a parameter that is not known, or given twice: a slip shows others."""
    for name, value in req.params.items():
        shown = strict.shown(name)
        if name not in known:
            raise BadField(shown, f"{shown} is no parameter of this; there are {', '.join(known)}")
        if not isinstance(value, str):
            raise BadField(shown, f"{shown} must not be given twice")


def narrowed(req: falcon.Request) -> Narrowed:
    """Return the filter of a query, or raise BadField; what is empty is not given."""
    type = req.get_param("type")
    if type:
        try:
            ids.checked_type(type)
        except BadArgument as error:
            raise BadField("type", str(error)) from error
    return {
        "type": type or None,
        "error": text("error", req.get_param("error"), _ERROR_BYTES),
        "since": moment("since", req.get_param("since")),
        "until": moment("until", req.get_param("until")),
    }


def text(field: str, given: str | None, most_bytes: int) -> str | None:
    """Return a text that is given, or raise BadField for one that is too long or has controls."""
    if given and (len(given.encode()) > most_bytes or _CONTROL.search(given)):
        rule = f"a text of 1 to {most_bytes} bytes, no control characters"
        raise BadField(field, f"{field} must be {rule}")
    return given or None


def moment(field: str, given: str | None) -> datetime | None:
    """Return a time that is given, or raise BadField for one that is not of RFC 3339."""
    if not given:
        return None
    try:
        if _MOMENT.fullmatch(given):
            return datetime.fromisoformat(given.upper())
    except ValueError:
        pass
    form = 'a time of RFC 3339 with its zone, as 2030-01-31T23:59:00Z; a plus sign is written "%2B"'
    raise BadField(field, f"{field} must be {form}")


def one_of(field: str, given: str | None, words: Sequence[str]) -> str:
    """Return a word that is given, the first where none is, or raise BadField."""
    if not given:
        return words[0]
    if given not in words:
        raise BadField(field, f"{field} must be one of {', '.join(words)}")
    return given


def whole(field: str, given: str | None, most: int, default: int) -> int:
    """Return a number from 1 to `most` that is given, or raise BadField."""
    if not given:
        return default
    if re.fullmatch("[0-9]{1,9}", given) and 1 <= int(given) <= most:
        return int(given)
    raise BadField(field, f"{field} must be a whole number from 1 to {most}")
