"""Idempotency-Key: a request that is sent again is answered again, and done once.

The key becomes the id of the job, and what was asked for stays with the job in its headers: so the
queue itself is the memory of it, for as long as the job is kept, and for every process of the API.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import falcon
import msgspec

from boltq.api.problems import BadField
from boltq.errors import BoltQError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MEMBER = "idempotency"
"""Of the job's headers: what its request was, told by its SHA-256."""

MOST_LETTERS = 255


class KeyReused(BoltQError):
    """The key came with another request before."""

    word = "KEY_REUSED"
    status = 422


class KeyInFlight(BoltQError):
    """A request with this key is being answered right now."""

    word = "KEY_IN_FLIGHT"
    status = 409
    retry_after_seconds = 1


@dataclass(frozen=True, slots=True)
class Key:
    """A key, as a caller sent it with a body. `caller` is who sent it: keys are each one's own."""

    text: str
    caller: str
    asked: str

    def id(self, queue: str, place: int = 0) -> str:
        """Return the id, inside its queue, of the job at a place of the request."""
        told = "\0".join((self.caller, self.text, queue, str(place)))
        return f"key-{sha256(told.encode()).hexdigest()[:40]}"

    def check(self, headers: bytes | None) -> None:
        """Raise KeyReused unless a job with these headers came by the same request."""
        if _told(headers) != self.asked:
            raise KeyReused(
                f"{HEADER} {self.text} came with another body before: a new request takes a new key"
            )

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Answer one request with this key at a time, in this process; KeyInFlight to the rest."""
        mine = (self.caller, self.text)
        with _LOCK:
            if mine in _IN_FLIGHT:
                raise KeyInFlight(
                    f"a request with {HEADER} {self.text} is being answered right now"
                )
            _IN_FLIGHT.add(mine)
        try:
            yield
        finally:
            with _LOCK:
                _IN_FLIGHT.discard(mine)


def _told(headers: bytes | None) -> object:
    """What a job's headers say of its request; they may be anybody's bytes."""
    try:
        return msgspec.json.decode(headers or b"{}", type=dict[str, Any]).get(MEMBER)
    except msgspec.DecodeError:
        return None


_IN_FLIGHT: set[tuple[str, str]] = set()
_LOCK = threading.Lock()


def key_of(req: falcon.Request, body: bytes) -> Key | None:
    """Return the key of a request, if it has one. Raises BadField for what is no key."""
    text = req.get_header(HEADER)
    if text is None:
        return None
    if not (0 < len(text) <= MOST_LETTERS and text.isascii() and text.isprintable()):
        raise BadField(HEADER, f"{HEADER} must be 1 to {MOST_LETTERS} letters of ASCII")
    asked = sha256(b"\0".join((req.path.encode(), req.query_string.encode(), body))).hexdigest()
    return Key(text, getattr(req.context, "caller", ""), f"sha256:{asked[:40]}")
