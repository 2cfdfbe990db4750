"""Lists of the last second, for who says that they will do: many who look cost as much as one."""

import re
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon

from boltq.api.routes import Route

MOST_SECONDS = 1.0
"""How old an answer may be, however old the caller would take it."""

MOST_ANSWERS, MOST_BYTES = 100, 256 * 1024
"""How many answers are kept, and how large each may be."""

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=([0-9]{1,9})(?:$|[\s,])", re.IGNORECASE)


class _Kept(NamedTuple):
    began: float
    body: bytes
    tag: str
    kind: str


class Shared:
    """Answers a GET of a shared route with what another was just answered. Safe for threads.

    Only where the request has `Cache-Control: max-age=` of a second or more, as the page has when
    it looks again by itself: RFC 9111, 5.2.1.1. Who leaves it away is always answered anew. To be
    put behind what decides who may see the route; what is answered there is the same for all.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._paths = frozenset(route.path for route in routes if route.is_shared)
        self._kept: dict[str, _Kept] = {}

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _params: dict[str, Any]
    ) -> None:
        """Answer with what is kept, if it is young enough."""
        if req.method != "GET" or req.uri_template not in self._paths:
            return
        found = _MAX_AGE.search(req.env.get("HTTP_CACHE_CONTROL", ""))
        if not found or int(found[1]) < 1:
            return
        now = time.monotonic()
        kept = self._kept.get(req.relative_uri)
        if kept and now - kept.began < MOST_SECONDS:
            resp.data, resp.content_type = kept.body, kept.kind
            resp.context.tag = kept.tag
            resp.complete = True
        else:
            req.context.shared_from = now

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Keep what was answered for the next one."""
        began = getattr(req.context, "shared_from", None)
        body = resp.data
        if began is None or not body or len(body) > MOST_BYTES or resp.status_code != HTTPStatus.OK:
            return
        if len(self._kept) >= MOST_ANSWERS:
            self._kept.clear()
        tag = getattr(resp.context, "tag", "")
        self._kept[req.relative_uri] = _Kept(began, bytes(body), tag, str(resp.content_type))
