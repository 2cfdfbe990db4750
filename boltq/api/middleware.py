"""What holds for every request: its id, its log line, and what keeps browsers honest."""

import logging
import re
from http import HTTPStatus
from random import getrandbits
from time import perf_counter
from urllib.parse import quote

import falcon

from boltq.api import parking
from boltq.api.answers import etag
from boltq.api.limits import Limits
from boltq.api.request_lines import RequestLines
from boltq.api.traffic import Traffic
from boltq.logs import REQUEST_ID

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""What each answer has that says nothing else, those of waitress too."""

PROBES = ("/healthz", "/readyz")

_SAFE = [(name.lower(), value) for name, value in SAFE_HEADERS.items()]
_SHOWN_LETTERS = 200
_TAG = re.compile(r'"[^"]*"')

_log = logging.getLogger(__name__)


class RequestLog:
    """Gives each request an id, from X-Request-Id where that is safe, and one line in the log.

    Of those that are answered well only as many have a line as `lines` grants; all that are refused
    or fail have one. limits: what whoever reads its body goes by. traffic: counts requests.
    """

    def __init__(self, limits: Limits, traffic: Traffic, lines: RequestLines) -> None:
        self._limits = limits
        self._traffic = traffic
        self._lines = lines

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Note when the request came and what it is called, once if it waits and is run again."""
        req.context.limits = self._limits
        given = req.env.get("HTTP_X_REQUEST_ID", "")
        # No secret, and asking the kernel would let another thread in each time.
        id = given if REQUEST_ID.fullmatch(given) else f"{getrandbits(64):016x}"
        kept = parking.kept(req)
        req.context.request_id = kept.setdefault("request_id", id)
        req.context.started = kept.setdefault("started", perf_counter())
        req.context.concerns = {}
        req.context.error = None

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Name the request in the answer and log it, with the error if it is ours.

        Probes, being many, are for debug alone, as long as they are answered well.
        """
        about = req.context
        set_header, given = resp.set_header, resp.headers
        set_header("X-Request-Id", about.request_id)
        for name, value in _SAFE:
            if name not in given:
                set_header(name, value)
        status, error = resp.status_code, about.error
        seconds = perf_counter() - about.started
        self._traffic.add(req.method, req.uri_template, status, seconds)
        level = _level(req.path, status)
        if not _log.isEnabledFor(level) or (level == logging.INFO and not self._has_line(status)):
            return
        fields = {
            "method": req.method,
            # Quoted again: a decoded path may hold line breaks, and a log line is one line.
            "path": quote(req.path, safe="/:")[:_SHOWN_LETTERS],
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "request_id": about.request_id,
            **about.concerns,
        }
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and error is not None:
            fields["error"] = f"{type(error).__name__}: {error}"
        # While Redis is away each request is a 503: there the sentence says all.
        trace = error if status == HTTPStatus.INTERNAL_SERVER_ERROR else None
        _log.log(level, "request", exc_info=trace, extra=fields)

    def _has_line(self, status: int) -> bool:
        refused = status >= HTTPStatus.BAD_REQUEST
        return refused or self._lines.take() or _log.isEnabledFor(logging.DEBUG)


def _level(path: str, status: int) -> int:
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    if status > HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.WARNING
    return logging.DEBUG if path in PROBES else logging.INFO


def note(req: falcon.Request, *, job: str = "", queue: str = "", type: str = "") -> None:
    """Tell the request's line in the log which job, queue or type the request is about."""
    concerns = req.context.concerns
    if job:
        concerns["job"] = job
    if queue:
        concerns["queue"] = queue
    if type:
        concerns["type"] = type


class Unchanged:
    """Gives what is read an ETag, and answers who has it already with a 304 and no body."""

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Compare the answer with what the caller says to have; a 304 has cost as much as a 200."""
        if req.method != "GET" or resp.status_code not in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            return
        # Whoever keeps it asks each time, and nobody keeps it for others: it was had with a key.
        # But the page's files are open, and another version of one has another path.
        lasts = getattr(resp.context, "lasts", "")
        resp.set_header("Cache-Control", lasts or "private, no-cache")
        if not resp.data:
            return
        tag = resp.etag or getattr(resp.context, "tag", "") or etag(resp.data)
        resp.set_header("ETag", tag)
        known = req.get_header("If-None-Match") or ""
        if known.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(known):
            resp.status = HTTPStatus.NOT_MODIFIED
            resp.data, resp.content_type = None, None


class SameOrigin:
    """Refuses changes that pages of other sites ask for; browsers send some without asking us.

    Programs send neither header and are not held up.
    """

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Raise a 403 if a browser says that the request comes from elsewhere."""
        if req.method in ("GET", "HEAD", "OPTIONS"):
            return
        site = req.env.get("HTTP_SEC_FETCH_SITE") or "none"
        origin = req.env.get("HTTP_ORIGIN")
        is_own = origin is None or origin.partition("://")[2] == req.get_header("Host")
        if site not in ("none", "same-origin") or not is_own:
            raise falcon.HTTPError(
                HTTPStatus.FORBIDDEN,
                description="a page of another site may not change anything here",
            )
