"""Operations at a prompt, and lists by all that one knows of a job."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Shell, bury, claimed
from servers import TestServer

from boltq import BoltQ
from boltq.cli import search as searching
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


def dead(
    client: BoltQ, queue: str, count: int, type: str = "echo", payload: object = 1
) -> list[str]:
    made = [client.enqueue(type, payload, queue=queue, max_attempts=1).id for _ in range(count)]
    bury(client, queue, limit=count)
    return made


def listed(shell: Shell, *flags: str) -> Any:
    return json.loads(shell.out("jobs", "list", "--json", *flags))


def ids_of(page: Any) -> list[str]:
    return [job["id"] for job in page["jobs"]]


def test_jobs_are_listed_by_type_error_worker_and_time(
    shell: Shell, client: BoltQ, queue: str
) -> None:
    mails, echoes = dead(client, queue, 2, "mail"), dead(client, queue, 1)
    of = ("--queue", queue)
    for flags, expected in (
        (("--type", "mail"), mails[::-1]),
        (("--error", "ValueError"), [*echoes, *mails[::-1]]),
        (("--error", "Timeout"), []),
        (("--worker", "w1", "--type", "echo"), echoes),
        (("--worker", "w2"), []),
        (("--since", "1h", "--state", "dead"), [*echoes, *mails[::-1]]),
        (("--until", "1h"), []),
        (("--since", "2031-01-01T00:00:00+01:00"), []),
        (("--type", "mail", "--oldest"), mails),
    ):
        page = listed(shell, *of, *flags)
        assert (ids_of(page), page["cursor"]) == (expected, ""), flags
        assert page["scanned"] <= page["total"]
    assert "mail" in shell.out("dead", *of, "--type", "mail")
    assert "mail" not in shell.out("dead", *of, "--type", "echo")


def test_jobs_are_found_by_a_text_of_their_payload(shell: Shell, client: BoltQ, queue: str) -> None:
    (ada,) = dead(client, queue, 1, payload={"to": "Ada@example.com"})
    dead(client, queue, 1, payload={"to": "eve@example.com"})
    assert ids_of(listed(shell, "--queue", queue, "--text", "ada@EXAMPLE")) == [ada]
    assert ada in shell.out("dead", "--queue", queue, "--text", "ada@example.com")


def test_what_was_looked_at_is_told_and_the_cursor_goes_on(
    shell: Shell, client: BoltQ, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = dead(client, queue, 5)
    flags = ("--queue", queue, "--type", "echo", "--limit", "2")
    found: list[str] = []
    cursor = ""
    while True:
        page = listed(shell, *flags, *(("--cursor", cursor) if cursor else ()))
        found += ids_of(page)
        cursor = page["cursor"]
        if not cursor:
            break
    assert found == made[::-1]
    monkeypatch.setattr(searching, "MOST_LOOKED", 0)
    status, out, err = shell.all("jobs", *flags)
    assert (status, out.count(queue)) == (0, 0)
    assert "looked at 0 of 0 jobs; to look further: --cursor " in err
    status, _, err = shell.all("jobs", *flags, "--cursor", "nonsense")
    assert status == Exit.USAGE
    assert "--cursor must be one that this list gave" in err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--type", "a b"), "type must be"),
        (("--error", "x" * 201), "--error must be a text of 1 to 200 bytes"),
        (("--worker", "a\nb"), "--worker must be a text of 1 to 128 bytes"),
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--until", "2031-01-01T00:00:00"), "is no time: write 2030-01-31T23:59:00Z"),
    ],
)
def test_a_filter_that_breaks_its_rule_is_refused(
    shell: Shell, flags: tuple[str, ...], said: str
) -> None:
    status, out, err = shell.all("jobs", *flags)
    assert (status, out) == (Exit.USAGE, "")
    assert said in err


def begin(shell: Shell, *arguments: str) -> Any:
    status, out, _ = shell.all("operations", "begin", *arguments, "--json")
    assert status == 0
    return json.loads(out)


def test_an_operation_is_begun_driven_to_its_end_and_shown(
    shell: Shell, client: BoltQ, queue: str
) -> None:
    mails, echoes = dead(client, queue, 2, "mail"), dead(client, queue, 1)
    of = ("replay", "dead", "--queue", queue, "--type", "mail")
    dry = begin(shell, *of, "--dry-run")
    assert (dry["counted"], dry["done"], dry["status"]) == (2, 0, "finished")
    assert client.get(mails[0]).state == "dead"
    done = begin(shell, *of, "--expect", "2", "--rate", "1000", "--by", "Ada")
    assert (done["done"], done["status"], done["by"]) == (2, "finished", "Ada")
    assert [client.get(id).state for id in (*mails, *echoes)] == ["queued", "queued", "dead"]
    assert json.loads(shell.out("operations", "show", done["id"], "--json")) == done
    kept = json.loads(shell.out("operations", "list", "--queue", queue, "--json"))
    assert kept["operations"] == [done, dry]
    assert done["id"] in shell.out("operations", "--queue", queue)
    assert done["id"] in shell.out("operations")


def test_where_there_are_not_as_many_as_expected_nothing_is_done(
    shell: Shell, client: BoltQ, queue: str
) -> None:
    (id,) = dead(client, queue, 1, "mail")
    of = ("operations", "begin", "purge", "dead", "--queue", queue, "--expect", "2")
    status, _, err = shell.all(*of)
    assert (status, "1 jobs are dead, not 2" in err) == (Exit.CONFLICT, True)
    status, _, err = shell.all(*of, "--type", "mail")
    assert (status, "1 jobs are meant, not 2" in err) == (Exit.CONFLICT, True)
    assert client.get(id).state == "dead"


def test_a_purge_is_not_begun_without_a_yes_or_a_count(
    shell: Shell, client: BoltQ, queue: str
) -> None:
    (id,) = dead(client, queue, 1)
    of = ("operations", "begin", "purge", "dead", "--queue", queue)
    status, _, err = shell.all(*of)
    assert (status, "say --yes, or --expect" in err) == (Exit.USAGE, True)
    assert client.get(id).state == "dead"
    assert begin(shell, *of[2:], "--yes")["done"] == 1


def test_an_operation_that_is_left_waits_is_watched_and_stopped(
    shell: Shell, client: BoltQ, queue: str
) -> None:
    dead(client, queue, 2)
    left = begin(shell, "replay", "dead", "--queue", queue, "--leave")
    assert (left["status"], left["done"]) == ("running", 0)
    status, out, _ = shell.all("operations", "watch", left["id"], "--json")
    assert (status, json.loads(out)["done"]) == (0, 2)
    bury(client, queue, limit=2)
    other = begin(shell, "replay", "dead", "--queue", queue, "--leave")
    assert json.loads(shell.out("operations", "stop", other["id"], "--json"))["status"] == "stopped"
    status, _, err = shell.all("operations", "show", f"{queue}:nothing")
    assert (status, "is not known" in err) == (Exit.NOT_FOUND, True)


def test_running_jobs_of_a_worker_are_cancelled(shell: Shell, client: BoltQ, queue: str) -> None:
    id = client.enqueue("echo", queue=queue).id
    claimed(client, queue)
    for worker, done in (("w2", 0), ("w1", 1)):
        told = begin(shell, "cancel", "running", "--queue", queue, "--worker", worker)
        assert told["done"] == done
    assert client.get(id).cancel_asked


def test_jobs_are_altered_run_now_and_deleted(shell: Shell, client: BoltQ, queue: str) -> None:
    one, other = (client.enqueue("echo", queue=queue, delay_seconds=60).id for _ in range(2))
    assert shell.out("jobs", "alter", one, "--priority", "9") == f"{one} altered\n"
    assert client.get(one).priority == 9
    assert shell.out("jobs", "run", one) == f"{one} queued now\n"
    assert client.get(one).state == "queued"
    shell.out("jobs", "alter", other, "--delay", "0")
    assert client.get(other).state == "queued"
    status, out, err = shell.all("jobs", "delete", f"{queue}:nothing", other)
    assert (status, out) == (Exit.NOT_FOUND, f"{other} deleted\n")
    assert "nothing is not known" in err
    status, _, err = shell.all("jobs", "alter", one)
    assert (status, "--priority or --delay" in err) == (Exit.USAGE, True)
    claimed(client, queue)
    assert shell.all("jobs", "delete", one)[0] == Exit.CONFLICT
