"""`boltq api` and `boltq up` with keys: when they refuse to start, and what they let in."""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import Program, Start, run, started_in
from servers import until

NOWHERE = "127.0.0.1:1"
SECRET = "s3cret-0123456789abcdef"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


def ask(program: Program, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    request = urllib.request.Request(f"http://127.0.0.1:{program.port}/api/stats", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("command", ["api", "up"])
def test_an_open_door_to_the_network_is_refused_in_a_sentence(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, "boltq", command, "--host", "0.0.0.0", REDIS_ADDR=NOWHERE, API_PORT="0")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "API_HOST is 0.0.0.0, where others reach the API" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_key_that_breaks_a_rule_is_refused_and_not_shown(tmp_path: Path) -> None:
    told = {"REDIS_ADDR": NOWHERE, "BOLTQ_API_KEYS": f"web:write:{SECRET}"}
    done = run(tmp_path, "boltq", "api", "--port", "0", **told)
    assert done.returncode == 2
    assert "the scopes of web must be some of read" in " ".join(done.stderr.split())
    assert SECRET not in done.stderr


def test_who_says_that_it_is_open_gets_it_open(start: Start) -> None:
    told = {"REDIS_ADDR": NOWHERE, "BOLTQ_API_OPEN": "yes"}
    api = start("boltq", "api", "--host", "0.0.0.0", "--port", "0", **told).find_api()
    assert api.ask("GET", "/healthz")[0] == 200
    assert api.end() == 0


def test_the_keys_of_a_running_api_are_replaced_and_never_logged(
    tmp_path: Path, start: Start
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"web:read:{SECRET}\n")
    told = {"API_PORT": "0", "BOLTQ_API_KEYS_FILE": str(keys), "BOLTQ_LOG": "json"}
    program = start("boltq", "up", "--no-worker", **told).find_api()
    until(lambda: "/api/stats" in program.said)
    assert program.said.count("\n  curl -H 'Authorization: Bearer SECRET' ") == 3
    assert (ask(program, SECRET), ask(program, SECRET[:-1])) == (200, 401)
    keys.write_text(f"web:read:{SECRET}-new\n")
    assert (ask(program, SECRET), ask(program, f"{SECRET}-new")) == (401, 200)
    keys.write_text("nonsense\n")
    assert (ask(program, SECRET), ask(program, f"{SECRET}-new")) == (401, 200)
    assert program.end(signal.SIGTERM) == 0
    assert "s3cret" not in program.said + program.told
    lines = [json.loads(line) for line in program.told.splitlines()]
    assert [line["level"] for line in lines if line["event"] == "the keys stay as they were"] == [
        "ERROR"
    ]
    assert {line.get("caller") for line in lines if line["event"] == "request"} == {"web", None}
