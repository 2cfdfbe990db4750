"""A line to a server, on which answers are lost, held back, cut, slowed or stopped on purpose.

Line(real)                a line to a server at a socket or a (host, port), on a port of its own
.lose("ack", 2)           the next two answers to ack, which has run, never arrive: the line is cut
.hold("claim")            answers to claim are kept back until .release()
.cut(7)                   the next request gets no further than its 7th byte
.slow(0.01, 1)            from now on, answers come in pieces of 1 byte, 10 ms between two
.stop("answers")          nothing goes that way any more, and nobody is told, until .release()
.drop()                   every connection is reset, now
.lead_to(other)           new connections go to another server, those that are open stay

It knows RESP2, so a fault meets one request and its answer whatever travels beside them; with
`raw=True`, as for the stream to a replica, it only hands bytes on, and can be stopped.
"""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Literal

from resp import Frames

_SCRIPTS = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["scripts"]
_SHA1 = {name: script["sha1"].encode() for name, script in _SCRIPTS.items()}
_READ_BYTES = 1 << 18
_CUT = b"a request that was cut"
RESET = struct.pack("ii", 1, 0)  # linger 0 s: closed with RST

Way = Literal["requests", "answers"]
Place = Path | str | tuple[str, int]


class Line:
    """Hands requests on to the server at a socket or port, and its answers back."""

    def __init__(self, real: Place, own: Path | None = None, *, raw: bool = False) -> None:
        """Listen at the socket `own`, or on a free port of 127.0.0.1."""
        self.lost = 0
        self.held = threading.Event()  # an answer is being held back
        self.held_back = 0  # how many have been
        self._real, self._raw = real, raw
        self._losing, self._losses = b"none", 0
        self._holding: bytes | None = None
        self._go = threading.Event()
        self._go.set()
        self._ways: dict[Way, threading.Event] = {
            "requests": threading.Event(),
            "answers": threading.Event(),
        }
        self._pause_seconds, self._piece_bytes = 0.0, _READ_BYTES
        self._cut_after: int | None = None
        self._open: set[socket.socket] = set()
        self._listener = _listen(own)
        self.port = 0 if own else self._listener.getsockname()[1]
        self.address = f"unix://{own}" if own else f"redis://127.0.0.1:{self.port}"
        self.release()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, script: str, times: int) -> None:
        """From now on, cut the line in place of the next answers to a script that has run."""
        self._losing, self._losses = _SHA1[script], times

    def hold(self, script: str) -> None:
        """From now on, keep back the answers to a script until `release`."""
        self._holding = _SHA1[script]
        self._go.clear()

    def cut(self, after_bytes: int) -> None:
        """Hand on so many bytes of the next request, from 0, and then reset that connection."""
        self._cut_after = after_bytes

    def slow(self, pause_seconds: float, piece_bytes: int = _READ_BYTES) -> None:
        """From now on, wait before each piece of an answer; 0 s ends it."""
        self._pause_seconds, self._piece_bytes = pause_seconds, piece_bytes

    def stop(self, way: Way) -> None:
        """Let nothing go one way any more, as if the other end had gone without a word."""
        self._ways[way].clear()

    def release(self) -> None:
        """Let go what is held back or stopped, and hold nothing else."""
        self._holding = None
        self._go.set()
        for way in self._ways.values():
            way.set()

    def lead_to(self, real: Place) -> None:
        """Lead new connections elsewhere, as a name does that is given to another server."""
        self._real = real

    def drop(self) -> None:
        """Reset every connection."""
        for one in list(self._open):
            _reset(one)

    def close(self) -> None:
        self.release()
        self._listener.close()
        self.drop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                upstream = _connect(self._real)
            except OSError:  # the server is away: so is the line
                _reset(client)
                continue
            self._open |= {client, upstream}
            asked: deque[bytes] = deque()
            pumps = (
                lambda client=client, upstream=upstream, asked=asked: self._requests(
                    client, upstream, asked
                ),
                lambda client=client, upstream=upstream, asked=asked: self._answers(
                    upstream, client, asked
                ),
            )
            for pump in pumps:
                threading.Thread(
                    target=self._until_closed, args=(pump, client, upstream), daemon=True
                ).start()

    def _until_closed(self, pump: Callable[[], None], *ends: socket.socket) -> None:
        with suppress(OSError):  # whoever was at the other end is gone
            pump()
        for one in ends:
            self._open.discard(one)
            _reset(one)

    def _requests(self, client: socket.socket, server: socket.socket, asked: deque[bytes]) -> None:
        frames = Frames()
        left: int | None = None
        while read := client.recv(_READ_BYTES):
            self._ways["requests"].wait()
            if self._cut_after is not None:
                left, self._cut_after = self._cut_after, None
                asked.append(_CUT)
            if left is not None:
                server.sendall(read[:left])
                left -= len(read)
                if left <= 0:
                    return
                continue
            if not self._raw:
                # Noted before it is sent: the answer may come at once.
                asked.extend(frames.feed(read))
            server.sendall(read)

    def _answers(self, server: socket.socket, client: socket.socket, asked: deque[bytes]) -> None:
        frames = Frames()
        while read := server.recv(_READ_BYTES):
            for answer in [read] if self._raw else frames.feed(read):
                request = asked.popleft() if asked else b""
                if not answer.startswith(b"-NOSCRIPT") and not self._let_through(request):
                    return
                self._ways["answers"].wait()
                self._send(client, answer)

    def _let_through(self, request: bytes) -> bool:
        if request is _CUT:  # it was whole, and its answer is quicker than the end of the line
            return False
        if self._losses > 0 and self._losing in request:
            self._losses -= 1
            self.lost += 1
            return False
        if self._holding is not None and self._holding in request:
            self.held_back += 1
            self.held.set()
            self._go.wait(20)
        return True

    def _send(self, client: socket.socket, answer: bytes) -> None:
        for start in range(0, len(answer), self._piece_bytes):
            if self._pause_seconds:
                time.sleep(self._pause_seconds)
            client.sendall(answer[start : start + self._piece_bytes])


def _listen(own: Path | None) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX if own else socket.AF_INET)
    listener.bind(str(own) if own else ("127.0.0.1", 0))
    listener.listen(64)
    return listener


def _connect(place: Place) -> socket.socket:
    if isinstance(place, tuple):
        return socket.create_connection(place, 5)
    upstream = socket.socket(socket.AF_UNIX)
    try:
        upstream.connect(str(place))
    except OSError:
        upstream.close()
        raise
    return upstream


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with suppress(OSError):
        one.shutdown(socket.SHUT_RD)  # wakes a thread that waits for it to say something
    with suppress(OSError):
        one.close()


@contextmanager
def line_to(real: Place, folder: Path | None = None, *, raw: bool = False) -> Iterator[Line]:
    """A line for as long as the block, at a socket in the folder or on a port."""
    line = Line(real, folder and folder / "line.sock", raw=raw)
    try:
        yield line
    finally:
        line.close()
