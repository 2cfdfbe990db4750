"""What a browser is given: the page of queues and jobs, and the one of the OpenAPI document."""

import gzip
import mimetypes
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

import falcon

from boltq.api.answers import encode
from boltq.api.openapi.document import Served, written

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page of the API may load: its own files, and what it asks the API."""

FOLDERS = ("", "screens/", "vendor/", "words/")
"""Where files of the page lie; the first is the folder of all."""

KINDS = (".css", ".js", ".svg")
"""What a browser is given of them."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose path has the version of their content."""


class File(NamedTuple):
    """One file of the page: its media type, its bytes, and the same compressed."""

    kind: str
    content: bytes
    packed: bytes


class Page(NamedTuple):
    """The page: its version, which is another when a file is; its first files; and the rest."""

    version: str
    front: bytes
    docs: bytes
    files: Mapping[str, File]


@cache
def the_page() -> Page:
    """Return the page, read once a process: some 300 KB."""
    folder = files("boltq").joinpath("page")
    found = {
        f"{place}{file.name}": _file(file)
        for place in FOLDERS
        for file in folder.joinpath(place).iterdir()
        if file.name.endswith(KINDS)
    }
    front, docs = (folder.joinpath(name).read_bytes() for name in ("index.html", "docs.html"))
    mark = blake2b(front + docs, digest_size=8)
    for name, file in sorted(found.items()):
        mark.update(b"%b\0%b\0" % (name.encode(), file.content))
    version = mark.hexdigest()
    front, docs = (text.replace(b"VERSION", version.encode()) for text in (front, docs))
    return Page(version, front, docs, found)


def _file(file: Traversable) -> File:
    content = file.read_bytes()
    kind = mimetypes.types_map[file.name[file.name.rindex(".") :]]
    return File(kind, content, gzip.compress(content, mtime=0))


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


class Docs:
    """GET /api/docs, the page of the document."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer its first file, which names the others by their version."""
        _send(resp, the_page().docs, "text/html")


class Files:
    """GET /page/{version}/{part}, and /{file} of it: nothing to build, and nothing from elsewhere.

    Under the version of its content a file is kept by the browser for ever. Another version, which
    another process of the API has named during an upgrade, is answered with the file as it is here.
    """

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, version: str, part: str, file: str = ""
    ) -> None:
        """Answer the file, compressed for who takes that."""
        page = the_page()
        found = page.files.get(f"{part}/{file}" if file else part)
        if found is None:
            raise falcon.HTTPNotFound(description="the page has no file of this name")
        resp.context.lasts = FOR_EVER if version == page.version else ""
        resp.set_header("Vary", "Accept-Encoding")
        takes_packed = "gzip" in (req.get_header("Accept-Encoding") or "")
        if takes_packed:
            resp.set_header("Content-Encoding", "gzip")
        _send(resp, found.packed if takes_packed else found.content, found.kind)


def send_index(resp: falcon.Response) -> None:
    """Answer the page's first file, which names the others by their version."""
    _send(resp, the_page().front, "text/html")


def _send(resp: falcon.Response, content: bytes, kind: str) -> None:
    resp.content_type = f"{kind}; charset=utf-8"
    resp.set_header("Content-Security-Policy", POLICY)
    resp.data = content
