"""The head of a request, read more strictly than waitress does."""

import re
from collections.abc import Callable
from copy import copy
from http import HTTPStatus
from typing import Any, TypeAlias

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import Error

from boltq.api.limits import ROOMY
from boltq.api.parking import Place

_TRANSFER_ENCODING = re.compile(
    rb"^transfer-encoding[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_FOLD = re.compile(rb"\r\n[ \t]")


FREE_BODY_BYTES = 64 * 1024
"""As much of a body is taken before anybody looks at the key."""

Admits: TypeAlias = Callable[[str | None], bool]
"""Tells from the header Authorization whether a request may send a large body."""


class Bounds(Adjustments):
    """The settings of waitress, and who may send a large body: everybody unless told otherwise."""

    admits: Admits

    def __init__(self, admits: Admits, **waitress: Any) -> None:
        super().__init__(**waitress)
        self.admits = admits


class Stranger(Error):
    """A large body that is refused before it is read, for its sender has no key."""

    code = HTTPStatus.UNAUTHORIZED.value
    reason = HTTPStatus.UNAUTHORIZED.phrase


class StrictParser(HTTPRequestParser):
    """Refuses a request that a proxy in front of us may see end, or lead, elsewhere (RFC 9112)."""

    adj: Bounds
    path: str
    proxy_netloc: str
    place: Place | None = None
    _is_admitted = True

    def received(self, data: bytes) -> int:
        """Take bytes of a request; return how many, and be completed if there is no more to it."""
        taken = super().received(data)
        if self.headers_finished and not self.completed and not self._is_admitted:
            if not self.adj.admits(self.headers.get("AUTHORIZATION")):
                self.error = Stranger("a body as large as this needs a key that is valid here")
                self.completed, self.expect_continue = True, False
            self._is_admitted = True
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head of a request; raise ParsingError if its length or host is in doubt."""
        super().parse_header(header_plus)
        broken = self._broken_rule(header_plus)
        if broken:
            raise ParsingError(broken)
        self._is_admitted = not self.chunked and self.content_length <= FREE_BODY_BYTES
        if most := ROOMY.get(self.path):
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = most + 1

    def _broken_rule(self, head: bytes) -> str:
        encodings = [encoding.lower() for encoding in _TRANSFER_ENCODING.findall(head)]
        if encodings and (
            encodings != [b"chunked"] or self.version != "1.1" or "CONTENT_LENGTH" in self.headers
        ):
            return "Transfer-Encoding must be chunked, once, in HTTP/1.1, without Content-Length"
        if _FOLD.search(head):
            return "a header must stand in one line"
        if self.version not in ("1.0", "1.1"):
            return "the version must be HTTP/1.1 or HTTP/1.0"
        if head.startswith(
            b"WEBSOCKET "
        ):  # Falcon's own mark, before which none of our layers runs
            return "WEBSOCKET is no method"
        return self._broken_host()

    def _broken_host(self) -> str:
        host = self.headers.get("HOST")
        if (host is None and self.version == "1.1") or "," in (host or ""):
            return "Host must be given once"
        if self.proxy_netloc and self.proxy_netloc.lower() != (host or "").lower():
            return "the target must name the host that Host names"
        return ""
