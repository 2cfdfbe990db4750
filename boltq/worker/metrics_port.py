"""A port at which a worker tells Prometheus what it has measured."""

import errno
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer

from boltq import exposition
from boltq.errors import BadSetting
from boltq.exposition import Family

PATH = "/metrics"
CLIENT_SECONDS = 2.0
"""How long one client may keep the others waiting: they are answered one after the other."""


class MetricsPort:
    """Answers GET /metrics on a thread of its own, from now on until `close` or the process' end.

    host: a name or an address to listen on. port: 0 is any free one. families: is asked at each
    request. Raises BadSetting where the port cannot be had.
    """

    def __init__(self, host: str, port: int, families: Callable[[], Iterable[Family]]) -> None:
        class Handler(_Handler):
            told = staticmethod(families)

        try:
            self._server = _server(host, port, Handler)
        except OSError as problem:
            why = problem.strerror or str(problem)
            if problem.errno == errno.EADDRINUSE:
                why = "another program has it; each worker process needs a port of its own"
            raise BadSetting(
                f"BOLTQ_METRICS_PORT: port {port} on {host} cannot be listened on: {why}"
            ) from problem
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="boltq-metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let go of the port."""
        self._server.shutdown()
        self._server.server_close()


class _Server(TCPServer):
    allow_reuse_address = True  # a process takes the port of the one in whose place it was started


class _Server6(_Server):
    address_family = socket.AF_INET6


def _server(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> TCPServer:
    return (_Server6 if ":" in host else _Server)((host, port), handler)


class _Handler(BaseHTTPRequestHandler):
    told: Callable[[], Iterable[Family]]
    timeout = CLIENT_SECONDS

    def do_GET(self) -> None:
        form = exposition.chosen(self.headers.get("Accept", ""))
        if self.path.partition("?")[0] == PATH:
            self._answer(
                HTTPStatus.OK,
                exposition.content_type(form),
                exposition.written(self.told(), form),
            )
        else:
            said = f"A worker of BoltQ: its metrics are at {PATH}.\n".encode()
            self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", said)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "BoltQ"

    def log_message(self, *_line: object) -> None:
        """Log nothing: a line for each scrape tells nobody anything."""
