"""JSON answers, put together from jobs that are JSON already: no payload is re-encoded."""

from collections.abc import Iterable
from hashlib import blake2b
from http import HTTPStatus

import falcon
import ujson


def send(
    resp: falcon.Response,
    body: bytes | dict[str, object],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    lasting: bytes | None = None,
) -> None:
    """Answer with JSON; bytes are taken to be JSON and sent as they are.

    lasting: what the ETag is made of where the body holds more than that, such as a clock: who has
    the rest is told that nothing has changed. Such a tag is a weak one.
    """
    if lasting is not None:
        resp.context.tag = "W/" + etag(lasting)
    resp.status = status
    resp.content_type = falcon.MEDIA_JSON
    resp.data = body if isinstance(body, bytes) else encode(body)


def encode(value: object) -> bytes:
    """Return `value` as JSON. Raises OverflowError for NaN and infinities."""
    return ujson.dumps(value, escape_forward_slashes=False, allow_nan=False).encode()


def etag(content: bytes) -> str:
    """Return the tag that this content has and no other, quoted as in the header ETag."""
    return f'"{blake2b(content, digest_size=12).hexdigest()}"'


def with_members(job: bytes, **members: object) -> bytes:
    """Return the JSON object `job` with `members` before its own."""
    return encode(members)[:-1] + b"," + job[1:]


def array(items: Iterable[bytes]) -> bytes:
    """Return JSON values as one JSON array."""
    return b"[" + b",".join(items) + b"]"
