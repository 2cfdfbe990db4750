"""The examples of the guides, taken out of them and run: web apps, hooks, backup and restore."""

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pages
import pytest
from programs import Program, Start, run, started_in
from servers import TestServer, missing, until

from boltq import BoltQ
from boltq.embedded import Embedded

WEB, _, OPS, _ = pages.GUIDES


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    pages.write_files(WEB, tmp_path)
    with started_in(tmp_path) as starting:
        yield starting


def serve(start: Start, *arguments: str) -> Program:
    # Else what a handler prints would wait until the worker ends.
    return start("boltq", "up", *arguments, API_PORT="0", PYTHONUNBUFFERED="1").find_api()


class Web:
    """A web app of the guide, at its port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=15)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def test_flask_enqueues_and_shows_what_a_worker_does(start: Start) -> None:
    serve(start, "jobs:app")
    _, flask, post, get = pages.commands(WEB, "sh", "Flask")
    program, *arguments = flask.split()
    served = start(program, *arguments, "--port", "0")
    web = Web(int(served.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1]))

    paths = [line.partition("http://localhost:5000")[2] for line in (post, get)]
    assert "-X POST" in post
    assert paths == ["/users/7/welcome", "/jobs/welcome-7"]
    assert web.ask("POST", paths[0]) == (202, {"job": "welcome-7", "created": True})
    until(lambda: web.ask("GET", paths[1]) == (200, {"state": "completed", "attempt": 1}))
    assert web.ask("POST", paths[0]) == (202, {"job": "welcome-7", "created": False})
    status, told = web.ask("GET", "/jobs/welcome-8")
    assert (status, told["error"].partition(":")[0]) == (404, "job welcome-8 is not known")


# FastAPI needs no server to be asked: its transport calls it in the same process.
ASK_FASTAPI = """
    import asyncio, json, httpx
    from fastapi_app import web
    from jobs import app

    async def main():
        transport = httpx.ASGITransport(web)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            said = [await client.post("/users/7/welcome"), await client.post("/users/7/welcome")]
            app.wait("welcome-7", 20)
            said.append(await client.get("/jobs/welcome-7"))
            said.append(await client.get("/jobs/welcome-8"))
            said.append(await client.post("/users/none/welcome"))
        print(json.dumps([[one.status_code, one.json()] for one in said]))

    asyncio.run(main())
    app.close()
"""


def test_fastapi_enqueues_and_shows_what_a_worker_does(start: Start, tmp_path: Path) -> None:
    serve(start, "jobs:app")
    asked = run(tmp_path, "python", "-c", textwrap.dedent(ASK_FASTAPI))
    assert (asked.returncode, asked.stderr) == (0, "")
    first, again, shown, unknown, wrong = json.loads(asked.stdout)
    assert first == [202, {"job": "welcome-7", "created": True}]
    assert again == [202, {"job": "welcome-7", "created": False}]
    assert shown == [200, {"state": "completed", "attempt": 1}]
    assert (unknown[0], unknown[1]["error"].partition(":")[0]) == (
        404,
        "job welcome-8 is not known",
    )
    assert wrong[0] == 422


def test_while_redis_is_away_a_web_app_answers_503(tmp_path: Path) -> None:
    pages.write_files(WEB, tmp_path)
    ask = """
        import jobs
        jobs.app._patience_seconds = 0
        from flask_app import web
        answer = web.test_client().post("/users/7/welcome")
        print(answer.status_code, answer.json["error"])
    """
    asked = run(tmp_path, "python", "-c", textwrap.dedent(ask), REDIS_ADDR="localhost:1")
    assert asked.stdout.startswith("503 Redis at redis://localhost:1 does not answer"), asked.stderr


FORK = """
    import os
    from jobs import app, send_welcome

    send_welcome.enqueue(0)
    children = []
    for child in range(3):
        children.append(os.fork())
        if not children[-1]:
            for user in range(50):
                assert send_welcome.enqueue(user).created
            os._exit(0)
    for user in range(50):
        assert send_welcome.enqueue(user).created
    print([os.waitpid(child, 0)[1] for child in children], app.stats().enqueued_total)
    app.close()
"""


def test_a_web_server_that_forks_may_do_so_at_any_time(start: Start, tmp_path: Path) -> None:
    serve(start, "--no-worker")
    forked = run(tmp_path, "python", "-c", textwrap.dedent(FORK))
    assert (forked.stdout, forked.returncode) == ("[0, 0, 0] 201\n", 0), forked.stderr


def test_hooks_and_middleware_run_as_told(start: Start, tmp_path: Path) -> None:
    worker = serve(start, "hooks:app")
    boltq = BoltQ(f"unix://{tmp_path}/.boltq/server.sock")
    assert boltq.enqueue("count", {}).result(20) == [1, 1]
    boltq.close()
    worker.wait_for(r"count took \d\.\d\d\d s, attempt 1")


def test_the_results_of_the_guide_are_those_of_the_client(start: Start, tmp_path: Path) -> None:
    serve(start, "jobs:app")
    (block,) = [one for one in pages.blocks(WEB, "python") if one.heading == "Results and waiting"]
    code = f"from jobs import app, send_welcome\n{block.text}"
    code = code.replace("app.follow(id)", "print(app.follow(job.id)").replace(
        "result()  ", "result())"
    )
    asked = run(tmp_path, "python", "-c", code)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == "completed 1\nuser 7 was welcomed\n"


JOBS = 501


def redis_cli(server: Embedded, *command: str) -> str:
    asked = ["redis-cli", "-s", str(server.socket_path), *command]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20).stdout


@pytest.fixture
def filled(private_server: Callable[..., TestServer], kind: str) -> Embedded:
    """A server with an append-only file and some jobs."""
    if shutil.which("redis-cli") is None:
        missing("redis-cli (Debian: apt install redis-tools)")
    server = private_server(kind, persistent=True)
    assert server.embedded is not None
    with_client(server.embedded, lambda boltq: [boltq.enqueue("echo", n) for n in range(JOBS)])
    return server.embedded


def with_client(server: Embedded, do: Callable[[BoltQ], Any]) -> Any:
    boltq = BoltQ(server.address)
    try:
        return do(boltq)
    finally:
        boltq.close()


def queued(server: Embedded) -> Any:
    return with_client(server, lambda boltq: boltq.stats().queued)


@pytest.fixture
def restored(tmp_path: Path, filled: Embedded) -> Iterator[Callable[..., Embedded]]:
    """Call it with options: another server, of the same kind, in a folder of its own."""
    started: list[Embedded] = []

    def start(*options: str) -> Embedded:
        for server in started:
            server.stop()
        started.append(Embedded(tmp_path, options=options, program=filled._program))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_snapshot_is_restored_as_told(
    tmp_path: Path, filled: Embedded, restored: Callable[..., Embedded]
) -> None:
    told = "\n".join(pages.commands(OPS, "sh", "Backup and restore"))
    for words in ("redis-cli --rdb backup.rdb", "--appendonly no", "CONFIG SET appendonly yes"):
        assert words in told
    redis_cli(filled, "CONFIG", "SET", "repl-diskless-sync-delay", "0")  # it waits for company
    redis_cli(filled, "--rdb", str(tmp_path / "backup.rdb"))

    shutil.copy(tmp_path / "backup.rdb", tmp_path / "dump.rdb")
    assert queued(restored("--appendonly", "yes")) == 0
    shutil.rmtree(tmp_path / "appendonlydir")
    shutil.copy(tmp_path / "backup.rdb", tmp_path / "dump.rdb")
    server = restored("--appendonly", "no")
    assert queued(server) == JOBS
    assert redis_cli(server, "CONFIG", "SET", "appendonly", "yes") == "OK\n"
    until(lambda: "aof_rewrite_in_progress:0" in redis_cli(server, "INFO", "persistence"))
    assert queued(restored("--appendonly", "yes")) == JOBS


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_copy_of_the_append_only_file_holds_all_jobs(
    tmp_path: Path, filled: Embedded, restored: Callable[..., Embedded]
) -> None:
    text = re.sub(r"\s+", " ", OPS.read_text())
    assert "`CONFIG SET auto-aof-rewrite-percentage 0`" in text
    assert redis_cli(filled, "CONFIG", "SET", "auto-aof-rewrite-percentage", "0") == "OK\n"
    shutil.copytree(filled.folder / "appendonlydir", tmp_path / "appendonlydir")
    assert queued(restored("--appendonly", "yes")) == JOBS


def test_the_configuration_of_the_guide_is_understood(
    private_server: Callable[..., TestServer],
) -> None:
    (block,) = [one for one in pages.blocks(OPS, "") if "appendonly yes" in one.text]
    options = [word for line in block.text.splitlines() for word in _option(line)]
    for kind in ("redis", "valkey"):
        raw = private_server(kind, *options).raw()
        assert raw.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert raw.config_get("appendonly")["appendonly"] == "yes"


def _option(line: str) -> tuple[str, str]:
    name, _, value = line.partition(" ")
    return f"--{name}", value.strip('"')
