"""Jobs at a prompt: many at once, waiting for them, lists, sweeps; and in which zone times are."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from command_line import Shell, bury, claimed, complete
from programs import Start, run, started_in
from servers import TestServer, until

from boltq import BoltQ
from boltq.cli.exits import Exit


@pytest.fixture
def client(server: TestServer) -> Iterator[BoltQ]:
    connected = BoltQ(server.address)
    yield connected
    connected.close()


@pytest.fixture
def shell(server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)  # where there is no .env
    return Shell(server)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


def rows(table: str) -> list[list[str]]:
    """The rows of a table without its heading."""
    return [line.split() for line in table.splitlines()[1:]]


def test_each_line_of_the_input_becomes_a_job_in_their_order(
    shell: Shell, queue: str, client: BoltQ
) -> None:
    # More than one call takes, and an empty line.
    typed = "".join(f'{{"n": {n}.0}}\n' for n in range(1203)) + "\n"
    printed = shell.out("enqueue", "echo", "--queue", queue, "--lines", typed=typed).splitlines()
    assert client.stats(queue).queued == len(set(printed)) == 1203
    for n in (0, 499, 500, 1202):
        assert client.get(printed[n]).payload == b'{"n": %d.0}' % n


def test_a_line_that_is_no_json_is_named_with_how_many_were_added_before(
    shell: Shell, queue: str, client: BoltQ
) -> None:
    typed = "1\n" * 700 + "{no}\n" + "2\n"
    status, out, err = shell.all("enqueue", "echo", "--queue", queue, "--lines", typed=typed)
    assert status == Exit.USAGE
    assert len(out.splitlines()) == client.stats(queue).queued == 500
    assert "500 jobs were added" in err
    assert "line 701 must be JSON" in err


def test_a_line_that_is_too_long_is_refused_before_it_is_read_whole(
    shell: Shell, queue: str, client: BoltQ
) -> None:
    status, _, err = shell.all(
        "enqueue", "echo", "--queue", queue, "--lines", typed='"' + "x" * 8_000_001
    )
    assert (status, client.stats(queue).queued) == (Exit.USAGE, 0)
    assert "line 1 is longer than 8000000 bytes" in err


def test_a_payload_may_come_from_the_input(shell: Shell, queue: str, client: BoltQ) -> None:
    id = shell.out("enqueue", "echo", "-", "--queue", queue, typed='{"n": 1.0}').strip()
    assert client.get(id).payload == b'{"n": 1.0}'


def test_who_waits_is_given_the_result_as_it_was_written(
    shell: Shell, queue: str, client: BoltQ, start: Start
) -> None:
    start("boltq-worker", "--queues", queue, **shell.told)
    options = ("--queue", queue, "--wait", "--timeout", "20")
    status, out, err = shell.all("enqueue", "echo", '{"a": [1, 2.5]}', *options)
    assert (status, out) == (0, '{"a":[1,2.5]}\n')
    assert re.fullmatch(rf"boltq: job {queue}:\S+\n", err)
    status, out, _ = shell.all("enqueue", "echo", "1", *options, "--json")
    assert (status, json.loads(out)["state"]) == (0, "completed")
    assert client.stats(queue).completed == 2


def test_waiting_tells_by_its_status_how_the_jobs_ended(
    shell: Shell, queue: str, client: BoltQ
) -> None:
    dead, done, never = (client.enqueue("echo", queue=queue).id for _ in range(3))
    bury(client, queue)
    complete(client, queue, b'{"n": 1.0}')
    assert shell.out("wait", done) == '{"n": 1.0}\n'
    status, out, err = shell.all("wait", never, "--timeout", "0.05")
    assert (status, out) == (Exit.TIMED_OUT, "")
    assert f"job {never} is queued: it has not ended within 0.05 s" in err
    status, out, err = shell.all("wait", dead, never, done, "--timeout", "0.05")
    assert (status, out) == (Exit.JOB_FAILED, '{"n": 1.0}\n')
    assert f"job {dead} is dead after attempt 1: ValueError: no\\nmore\n" in err
    client.cancel(never)
    status, out, _ = shell.all("wait", never, dead, "--json")
    assert status == Exit.JOB_FAILED
    assert [job["state"] for job in json.loads(out)["jobs"]] == ["cancelled", "dead"]


def test_cancelling_says_what_became_of_each(shell: Shell, queue: str, client: BoltQ) -> None:
    first, second = (client.enqueue("echo", queue=queue).id for _ in range(2))
    claimed(client, queue)
    assert shell.out("cancel", first, second, second).splitlines() == [
        f"{first} runs, and was asked to stop",
        f"{second} cancelled",
        f"{second} was cancelled before",
    ]


def test_a_list_shows_state_attempt_age_and_why_a_job_failed(
    shell: Shell, queue: str, client: BoltQ
) -> None:
    dead, running = (client.enqueue("echo", queue=queue).id for _ in range(2))
    later = client.enqueue("mail", queue=queue, delay_seconds=600).id
    bury(client, queue)
    claimed(client, queue)
    shown = rows(shell.out("jobs", "--queue", queue))
    assert [row[:4] for row in shown] == [
        [running, "echo", "running", "1/3"],
        [later, "mail", "scheduled", "0/3"],
        [dead, "echo", "dead", "1/3"],
    ]
    assert all(re.fullmatch(r"\d+s", row[4]) for row in shown)
    assert shown[0][5:] == ["on", "w1"]
    assert shown[1][5] == "due"
    assert shown[2][5] == "died"
    assert shown[2][-2:] == ["ValueError:", "no"]


def test_a_noun_alone_or_with_flags_lists(shell: Shell, queue: str, client: BoltQ) -> None:
    id = client.enqueue("echo", queue=queue).id
    assert rows(shell.out("jobs", "list", "--queue", queue))[0][0] == id
    assert rows(shell.out("jobs", "--queue", queue))[0][0] == id
    assert queue in shell.out("queues")
    assert json.loads(shell.out("workers", "--json")).keys() == {"workers", "history", "now"}
    assert shell.out("dead", "--queue", queue) == "id  type  state  attempt  age\n"
    assert "Commands:\n  list" in shell.out("dead", "--help")


@pytest.mark.parametrize("order", [(), ("--oldest",)])
def test_pages_lead_through_all_jobs_of_all_states(
    order: tuple[str, ...], server: TestServer, shell: Shell, queue: str
) -> None:
    shell.told["BOLTQ_PREFIX"] = prefix = queue[-60:]
    own = BoltQ(server.address, prefix=prefix)
    made = {own.enqueue("echo", queue=name).id for name in ("a", "b", "b", "c", "c")}
    bury(own, "b")
    complete(own, "c")
    own.close()
    found: list[str] = []
    cursor = ""
    for _ in range(9):
        page = json.loads(shell.out("jobs", "--limit", "2", "--cursor", cursor, *order, "--json"))
        found += [job["id"] for job in page["jobs"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(found) == 5
    assert set(found) == made
    status, _, err = shell.all("jobs", "--cursor", "nonsense")
    assert status == Exit.USAGE
    assert "--cursor must be one that this list gave" in err


def test_a_list_that_is_not_whole_says_so_beside_the_data(
    shell: Shell, queue: str, client: BoltQ
) -> None:
    for _ in range(3):
        client.enqueue("echo", queue=queue)
    _, out, err = shell.all("jobs", "--queue", queue, "--limit", "2")
    assert len(rows(out)) == 2
    assert "there are more: --limit, or --cursor 'queued" in err
    assert len(rows(shell.out("jobs", "--queue", queue, "--limit", "3"))) == 3


def test_times_are_in_the_zone_of_the_reader_or_in_utc(
    server: TestServer, queue: str, client: BoltQ, tmp_path: Path
) -> None:
    id = client.enqueue("echo", queue=queue).id
    created = client.get(id).created_at

    def printed(*flags: str) -> str:
        told = {"REDIS_ADDR": server.address, "TZ": "XXX-5:30"}
        return run(tmp_path, "boltq", "get", id, *flags, **told).stdout

    def shown(*flags: str) -> datetime:
        (found,) = re.findall(r"created_at +(\S+)", printed(*flags))
        return datetime.fromisoformat(found)

    assert (shown(), shown().utcoffset()) == (created, timedelta(hours=5, minutes=30))
    assert (shown("--utc"), shown("--utc").utcoffset()) == (created, timedelta(0))
    assert json.loads(printed("--json"))["created_at"].endswith("Z")


def test_dead_jobs_are_queued_again_by_id_or_all(shell: Shell, queue: str, client: BoltQ) -> None:
    first, *_ = [client.enqueue("echo", queue=queue).id for _ in range(4)]
    bury(client, queue, limit=4)
    assert shell.out("dead", "replay", first) == f"{first} queued again\n"
    told = shell.out("dead", "replay", "--all", "--queue", queue, "--dry-run")
    assert told == f"3 dead jobs of {queue} would be queued again\n"
    assert client.stats(queue).dead == 3
    told = shell.out("dead", "replay", "--all", "--queue", queue)
    assert told == f"3 dead jobs of {queue} queued again\n"
    assert client.stats(queue).queued == 4
    assert shell.all("dead", "replay", "--queue", queue)[0] == Exit.USAGE
    assert shell.all("dead", "replay", first, "--all")[0] == Exit.USAGE


@pytest.mark.parametrize("command", [("jobs", "purge", "dead"), ("dead", "purge")])
def test_nothing_is_deleted_unasked(
    command: tuple[str, ...], shell: Shell, queue: str, client: BoltQ
) -> None:
    for _ in range(3):
        client.enqueue("echo", queue=queue)
    bury(client, queue, limit=2)
    status, out, err = shell.all(*command, "--queue", queue)
    assert (status, out) == (Exit.USAGE, "")
    assert f"this would delete 2 dead jobs of {queue}: say --yes" in err
    assert shell.out(*command, "--queue", queue, "--dry-run") == (
        f"2 dead jobs of {queue} would be purged\n"
    )
    assert client.stats(queue).dead == 2
    assert shell.out(*command, "--queue", queue, "--yes") == f"2 dead jobs of {queue} purged\n"
    assert (client.stats(queue).dead, client.stats(queue).queued) == (0, 1)
    # Where there is nothing, nobody need agree.
    assert shell.out(*command, "--queue", queue) == f"0 dead jobs of {queue} purged\n"


def test_a_queue_is_paused_resumed_set_and_shown(shell: Shell, queue: str, client: BoltQ) -> None:
    pause = ("queues", "pause", queue, "--reason", "a leak", "--by", "ada")
    assert shell.all(*pause) == (0, "", f"boltq: {queue} is paused\n")
    (row,) = (row for row in rows(shell.out("queues")) if row[0] == queue)
    assert row[6:9] == ["paused", "by", "ada"]
    shown = json.loads(shell.out("queues", "show", queue, "--json"))
    assert (shown["queue"], shown["paused"], shown["paused_by"]) == (queue, True, "ada")
    assert re.search(r"(?m)^paused +yes$", shell.out("queues", "show", queue))
    shell.all("queues", "resume", queue)
    assert not client.stats(queue).paused
    told = shell.out("queues", "set", queue, "keep_completed=100", "job_max_attempts=5")
    assert re.search(r"(?m)^keep_completed +100$", told)
    back = json.loads(shell.out("queues", "set", queue, "keep_completed=", "--json"))["settings"]
    assert (back["keep_completed"], back["job_max_attempts"]) == ("10000", "5")
    # Nothing is changed by looking.
    assert json.loads(shell.out("queues", "set", queue, "--json"))["settings"] == back


def test_a_wrong_setting_of_a_queue_names_the_one_that_was_meant(shell: Shell, queue: str) -> None:
    for pair, said in (
        ("keep_complete=1", "did you mean keep_completed?"),
        ("queue=1", "is no setting of a queue"),
        ("paused", "not of the form NAME=VALUE"),
        ("keep_completed=x", "keep_completed"),
    ):
        status, _, err = shell.all("queues", "set", queue, pair)
        assert status == Exit.USAGE
        assert said in err


def test_workers_are_listed_with_what_they_run(shell: Shell, queue: str, start: Start) -> None:
    id = shell.out("enqueue", "sleep", '{"seconds": 60}', "--queue", queue).strip()
    start("boltq-worker", "--queues", queue, "--worker-id", f"{queue}-w", **shell.told)

    def listed() -> list[str]:
        found = [row for row in rows(shell.out("workers")) if row[0] == f"{queue}-w"]
        return found[0] if found else []

    until(lambda: listed()[-1:] == [f"sleep({id})"])
    assert listed()[1] == "alive"
    workers = json.loads(shell.out("workers", "list", "--json"))["workers"]
    (worker,) = (one for one in workers if one["id"] == f"{queue}-w")
    assert worker["jobs"][0]["id"] == id
