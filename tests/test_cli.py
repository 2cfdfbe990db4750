"""The command line: what it prints where, its exit status, and the server it finds."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import Start, run, started_in
from servers import TestServer, until

from boltq import BoltQ, ids, scripts
from boltq.embedded import Embedded

NOWHERE = "127.0.0.1:9"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


@pytest.fixture
def client(server: TestServer) -> Iterator[BoltQ]:
    connected = BoltQ(server.address)
    yield connected
    connected.close()


def succeeds(folder: Path, *command: str, **told: str) -> str:
    """What a command printed that had nothing else to say."""
    ran = run(folder, "boltq", *command, **told)
    assert ran.stderr == ""
    assert ran.returncode == 0
    return ran.stdout


def refuses(folder: Path, status: int, *command: str, **told: str) -> str:
    """The sentence of a command that printed nothing, with no traceback around it."""
    ran = run(folder, "boltq", *command, **told)
    assert ran.stdout == ""
    assert ran.returncode == status
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_a_job_can_be_enqueued_and_looked_at(
    server: TestServer, queue: str, client: BoltQ, tmp_path: Path
) -> None:
    options = ["--queue", queue, "--priority", "7", "--delay", "60", "--max-attempts", "9"]
    at = {"REDIS_ADDR": server.address}
    id = succeeds(tmp_path, "enqueue", "mail", '{"n": 1.0}', *options, **at).strip()
    job = client.get(id)
    assert (job.type, job.payload, job.priority) == ("mail", b'{"n": 1.0}', 7)
    assert (job.state, job.max_attempts) == ("scheduled", 9)
    assert succeeds(tmp_path, "get", id, "--json", **at).encode() == job.to_json() + b"\n"
    shown = dict(line.split(None, 1) for line in succeeds(tmp_path, "get", id, **at).splitlines())
    assert shown["id"] == id
    assert shown["payload"] == '{"n": 1.0}'
    assert shown["state"] == "scheduled"


def test_an_id_that_is_known_adds_nothing_and_is_told(
    server: TestServer, queue: str, tmp_path: Path
) -> None:
    command = ["boltq", "enqueue", "echo", "--queue", queue, "--id", "a"]
    first = run(tmp_path, *command, REDIS_ADDR=server.address)
    again = run(tmp_path, *command, "--json", REDIS_ADDR=server.address)
    assert (first.stdout, first.stderr) == (f"{queue}:a\n", "")
    assert json.loads(again.stdout)["id"] == f"{queue}:a"
    assert "a job of this id is there already" in again.stderr
    assert (first.returncode, again.returncode) == (0, 0)


def test_errors_of_a_job_are_shown_safe_for_a_terminal(
    server: TestServer, queue: str, client: BoltQ, tmp_path: Path
) -> None:
    id, token = client.enqueue("echo", "\x9b2J\u202e", queue=queue).id, ids.new_token()
    claim = scripts.claim(queue, token=token, worker="w", lease_ms=30000, limit=1, max_bytes=1000)
    client.server.call(claim)
    failed = scripts.FailItem(ids.split(id)[1], token, b"Oh", b"\x1b[2J", b"", "", 1)
    client.server.call(scripts.fail(queue, [failed]))
    shown = succeeds(tmp_path, "get", id, REDIS_ADDR=server.address)
    assert re.search(r"^attempt 1 at \S+ on w: Oh: \\x1b\[2J$", shown, re.MULTILINE)
    assert "\\x9b2J\\u202e" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_stats_are_a_table_or_the_json_of_the_api(
    server: TestServer, queue: str, client: BoltQ, tmp_path: Path
) -> None:
    for _ in range(3):
        client.enqueue("echo", queue=queue)
    client.pause(queue, reason="a leak", by="ada")
    at = {"REDIS_ADDR": server.address}
    table = succeeds(tmp_path, "stats", "--queue", queue, **at).splitlines()
    assert table[0].split()[:5] == ["queue", "scheduled", "queued", "running", "retrying"]
    assert table[1].split() == [queue, "0", "3", "0", "0", "0", "0", "0"]
    assert re.fullmatch(rf"{queue} is paused by ada since \S+: a leak", table[2])
    shown = json.loads(succeeds(tmp_path, "stats", "--queue", queue, "--json", **at))
    assert shown["queued"] == 3
    assert shown["queues"][queue]["pause_reason"] == "a leak"
    assert queue in json.loads(succeeds(tmp_path, "stats", "--json", **at))["queues"]


def test_a_wrong_argument_is_a_sentence_and_status_2(server: TestServer, tmp_path: Path) -> None:
    at = {"REDIS_ADDR": server.address}
    assert "PAYLOAD must be JSON" in refuses(tmp_path, 2, "enqueue", "echo", "hello", **at)
    assert "PAYLOAD must be JSON" in refuses(tmp_path, 2, "enqueue", "echo", "[" * 9999, **at)
    assert "queue must be" in refuses(tmp_path, 2, "enqueue", "echo", "--queue", "a{b}", **at)
    assert "queue must be" in refuses(tmp_path, 2, "stats", "--queue", "../x", **at)
    assert "type must be" in refuses(tmp_path, 2, "enqueue", "a b", **at)
    assert "--timeout says how long" in refuses(tmp_path, 2, "enqueue", "a", "--timeout", "1", **at)
    assert "--lines goes with none" in refuses(tmp_path, 2, "enqueue", "a", "1", "--lines", **at)


def test_a_job_that_is_not_kept_is_status_3_and_the_others_are_shown(
    server: TestServer, queue: str, client: BoltQ, tmp_path: Path
) -> None:
    at = {"REDIS_ADDR": server.address}
    assert "job gone is not known" in refuses(tmp_path, 3, "get", "gone", **at)
    assert "job gone is not known" in refuses(tmp_path, 3, "wait", "gone", **at)
    id = client.enqueue("echo", queue=queue).id
    ran = run(tmp_path, "boltq", "get", "gone", id, "--json", **at)
    assert ran.returncode == 3
    assert [job["id"] for job in json.loads(ran.stdout)["jobs"]] == [id]


def test_a_job_in_the_wrong_state_is_status_4_and_others_go_on(
    server: TestServer, queue: str, client: BoltQ, tmp_path: Path
) -> None:
    at = {"REDIS_ADDR": server.address}
    first, second = (client.enqueue("echo", queue=queue).id for _ in range(2))
    assert "only a dead job can be replayed" in refuses(tmp_path, 4, "dead", "replay", first, **at)
    client.server.call(
        scripts.claim(queue, token="t", worker="w", lease_ms=9000, limit=1, max_bytes=1000)
    )
    client.server.call(scripts.ack(queue, [scripts.AckItem(ids.split(first)[1], "t", b"")]))
    ran = run(tmp_path, "boltq", "cancel", first, second, **at)
    assert ran.returncode == 4
    assert "only a job that has not ended can be cancelled" in ran.stderr
    assert ran.stdout == f"{second} cancelled\n"


def test_a_data_folder_that_is_in_use_is_status_4(tmp_path: Path, start: Start) -> None:
    start("boltq", "up", "--port", "0", "--no-worker").find_api()
    assert "already run by" in refuses(tmp_path, 4, "up", "--port", "0", "--no-worker")


def test_a_server_that_is_away_is_a_sentence_without_its_password(tmp_path: Path) -> None:
    address = f"redis://me:secret@{NOWHERE}"
    told = refuses(tmp_path, 5, "enqueue", "echo", REDIS_ADDR=address)
    assert "does not answer" in told
    assert re.search(r"repeat it with --id \d{14}-[a-z0-9]{13}$", told)
    assert "secret" not in told


def test_a_wrong_usage_is_status_2(tmp_path: Path) -> None:
    assert "API_PORT must be a port" in refuses(tmp_path, 2, "api", "--port", "99999")
    assert "BOLTQ_QUEUS" in refuses(tmp_path, 2, "stats", BOLTQ_QUEUS="a")
    assert "No such command" in refuses(tmp_path, 2, "upp")
    assert "--no-worker leaves out" in refuses(tmp_path, 2, "up", "a:b", "--no-worker")
    both = ("up", "--embedded", "--redis-addr", NOWHERE)
    assert "exclude each other" in refuses(tmp_path, 2, *both)
    assert "of the form module:app" in refuses(tmp_path, 2, "worker", "shop")


def test_scripts_that_cannot_be_written_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refuses(tmp_path, 1, "export", "scripts", "file")
    written = succeeds(tmp_path, "export", "scripts", "to/here").splitlines()
    assert "to/here/manifest.json" in written
    assert all((tmp_path / name).is_file() for name in written)


def test_who_is_told_no_server_finds_the_embedded_one_of_the_folder_and_says_so(
    tmp_path: Path,
) -> None:
    # A folder whose name must be quoted in an address.
    server = Embedded(tmp_path / "my data?")
    server.start()
    try:
        ran = run(tmp_path, "boltq", "stats", "--data-dir", "my data?")
    finally:
        server.stop()
    assert ran.returncode == 0
    assert ran.stderr == (
        f"boltq: no REDIS_ADDR is given: using the embedded server of {tmp_path}/my data?\n"
    )


def test_who_is_told_no_server_and_finds_none_says_that_it_tries_localhost(tmp_path: Path) -> None:
    ran = run(tmp_path, "boltq", "stats")
    assert (
        f"boltq: no REDIS_ADDR is given and no embedded server runs in {tmp_path}/.boltq: "
        f"using redis://localhost:6379\n"
    ) in ran.stderr


def test_server_api_and_worker_run_in_three_terminals(
    server: TestServer, queue: str, tmp_path: Path, start: Start
) -> None:
    settings = {"REDIS_ADDR": server.address, "BOLTQ_QUEUES": queue, "BOLTQ_DATA_DIR": "data"}
    api = start("boltq", "api", "--port", "0", **settings).find_api()
    worker = start("boltq-worker", **settings)
    id = api.enqueue("email", {"recipient": "a@b.c", "subject": "Hi", "body": ""}, queue=queue)
    until(lambda: api.job(id)["state"] == "completed")
    assert len(list((tmp_path / "data/outbox").iterdir())) == 1
    assert api.end() == 0
    assert worker.end() == 0


def test_an_api_and_a_worker_find_the_embedded_server_beside_them(
    tmp_path: Path, start: Start
) -> None:
    first = start("boltq", "up", "--port", "0", "--no-worker").find_api()
    with started_in(
        tmp_path / "data",
    ) as start_beside:
        (tmp_path / "data").mkdir()
        folder = {"BOLTQ_DATA_DIR": str(tmp_path / ".boltq")}
        api = start_beside("boltq", "api", "--port", "0", **folder).find_api()
        worker = start_beside("boltq-worker", **folder)
        id = api.enqueue("echo", "found")
        until(lambda: first.job(id)["state"] == "completed")
        for program in (api, worker):
            assert "no REDIS_ADDR is given" in program.told
            assert f"{tmp_path}/.boltq" in program.told


def test_an_api_whose_port_is_taken_says_so(tmp_path: Path, start: Start) -> None:
    port = str(start("boltq", "api", "--port", "0", REDIS_ADDR=NOWHERE).find_api().port)
    assert f"port {port} on 127.0.0.1 is taken" in refuses(
        tmp_path, 1, "api", "--port", port, REDIS_ADDR=NOWHERE
    )


def test_a_server_that_refuses_us_or_is_full_is_status_5(
    private_server: Callable[..., TestServer], tmp_path: Path
) -> None:
    server = private_server("valkey", "--maxmemory", "1mb", "--requirepass", "secret")
    address = server.address.replace("unix://", "unix://:{}@")
    wrong, right = ({"REDIS_ADDR": address.format(word)} for word in ("no", "secret"))
    told = refuses(tmp_path, 5, "stats", **wrong)
    assert "refused" in told
    assert ":no@" not in told
    assert "is full" in refuses(tmp_path, 5, "enqueue", "echo", **right)
