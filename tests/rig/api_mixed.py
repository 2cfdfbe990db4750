"""All that can be asked of the API, and much that cannot, from many connections at once: no 5xx.

python -m rig.api_mixed [--seconds 60] [--connections 64] [--seed N] [--server valkey]     from
tests/, with the repository in PYTHONPATH

Jobs alone and in batches, claims that wait, acks, failures, extensions, lists, every route of the
table with every method, bodies that are broken in many ways, and bytes that are no HTTP. Each
answer must be JSON, or a problem of RFC 9457 with the same status, or the text that its path has.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import NamedTuple

from programs import Program, started_in
from rig.api_requests import Request, Told, requests
from rig.lean import connect
from servers import TestServer, process_server

PROBLEM = {"type", "title", "status", "detail", "word"}


@dataclass
class Outcome:
    """What came of it all. `wrong` tells of each answer that was not right."""

    statuses: Counter[int] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    closed: int = 0

    def add(self, request: Request, response: HTTPResponse, body: bytes) -> None:
        """Count an answer, and look at it."""
        self.statuses[response.status] += 1
        if mistake := mistake_in(request, response, body):
            self.wrong.append(
                f"{request.bytes[:300]!r}: {response.status} {mistake}: {body[:300]!r}"
            )
        elif response.status >= 400:
            self.words[json.loads(body)["word"] if body else "-"] += 1

    def verdict(self, seconds: float, connections: int, seed: int) -> str:
        """Tell it in one line."""
        count = sum(self.statuses.values())
        by_class = Counter(f"{status // 100}xx" for status in self.statuses.elements())
        return (
            f"{'HOLDS' if not self.wrong else 'BROKEN'}: {count} requests in {seconds:.0f} s from "
            f"{connections} connections, {dict(sorted(by_class.items()))}, {len(self.words)} kinds "
            f"of problems, {self.closed} connections closed on us, {len(self.wrong)} wrong, "
            f"seed {seed}"
        )


def mistake_in(request: Request, response: HTTPResponse, body: bytes) -> str:
    """Tell what is wrong with an answer; nothing, if it is as it should be."""
    if response.status >= 500:
        return "is an error of ours"
    if not response.headers.get("X-Request-Id"):
        return "has no X-Request-Id"
    if response.status in (204, 304) or request.is_head:
        return "has a body" if body else ""
    return _mistake_in_body(request, response, body)


def _mistake_in_body(request: Request, response: HTTPResponse, body: bytes) -> str:
    kind = response.headers.get("Content-Type", "")
    if response.status == 200 and request.may_be_text and kind.startswith("text/"):
        return ""
    try:
        told = json.loads(body)
    except ValueError:
        return f"is no JSON, but {kind}"
    if response.status < 400:
        return "" if kind == "application/json" else f"is {kind}"
    if kind != "application/problem+json" or not told.keys() >= PROBLEM:
        return f"is no problem, but {kind}"
    return "" if told["status"] == response.status else "tells another status"


class Caller:
    """One connection, opened again when it is closed, and what is asked on it."""

    def __init__(
        self, api: Program, chosen: Iterator[Request], told: Told, outcome: Outcome
    ) -> None:
        self._api, self._chosen, self._told, self._outcome = api, chosen, told, outcome

    def run(self, ends_at: float) -> None:
        """Ask until then; without a connection there is nothing to ask on."""
        try:
            self._ask(ends_at)
        except ConnectionRefusedError as problem:
            status = self._api.process.poll()
            lives = "lives" if status is None else f"has ended with {status}"
            self._outcome.wrong.append(f"{problem!r}, and the API {lives}")

    def _ask(self, ends_at: float) -> None:
        socket = connect(self._api.port)
        try:
            while time.monotonic() < ends_at:
                request = next(self._chosen)
                try:
                    socket.sendall(request.bytes)
                    if request.goes:
                        raise ConnectionResetError
                    response = HTTPResponse(socket, method="HEAD" if request.is_head else "GET")
                    response.begin()
                    body = response.read()
                except (OSError, HTTPException) as problem:
                    if not request.goes and not request.is_broken:
                        self._outcome.wrong.append(f"{request.bytes[:300]!r}: {problem!r}")
                    self._outcome.closed += not request.goes
                    socket.close()
                    socket = connect(self._api.port)
                    continue
                self._outcome.add(request, response, body)
                self._told.hear(request, response.status, body)
                if response.will_close:
                    socket.close()
                    socket = connect(self._api.port)
        finally:
            socket.close()


class Setting(NamedTuple):
    """Where it happens."""

    server: TestServer
    api: Program


@contextmanager
def running(kind: str) -> Iterator[Setting]:
    """Start a server and an API, and end them."""
    with (
        process_server(kind) as server,
        tempfile.TemporaryDirectory() as name,
        started_in(Path(name)) as start,
    ):
        told = {"REDIS_ADDR": server.address, "BOLTQ_LOG": "json"}
        yield Setting(server, start("boltq", "api", "--port", "0", **told).find_api())


def load(setting: Setting, seconds: float, connections: int, seed: int) -> Outcome:
    """Ask from all connections for so long."""
    outcome, told = Outcome(), Told()
    ends_at = time.monotonic() + seconds
    callers = [
        Caller(setting.api, requests(random.Random(f"{seed} {n}"), told), told, outcome)
        for n in range(connections)
    ]
    threads = [threading.Thread(target=caller.run, args=(ends_at,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 60)
        if thread.is_alive():
            outcome.wrong.append("a connection hangs")
    ended = setting.api.process.poll()
    if ended is not None:
        outcome.wrong.append(f"the API has ended with {ended}: {setting.api.told[-2000:]}")
        return outcome
    status, _ = setting.api.ask("GET", "/readyz")
    if status != 200:
        outcome.wrong.append(f"afterwards /readyz is {status}")
    for line in setting.api.told.splitlines():
        if json.loads(line)["level"] == "ERROR":
            outcome.wrong.append(f"the log has {line[:2000]}")
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and tell what came of it; 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(prog="rig.api_mixed", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--server", choices=["redis", "valkey"], default="valkey")
    told = parser.parse_args(arguments)
    with running(told.server) as setting:
        outcome = load(setting, told.seconds, told.connections, told.seed)
    for status, count in sorted(outcome.statuses.items()):
        print(f"{status} {count:8}")
    print(*[f"{word} {count}" for word, count in outcome.words.most_common()], sep=", ")
    print(*outcome.wrong[:20], sep="\n")
    print(outcome.verdict(told.seconds, told.connections, told.seed))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
