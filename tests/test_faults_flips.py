"""One bit of the append-only file turned over, as a worn-out disk does it.

The file has no check sums: a server that can read it takes it as it is. What is promised is what is
left: it does not start; or fsck tells; or a value is another one that could have been written, as a
payload, a time or a name. In none of these can a job be acked under a token that holds no lease,
and what fsck can mend can be worked off.

TEST_FLIPS=500 for more of them, TEST_SEED for others.
"""

import os
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from audited import faults_of
from queue_keys import STATES
from queue_state import QueueState
from rig import aof
from servers import process_server

from boltq import fsck, scripts
from boltq.embedded import Embedded
from boltq.errors import Corrupt, Unavailable

SEED = int(os.environ.get("TEST_SEED", "1"))
FLIPS = int(os.environ.get("TEST_FLIPS", "20"))
# Where somebody has to do something by hand before all verbs run.
BY_HAND = {"BLOCKED", "TYPE", "RECORD_BROKEN", "SETTING_BROKEN", "BAD_ID"}


@contextmanager
def started(recording: aof.Recording, program: Path | None, flipped: int) -> Iterator[Embedded]:
    """A server on a copy of the file with one bit turned over."""
    with tempfile.TemporaryDirectory(prefix="boltq-flip-") as name:
        kept = Path(name) / "appendonlydir"
        shutil.copytree(recording.folder, kept)
        content = bytearray((kept / recording.last).read_bytes())
        content[flipped // 8] ^= 1 << flipped % 8
        (kept / recording.last).write_bytes(content)
        embedded = Embedded(Path(name), options=aof.OPTIONS, program=program)
        try:
            embedded.start()
            yield embedded
        finally:
            embedded.kill()
            embedded.stop()


def judged(recording: aof.Recording, program: Path | None, flipped: int) -> str:
    """Say what came of it; raises where a promise is broken."""
    try:
        with (
            started(recording, program, flipped) as embedded,
            aof._queue(embedded, recording.queue) as q,
        ):
            same = is_as_it_was(q, recording)
            faults = faults_of(q)
            assert not (same and faults)
            with suppress(*((Corrupt,) if faults else ())):  # told, and not yet mended
                check_strangers(q)
            left = {one.word for one in fsck.repair(q.server, q.name) if not one.mended}
            if not left & BY_HAND:
                drain(q)
            return "as it was" if same else "found" if faults else "silent"
    except Unavailable:
        return "refused"
    except Exception as problem:
        raise AssertionError(f"bit {flipped} of seed {SEED}") from problem


def is_as_it_was(q: QueueState, recording: aof.Recording) -> bool:
    try:
        return bool(q.dump() == recording.states[-1][1])
    except UnicodeDecodeError:  # a name that is none any more
        return False


def check_strangers(q: QueueState) -> None:
    """Nobody can end a job under a token that he was not given."""
    running = [id.decode("ascii", "replace") for id in q.raw.zrange(q.key("running"), 0, -1)]
    items = [
        scripts.AckItem(id, "nobody", b"") for id in running if re.fullmatch(r"[a-z0-9-]+", id)
    ]
    if items:
        assert scripts.AckDone() not in q.call(scripts.ack(q.name, items)).answers


def drain(q: QueueState) -> None:
    q.configure(paused=0)
    for n in range(60):
        for part in ("scheduled", "retrying", "running"):
            for id in q.raw.zrange(q.key(part), 0, -1):
                q.raw.zadd(q.key(part), {id: 0})
        if done := q.claimed(f"drain-{n}", limit=500):
            q.ack(*done, token=f"drain-{n}")
        elif not any(q.raw.zcard(q.key(part)) for part in STATES[:4]):
            return
    pytest.fail("the queue is never empty")


@pytest.mark.timeout(60 + FLIPS * 2)
@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_bit_that_was_turned_over_is_refused_found_or_no_more_than_another_value(
    kind: str,
) -> None:
    with process_server(kind, *aof.OPTIONS, persistent=True) as server:
        assert server.embedded
        recording = aof.record(server, "flip")
        program = server.embedded._program
        # Behind the large payloads, which are nothing but values.
        begin, end = recording.states[0][0], len(recording.content)
        bits = random.Random(SEED).sample(range(begin * 8, end * 8), FLIPS)
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(partial(judged, recording, program), bits))
    print(f"flips seed={SEED} server={kind} {dict(Counter(told))}")
    assert {"refused"} <= set(told) <= {"refused", "found", "silent", "as it was"}
