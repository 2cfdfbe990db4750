"""schemathesis asks the API whatever its document allows, and what it does not.

Some 1,500 requests in `make test`, those of each operation by TEST_SCHEMA_CASES=N, more of them by
TEST_SEED: no 5xx, only statuses, headers, types and shapes that are documented; what the document
allows is accepted, what it forbids refused; and nobody else's queues are touched.
"""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_served import served
from audited import sound
from servers import TestServer

from boltq.address import parse
from boltq.call import Call
from boltq.evalsha import Server
from boltq.settings import Settings

FOLDER = Path(__file__).parent / "schemathesis"
CASES = int(os.environ.get("TEST_SCHEMA_CASES", "3"))
SEED = os.environ.get("TEST_SEED", "7")
SECRET = secrets.token_hex(16)
KEY = {"Authorization": f"Bearer {SECRET}"}

PHASES = ["coverage", "fuzzing", *(["examples", "stateful"] if CASES > 3 else [])]


class Named:
    """A queue by its name, to be audited."""

    def __init__(self, server: Server, raw: Any, name: str) -> None:
        self.server, self.raw, self.name = server, raw, name

    def key(self, part: str) -> str:
        return f"{self.server.prefix}1:{{{self.name}}}:{part}"

    def call(self, call: Call[Any]) -> Any:
        return self.server.call(call)


@pytest.fixture
def valkey(shared_servers: Callable[[str], TestServer]) -> TestServer:
    return shared_servers("valkey")


@pytest.fixture
def own(valkey: TestServer) -> Iterator[Server]:
    mine = Server(parse(valkey.address), prefix=f"schema-{secrets.token_hex(6)}")
    yield mine
    mine.close()


@pytest.mark.timeout(60 + 30 * CASES)
def test_schemathesis_finds_nothing_and_harms_nobody(
    own: Server, valkey: TestServer, tmp_path: Path
) -> None:
    raw = valkey.raw()
    settings = Settings(api_keys=f"tester:admin:{SECRET}")
    with served(own, threads=4, callers=1, settings=settings) as api:
        others = f"{own.prefix}-others"
        raw.set(others, "untouched")
        job = {"type": "keep", "queue": "kept-for-others", "id": "kept", "payload": {"a": 1}}
        before = api.ask("POST", "/api/jobs", job, **KEY).json
        said = schemathesis(f"http://127.0.0.1:{api.serving.port}", tmp_path)
        assert api.ask("GET", "/api/jobs/kept-for-others:kept", **KEY).json == before
        assert raw.get(others) == b"untouched"
        queues = {queue["queue"] for queue in api.ask("GET", "/api/queues", **KEY).json["queues"]}
    assert len(queues) > 5
    for name in queues:
        sound(Named(own, raw, name))
    (generated,) = re.findall("([0-9]+) generated", said)
    assert int(generated) > 300 * min(CASES, 3)
    print(f"schemathesis: {generated} requests, seed {SEED}")


def schemathesis(url: str, folder: Path) -> str:
    """Run it against an API and return what it said; fail with that if it found something."""
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file"),
        *(str(FOLDER / "schemathesis.toml"), "run", f"{url}/api/openapi.json"),
        *("--seed", SEED, "--max-examples", str(CASES), "--phases", ",".join(PHASES)),
        *("--header", f"Authorization: Bearer {SECRET}"),
        # The first is done by the hooks, but for rules that are told in words; the other sends the
        # key that it means to leave out, and `ignored_auth` leaves it out indeed.
        *("--exclude-checks", "positive_data_acceptance,missing_required_header"),
        *("--generation-database", "none", "--request-timeout", "30", "--no-color"),
    ]
    told = {
        "TEST_SECRET": SECRET,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(FOLDER),
        "COLUMNS": "120",
    }
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=50 + 30 * CASES,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
