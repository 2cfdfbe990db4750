"""What is done to a server, its lines and its workers while they work.

Each fault is a function of a stage and of chance; it returns when its cause is gone, and whoever
was not killed has to go on by itself from there. They run in the main thread: the server dies with
the thread that started it.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rig.chaos import payloads
from rig.chaos.crew import Member
from rig.chaos.load import WORKED
from rig.chaos.stage import Stage

from boltq import scripts

Fault = Callable[[Stage, random.Random], None]
ALL: dict[str, Fault] = {}

BUSY = """
local function now() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end
local over = now() + ARGV[1]
while now() < over do for _ = 1, 1000 do end end
"""
MOST_SECONDS = 60.0
"""What a fault's own end may take, such as the last of a poison pill."""


def fault(function: Fault) -> Fault:
    ALL[function.__name__] = function
    return function


@contextmanager
def _told(stage: Stage) -> Iterator[Any]:
    """A connection of our own, on which commands are tried once."""
    assert stage.server.embedded
    path = str(stage.server.embedded.socket_path)
    client = redis.Redis(
        unix_socket_path=path, protocol=2, socket_timeout=15, retry=Retry(NoBackoff(), 0)
    )
    try:
        yield client
    finally:
        client.close()


def _again(stage: Stage, pause: float, seconds: float, do: Callable[[], object]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(redis.RedisError):
            do()
        stage.wait(pause)


def _member(stage: Stage, some: random.Random) -> Member:
    return some.choice([member for member in stage.crew.members if member.process])


# --- the server


@fault
def server_killed(stage: Stage, some: random.Random) -> None:
    assert stage.server.embedded
    stage.server.embedded.kill()
    stage.wait(some.choice((0.0, stage.seconds(some, 0.1, 1.5))))
    stage.server.embedded.start()


@fault
def server_killed_often(stage: Stage, some: random.Random) -> None:
    for _ in range(3):
        server_killed(stage, some)
        stage.wait(stage.seconds(some, 0.1, 1.0))


@fault
def server_away(stage: Stage, _some: random.Random) -> None:
    assert stage.server.embedded
    stage.server.embedded.stop()
    stage.wait(10.0 * stage.scale)
    stage.server.embedded.start()


@fault
def server_stopped(stage: Stage, some: random.Random) -> None:
    assert stage.server.embedded
    stage.server.embedded._process.send_signal(signal.SIGSTOP)
    stage.wait(stage.seconds(some, 2.0, 6.0))
    stage.server.embedded._process.send_signal(signal.SIGCONT)


@fault
def server_rewrites_its_file(stage: Stage, some: random.Random) -> None:
    with _told(stage) as client:
        with suppress(redis.ResponseError):  # it rewrites by itself just now: as good
            client.bgrewriteaof()
        if some.random() < 0.6:
            stage.wait(some.uniform(0.0, 0.1))
            server_killed(stage, some)
        else:
            _again(stage, 0.1, stage.seconds(some, 1.0, 3.0), client.bgrewriteaof)


@fault
def server_full(stage: Stage, some: random.Random) -> None:
    with _told(stage) as client:
        client.config_set("maxmemory", "1mb")
        stage.wait(stage.seconds(some, 2.0, 5.0))
        client.config_set("maxmemory", "0")


@fault
def server_busy(stage: Stage, some: random.Random) -> None:
    with _told(stage) as client:
        client.eval(BUSY, 0, f"{stage.seconds(some, 2.0, 6.0):.3f}")


@fault
def scripts_flushed(stage: Stage, some: random.Random) -> None:
    with _told(stage) as client:
        _again(stage, 0.01, stage.seconds(some, 2.0, 5.0), client.script_flush)


@fault
def clients_killed(stage: Stage, some: random.Random) -> None:
    with _told(stage) as client:
        _again(
            stage,
            0.1,
            stage.seconds(some, 2.0, 5.0),
            lambda: client.execute_command("CLIENT", "KILL", "TYPE", "normal"),
        )


@fault
def queue_paused(stage: Stage, some: random.Random) -> None:
    queue = some.choice(WORKED)
    pause = [scripts.ConfigureItem("paused", b"1"), scripts.ConfigureItem("pause_reason", b"why")]
    resume = [scripts.ConfigureItem("paused", b"0")]
    stage.until_told(lambda: stage.recorded.call(scripts.configure(queue, pause)))
    stage.wait(stage.seconds(some, 1.0, 4.0))
    stage.until_told(lambda: stage.recorded.call(scripts.configure(queue, resume)))


# --- the line


@fault
def answers_lost(stage: Stage, some: random.Random) -> None:
    verbs = ["enqueue", "claim", "ack", "fail", "extend", "release"]
    for verb in some.sample(verbs, len(verbs)):
        lost = stage.line.lost + some.randint(1, 4)
        stage.line.lose(verb, lost - stage.line.lost)
        until = time.monotonic() + stage.seconds(some, 0.5, 1.5)
        while stage.line.lost < lost and time.monotonic() < until:
            stage.wait(0.02)
        stage.line.lose(verb, 0)


@fault
def connections_dropped(stage: Stage, some: random.Random) -> None:
    _again(stage, 0.1, stage.seconds(some, 2.0, 5.0), stage.line.drop)


@fault
def line_silent(stage: Stage, some: random.Random) -> None:
    stage.line.stop(some.choice(("requests", "answers")))
    stage.wait(stage.seconds(some, 2.0, 8.0))
    stage.line.release()


@fault
def line_slow(stage: Stage, some: random.Random) -> None:
    stage.line.slow(0.02, 1000)
    stage.wait(stage.seconds(some, 2.0, 4.0))
    stage.line.slow(0.0)


# --- the workers


@fault
def worker_killed(stage: Stage, some: random.Random) -> None:
    for _ in range(some.randint(1, 3)):
        stage.crew.killed(_member(stage, some))
        stage.wait(stage.seconds(some, 0.0, 1.0))


@fault
def worker_ended(stage: Stage, some: random.Random) -> None:
    member = _member(stage, some)
    stage.crew.ended(member)
    until = time.monotonic() + MOST_SECONDS
    while member.to_restart and time.monotonic() < until:
        stage.wait(0.05)


@fault
def worker_stopped(stage: Stage, some: random.Random) -> None:
    member = _member(stage, some)
    stage.crew.signalled(member, signal.SIGSTOP)
    stage.wait(stage.lease + stage.seconds(some, 0.5, 2.5))
    stage.crew.signalled(member, signal.SIGCONT)


@fault
def poison(stage: Stage, some: random.Random) -> None:
    """Jobs that kill the process which runs them, until they are dead."""
    stage.crew.poisoned = True
    stage.poisons += 1
    pills = [f"poison-{stage.poisons}-{n}" for n in range(some.randint(1, 2))]
    items = [
        scripts.EnqueueItem(pill, "work", payloads.made(pill, do="poison"), b"") for pill in pills
    ]
    call = scripts.enqueue(
        "busy", items, delay_ms=0, max_lost=some.randint(0, 1), base_ms=50, priority=9
    )
    stage.until_told(lambda: stage.recorded.call(call))
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until and not all(stage.is_dead("busy", pill) for pill in pills):
        stage.wait(0.1)
    stage.wait(0.3)
    stage.crew.poisoned = False


def planned(seed: str, only: list[str]) -> Iterator[tuple[str, random.Random]]:
    """Yield faults in an order of the seed's: each once in a round."""
    some = random.Random(f"{seed} faults")
    while True:
        for name in some.sample(only, len(only)):
            yield name, random.Random(some.random())
