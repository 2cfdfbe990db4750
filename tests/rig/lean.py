"""An HTTP client that costs next to nothing: prepared bytes on a few kept connections.

python -m rig.lean PORT CONNECTIONS SECONDS FILE     sends the request in FILE over and over, and
prints how many answers came, how many were no success, and how many seconds it took
"""

import re
import select
import socket
import sys
import time
from pathlib import Path

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_BYTES = 1 << 20


def connect(port: int) -> socket.socket:
    """Open a connection that sends at once."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Connection:
    """A connection on which one request at a time is under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = connect(port)
        self._request = request
        self._heard = b""

    def send(self) -> None:
        """Send the request."""
        self._heard = b""
        self.socket.sendall(self._request)

    def hear(self) -> int:
        """Take what came; return the status once the answer is whole, else 0."""
        more = self.socket.recv(_BYTES)
        if not more:
            message = f"the API closed the connection after {self._heard[:200]!r}"
            raise ConnectionError(message)
        self._heard += more
        head, blank, body = self._heard.partition(b"\r\n\r\n")
        if not blank:
            return 0
        found = _LENGTH.search(head + b"\r\n")
        assert found, head
        return int(head[9:12]) if len(body) >= int(found[1]) else 0


def drive(port: int, connections: int, seconds: float, request: bytes) -> tuple[int, int, float]:
    """Send a request over and over; return how many answers came, how many bad, and how long."""
    poll = select.epoll()
    by_number = {}
    for _ in range(connections):
        connection = Connection(port, request)
        by_number[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    answers = bad = 0
    began = time.perf_counter()
    for connection in by_number.values():
        connection.send()
    under_way, ends_at = len(by_number), began + seconds
    while under_way:
        for number, _event in poll.poll():
            status = by_number[number].hear()
            if not status:
                continue
            answers += 1
            bad += not 200 <= status < 300
            if time.perf_counter() < ends_at:
                by_number[number].send()
            else:
                under_way -= 1
    took = time.perf_counter() - began
    for connection in by_number.values():
        connection.socket.close()
    return answers, bad, took


if __name__ == "__main__":
    port, connections, seconds, file = sys.argv[1:]
    print(*drive(int(port), int(connections), float(seconds), Path(file).read_bytes()))
