"""boltq doctor: what it finds on servers and queues that are well, and on those that are not."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from command_line import Shell, bury, claimed
from programs import Start, started_in
from servers import TestServer, until

from boltq import BoltQ, doctor, ids, scripts
from boltq.cli.exits import Exit
from boltq.doctor import nodes, queues
from boltq.evalsha.nodes import Node, load_scripts
from boltq.presence import Report

# The package gives the function of that name.
examine = import_module("boltq.doctor.examine")

NEW_REDIS = {"redis_version": "7.0.15"}


@pytest.fixture(autouse=True)
def held_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no round trip in which this machine stands still be taken for a server that is held."""
    monkeypatch.setattr(examine, "STUCK_MS", 60_000.0)


@pytest.fixture
def prefix() -> str:
    return f"doctor-{ids.new_token()}"


@pytest.fixture
def own(server: TestServer, prefix: str) -> Iterator[BoltQ]:
    """A client under a prefix of its own, so that all queues there are the test's."""
    connected = BoltQ(server.address, prefix=prefix)
    yield connected
    connected.close()


@pytest.fixture
def shell(
    server: TestServer, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(server, BOLTQ_PREFIX=prefix)


def examined(boltq: BoltQ) -> list[doctor.Finding]:
    return list(doctor.examine(boltq, None))


def of(boltq: BoltQ, check: str) -> doctor.Finding:
    """The only finding of a check."""
    (found,) = (one for one in examined(boltq) if one.check == check)
    return found


@contextmanager
def connected(server: TestServer) -> Iterator[BoltQ]:
    boltq = BoltQ(server.address, patience_seconds=1)
    try:
        yield boltq
    finally:
        boltq.close()


def as_if_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any job that is queued have waited too long."""
    monkeypatch.setattr(queues, "WAITED_SECONDS", 0.01)
    time.sleep(0.02)


def test_a_healthy_server_has_no_problem(shell: Shell, own: BoltQ) -> None:
    own.configure("mail")
    status, out, err = shell.all("doctor")
    assert (status, err) == (0, "")
    levels = dict(re.findall(r"(?m)^(?:ok|warning) +(\w+) +(.*)", out))
    checks = {"settings", "server", "clock", "version", "eviction", "memory", "disk", "scripts"}
    assert checks <= levels.keys()
    assert "redis_addr from the environment" in levels["settings"]
    assert re.search(r"answers within \d+\.\d ms", levels["server"])


@pytest.mark.everywhere
def test_every_kind_of_server_can_be_examined(server: TestServer, own: BoltQ) -> None:
    found = examined(own)
    assert not [one for one in found if one.level == "problem"]
    assert len([one for one in found if one.check == "version"]) == max(1, len(server.nodes))


def test_the_json_is_one_document_and_its_times_are_in_utc(shell: Shell, own: BoltQ) -> None:
    own.pause("mail", reason="a leak", by="ada")
    status, out, _ = shell.all("doctor", "--json")
    shown = json.loads(out)
    assert (status, shown["ok"]) == (0, True)
    (found,) = (one for one in shown["checks"] if one["check"] == "queue mail")
    assert found["level"] == "warning"
    assert re.fullmatch(r"paused by ada since \S+\+00:00: a leak", found["said"])
    assert found["do"] == "boltq queues resume mail"


def test_a_server_that_is_away_is_status_5_and_still_a_document(tmp_path: Path) -> None:
    away = TestServer("redis", "127.0.0.1:9", lambda: None)
    status, out, _ = Shell(away, BOLTQ_DATA_DIR=str(tmp_path)).all("doctor", "--json")
    assert status == Exit.SERVER
    shown = json.loads(out)
    assert shown["ok"] is False
    assert shown["checks"][-1]["check"] == "server"
    assert "does not answer" in shown["checks"][-1]["said"]


def test_settings_that_break_a_rule_are_a_problem_of_their_own(shell: Shell) -> None:
    shell.told["BOLTQ_THREADS"] = "many"
    status, out, _ = shell.all("doctor", "--json")
    assert status == Exit.FAILURE
    (found,) = json.loads(out)["checks"]
    assert (found["check"], found["level"]) == ("settings", "problem")
    assert "BOLTQ_THREADS must be" in found["said"]


def test_jobs_that_nobody_works_on_are_a_problem_once_they_have_waited(
    own: BoltQ, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.enqueue("echo", queue="mail")
    assert of(own, "queue mail").level == "warning"
    as_if_waited(monkeypatch)
    found = of(own, "queue mail")
    assert (found.level, found.do) == ("problem", "boltq-worker --queues mail")
    assert found.said == "1 queued, but no worker that is alive takes jobs from it"
    assert shell.all("doctor")[0] == Exit.FAILURE


def test_jobs_that_wait_although_a_worker_is_there_are_a_warning(
    own: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.enqueue("echo", queue="mail")
    report = Report("w1", "host", 1, "0", {"mail": 1}, 8, own.server.now_ms())
    own.server.registry.note_worker("w1", report.to_bytes(), own.server.now_ms())
    assert of(own, "workers").said == "1 alive"
    assert of(own, "queue mail").level == "ok"
    as_if_waited(monkeypatch)
    found = of(own, "queue mail")
    assert found.level == "warning"
    assert "the oldest queued job has waited for" in found.said


def test_a_worker_that_is_silent_is_named_and_does_not_count(
    own: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.enqueue("echo", queue="mail")
    as_if_waited(monkeypatch)
    now_ms = own.server.now_ms()
    report = Report("w1", "host", 1, "0", {"mail": 1}, 8, now_ms)
    own.server.registry.note_worker("w1", report.to_bytes(), now_ms - 60_000)
    silent = [one for one in examined(own) if "w1 was last heard of at" in one.said]
    assert [one.level for one in silent] == ["warning"]
    assert of(own, "queue mail").level == "problem"


def test_a_worker_that_runs_is_alive(shell: Shell, own: BoltQ, tmp_path: Path) -> None:
    with started_in(tmp_path) as start:
        starting: Start = start
        starting("boltq-worker", "--queues", "mail", **shell.told)
        until(lambda: of(own, "workers").said == "1 alive")


def test_leases_that_ran_out_and_dead_jobs_are_warnings(own: BoltQ) -> None:
    for _ in range(2):
        own.enqueue("echo", queue="mail")
    bury(own, "mail")
    claimed(own, "mail", lease_ms=100)
    until(lambda: own.stats("mail").lapsed == 1)
    found = {one.said: one for one in examined(own) if one.check == "queue mail"}
    assert found.keys() == {"1 running past the end of their leases", "1 dead"}
    assert found["1 dead"].do == "boltq dead list --queue mail"
    assert {one.level for one in found.values()} == {"warning"}


def test_a_job_whose_record_was_thrown_away_is_told(server: TestServer, own: BoltQ) -> None:
    own.enqueue("echo", queue="mail")
    server.raw().delete(f"{own.server.prefix}1:{{mail}}:jobs")
    own.server.call(
        scripts.claim("mail", token="t", worker="w", lease_ms=100, limit=1, max_bytes=100)
    )
    assert "found without the record" in of(own, "queue mail").said


def test_a_queue_that_a_newer_version_has_set_up_is_a_problem(own: BoltQ) -> None:
    own.configure("mail", needs=1000)
    found = of(own, "queue mail")
    assert (found.level, found.do) == ("problem", "a newer BoltQ has set it up: use that version")


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_server_that_would_lose_jobs_is_told(
    kind: str, private_server: Callable[..., TestServer]
) -> None:
    options = ("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    with connected(private_server(kind, *options)) as boltq:
        eviction = of(boltq, "eviction")
        assert (eviction.level, "noeviction" in eviction.do) == ("problem", True)
        assert of(boltq, "durability").said == "there is no append-only file"
        assert re.fullmatch(r"\d+\.\d MiB of 64\.0 MiB are used, \d+%", of(boltq, "memory").said)


def test_a_server_with_a_file_that_is_synced_is_well(
    private_server: Callable[..., TestServer],
) -> None:
    each_second = ("--appendfsync", "everysec")
    with connected(private_server("valkey", *each_second, persistent=True)) as boltq:
        assert of(boltq, "durability").said == "the append-only file is on, appendfsync is everysec"
        boltq.server.call(scripts.stats("mail"))
        assert of(boltq, "disk").level == "ok"


def test_a_user_who_may_not_look_is_told_so(private_server: Callable[..., TestServer]) -> None:
    server = private_server("valkey")
    # What lua/README.md lists under Access, for one queue.
    rules = (
        "on >secret resetkeys resetchannels -@all ~boltq1:{mail}:* ~boltq1:queues ~boltq1:workers "
        "~boltq1:worker_reports ~boltq1:worker_orders ~boltq1:worker_history "
        "+evalsha +script|load +time +blpop +ping "
        "+@read +hset +hdel +hincrby +zadd +zrem +zremrangebyrank +zremrangebyscore +rpush "
        "+lpush +ltrim"
    )
    server.raw().execute_command("ACL", "SETUSER", "mailer", *rules.split())
    address = server.address.replace("unix://", "unix://mailer:secret@")
    with connected(TestServer("valkey", address, lambda: None)) as boltq:
        boltq.enqueue("echo", queue="mail")
        found = examined(boltq)
    forbidden = [one.said for one in found if one.check == "permissions"]
    assert forbidden == [
        "this user is not allowed to look with INFO",
        "this user is not allowed to look with CONFIG GET",
    ]
    assert "problem" not in {one.level for one in found}
    assert found[-1].check == "queue mail"


def test_scripts_that_may_not_be_loaded_are_a_warning_while_they_run(
    private_server: Callable[..., TestServer],
) -> None:
    server = private_server("valkey")
    with connected(server) as boltq:
        load_scripts(boltq.server)
    server.raw().execute_command("ACL", "SETUSER", "default", "-script|load")
    with connected(server) as boltq:
        levels = [one.level for one in examined(boltq) if one.check == "scripts"]
        assert levels == ["warning", "ok"]
        server.raw().script_flush()
        levels = [one.level for one in examined(boltq) if one.check == "scripts"]
        assert levels == ["warning", "problem"]


@pytest.mark.parametrize(
    ("info", "check", "level"),
    [
        ({"redis_version": "6.2.14"}, "version", "problem"),
        ({"redis_version": "7.2.4", "valkey_version": "7.1.0"}, "version", "problem"),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.0"}, "version", "ok"),
        ({"redis_version": "8.0-rc1"}, "version", "ok"),
        (NEW_REDIS | {"maxmemory": 100, "used_memory": 90}, "memory", "warning"),
        (NEW_REDIS | {"maxmemory_policy": "volatile-lru"}, "eviction", "warning"),
        (NEW_REDIS | {"rdb_last_bgsave_status": "err"}, "disk", "problem"),
        (NEW_REDIS | {"aof_enabled": 1, "aof_last_write_status": "err"}, "disk", "problem"),
    ],
)
def test_what_a_server_tells_of_itself_is_judged(
    info: dict[str, object], check: str, level: str
) -> None:
    (found,) = (one for one in nodes.examine(Node("n", info, "", [])) if one.check == check)
    assert found.level == level
    assert bool(found.do) == (level != "ok")
