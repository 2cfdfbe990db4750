"""Clients without any of our Python: a shell with redis-cli, and Node with its package `redis`."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from servers import STRICT, TestServer, missing

from boltq import BoltQ
from boltq.export import export_scripts

CLIENTS = Path(__file__).parent / "clients"
WALK = """\
enqueue: ENQUEUED CREATED CREATED CREATED
repeated: ENQUEUED DUPLICATE DUPLICATE DUPLICATE
claimed: {"n":1.0}
claimed: {"n":2}
extend: EXTENDED HELD HELD
ack: ACKED DONE
again: ACKED ALREADY
fail: FAILED RETRYING
stale: ACKED LEASE_LOST
ack: ACKED DONE
stats: 0 0 0 1 2 0 0
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """What `boltq export scripts DIR` writes."""
    export_scripts(tmp_path / "scripts")
    return tmp_path / "scripts"


@pytest.fixture(scope="session")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Node client, beside the package that it imports."""
    if shutil.which("node") is None:
        pytest.skip("SKIPPED: missing is node (Debian: apt install nodejs npm)")
    told = os.environ.get("NODE_CLIENT_MODULES")
    modules = Path(told) if told else CLIENTS / "node_modules"
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(CLIENTS / "client.mjs", folder)
    if not (modules / "redis").is_dir():
        # Tests reach for no network, except in .ci/run, which leaves out nothing that it can have.
        if not STRICT or not installed(folder):
            pytest.skip("SKIPPED: missing is the npm package: npm ci --prefix tests/clients")
        return folder / "client.mjs"
    (folder / "node_modules").symlink_to(modules.resolve())
    return folder / "client.mjs"


def installed(folder: Path) -> bool:
    """Whether npm could install what the client needs into a folder."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CLIENTS / name, folder)
    command = ["npm", "ci", "--prefix", str(folder), "--no-audit", "--no-fund"]
    try:
        return subprocess.run(command, capture_output=True, timeout=50, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def walked(command: list[str], **environment: str) -> str:
    """What a client's walk printed; what it had to say about a failure is shown."""
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=os.environ | environment,
    )
    assert ran.stderr == ""
    assert ran.returncode == 0
    return ran.stdout


def check_the_jobs(server: TestServer, queue: str) -> None:
    """What the client did, as our Python sees it."""
    boltq = BoltQ(server.address)
    jobs = {name: boltq.get(f"{queue}:{name}") for name in "abc"}
    boltq.close()
    assert [job.state for job in jobs.values()] == ["completed", "retrying", "completed"]
    assert jobs["a"].payload == b'{"n":1.0}'
    assert jobs["a"].result == b'"done"'
    assert jobs["b"].failures == 1
    assert jobs["b"].errors[0].message == "it did not work"
    assert jobs["c"].lost == 1


def on_one_server(server: TestServer) -> str:
    """The path of the server's socket, or its URL."""
    if server.kind == "cluster":
        pytest.skip("the foreign clients speak to a single server")
    return server.address.removeprefix("unix://")


def test_the_exported_files_are_what_the_manifest_says_to_the_byte(scripts: Path) -> None:
    manifest = json.loads((scripts / "manifest.json").read_bytes())["scripts"]
    rows = [line.split() for line in (scripts / "scripts.txt").read_text().splitlines()]
    assert {path.stem for path in scripts.glob("*.lua")} == set(manifest)
    assert [row[0] for row in rows] == list(manifest)
    for verb, version, sha1, *keys in rows:
        content = (scripts / f"{verb}.lua").read_bytes()
        assert sha1 == manifest[verb]["sha1"] == hashlib.sha1(content).hexdigest()
        assert int(version) == manifest[verb]["version"]
        assert keys == manifest[verb]["keys"]


def test_a_shell_with_redis_cli_and_the_exported_files_works_a_queue(
    server: TestServer, queue: str, scripts: Path
) -> None:
    if shutil.which("redis-cli") is None:
        missing("redis-cli (Debian: apt install redis-tools)")
    place = on_one_server(server)
    redis_cli = f"redis-cli {'-s' if place.startswith('/') else '-u'} {place}"
    client = ["sh", str(CLIENTS / "client.sh"), str(scripts), queue]
    # As on the first call ever, or after a restart: the server knows none of the scripts.
    server.raw().script_flush()
    assert walked(client, REDIS_CLI=redis_cli) == WALK
    check_the_jobs(server, queue)


def test_node_with_the_package_redis_and_the_manifest_works_a_queue(
    server: TestServer, queue: str, scripts: Path, node_client: Path
) -> None:
    manifest, place = str(scripts / "manifest.json"), on_one_server(server)
    server.raw().script_flush()
    assert walked(["node", str(node_client), manifest, place, queue]) == WALK
    check_the_jobs(server, queue)
