"""Names, and the ids of jobs: inside a queue, and outside, where an id names its queue."""

import os
import re
import time
from collections.abc import Iterator

from boltq.errors import BadArgument

DEFAULT_QUEUE = "default"
# Words of the HTTP paths /api/jobs/status and /api/jobs/batch.
REFUSED_IDS = frozenset({"status", "batch"})

NAME_RULE = "1 to 128 of the characters A-Z a-z 0-9 _ . -, a letter or digit first"
TYPE_RULE = "1 to 128 of the characters A-Z a-z 0-9 _ . : -, a letter or digit first"
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
TYPE_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}"
_NAME = re.compile(NAME_PATTERN)
_TYPE = re.compile(TYPE_PATTERN)
# 256 is no multiple of 36, so four letters come up a seventh more often: 13 still hold 67 bits.
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36] for byte in range(256))

_SHOWN_CHARACTERS = 80

STREAM_IDS = 100

_second = (-1, "")  # the clock in seconds, and its digits


def new_id() -> str:
    """Make the id of a new job: 14 digits of UTC time, `-`, and 13 random of `[a-z0-9]`.

    Ids sort by the second of their making. Cost: about a microsecond; nothing is shared between
    threads or with a forked process that could make two alike.
    """
    global _second  # noqa: PLW0603 - replaced whole, so threads may
    now = int(time.time())
    second, digits = _second
    if second != now:
        digits = time.strftime("%Y%m%d%H%M%S-", time.gmtime(now))
        _second = (now, digits)
    return digits + os.urandom(13).translate(_LETTERS).decode("ascii")


def new_ids(count: int) -> list[str]:
    """Make as many ids as new_id does one by one, in a quarter of the time."""
    digits = new_id()[:15]
    letters = os.urandom(13 * count).translate(_LETTERS).decode("ascii")
    return [digits + letters[start : start + 13] for start in range(0, 13 * count, 13)]


def stream() -> Iterator[str]:
    """Make ids without end, each when it is asked for, in a quarter of the time of new_id."""
    while True:
        made = new_ids(STREAM_IDS)
        second = _second[0]
        for one in made:
            yield one
            if int(time.time()) != second:
                break


def new_token() -> str:
    """Make the token of a claim: 26 random of `[a-z0-9]`, about 134 bits."""
    return os.urandom(26).translate(_LETTERS).decode("ascii")


def checked_name(what: str, value: object) -> str:
    """Return `value` if it is a name, else raise BadArgument, which calls it `what`."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise BadArgument(f"{what} must be {NAME_RULE}; it is {_brief(value)}")


def checked_type(value: object) -> str:
    """Return `value` if it is a type of jobs, a name that may hold `:`, else raise BadArgument."""
    if isinstance(value, str) and _TYPE.fullmatch(value):
        return value
    raise BadArgument(f"type must be {TYPE_RULE}; it is {_brief(value)}")


def split(outside_id: object) -> tuple[str, str]:
    """Split an id from outside into its queue and its id there: `emails:a1` into `emails`, `a1`.

    A bare id belongs to the queue `default`.

    Raises:
        BadArgument: one of the two is no name, or the id is `status` or `batch`.
    """
    if not isinstance(outside_id, str):
        raise BadArgument(f"id must be text; it is {_brief(outside_id)}")
    queue, colon, inner = outside_id.partition(":")
    if not colon:
        return DEFAULT_QUEUE, _checked_id(outside_id)
    return checked_name("the queue that id begins with", queue), _checked_id(inner)


def join(queue: str, inner_id: str) -> str:
    """Return the id by which the job is known outside; the reverse of `split`, unchecked."""
    return inner_id if queue == DEFAULT_QUEUE else f"{queue}:{inner_id}"


def within(queue: str, given_id: object) -> str:
    """Return the id inside `queue` that a caller gave bare, or with that queue's own prefix.

    Raises:
        BadArgument: as `split`, and when the id names another queue.
    """
    if not isinstance(given_id, str) or ":" not in given_id:
        return _checked_id(given_id)
    named, inner = split(given_id)
    if named != queue:
        raise BadArgument(f"id {given_id} names the queue {named}, but the job is for {queue}")
    return inner


def _checked_id(value: object) -> str:
    name = checked_name("id", value)
    if name in REFUSED_IDS:
        raise BadArgument(f"id must not be {name}, which is a word of the API's paths")
    return name


def _brief(value: object) -> str:
    shown = repr(value)
    whole = len(shown) <= _SHOWN_CHARACTERS
    return shown if whole else f"{shown[:_SHOWN_CHARACTERS]}... ({len(shown)} characters)"
