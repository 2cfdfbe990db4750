"""The bytes of a request's body, taken only in the form that no page of another site can send."""

import falcon

MAX_BODY_BYTES = 8 * 1024 * 1024 + 64 * 1024  # what one call of a script takes, and its envelope


def json_body(req: falcon.Request) -> bytes:
    """Return the body of a request that says it is JSON.

    Raises a 415 for any other type: forms and plain text can be posted by any page, JSON only after
    the browser has asked us. Raises a 413 above MAX_BODY_BYTES.
    """
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    if kind != falcon.MEDIA_JSON and not kind.endswith("+json"):
        raise falcon.HTTPUnsupportedMediaType(
            description=f"the body is sent as {kind or 'nothing in particular'}, it must be "
            'application/json; with curl: -H "Content-Type: application/json"'
        )
    if (req.get_header("Content-Encoding") or "identity").lower() != "identity":
        raise falcon.HTTPUnsupportedMediaType(description="the body must not be compressed")
    if (req.content_length or 0) > MAX_BODY_BYTES:
        raise falcon.HTTPContentTooLarge(
            description=f"the body can have at most {MAX_BODY_BYTES} bytes"
        )
    return req.bounded_stream.read()


def optional_json_body(req: falcon.Request) -> bytes:
    """Return the body as json_body does, or no bytes where a request came without one."""
    return json_body(req) if req.content_length else b""
