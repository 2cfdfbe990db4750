"""Every refusal of the API: application/problem+json (RFC 9457), with a word and a sentence."""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import falcon
import ujson
from waitress.adjustments import Adjustments

from boltq import errors

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "2"
CHALLENGE = 'Bearer realm="boltq"'
TYPE = "urn:boltq:problem:"
"""What the type of each problem begins with; its word follows, as in lease-lost."""

# Of the refusals that are not BoltQ's own. Not HTTPStatus.name: that changes with Python.
_WORDS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "TOO_SLOW",
    412: "PRECONDITION_FAILED",
    413: errors.TooLarge.word,
    415: "UNSUPPORTED_MEDIA_TYPE",
    421: "MISDIRECTED",
    422: "UNPROCESSABLE",
    428: "PRECONDITION_REQUIRED",
    429: "TOO_MANY_REQUESTS",
    431: "HEADERS_TOO_LARGE",
    501: "NOT_IMPLEMENTED",
}


class BadField(errors.BoltQError):
    """One member of a request breaks its rule; `kind` gives the word and the status."""

    def __init__(
        self, field: str, sentence: str, kind: type[errors.BoltQError] = errors.BadArgument
    ) -> None:
        super().__init__(sentence)
        self.field = field
        self.word = kind.word
        self.status = kind.status


class Refusal(errors.BoltQError):
    """What the API refuses by itself, by status, with headers and members of the problem.

    `word` is that of the status unless given.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        word: str = "",
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.word = word or _WORDS[status]
        self.headers = headers or {}
        self.members = members


def problem(status: int, detail: str, word: str = "", **members: object) -> bytes:
    """Return the body of a refusal.

    `status` is the HTTP status, `detail` the sentence for people, `word` the one by which programs
    tell refusals apart, that of the status unless given. Empty `members` are left out.
    """
    word = word or _WORDS.get(status, "ERROR")
    body: dict[str, object] = {
        "type": TYPE + word.lower().replace("_", "-"),
        "title": _titles().get(word) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "word": word,
    }
    body.update((name, value) for name, value in members.items() if value not in ("", [], None))
    return ujson.dumps(body, escape_forward_slashes=False, allow_nan=False).encode()


@cache
def _titles() -> Mapping[str, str]:
    """Return what each word means, whatever the case: the first line about its class."""
    return {
        kind.word: (kind.__doc__ or "").partition("\n")[0].removesuffix(".")
        for kind in _kinds(errors.BoltQError)
        if kind.__module__ == errors.__name__
    }


def _kinds(kind: type[errors.BoltQError]) -> Iterator[type[errors.BoltQError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def install(app: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Let `app` answer whatever is raised in it with a problem."""
    app.add_error_handler(Exception, _answer_surprise)
    app.add_error_handler(falcon.HTTPError, _answer_http_error)
    app.add_error_handler(errors.BoltQError, _answer_refusal)


def _answer(
    req: falcon.Request,
    resp: falcon.Response,
    status: int,
    detail: str,
    word: str = "",
    **members: object,
) -> None:
    id = req.context.request_id
    told = {"request_id": id, "instance": f"urn:boltq:request:{id}", **members}
    resp.status = status
    resp.content_type = MEDIA_TYPE
    resp.data = problem(status, detail, word, **told)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        resp.set_header("Retry-After", RETRY_AFTER_SECONDS)


def _answer_refusal(
    req: falcon.Request, resp: falcon.Response, error: errors.BoltQError, _params: dict[str, Any]
) -> None:
    req.context.error = error
    members = {
        "field": getattr(error, "field", ""),
        "unknown_ids": list(getattr(error, "unknown_ids", ())),
        **getattr(error, "members", {}),
    }
    _answer(req, resp, error.status, str(error), word=error.word, **members)
    resp.set_headers(getattr(error, "headers", {}))
    if seconds := getattr(error, "retry_after_seconds", 0):
        resp.set_header("Retry-After", str(seconds))


def _answer_http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    status = HTTPStatus(error.status_code)
    resp.set_headers(error.headers or {})
    _answer(req, resp, status, error.description or _sentence(status, req))


def _sentence(status: HTTPStatus, req: falcon.Request) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "there is nothing at this path; GET / tells what is here"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{req.method} is not a method of this path; the header Allow names those that are"
    return status.description or status.phrase


def _answer_surprise(
    req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]
) -> None:
    req.context.error = error
    _answer(
        req,
        resp,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "the API met an error that it did not expect; its log tells more under this request_id",
    )


def sentence_of(code: int, reason: str, limits: Adjustments) -> str:
    """Say what waitress refuses: its code, its words, and the limits that it has."""
    if code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return f"the body can have at most {limits.max_request_body_size - 1} bytes"
    if code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return f"the line and headers can have at most {limits.max_request_header_size - 1} bytes"
    if code == HTTPStatus.BAD_REQUEST:
        return f"this is no request of HTTP: {reason}"
    return reason
