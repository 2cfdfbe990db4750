"""Scripts of 0.1.0 beside today's: what they leave is found, mended, and harms nobody."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from queue_state import QueueState

from boltq import fsck, scripts

OLD = json.loads((Path(__file__).parents[1] / "manifests" / "0.1.0.json").read_text("utf-8"))
TOLD = b"1 1 0 0.5 half\nline"


@pytest.fixture
def old(q: QueueState) -> Any:
    """Send a call of 0.1.0, as its clients do."""

    def send(verb: str, *argv: object) -> Any:
        script = OLD["scripts"][verb]
        keys = [q.key(part) for part in script["keys"]]
        assert hashlib.sha1(script["source"].encode()).hexdigest() == script["sha1"]
        return q.raw.eval(script["source"], len(keys), *keys, *argv)

    return send


def test_a_job_lives_through_calls_of_both(q: QueueState, old: Any) -> None:
    told = old("enqueue", "", 0, *[""] * 8, "a", "echo", b"1", b"", "b", "echo", b"2", b"")
    assert told[0] == b"ENQUEUED"
    assert q.claimed("t1") == ["a", "b"]
    assert old("extend", 30_000, "a", "t1")[2] == b"HELD"
    q.extend("a", told=TOLD)
    assert old("ack", "a", "t1", b"done")[2] == b"DONE"
    assert old("fail", "b", "t1", b"E", b"m", b"s", "", 1)[2] == b"DEAD"
    items = [scripts.InspectItem("a")]
    (job,) = q.call(scripts.inspect(q.name, items, with_payload=0)).answers
    assert isinstance(job, scripts.InspectJob)
    assert (job.state, job.log.count(b"line")) == ("completed", 2)
    assert old("inspect", 0, "a")[2] == b"JOB"
    assert (
        q.call(scripts.replay(q.name, [scripts.ReplayItem("b")], limit=1, cursor="")).replayed == 1
    )
    assert old("claim", "t2", "w", 30_000, 10, 1_000_000)[4] == b"b"
    q.ack("b", token="t2")


def test_what_a_handler_told_of_a_job_that_an_old_script_let_go_is_found_and_mended(
    q: QueueState, old: Any
) -> None:
    q.run("a", "b")
    q.extend("a", "b", told=TOLD + b"\n2 0 0 1 ")
    q.ack("a", "b")
    assert old("purge", "", 1, "", "a")[4] == b"GONE"
    assert set(q.read("notes")) == {"a", "b"}
    (finding,) = fsck.walk(q.server, q.name)
    assert (finding.name, finding.word, finding.detail) == ("a", "NO_RECORD", "notes")
    assert [one.mended for one in fsck.repair(q.server, q.name)] == [True]
    assert set(q.read("notes")) == {"b"}


def test_a_minute_that_an_old_script_began_has_no_line_and_the_next_has(
    q: QueueState, old: Any
) -> None:
    q.enqueue("a")
    stamp = int(q.read("stats")["stamp"])
    q.raw.delete(q.key("series"))
    q.raw.hset(q.key("stats"), "stamp", stamp - 120_000 * 512)
    old("enqueue", "", 0, *[""] * 8, "b", "echo", b"1", b"")
    q.enqueue("c")
    lines = q.read("series") or {}
    assert len(lines) <= 1  # one where the minute turned meanwhile
    assert q.stat("enqueued") == 3


def test_an_old_script_tells_no_events(q: QueueState, old: Any) -> None:
    q.configure(keep_events=10)
    old("enqueue", "", 0, *[""] * 8, "a", "echo", b"1", b"")
    assert q.read("events") is None
    q.claim("t1")
    assert len(q.read("events")) == 1
