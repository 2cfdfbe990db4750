"""Help: every command has an example that runs, every read a --json, and asking is quick."""

import json
import os
import re
import resource
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from programs import BIN, Program, Start, environment, run, started_in
from servers import TestServer, until

from boltq import BoltQ, __version__, ids, presence, scripts
from boltq.cli import group, main
from boltq.cli.exits import MEANINGS, Exit
from boltq.worker.main import main as boltq_worker

LASTING = {"up", "api", "worker", "top"}
"""They run until they are told to stop."""

LASTS = re.compile(r"boltq (up|api)\b|boltq-worker\b")
WATCHES = re.compile(r"boltq top\b|.* --watch\b")
"""What is looked at until Ctrl-C: test_cli_top.py runs it."""

READS = {
    *("get", "wait", "jobs list", "dead list", "queues list", "queues show", "queues set"),
    *("workers list", "workers history", "stats", "doctor", "fsck", "bench"),
    *(f"operations {verb}" for verb in ("list", "show", "begin", "watch", "stop")),
}
WRITES = {
    *("enqueue", "cancel", "jobs purge", "dead replay", "dead purge"),
    *("jobs alter", "jobs run", "jobs delete"),
    *("queues pause", "queues resume", "queues delete"),
    *("workers quiet", "workers stop", "workers resume"),
    *("export scripts", "export systemd", "export procfile", "export monitoring", "completion"),
}

HELP_SECONDS = 0.25


def walk(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below one, by its words, groups too."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name="boltq")
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, *path, name)


# `boltq worker` hands everything on, its help too.
TREE = dict(walk(main)) | {"worker": boltq_worker}
LEAVES = {name: command for name, command in TREE.items() if not isinstance(command, click.Group)}


def examples(command: click.Command) -> list[str]:
    return re.findall(r"^Example: (.*)$", command.epilog or "", re.MULTILINE)


EXAMPLES = [
    example
    for command in TREE.values()
    for example in examples(command)
    if not WATCHES.match(example)
]


def test_the_commands_are_those_that_are_documented() -> None:
    assert set(LEAVES) == READS | WRITES | LASTING


@pytest.mark.parametrize("name", TREE)
def test_every_command_has_an_example(name: str) -> None:
    assert examples(TREE[name])


@pytest.mark.parametrize("name", sorted(READS))
def test_every_read_has_json(name: str) -> None:
    flags = [flag for parameter in TREE[name].params for flag in parameter.opts]
    assert "--json" in flags


def test_the_help_in_the_table_is_that_of_the_commands() -> None:
    for name, help in group.COMMANDS.items():
        found = main.get_command(click.Context(main), name)
        assert found is not None
        assert (found.help or "").split("\n\n")[0].replace("\n", " ") == help
        assert found.name == name


def test_help_shows_examples_whole_and_the_exit_statuses(tmp_path: Path) -> None:
    shown = run(tmp_path, "boltq", "--help").stdout
    for status, meaning in MEANINGS.items():
        assert re.search(rf"^ +{status} +{meaning}$", shown, re.MULTILINE)
    for name in group.COMMANDS:
        assert re.search(rf"^  {name} +{re.escape(group.COMMANDS[name])}$", shown, re.MULTILINE)
    narrow = run(tmp_path, "boltq", "enqueue", "--help", COLUMNS="60")
    assert examples(TREE["enqueue"])[0] in narrow.stdout


def test_the_help_of_the_worker_is_its_own(tmp_path: Path) -> None:
    shown = run(tmp_path, "boltq", "worker", "--help")
    assert shown.stdout.startswith("Usage: boltq worker [OPTIONS] [MODULE:APP]")
    assert "--threads" in shown.stdout


def test_help_and_version_import_none_of_what_takes_long(tmp_path: Path) -> None:
    assert run(tmp_path, "boltq", "--version").stdout == f"boltq {__version__}\n"
    for arguments in (["--help"], ["jobs", "list", "--help"], ["enqueue", "--help"]):
        code = (
            f"import sys, boltq.cli; boltq.cli.main({arguments}, standalone_mode=False); "
            "print({'redis', 'falcon', 'rich', 'dotenv'} & set(sys.modules))"
        )
        python = [str(BIN / "python"), "-c", code]
        assert subprocess.check_output(python, text=True).endswith("\nset()\n")


def test_help_comes_within_a_quarter_of_a_second(tmp_path: Path) -> None:
    took = []
    for _ in range(5):
        # Of the processor, since the machine may have other things to do.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(tmp_path, "boltq", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < HELP_SECONDS


def test_a_word_that_is_no_command_is_told_which_was_meant(tmp_path: Path) -> None:
    ran = run(tmp_path, "boltq", "quues")
    assert ran.returncode == Exit.USAGE
    assert "Did you mean" in ran.stderr
    assert "'queues'" in ran.stderr


@pytest.fixture(scope="module")
def valkey(shared_servers: Callable[[str], TestServer]) -> TestServer:
    return shared_servers("valkey")


@pytest.fixture
def prefix() -> str:
    return f"example-{ids.new_token()[:8]}"


@pytest.fixture
def client(valkey: TestServer, prefix: str) -> Iterator[BoltQ]:
    connected = BoltQ(valkey.address, prefix=prefix)
    yield connected
    connected.close()


@pytest.fixture
def settings(valkey: TestServer, prefix: str) -> dict[str, str]:
    return {"REDIS_ADDR": valkey.address, "BOLTQ_PREFIX": prefix}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


DEADLY = ("boltq dead", "boltq operations")


def prepare(client: BoltQ, folder: Path, example: str) -> None:
    """What an example needs to be there."""
    (folder / "payloads.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    shop = "from boltq import BoltQ\napp = BoltQ()\n"
    for package in ("shop", "mail"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
        (folder / package / "jobs.py").write_text(shop)
    if example.startswith("boltq workers"):
        report = presence.Report("web1-4711-5f2c1a", "web1", 4711, "1", {}, 8, 1).to_bytes()
        client.server.registry.note_worker("web1-4711-5f2c1a", report, client.server.now_ms())
    if example.startswith(("boltq jobs alter", "boltq jobs run")):
        client.enqueue("echo", queue="mail", id="order-1", delay_seconds=60)
        return
    if example.startswith(("boltq enqueue", "boltq cancel")):
        client.enqueue("echo", queue="mail", id="order-1")
        return
    for id, queue in (("order-1", "mail"), ("order-2", "default")):
        client.enqueue("echo", queue=queue, id=id)
        end(client, queue, id, b"Oh" if example.startswith(DEADLY) else b"")
    if example.startswith("boltq operations") and "begin" not in example:
        client.start_operation("replay", "dead", queue="mail", id="replay-1")


def end(client: BoltQ, queue: str, id: str, error: bytes) -> None:
    """Take a job to its end: completed, or dead of an error."""
    token = ids.new_token()
    client.server.call(
        scripts.claim(queue, token=token, worker="w", lease_ms=9000, limit=1, max_bytes=1000)
    )
    if error:
        item = scripts.FailItem(id, token, error, b"", b"", "", 1)
        client.server.call(scripts.fail(queue, [item]))
    else:
        client.server.call(scripts.ack(queue, [scripts.AckItem(id, token, b"7")]))


@pytest.mark.parametrize("example", [one for one in EXAMPLES if not LASTS.match(one)])
def test_every_example_runs(
    example: str,
    client: BoltQ,
    settings: dict[str, str],
    start: Start,
    tmp_path: Path,
) -> None:
    prepare(client, tmp_path, example)
    if " --wait" in example:
        start("boltq-worker", "--queues", "mail", **settings)
    # A shell, for what is redirected.
    path = f"{BIN}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["sh", "-c", example],
        cwd=tmp_path,
        env=environment(**settings) | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    if " --json" in example:
        json.loads(ran.stdout)


@pytest.mark.parametrize("example", [*filter(LASTS.match, EXAMPLES)])
def test_every_example_of_what_lasts_starts_and_stops(
    example: str, client: BoltQ, settings: dict[str, str], start: Start, tmp_path: Path
) -> None:
    prepare(client, tmp_path, example)
    words = shlex.split(example)
    if words[:2] in (["boltq", "up"], ["boltq", "api"]):
        words = [*(word for word in words if word not in {"--port", "8081"}), "--port", "0"]
        program: Program = start(*words, **settings).find_api()
    else:
        program = start(*words, **settings)
        until(lambda: "worker started" in program.told)
    assert program.end() == 0
