"""The append-only file cut short, as a power cut leaves it, at every byte of its end.

python -m rig.aof [--seed N] [--every]        from tests/, with the repository in PYTHONPATH

A load of all verbs is written down, and after each call what the queue held then and how long the
file was. A server that starts on the file cut at some byte must hold exactly what the queue held
after the last call that is whole in it: a script's writes are there all or not at all.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis
from audited import sound
from every_verb import fill
from queue_keys import HOUR_MS, Roads
from queue_state import QueueState
from servers import TestServer, process_server

from boltq import address, scripts
from boltq.embedded import Embedded
from boltq.evalsha import Server

LAST_BYTES = 4096
SEEDED = 64
WRITES = [
    *("enqueue", "claim", "ack", "fail", "extend", "release"),
    *("promote", "reap", "cancel", "replay", "purge", "configure"),
]
# Written before the answer, whatever a flush in the background does; never rewritten.
OPTIONS = ("--appendfsync", "no", "--auto-aof-rewrite-percentage", "0")


@dataclass
class Recording:
    """A load as it was written: the folder of the file, and the states between its calls."""

    folder: Path
    queue: str
    last: str  # the name of the file that is cut
    states: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        """The whole of the file that is cut."""
        return (self.folder / self.last).read_bytes()

    def held_at(self, cut: int) -> dict[str, Any]:
        """What the queue held after the last call that is whole in the first `cut` bytes."""
        return [state for size, state in self.states if size <= cut][-1]


def record(server: TestServer, queue: str) -> Recording:
    """Run the load on a persistent server, end the server and keep where its file is."""
    assert server.embedded
    folder = server.embedded.folder / "appendonlydir"
    (last,) = folder.glob("*.incr.aof")
    q = QueueState(server, queue)
    try:
        recording = Recording(folder, queue, last.name)
        fill(q)
        while not _is_long_enough(recording):
            _round(q, recording)
    finally:
        q.server.close()
    server.close()
    server.embedded.stop()
    return recording


def _is_long_enough(recording: Recording) -> bool:
    sizes = [size for size, _ in recording.states]
    return bool(sizes) and sizes[-1] - sizes[0] > LAST_BYTES


def _round(q: QueueState, recording: Recording) -> None:
    """Call each verb that writes in each way; little is written, so that the end holds all."""
    path, n = recording.folder / recording.last, len(recording.states)
    a, b, c, d, e, f = (f"{letter}{n}" for letter in "abcdef")
    one, two = f"x{n}", f"y{n}"

    def step(verb: str, do: Callable[[], Any]) -> None:
        do()
        recording.verbs.append(verb)
        recording.states.append((path.stat().st_size, q.dump()))

    step("enqueue", lambda: q.enqueue(a, b, c, d, e, priority=9, payload=b"1"))
    step("enqueue", lambda: q.enqueue(f, delay_ms=HOUR_MS, payload=b"2"))
    step("claim", lambda: q.claim(one, limit=5))
    step("ack", lambda: q.ack(a, token=one, result=b"3"))
    step("fail", lambda: q.fail(b, token=one, delay_ms=HOUR_MS))
    step("fail", lambda: q.fail(c, token=one, final=1))
    step("release", lambda: q.release(d, token=one))
    step("extend", lambda: q.extend(e, token=one, lease_ms=HOUR_MS))
    step("cancel", lambda: q.cancel(d, e))
    step("time passes", lambda: q.make_due("running", e))
    step("reap", q.reap)
    step("replay", lambda: _replay(q, c))
    step("time passes", lambda: q.make_due("scheduled", f))
    step("promote", q.promote)
    step("time passes", lambda: q.make_due("retrying", b))
    step("claim", lambda: q.claim(two, limit=2))
    step("purge", lambda: _purge(q, d))
    step("configure", lambda: q.configure(paused=1, pause_reason="why"))
    step("configure", lambda: q.configure(paused="", pause_reason=""))


def _replay(q: QueueState, id: str) -> None:
    q.call(scripts.replay(q.name, [scripts.ReplayItem(id)], limit=1, cursor=""))


def _purge(q: QueueState, id: str) -> None:
    q.call(scripts.purge(q.name, [scripts.PurgeItem(id)], limit=1, cursor=""))


def boundaries(content: bytes, start: int) -> list[int]:
    """Where each command of the file begins, from `start` on; and the end of the file."""
    found, at = [], 0
    while at < len(content):
        if at >= start:
            found.append(at)
        line_end = content.index(b"\r\n", at)
        words, at = int(content[at + 1 : line_end]), line_end + 2
        for _ in range(words):
            line_end = content.index(b"\r\n", at)
            at = line_end + 2 + int(content[at + 1 : line_end]) + 2
    return [*found, at]


def cuts(recording: Recording, seed: int, *, every: bool) -> list[int]:
    """Choose where to cut: at each byte of the end, or between commands and at seeded bytes."""
    content = recording.content
    start = max(len(content) - LAST_BYTES, recording.states[0][0])
    if every:
        return list(range(start, len(content) + 1))
    seeded = random.Random(seed).sample(range(start, len(content)), SEEDED)
    return sorted({*boundaries(content, start), *seeded})


def check(recording: Recording, program: Path | None, cut: int) -> str | None:
    """Start a server on the file cut at a byte; returns what is wrong with what it holds."""
    with tempfile.TemporaryDirectory(prefix="boltq-cut-") as name:
        folder = Path(name)
        kept = folder / "appendonlydir"
        shutil.copytree(recording.folder, kept)
        with (kept / recording.last).open("r+b") as file:
            file.truncate(cut)
        embedded = Embedded(folder, options=OPTIONS, program=program)
        try:
            embedded.start()
            with _queue(embedded, recording.queue) as q:
                return _compare(q, recording.held_at(cut))
        except Exception as problem:  # noqa: BLE001 - whatever it is, this cut failed
            return f"{type(problem).__name__}: {problem}"
        finally:
            embedded.kill()
            embedded.stop()


def _compare(q: QueueState, wanted: dict[str, Any]) -> str | None:
    found = q.dump()
    parts = sorted(part for part in found.keys() | wanted if found.get(part) != wanted.get(part))
    if parts:
        return f"{', '.join(parts)} not as after the last whole call"
    sound(q)
    return None


@contextmanager
def _queue(embedded: Embedded, name: str) -> Iterator[QueueState]:
    raw = redis.Redis(unix_socket_path=str(embedded.socket_path), protocol=2)
    road = Server(address.parse(embedded.address))
    server = TestServer("cut", embedded.address, lambda: raw, embedded)
    try:
        yield QueueState(server, name, Roads(road, raw))
    finally:
        raw.close()
        road.close()


def run(kind: str, seed: int, *, every: bool, at_once: int = 4) -> tuple[str, list[str]]:
    """Record a load on a kind of server and cut its file; returns the verdict and what failed."""
    began = time.monotonic()
    with process_server(kind, *OPTIONS, persistent=True) as server:
        info = server.raw().info("server")
        assert server.embedded
        program = server.embedded._program
        recording = record(server, "cut")
        assert set(WRITES) <= set(recording.verbs)
        chosen = cuts(recording, seed, every=every)
        with ThreadPoolExecutor(at_once) as pool:
            told = list(pool.map(partial(check, recording, program), chosen))
    wrong = [f"cut at {cut}: {what}" for cut, what in zip(chosen, told, strict=True) if what]
    version = info.get("valkey_version") or info["redis_version"]
    verdict = (
        f"aof {'FAILED' if wrong else 'OK'} seed={seed} server={kind}-{version} cuts={len(chosen)} "
        f"of_bytes={chosen[-1] - chosen[0]} failed={len(wrong)} "
        f"seconds={time.monotonic() - began:.0f}"
    )
    return verdict, wrong


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="aof", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--every", action="store_true", help="cut at every byte")
    parser.add_argument("--servers", default="redis,valkey")
    told = parser.parse_args(arguments)
    failed = False
    for kind in told.servers.split(","):
        verdict, wrong = run(kind, told.seed, every=told.every)
        for line in wrong[:20]:
            print(line)
        print(verdict, flush=True)
        failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
