"""Several processes of the API side by side: what one was told, the others know."""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from programs import Program, started_in
from servers import TestServer, process_server, until

SECRET = "s3cret-0123456789abcdef"


class Told(NamedTuple):
    status: int
    headers: Any
    json: Any


class Pair(NamedTuple):
    first: Program
    second: Program
    server: TestServer
    keys: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folders = [tmp_path_factory.mktemp("api") for _ in range(2)]
    keys = folders[0] / "keys"
    keys.write_text(f"ops:admin:{SECRET}\n")
    told = {"BOLTQ_API_KEYS_FILE": str(keys)}
    with (
        process_server("valkey") as server,
        started_in(folders[0]) as one,
        started_in(folders[1]) as two,
    ):
        told["REDIS_ADDR"] = server.address
        apis = [start("boltq", "api", "--port", "0", **told) for start in (one, two)]
        yield Pair(*[api.find_api() for api in apis], server, keys)


def ask(
    api: Program, method: str, path: str, body: object = None, *, secret: str = SECRET, **more: str
) -> Told:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    headers |= {name.replace("_", "-"): text for name, text in more.items()}
    data = None if body is None else json.dumps(body).encode()
    place = f"http://127.0.0.1:{api.port}{path}"
    request = urllib.request.Request(place, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=25) as answer:
            return Told(answer.status, answer.headers, json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Told(error.code, error.headers, json.loads(error.read()))


def test_a_request_repeated_at_the_other_process_is_the_same_request(
    pair: Pair, queue: str
) -> None:
    job = {"type": "echo", "queue": queue}
    made = ask(pair.first, "POST", "/api/jobs", job, Idempotency_Key="k")
    again = ask(pair.second, "POST", "/api/jobs", job, Idempotency_Key="k")
    assert (made.status, again.status, again.json) == (202, 202, made.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    another = ask(pair.second, "POST", "/api/jobs", {**job, "priority": 1}, Idempotency_Key="k")
    assert (another.status, another.json["word"]) == (422, "KEY_REUSED")


def test_one_key_used_at_both_at_once_makes_one_job(pair: Pair, queue: str) -> None:
    job = {"type": "echo", "queue": queue}

    def post(n: int) -> Told:
        return ask(pair[n % 2], "POST", "/api/jobs", job, Idempotency_Key="at once")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(16)))
    # In one process a second is told to wait, across two it is answered as a repeat.
    assert {one.status for one in answers} <= {202, 409}
    assert len({one.json["id"] for one in answers if one.status == 202}) == 1
    stats = ask(pair.first, "GET", "/api/stats").json
    mine = stats["queues"][queue]
    assert mine["enqueued_total"] == 1


def test_a_lease_is_known_at_both(pair: Pair, queue: str) -> None:
    ask(pair.first, "POST", "/api/jobs", {"type": "echo", "queue": queue, "id": "a"})
    asked = {"queues": [queue], "token": f"t-{queue}"}
    claimed = ask(pair.first, "POST", "/api/claims", asked).json
    again = ask(pair.second, "POST", "/api/claims", asked).json
    assert claimed["jobs"] == again["jobs"]
    path = f"/api/jobs/{queue}:a/ack"
    lost = ask(pair.second, "POST", path, {"token": "another"})
    assert (lost.status, lost.json["state"]) == (409, "running")
    done = ask(pair.second, "POST", path, {"token": f"t-{queue}", "result": 5})
    assert (done.status, done.json["state"]) == (200, "completed")
    repeated = ask(pair.first, "POST", path, {"token": f"t-{queue}", "result": 5})
    assert (repeated.status, repeated.json["already"]) == (200, True)


def test_who_waits_at_one_hears_of_what_comes_to_the_other(pair: Pair, queue: str) -> None:
    wait = {"queues": [queue], "wait_seconds": 20}
    with ThreadPoolExecutor(12) as pool:
        polls = [pool.submit(ask, pair[n % 2], "POST", "/api/claims", wait) for n in range(6)]
        raw = pair.server.raw()
        until(lambda: raw.execute_command("CLIENT", "LIST").count(b"cmd=blpop") >= 2)
        assert not any(poll.done() for poll in polls)
        for n in range(6):
            made = {"type": "echo", "queue": queue, "id": f"j{n}"}
            ask(pair[(n + 1) % 2], "POST", "/api/jobs", made)
        # Nobody hears twice, and nobody is left out: each claims until it has one.
        leased = Counter(job["id"] for poll in polls for job in poll.result(25).json["jobs"])
    assert set(leased.values()) == {1}


def test_who_waits_for_a_job_at_one_hears_of_its_end_at_the_other(pair: Pair, queue: str) -> None:
    job = {"type": "echo", "queue": queue, "id": "a"}
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(ask, pair.first, "POST", "/api/jobs", job, Prefer="wait=20")
        until(lambda: ask(pair.second, "GET", f"/api/jobs/{queue}:a").status == 200)
        claimed = ask(pair.second, "POST", "/api/claims", {"queues": [queue]}).json
        told = {"token": claimed["token"], "result": [1]}
        ask(pair.second, "POST", f"/api/jobs/{queue}:a/ack", told)
        ended = waits.result(25)
    assert (ended.status, ended.json["state"], ended.json["result"]) == (200, "completed", [1])


def test_a_key_that_is_replaced_is_replaced_at_both(pair: Pair) -> None:
    fresh = f"{SECRET}-new"
    pair.keys.write_text(f"ops:admin:{SECRET},new:read:{fresh}\n".replace(",", "\n"))
    for api in (pair.first, pair.second):
        until(lambda api=api: ask(api, "GET", "/api/stats", secret=fresh).status == 200)
        assert ask(api, "POST", "/api/jobs", {"type": "echo"}, secret=fresh).status == 403
