"""The scripts over HTTP: all that a client needs to speak to Redis itself, in any language."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import falcon
import msgspec

from boltq.errors import BoltQError


class UnknownScript(BoltQError):
    """There is no script of that name."""

    word = "UNKNOWN"
    status = 404


@dataclass(frozen=True, slots=True)
class _Script:
    sha1: str
    source: bytes


class Manifest:
    """GET /api/scripts."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the manifest: of each script its contract, its SHA-1 and its linked source."""
        _answer(req, resp, falcon.MEDIA_JSON, _manifest(), _etag())


class OneScript:
    """GET /api/scripts/{name}."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer the linked source, as it goes to SCRIPT LOAD; Script-SHA1 is for EVALSHA."""
        script = _scripts().get(name)
        if script is None:
            raise UnknownScript(f"there is no such script; there are {', '.join(_scripts())}")
        resp.set_header("Script-SHA1", script.sha1)
        _answer(req, resp, falcon.MEDIA_TEXT, script.source, script.sha1)


def _answer(req: falcon.Request, resp: falcon.Response, kind: str, body: bytes, etag: str) -> None:
    resp.etag = etag
    known = req.if_none_match or []
    if any(each in ("*", etag) for each in known):
        resp.status = falcon.HTTP_304
    else:
        resp.content_type = kind
        resp.data = body


@cache
def _manifest() -> bytes:
    return files("boltq").joinpath("manifest.json").read_bytes()


@cache
def _etag() -> str:
    return hashlib.sha1(_manifest(), usedforsecurity=False).hexdigest()


@cache
def _scripts() -> Mapping[str, _Script]:
    listed = msgspec.json.decode(_manifest())["scripts"]
    return {
        name: _Script(script["sha1"], script["source"].encode()) for name, script in listed.items()
    }
