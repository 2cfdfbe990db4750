"""boltq doctor: trouble with rights, clocks, latency, leases and dead jobs, on real servers."""

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from clock import stepping
from command_line import bury, claimed
from servers import TestServer, process_server

from boltq import BoltQ, doctor, ids

# The package gives the function of that name.
examine = import_module("boltq.doctor.examine")

# What lua/README.md lists under Access, for one queue.
RIGHTS = (
    "on >secret resetkeys resetchannels -@all ~boltq1:{mail}:* ~boltq1:queues ~boltq1:workers "
    "~boltq1:worker_reports ~boltq1:worker_orders ~boltq1:worker_history "
    "+evalsha +script|load +time +blpop +ping "
    "+@read +hset +hdel +hincrby +zadd +zrem +zremrangebyrank +zremrangebyscore +rpush "
    "+lpush +ltrim"
)


@pytest.fixture(autouse=True)
def held_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no round trip in which this machine stands still be taken for a server that is held."""
    monkeypatch.setattr(examine, "STUCK_MS", 60_000.0)


@pytest.fixture
def own(server: TestServer) -> Iterator[BoltQ]:
    """A client under a prefix of its own, so that all queues there are the test's."""
    connected = BoltQ(server.address, prefix=f"doctor-{ids.new_token()}")
    yield connected
    connected.close()


def key(boltq: BoltQ, part: str) -> str:
    return f"{boltq.server.prefix}1:{{mail}}:{part}"


def of(boltq: BoltQ, check: str) -> list[doctor.Finding]:
    """The findings of a check that are not well."""
    found = [one for one in doctor.examine(boltq, None) if one.check == check]
    assert found
    assert all(one.do for one in found if one.level != "ok")
    return [one for one in found if one.level != "ok"]


def as_user(server: TestServer, rights: str) -> BoltQ:
    server.raw().execute_command("ACL", "SETUSER", "mailer", "reset", *rights.split())
    return BoltQ(server.address.replace("unix://", "unix://mailer:secret@"), patience_seconds=1)


def test_looking_changes_nothing(server: TestServer, own: BoltQ) -> None:
    for _ in range(3):
        own.enqueue("echo", queue="mail")
    bury(own, "mail")
    claimed(own, "mail", lease_ms=100)
    raw = server.raw()

    def held() -> dict[bytes, Any]:
        return {name: raw.dump(name) for name in raw.scan_iter(f"{own.server.prefix}*")}

    before = held()
    assert of(own, "queue mail")
    assert held() == before


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_each_command_that_scripts_write_by_is_asked_for(
    private_server: Callable[..., TestServer], kind: str
) -> None:
    server = private_server(kind)
    boltq = as_user(server, RIGHTS)
    boltq.enqueue("echo", queue="mail")
    assert of(boltq, "scripts") == []
    boltq.close()
    for command in ("hset", "hdel", "hincrby", "zadd", "zrem"):
        boltq = as_user(server, RIGHTS.replace(f" +{command} ", " "))
        (found,) = of(boltq, "scripts")
        assert found.level == "problem"
        assert command.upper() in found.said or "configure of mail are refused" in found.said
        assert "lua/README.md" in found.do
        boltq.close()


def test_a_script_that_this_user_cannot_run_is_named(
    private_server: Callable[..., TestServer],
) -> None:
    server = private_server("valkey")
    boltq = as_user(server, RIGHTS + " -zmscore")
    boltq.enqueue("echo", queue="mail")
    (found,) = of(boltq, "scripts")
    assert found.level == "problem"
    assert found.said.startswith("cancel, replay, purge, inspect, audit of mail are refused: ")
    boltq.close()


def test_a_user_of_one_queue_is_not_blamed_for_the_others(
    private_server: Callable[..., TestServer],
) -> None:
    server = private_server("valkey")
    all_rights = BoltQ(server.address)
    all_rights.enqueue("echo", queue="another")
    boltq = as_user(server, RIGHTS)
    boltq.enqueue("echo", queue="mail")
    assert of(boltq, "scripts") == []
    boltq.close()
    all_rights.close()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_server_whose_clock_was_set_back_is_a_problem_until_it_has_caught_up(kind: str) -> None:
    with stepping() as clock, process_server(kind) as server:
        boltq = BoltQ(server.address)
        boltq.enqueue("echo", queue="mail")
        assert of(boltq, "clock") == []
        clock.step(-3600, boltq.server.now_ms)
        (apart,) = of(boltq, "clock")
        assert apart.level == "warning"
        assert apart.said.startswith("the server's clock and this machine's are 36")
        ahead = [
            one for one in of(boltq, "queue mail") if "ahead of the server's clock" in one.said
        ]
        assert [one.level for one in ahead] == ["problem"]
        assert "delays, retries and leases" in ahead[0].do
        clock.step(3600, boltq.server.now_ms)
        assert not [one for one in of(boltq, "queue mail") if "ahead" in one.said]
        boltq.close()


def test_a_clock_whose_answer_was_long_under_way_is_not_taken_for_a_wrong_one(
    own: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = own.server.now_ms

    def slowly() -> int:
        told = now_ms()
        time.sleep(0.05)
        return told

    monkeypatch.setattr(examine, "MOST_APART_SECONDS", 0.01)
    monkeypatch.setattr(own.server, "now_ms", slowly)
    assert of(own, "clock") == []


def test_times_that_are_a_little_ahead_are_a_warning(server: TestServer, own: BoltQ) -> None:
    own.configure("mail")
    stamp = (own.server.now_ms() + 15_000 - 1_735_689_600_000) * 512
    server.raw().hset(key(own, "stats"), "stamp", stamp)
    (found,) = of(own, "queue mail")
    assert found.level == "warning"
    assert found.said.startswith("its times are 1")


def test_a_server_that_is_slow_to_answer_is_told(
    private_server: Callable[..., TestServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = private_server("valkey")
    boltq = BoltQ(server.address)
    assert of(boltq, "latency") == []
    monkeypatch.setattr(examine, "SLOW_MS", 0.0)
    (found,) = of(boltq, "latency")
    assert (found.level, "LATENCY DOCTOR" in found.do) == ("warning", True)
    monkeypatch.setattr(examine, "STUCK_MS", 30.0)
    pauses, now_ms = iter([0, 0, 200]), boltq.server.now_ms

    def held() -> int:
        if pause := next(pauses, 0):  # of the second trip, which has begun
            server.raw().execute_command("CLIENT", "PAUSE", pause, "ALL")
        return now_ms()

    monkeypatch.setattr(boltq.server, "now_ms", held)
    (found,) = of(boltq, "latency")
    assert (found.level, "SLOWLOG" in found.do) == ("problem", True)
    boltq.close()


def test_leases_long_past_their_end_are_a_problem(server: TestServer, own: BoltQ) -> None:
    own.enqueue("echo", queue="mail")
    (job,) = claimed(own, "mail", lease_ms=60_000)
    end = server.raw().zscore(key(own, "running"), job.id)
    server.raw().zadd(key(own, "running"), {job.id: end - 150_000 * 512})
    (found,) = of(own, "queue mail")
    assert found.level == "problem"
    assert found.said.startswith("1 running past the end of their leases, the first for ")
    assert found.do == "no worker claims from the queue: boltq-worker --queues mail"


def test_dead_jobs_near_the_most_that_are_kept_are_told_and_at_it_a_problem(own: BoltQ) -> None:
    own.configure("mail", keep_dead=5)

    def dead() -> doctor.Finding:
        own.enqueue("echo", queue="mail")
        bury(own, "mail")
        (found,) = of(own, "queue mail")
        return found

    assert [dead().said for _ in range(3)] == ["1 dead", "2 dead", "3 dead"]
    near = dead()
    assert near.level == "warning"
    assert near.said == "4 dead, of 5 that are kept, and 0 dropped so far"
    assert near.do.startswith("replay or purge them, or raise keep_dead")
    dead()
    full = dead()
    assert full.level == "problem"
    assert full.said == "5 dead, of 5 that are kept, and 1 dropped so far"
