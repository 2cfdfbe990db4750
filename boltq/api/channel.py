"""waitress' own refusals as problems, and what it lets pass although it should not."""

import logging
import re
import socket
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any, cast

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import Error

from boltq.api.lot import Lot
from boltq.api.middleware import SAFE_HEADERS
from boltq.api.parking import PLACE, Parked, Place
from boltq.api.problems import MEDIA_TYPE, problem

LINGER_SECONDS = 2.0

_LINGER_BYTES = 256 * 1024
_TRANSFER_ENCODING = re.compile(
    rb"^transfer-encoding[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)

_log = logging.getLogger(__name__)


class StrictParser(HTTPRequestParser):
    """Refuses a request that a proxy in front of us may see end elsewhere (RFC 9112)."""

    place: Place | None = None

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


class ApplicationTask(WSGITask):
    """One run of a request, which can be run again from the beginning."""

    def get_environment(self) -> dict[str, Any]:
        """Return the environment of this run, with the place that the request has in all of them.

        The body is read from its start.
        """
        environ = super().get_environment()
        environ["wsgi.input"].seek(0)
        environ[PLACE] = cast("Channel", self.channel).place
        return environ


class Channel(HTTPChannel):
    """One connection. After a refusal it still reads for a while what the client goes on to send.

    Closing with bytes unread resets the connection, and the client would lose the answer.

    A request that waits stays the first of `requests`, as one in work does; no thread is in it. It
    alone is read on meanwhile, so that a client that goes is noticed.
    """

    task_class = ApplicationTask
    error_task_class = ProblemTask
    parser_class = StrictParser
    parked = False
    lingers = False
    closes_at = 0.0

    @property
    def lot(self) -> Lot:
        """Where requests wait."""
        return cast("Listener", self.server).lot

    @property
    def place(self) -> Place:
        """The place of the request in work."""
        request = cast("StrictParser", self.requests[0])
        if request.place is None:
            request.place = Place(self.lot)
        return request.place

    def service(self) -> None:
        """Run a request; if it is to wait, put it aside: the thread is free then."""
        place = self.place
        try:
            super().service()
        except Parked as parked:
            place.wait = parked.wait
            self.lot.park(self, parked.wait)
            if not self.connected:  # the loop may have noticed before it waited
                self.lot.leave(self)
            self.server.pull_trigger()
        else:
            if place.wait and place.wait.rung:
                self.lot.pass_on(place.wait.rung)

    def resume(self) -> None:
        """Let the request that waited be run again, or, if its client has gone, be dropped."""
        self.server.add_task(cast("Task", self))

    def readable(self) -> bool:
        """Tell waitress' loop whether to watch for bytes to read."""
        if self.parked and len(self.requests) == 1 and not self.writable():
            return True
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
            self.lot.leave(self)


class Listener(TcpWSGIServer):
    """What takes the connections, and has the lot where their requests wait."""

    channel_class = Channel
    lot: Lot


def _sentence(error: Error, limits: Adjustments) -> str:
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return f"the body can have at most {limits.max_request_body_size - 1} bytes"
    if error.code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return f"the line and headers can have at most {limits.max_request_header_size - 1} bytes"
    if error.code == HTTPStatus.BAD_REQUEST:
        return f"this is no request of HTTP: {error.body}"
    return error.body
