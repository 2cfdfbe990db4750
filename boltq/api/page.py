"""The OpenAPI document, and the page that shows and tries it."""

from collections.abc import Sequence
from importlib.resources import files

import falcon

from boltq.api.answers import encode
from boltq.api.openapi.document import Served, written

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page of the API may load: its own files, and what it asks the API."""

FILES = (
    ("/api/docs", "docs.html", falcon.MEDIA_HTML.partition(";")[0]),
    ("/api/docs/docs.css", "docs.css", "text/css"),
    ("/api/docs/docs.js", "docs.js", "text/javascript"),
)
"""Paths of the page's files, with their names and kinds."""


class Document:
    """GET /api/openapi.json, of the routes in a list that may grow until the first is asked."""

    def __init__(self, served: Sequence[Served]) -> None:
        self._served = served
        self._written = b""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the document."""
        self._written = self._written or encode(written(self._served))
        resp.content_type = falcon.MEDIA_JSON
        resp.data = self._written


class PageFile:
    """GET of one file of the page: there is nothing to build, and nothing from elsewhere."""

    def __init__(self, name: str, kind: str) -> None:
        self._bytes = files("boltq").joinpath("page", name).read_bytes()
        self._kind = kind

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the file."""
        resp.content_type = f"{self._kind}; charset=utf-8"
        resp.set_header("Content-Security-Policy", POLICY)
        resp.data = self._bytes
