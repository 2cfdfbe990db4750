"""The API on a real server and a real waitress, and a caller of it.

with served(server, threads=8) as api:
    api.ask("POST", "/api/claims", {"queues": [..]})     the answer: status, headers, body, json
    poll = api.starts("POST", "/api/claims", {...})      asked by a thread of its own
    api.waiting()                                         until the request is parked
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

from servers import until

from boltq.api.app import create_app
from boltq.api.driver import Driver
from boltq.api.serve import Serving
from boltq.client import BoltQ
from boltq.evalsha import Server
from boltq.settings import Settings


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    def __init__(
        self, serving: Serving, stop: threading.Event, callers: ThreadPoolExecutor
    ) -> None:
        self.serving, self.stop = serving, stop
        self._callers = callers

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send one request on a connection of its own; bytes go as they are."""
        connection = HTTPConnection("127.0.0.1", self.serving.port, timeout=30)
        try:
            return exchange(connection, method, path, body, **headers)
        finally:
            connection.close()

    def starts(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> "Future[Answer]":
        return self._callers.submit(self.ask, method, path, body, **headers)

    def waiting(self, count: int = 1) -> None:
        until(lambda: self.serving.waiting == count)


def exchange(
    connection: HTTPConnection, method: str, path: str, body: object = None, **headers: str
) -> Answer:
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    told = {} if sent is None else {"Content-Type": "application/json"}
    told |= {name.replace("_", "-"): text for name, text in headers.items()}
    connection.request(method, path, sent, told)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


@contextmanager
def served(
    server: Server,
    threads: int = 4,
    callers: int = 60,
    settings: Settings | None = None,
    *,
    drives: bool = False,
) -> Iterator[Api]:
    """The API over a server's address and prefix, ended when the block is, polls first.

    drives: it does what operations ask for.
    """
    boltq = BoltQ(server.address.shown, prefix=server.prefix, patience_seconds=0.5)
    boltq.server = server
    driver = Driver(boltq) if drives else None
    app = create_app(boltq, settings, driver=driver)
    serving = Serving(app, "127.0.0.1", 0, threads=threads, driver=driver)
    stop = threading.Event()
    serving.start()
    thread = threading.Thread(target=serving.run, args=(stop,))
    thread.start()
    with ThreadPoolExecutor(callers) as pool:
        try:
            yield Api(serving, stop, pool)
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()
