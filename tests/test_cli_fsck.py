"""`boltq fsck`: what it finds, mends and says, as people and as programs read it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Shell, claimed
from servers import TestServer

from boltq import BoltQ, ids


@pytest.fixture
def client(server: TestServer) -> Iterator[BoltQ]:
    connected = BoltQ(server.address)
    yield connected
    connected.close()


@pytest.fixture
def shell(server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)  # where there is no .env
    return Shell(server)


def key(queue: str, part: str) -> str:
    return f"boltq1:{{{queue}}}:{part}"


def test_a_sound_queue_is_told_in_a_line(shell: Shell, client: BoltQ, queue: str) -> None:
    client.enqueue("echo", queue=queue)
    assert shell.all("fsck", "--queue", queue) == (0, "", "boltq: fsck: 1 queue looked at; sound\n")
    status, out, _ = shell.all("fsck", "--queue", queue, "--json")
    assert (status, json.loads(out)) == (0, {"findings": []})


def test_what_is_wrong_is_a_sentence_and_nothing_is_written(
    shell: Shell, client: BoltQ, server: TestServer, queue: str
) -> None:
    _, inside = ids.split(client.enqueue("echo", queue=queue).id)
    server.raw().zrem(key(queue, "queued"), inside)
    status, out, err = shell.all("fsck", "--queue", queue)
    assert status == 1
    assert out.startswith(f"job {inside} of {queue}: is in no state, so that nobody will ever run")
    assert err == "boltq: fsck: 1 queue looked at; 1 wrong\n"
    assert server.raw().zcard(key(queue, "queued")) == 0


def test_repair_mends_it_and_the_job_runs_again(
    shell: Shell, client: BoltQ, server: TestServer, queue: str
) -> None:
    made = client.enqueue("echo", queue=queue)
    server.raw().delete(key(queue, "queued"))
    status, out, err = shell.all("fsck", "--queue", queue, "--repair", "--json")
    (finding,) = json.loads(out)["findings"]
    assert status == 0
    assert (finding["word"], finding["mended"], finding["repairable"]) == ("NO_SET", True, True)
    assert err == "boltq: fsck: 1 queue looked at; 1 mended, 0 wrong still\n"
    assert made.get().state == "queued"
    assert len(claimed(client, queue)) == 1
    assert shell.all("fsck", "--queue", queue)[0] == 0


def test_what_needs_a_guess_is_left_and_said(
    shell: Shell, client: BoltQ, server: TestServer, queue: str
) -> None:
    client.enqueue("echo", "x" * 5000, queue=queue)
    server.raw().delete(key(queue, "payloads"))
    status, out, err = shell.all("fsck", "--queue", queue, "--repair")
    assert status == 1
    assert "has lost its payload" in out
    assert out.endswith("repair leaves it as it is\n")
    assert err == "boltq: fsck: 1 queue looked at; 0 mended, 1 wrong still\n"
