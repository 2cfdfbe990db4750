"""waitress' own refusals as problems, and what it lets pass although it should not."""

import logging
import re
import socket
import time
from contextlib import suppress
from http import HTTPStatus
from typing import cast

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import Error

from boltq.api.middleware import SAFE_HEADERS
from boltq.api.problems import MEDIA_TYPE, problem

LINGER_SECONDS = 2.0

_LINGER_BYTES = 256 * 1024
_TRANSFER_ENCODING = re.compile(
    rb"^transfer-encoding[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)

_log = logging.getLogger(__name__)


class StrictParser(HTTPRequestParser):
    """Refuses a request that a proxy in front of us may see end elsewhere (RFC 9112)."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head of a request; raise ParsingError if its length or host is in doubt."""
        super().parse_header(header_plus)
        encodings = [encoding.lower() for encoding in _TRANSFER_ENCODING.findall(header_plus)]
        if encodings and (
            encodings != [b"chunked"] or self.version != "1.1" or "CONTENT_LENGTH" in self.headers
        ):
            message = "Transfer-Encoding must be chunked, once, in HTTP/1.1, without Content-Length"
            raise ParsingError(message)
        if self.version == "1.1" and "," in self.headers.get("HOST", ","):
            message = "Host must be given once"
            raise ParsingError(message)


class ProblemTask(ErrorTask):
    """Answers what never reaches the application, in the form of all its other refusals."""

    def execute(self) -> None:
        """Write the problem; the connection is closed after it."""
        error = cast("HTTPRequestParser", self.request).error
        assert error  # else waitress would have made another task
        status = HTTPStatus(error.code)
        body = problem(status, _sentence(error, self.channel.adj))
        self.status = f"{status.value} {status.phrase}"
        self.response_headers = [*SAFE_HEADERS.items(), ("Content-Type", MEDIA_TYPE)]
        self.set_close_on_finish()
        cast("Channel", self.channel).lingers = True
        self.content_length = len(body)
        self.write(body)
        _log.info("request refused", extra={"status": status.value, "error": error.body})


class Channel(HTTPChannel):
    """One connection. After a refusal it still reads for a while what the client goes on to send.

    Closing with bytes unread resets the connection, and the client would lose the answer.
    """

    error_task_class = ProblemTask
    parser_class = StrictParser
    lingers = False
    closes_at = 0.0

    def readable(self) -> bool:
        """Tell waitress' loop whether to watch for bytes to read."""
        return bool(self.closes_at) or super().readable()

    def writable(self) -> bool:
        """Tell waitress' loop whether there is something to write, or the connection to close."""
        return self.closes_at < time.monotonic() if self.closes_at else bool(super().writable())

    def handle_read(self) -> None:
        """Read a request, or throw away what nobody will answer."""
        if self.closes_at:
            self.recv(_LINGER_BYTES)
        else:
            super().handle_read()

    def handle_close(self) -> None:
        """Close, after a refusal only once the client has, or LINGER_SECONDS have passed."""
        if self.lingers and self.connected and self.socket and not self.closes_at:
            self.closes_at = time.monotonic() + LINGER_SECONDS
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()


def _sentence(error: Error, limits: Adjustments) -> str:
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return f"the body can have at most {limits.max_request_body_size - 1} bytes"
    if error.code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return f"the line and headers can have at most {limits.max_request_header_size - 1} bytes"
    if error.code == HTTPStatus.BAD_REQUEST:
        return f"this is no request of HTTP: {error.body}"
    return error.body
