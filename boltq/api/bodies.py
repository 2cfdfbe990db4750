"""The bytes of a request's body, taken only in the form that no page of another site can send."""

from collections.abc import Collection

import falcon

from boltq.api.limits import BATCH_BODY_BYTES, Limits

__all__ = ["BATCH_BODY_BYTES", "LINES", "MAX_BODY_BYTES", "json_body", "optional_json_body"]

MAX_BODY_BYTES = Limits().body_bytes
"""Of a body, unless the settings or its path say otherwise."""
LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
"""How clients name JSON a line."""


def json_body(
    req: falcon.Request, most_bytes: int | None = None, others: Collection[str] = ()
) -> bytes:
    """Return the body of a request that says it is JSON, or one of the `others`.

    Raises a 415 for any other type: forms and plain text can be posted by any page, JSON only after
    the browser has asked us. Raises a 413 above `most_bytes`, or else what the settings say.
    """
    kind = req.content_type or ""
    if kind != falcon.MEDIA_JSON:
        kind = kind.partition(";")[0].strip().lower()
    if kind != falcon.MEDIA_JSON and not kind.endswith("+json") and kind not in others:
        raise falcon.HTTPUnsupportedMediaType(
            description=f"the body is sent as {kind or 'nothing in particular'}, it must be "
            'application/json; with curl: -H "Content-Type: application/json"'
        )
    if (req.env.get("HTTP_CONTENT_ENCODING") or "identity").lower() != "identity":
        raise falcon.HTTPUnsupportedMediaType(description="the body must not be compressed")
    most = req.context.limits.body_bytes if most_bytes is None else most_bytes
    if (req.content_length or 0) > most:
        raise falcon.HTTPContentTooLarge(description=f"the body can have at most {most} bytes")
    return req.bounded_stream.read()


def optional_json_body(req: falcon.Request) -> bytes:
    """Return the body as json_body does, or no bytes where a request came without one."""
    return json_body(req) if req.content_length else b""
