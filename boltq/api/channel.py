"""One connection: waitress' own refusals as problems, and an end for those who take too long."""

import logging
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, Task
from waitress.utilities import Error

from boltq.api.limits import BRIEF, BRIEF_BYTES, Limits
from boltq.api.lot import Lot
from boltq.api.middleware import SAFE_HEADERS
from boltq.api.parking import Parked, Place
from boltq.api.parser import StrictParser
from boltq.api.problems import CHALLENGE, MEDIA_TYPE, problem, sentence_of
from boltq.api.task import ApplicationTask
from boltq.logs import REQUEST_ID

if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser

    from boltq.api.listener import Listener

LINGER_SECONDS = 2.0

SEND_BYTES = 64 * 1024
"""Of an answer that is not complete yet so much is put together before it is sent."""

_LINGER_BYTES = 256 * 1024

_log = logging.getLogger(__name__)


class ProblemTask(ErrorTask):
    """Answers what never reaches the application, in the form of all its other refusals."""

    def execute(self) -> None:
        """Write the problem; the connection is closed after it."""
        request = cast("HTTPRequestParser", self.request)
        error = request.error
        assert error  # else waitress would have made another task
        status = HTTPStatus(error.code)
        given = request.headers.get("X_REQUEST_ID", "")
        id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        # What was sent is quoted at the end of some sentences, and may hold a key.
        reason = error.body.partition(' "')[0]
        body = problem(status, sentence_of(error.code, reason, request.adj), request_id=id)
        self.status = f"{status.value} {status.phrase}"
        self.response_headers = [
            *SAFE_HEADERS.items(),
            ("Content-Type", MEDIA_TYPE),
            ("X-Request-Id", id),
        ]
        if status == HTTPStatus.UNAUTHORIZED:
            self.response_headers.append(("WWW-Authenticate", CHALLENGE))
        self.set_close_on_finish()
        cast("Channel", self.channel).lingers = True
        self.content_length = len(body)
        self.write(body)
        _log.info(
            "request refused", extra={"status": status.value, "error": reason, "request_id": id}
        )


class TooSlow(Error):
    """The request that a client has begun, and not ended in time."""

    code = HTTPStatus.REQUEST_TIMEOUT.value
    reason = HTTPStatus.REQUEST_TIMEOUT.phrase


class Channel(HTTPChannel):
    """One connection. After a refusal it still reads for a while what the client goes on to send.

    Closing with bytes unread resets the connection, and the client would lose the answer.

    A request that waits stays the first of `requests`, as one in work does; no thread is in it. It
    alone is read on meanwhile, so that a client that goes is noticed.

    waitress closes a connection on which nothing moves, but a byte now and then holds it open for
    ever. Here each stage has an end: a head, a body and an answer must be through in their time.
    """

    task_class = ApplicationTask
    error_task_class = ProblemTask
    parser_class = StrictParser
    parked = False
    lingers = False
    closes_at = 0.0
    begun = 0  # how many requests have begun here
    sent_bytes = 0

    requests_lock: Lock
    _flush_some: Callable[..., bool]
    _flush_exception: Callable[..., object]
    _stage: tuple[str, int] = ("", 0)
    _stage_ends_at = 0.0

    def received(self, data: bytes) -> bool:
        """Take bytes of requests; blank lines between them, which may have no end, are nothing."""
        if self.request is None:
            data = data.lstrip(b"\r\n")
            self.begun += bool(data)
        return bool(data) and bool(super().received(data))

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002 - waitress' signature
        """Send some of an answer, and count how much the client has taken."""
        taken = super().send(data, do_close)
        self.sent_bytes += taken
        return taken

    def send_rest(self) -> None:
        """Send what is there of an answer that is complete: a small one goes in one piece."""
        with self.outbuf_lock:
            if self.total_outbufs_len:
                self._flush_exception(self._flush_some, do_close=False)

    def keep_time(self, now: float, limits: Limits) -> None:
        """End what takes longer than the limits; to be called now and then by waitress' loop."""
        if self.closes_at:
            return
        stage, seconds = self._stage_now(limits)
        if stage != self._stage:
            self._stage, self._stage_ends_at = stage, now + seconds
        elif now < self._stage_ends_at or stage[0] == "work":
            return
        elif stage[0] in ("head", "body"):
            self._refuse(f"the {stage[0]} of a request must arrive within {seconds:g} s")
        else:
            # Not will_close: waitress looks at that when it can send, and here it cannot.
            self.handle_close()

    def _stage_now(self, limits: Limits) -> tuple[tuple[str, int], float]:
        if pending := self.total_outbufs_len:
            name, last = self._stage
            # What was to be sent when this stage began must have gone by its end.
            is_same = name == "answer" and self.sent_bytes < last
            goal = last if is_same else self.sent_bytes + pending
            return ("answer", goal), limits.transfer_seconds
        if self.requests:
            return ("work", self.begun), 0
        request = self.request
        if request is None:
            return ("idle", self.begun), limits.idle_seconds
        if request.headers_finished:
            return ("body", self.begun), limits.transfer_seconds
        return ("head", self.begun), limits.idle_seconds

    def _refuse(self, sentence: str) -> None:
        with self.requests_lock:
            if self.request is not None and not self.requests:
                self.request.error, self.request.completed = TooSlow(sentence), True
                self.requests = [self.request]
                self.request = None
                self.server.add_task(cast("Any", self))

    @property
    def lot(self) -> Lot:
        """Where requests wait."""
        return cast("Listener", self.server).lot

    @property
    def place(self) -> Place:
        """The place of the request in work."""
        request = cast("StrictParser", self.requests[0])
        if request.place is None:
            threads = cast("Listener", self.server).threads
            request.place = Place(self.lot, threads.meanwhile)
        return request.place

    @property
    def is_brief(self) -> bool:
        """Whether the request may be answered by a thread that would wait for its own answer."""
        request = cast("Any", self.requests[0])
        return bool(
            not request.error
            and (request.command, request.path) == BRIEF
            and request.content_length <= BRIEF_BYTES
            and request.place is None
        )

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
        if self.closes_at:
            return self.closes_at < time.monotonic()
        if not super().writable():
            return False
        if self.will_close or not self.requests:
            return True
        # A thread that answers sends itself, and wakes the loop if something is left. To watch
        # meanwhile would be to turn round and round, and to keep the interpreter's lock from it.
        return self.total_outbufs_len >= SEND_BYTES and not self._is_sending()

    def _is_sending(self) -> bool:
        if not self.outbuf_lock.acquire(blocking=False):
            return True
        self.outbuf_lock.release()
        return False

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
