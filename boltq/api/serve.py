"""Serving the API with waitress: bounded in every direction, ended without cutting anyone off."""

import errno
import socket
import threading
import time
from collections.abc import Callable
from math import ceil
from typing import Any, cast
from wsgiref.types import WSGIApplication

from waitress import wasyncore

from boltq.api.channel import SEND_BYTES, Channel
from boltq.api.driver import Driver
from boltq.api.limits import Limits
from boltq.api.listener import Listener, channels
from boltq.api.lot import Lot
from boltq.api.parser import Admits, Bounds
from boltq.api.threads import Threads
from boltq.errors import BadSetting

THREADS = 16
GRACE_SECONDS = 10.0

_STOP_SEEN_SECONDS = 0.2
_USUAL = Limits()


class Serving:
    """An application at a port.

    `host` is a name or an address to listen on, `port` 0 to 65535 where 0 takes any free one. A
    request that is being answered when the end comes has `grace_seconds` to be finished. `threads`
    answer requests; `limits` are those of a request and a connection; `admits` tells who may send a
    large body; `driver` drives operations for as long as this serves. For `leave_seconds` after it
    was asked to end it goes on taking connections, while /readyz says already that it ends.
    `proxy`: the address whose X-Forwarded-For is believed. `at_end` is called once nothing more is
    answered.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str,
        port: int,
        *,
        threads: int = THREADS,
        limits: Limits = _USUAL,
        admits: Admits = lambda _authorization: True,
        driver: Driver | None = None,
        grace_seconds: float = GRACE_SECONDS,
        leave_seconds: float = 0.0,
        proxy: str = "",
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._threads = threads
        self._limits = limits
        self._admits = admits
        self._driver = driver
        self._grace_seconds = grace_seconds
        self._leave_seconds = leave_seconds
        self._proxy = proxy
        self._at_end = at_end
        # waitress' own map of all that it watches: the listener, its wake-up pipe, the channels.
        self._watched: dict[int, Any] = {}
        self._listener: Listener | None = None
        self._lot = Lot()

    @property
    def port(self) -> int:
        """The port that is listened on, once started; until then the one that was asked for."""
        return self._port

    @property
    def waiting(self) -> int:
        """How many requests wait without a thread: for jobs, or for the end of one."""
        return len(self._lot)

    def start(self) -> None:
        """Take the port; connections wait from here on. Raises BadSetting if it cannot be had."""
        self._listener = self._take_port()

    def run(self, stop: threading.Event, hurry: threading.Event | None = None) -> None:
        """Serve until `stop` is set, then finish what is in work; start() may come before.

        hurry: once set, nothing is waited for any more.
        """
        hurry = hurry or threading.Event()
        listener = self._listener or self._take_port()
        listener.stop = stop
        if self._driver:
            self._driver.start()
        while not stop.is_set():
            listener.turn(_STOP_SEEN_SECONDS)
        closes_at = time.monotonic() + self._leave_seconds
        while time.monotonic() < closes_at and not hurry.is_set():
            listener.turn(_STOP_SEEN_SECONDS)
        self._drain(listener, hurry)

    def _take_port(self) -> Listener:
        listening = _listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        adjusted = Bounds(
            self._admits,
            threads=self._threads,
            connection_limit=self._limits.connections,
            channel_timeout=ceil(self._limits.idle_seconds),
            max_request_body_size=self._limits.body_bytes + 1,
            max_request_header_size=self._limits.header_bytes,
            expose_tracebacks=False,
            ident=None,
            trusted_proxy=self._proxy or None,
            trusted_proxy_headers="x-forwarded-for" if self._proxy else "",
            clear_untrusted_proxy_headers=True,
            asyncore_use_poll=True,
        )
        # Set here, where it may be less than a second.
        adjusted.cleanup_interval = min(1.0, self._limits.idle_seconds / 4)  # type: ignore[assignment]
        # As an argument it is deprecated.
        adjusted.send_bytes = SEND_BYTES
        threads = Threads(self._threads)
        listener = Listener(
            self._app,
            self._watched,
            _sock=listening,
            dispatcher=cast("Any", threads),
            adj=adjusted,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )
        listener.lot, listener.threads = self._lot, threads
        listener.limits, listener.watched = self._limits, self._watched
        listener.stop = threading.Event()
        return listener

    def _drain(self, listener: Listener, hurry: threading.Event) -> None:
        if self._driver:
            self._driver.stop()
        self._accept_what_waits(listener)
        # Not its own close(): that takes the wake-up pipe too, without which no answer goes out.
        wasyncore.dispatcher.close(listener)
        self._lot.close()
        deadline = time.monotonic() + self._grace_seconds
        while self._is_busy(listener) and time.monotonic() < deadline and not hurry.is_set():
            listener.turn(0.05)
        listener.threads.end(0 if hurry.is_set() else 1)
        wasyncore.close_all(self._watched, ignore_all=True)
        if not hurry.is_set():
            self._lot.join()
            if self._driver:
                self._driver.join()
        self._at_end()

    def _is_busy(self, listener: Listener) -> bool:
        """Tell whether anything is in work, and close the connections on which nothing is.

        An idle one could bring another request for as long as others are busy. It is read once
        more: while its last request was in work nobody did, and the next may have begun.
        """
        idle = [channel for channel in channels(self._watched) if not _is_busy(channel)]
        listener.turn(0)
        for channel in idle:
            if channel.connected and not _is_busy(channel):
                channel.handle_close()
        return any(_is_busy(channel) for channel in channels(self._watched))

    def _accept_what_waits(self, listener: Listener) -> None:
        """Take the connections that the kernel has accepted for us: closing would cut them off."""
        known = -1
        while len(self._watched) != known:
            known = len(self._watched)
            listener.handle_accept()
        listener.turn(0)


def _is_busy(channel: Channel) -> bool:
    return bool(channel.requests or channel.request or channel.writable())


def _listen(host: str, port: int) -> socket.socket:
    place = f"port {port} on {host}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # Of the two addresses of localhost the older one: everything tries that one too.
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(address, family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sentence = f"{place} is taken by another program: end it, or choose another port"
        else:
            sentence = f"the API cannot listen on {place}: {error.strerror or error}"
        raise BadSetting(sentence) from error
