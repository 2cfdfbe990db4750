"""What rig.api_mixed asks: requests of all kinds drawn by a seed, and what is heard of leases."""

import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from boltq.api import routes
from boltq.client import BoltQ

QUEUES = [f"mixed-{n}" for n in range(6)]
TYPES = ["echo", "mail", "a:b", "slow"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]
PATHS = [route.path for route in routes.table(BoltQ("127.0.0.1:1"))]
IDS = [f"j{n}" for n in range(200)]


class Request(NamedTuple):
    """One, as bytes. `is_broken`: it may be answered by closing. `goes`: nobody waits for it."""

    bytes: bytes
    is_head: bool = False
    may_be_text: bool = False
    is_broken: bool = False
    goes: bool = False


TEXTS = ("/api/scripts/", "/api/docs", "/metrics", "/page/")
"""What begins so is answered with a text, or with a page."""


class Told:
    """What was heard, from all connections: leases and tags, the latest of them."""

    def __init__(self) -> None:
        self.leases: deque[tuple[str, str]] = deque(maxlen=2000)
        self.jobs: deque[str] = deque([f"{QUEUES[0]}:none"], maxlen=500)

    def hear(self, _request: Request, status: int, body: bytes) -> None:
        """Remember what an answer tells."""
        if status not in (200, 202) or not body.startswith(b"{"):
            return
        told = json.loads(body)
        if isinstance(told.get("jobs"), list):
            self.leases.extend(
                (job["id"], told.get("token", "t")) for job in told["jobs"] if "id" in job
            )
        if isinstance(told.get("id"), str):
            self.jobs.append(told["id"])

    def lease(self, draw: random.Random) -> tuple[str, str]:
        """Give a lease that was heard of, and mostly forget it; a job that nobody has, if none."""
        try:
            return self.leases.popleft() if draw.random() < 0.8 else self.leases[-1]
        except IndexError:
            return self.jobs[-1], "nobody's"


def http(method: str, path: str, body: Any = None, **headers: str) -> Request:
    """Write a request; bytes of a body go as they are."""
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = {"Host": "localhost", "Content-Length": str(len(sent))}
    if body is not None:
        lines["Content-Type"] = "application/json"
    lines |= {name.replace("_", "-"): text for name, text in headers.items()}
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    whole = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + sent
    may_be_text = path.partition("?")[0] == "/" or path.startswith(TEXTS)
    return Request(whole, method == "HEAD", may_be_text)


def job(draw: random.Random) -> dict[str, Any]:
    """Draw a job, now and then with each option."""
    told: dict[str, Any] = {"type": draw.choice(TYPES), "queue": draw.choice(QUEUES)}
    told["payload"] = draw.choice([None, 1, "é" * draw.randrange(300), {"a": [1, 2, {"b": None}]}])
    some = {
        "id": draw.choice(IDS),
        "priority": draw.randrange(10),
        "delay_seconds": draw.choice([0, 0.05, 5]),
        "max_attempts": draw.randrange(1, 4),
        "headers": {"k": "v"},
        "backoff": {"base_seconds": 0.01},
        "timeout_seconds": 5,
        "retention_seconds": draw.choice([0, 60]),
    }
    return told | {name: value for name, value in some.items() if draw.random() < 0.15}


def enqueue(draw: random.Random, _told: Told) -> Request:
    headers = {}
    if draw.random() < 0.2:
        headers["Idempotency_Key"] = f"k{draw.randrange(50)}"
    if draw.random() < 0.1:
        headers["Prefer"] = f"wait={draw.randrange(2)}"
    return http("POST", "/api/jobs", job(draw), **headers)


def batch(draw: random.Random, _told: Told) -> Request:
    jobs: list[Any] = [job(draw) for _ in range(draw.choice([1, 5, 100]))]
    path = f"/api/jobs/batch?mode={draw.choice(['each', 'each', 'all'])}"
    if draw.random() < 0.2:
        jobs[0] = draw.choice([{}, 5, {"type": "a b"}, {"type": "echo", "priority": 99}])
    if draw.random() < 0.3:
        lines = b"\n".join(json.dumps(one).encode() for one in jobs)
        return http("POST", path, lines, Content_Type="application/x-ndjson")
    return http("POST", path, jobs)


def claim(draw: random.Random, _told: Told) -> Request:
    body = {"queues": draw.sample(QUEUES, draw.randrange(1, 4)), "max_jobs": draw.randrange(1, 20)}
    body["wait_seconds"] = draw.choice([0, 0, 0.1, 1.0])
    body["lease_seconds"] = draw.choice([1, 30])
    if draw.random() < 0.2:
        body["token"] = f"t{draw.randrange(30)}"
    request = http("POST", "/api/claims", body)
    return request._replace(goes=draw.random() < 0.05)


def settle(draw: random.Random, told: Told) -> Request:
    id, token = told.lease(draw)
    verb = draw.choice(["ack", "ack", "fail", "extend", "release"])
    more = {"ack": {"result": [1]}, "fail": {"error": {"type": "E", "message": "m"}}}
    return http("POST", f"/api/jobs/{id}/{verb}", {"token": token, **more.get(verb, {})})


def settle_many(draw: random.Random, told: Told) -> Request:
    acks = [dict(zip(("id", "token"), told.lease(draw), strict=True)) for _ in range(5)]
    return http("POST", "/api/acks", {"acks": acks})


def look(draw: random.Random, told: Told) -> Request:
    id = draw.choice([told.jobs[-1], f"{draw.choice(QUEUES)}:{draw.choice(IDS)}"])
    paths = [
        "/",
        "/healthz",
        "/readyz",
        "/api/stats",
        "/api/queues",
        "/api/workers",
        "/api/scripts",
    ]
    paths += ["/api/scripts/claim", "/api/dead?limit=5", f"/api/jobs/{id}"]
    paths += [f"/api/jobs/status?id={id}", f"/api/dead?queue={draw.choice(QUEUES)}"]
    headers = {"If_None_Match": draw.choice(['"a"', "*"])} if draw.random() < 0.1 else {}
    return http(draw.choice(["GET", "GET", "HEAD"]), draw.choice(paths), **headers)


def change(draw: random.Random, told: Told) -> Request:
    queue, id = draw.choice(QUEUES), f"{draw.choice(QUEUES)}:{draw.choice(IDS)}"
    paths = [f"/api/jobs/{told.jobs[-1]}/cancel", f"/api/jobs/{id}/replay"]
    paths += [f"/api/queues/{queue}/pause", *[f"/api/queues/{each}/resume" for each in QUEUES]]
    return http("POST", draw.choice(paths))


def any_route(draw: random.Random, told: Told) -> Request:
    """Draw any path of the table, any method, and a body that somebody might send."""
    path = draw.choice(PATHS)
    names = {"{id}": told.jobs[-1], "{queue}": draw.choice(QUEUES), "{name}": "claim"}
    for name, value in names.items():
        path = path.replace(
            name, draw.choice([value, value, "%00", "a b".replace(" ", "%20"), "..."])
        )
    if "{" in path:
        path = path.partition("{")[0] + "1"
    body = draw.choice([None, {}, [], 5, {"token": 5}, {"queues": "x"}, b"{", b"\xff", b"[" * 5000])
    query = draw.choice(["", "", "?limit=0", "?cursor=%ff", "?mode=some", "?state=x&queue=*"])
    return http(draw.choice(METHODS), path + query, body)


def broken(draw: random.Random, _told: Told) -> Request:
    """Draw what is no request, or one that may not be."""
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    sent = draw.choice(
        [
            b"\x16\x03\x01\x02\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
            head + b"Content-Length: -1\r\n\r\n",
            head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            head + b"Content-Length: 99999999\r\n\r\n{",
            head + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
            head + b"A: " + b"a" * 20_000 + b"\r\n\r\n",
            head + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            b"POST /api/jobs HTTP/1.1\r\nHost: evil,localhost\r\nContent-Length: 0\r\n\r\n",
            b"GET /%ff%00?%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ]
    )
    return Request(sent, is_broken=True)


def leave(draw: random.Random, told: Told) -> Request:
    """Draw a request that is cut off in its midst."""
    whole = enqueue(draw, told).bytes
    return Request(whole[: draw.randrange(1, len(whole))], goes=True)


def foreign(draw: random.Random, _told: Told) -> Request:
    """Draw what a page of another site would send, or what asks for what is not there."""
    headers = draw.choice(
        [
            {"Origin": "http://evil.example"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Content_Type": "text/plain"},
            {"Accept": "image/png"},
        ]
    )
    return http("POST", draw.choice(["/api/jobs", "/api/nothing"]), job(draw), **headers)


KINDS: dict[Callable[[random.Random, Told], Request], int] = {
    enqueue: 25,
    batch: 6,
    claim: 15,
    settle: 20,
    settle_many: 4,
    look: 15,
    change: 4,
    any_route: 10,
    broken: 4,
    leave: 1,
    foreign: 3,
}


def requests(draw: random.Random, told: Told) -> Iterator[Request]:
    """Draw requests without end."""
    while True:
        (kind,) = draw.choices(list(KINDS), KINDS.values())
        yield kind(draw, told)
