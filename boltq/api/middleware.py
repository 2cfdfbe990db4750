"""What holds for every request: its id, its log line, and what keeps browsers honest."""

import logging
import re
import secrets
from http import HTTPStatus
from time import perf_counter
from urllib.parse import quote

import falcon

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_SHOWN_LETTERS = 200
_PROBES = ("/healthz", "/readyz")

_log = logging.getLogger(__name__)


class RequestLog:
    """Gives each request an id, from X-Request-Id where that is safe, and one line in the log."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Note when the request came and what it is called."""
        given = req.get_header("X-Request-Id") or ""
        req.context.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        req.context.started = perf_counter()

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Name the request in the answer and log it; probes, being many, only for debug."""
        resp.set_header("X-Request-Id", req.context.request_id)
        for name, value in SAFE_HEADERS.items():
            resp.set_header(name, value)
        _log.log(
            logging.DEBUG if req.path in _PROBES else logging.INFO,
            "request",
            extra={
                "method": req.method,
                # Quoted again: a decoded path may hold line breaks, and a log line is one line.
                "path": quote(req.path, safe="/:")[:_SHOWN_LETTERS],
                "status": resp.status_code,
                "duration_ms": round((perf_counter() - req.context.started) * 1000, 1),
                "request_id": req.context.request_id,
            },
        )


class SameOrigin:
    """Refuses changes that pages of other sites ask for; browsers send some without asking us.

    Programs send neither header and are not held up.
    """

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Raise a 403 if a browser says that the request comes from elsewhere."""
        if req.method in ("GET", "HEAD", "OPTIONS"):
            return
        site = req.get_header("Sec-Fetch-Site") or "none"
        origin = req.get_header("Origin")
        is_own = origin is None or origin.partition("://")[2] == req.get_header("Host")
        if site not in ("none", "same-origin") or not is_own:
            raise falcon.HTTPError(
                HTTPStatus.FORBIDDEN,
                description="a page of another site may not change anything here",
            )
