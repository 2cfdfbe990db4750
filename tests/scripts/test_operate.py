"""operate, stop, operations: what is done to many jobs is begun once, kept, looked at and ended."""

import json
from typing import Any

import pytest
from queue_keys import HOUR_MS, STATES, stamp_of
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import Busy, Differs, Known, Started, StopEnded, Stopped, StopUnknown

WEEK_MS = 7 * 24 * HOUR_MS
MAY = {
    "replay": {"dead"},
    "cancel": {"scheduled", "queued", "running", "retrying"},
    "run_now": {"scheduled", "retrying"},
    "purge": set(STATES) - {"running"},
}


def kept(q: QueueState, id: str = "o1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(q.read("operations")[id])
    return found


def rewrite(q: QueueState, id: str, **members: Any) -> None:
    """Change what is kept of an operation: its times, so that time moves."""
    line = json.dumps(kept(q, id) | members, separators=(",", ":"))
    q.raw.hset(q.key("operations"), id, line)


def test_what_is_begun_is_kept_whole_and_nothing_is_done_yet(q: QueueState) -> None:
    q.run("a", "b")
    q.fail("a", "b", final=1)
    before = q.dump()
    asked = {
        "type_": "mail",
        "error": b'"E\n',
        "worker": "w1",
        "since_ms": 5,
        "until_ms": 2**53 - 1,
    }
    call = q.operate_call("replay", "dead", rate=7, expected=2, by="me", **asked)
    first, second = q.twice(call)
    assert isinstance(first, Started)
    assert isinstance(second, Known)
    assert second.operation == first.operation
    after = q.dump()
    told = json.loads(first.operation)
    assert after.pop("operations") == {"o1": first.operation}
    stamp = int(after["stats"].pop("stamp"))
    assert stamp >= max(stamp_of(first.now_ms), int(before["stats"].pop("stamp")) + 1)
    assert told == {
        "id": "o1",
        "action": "replay",
        "state": "dead",
        "status": "counting",
        "type": "mail",
        "error": '"E\n',
        "worker": "w1",
        "by": "me",
        "cursor": "",
        "dry_run": 0,
        "rate": 7,
        "since_ms": 5,
        "until_ms": 2**53 - 1,
        "expected": 2,
        "as_of": stamp,
        "started_ms": first.now_ms,
        "paced_us": first.now_ms * 1000,
        "total": 2,
        "looked_at": 0,
        "counted": 0,
        "done": 0,
        "skipped": 0,
    }
    assert after == before


def test_a_known_id_begins_nothing_whatever_else_is_asked(q: QueueState) -> None:
    first = q.call(q.operate_call("purge", "dead"))
    assert isinstance(first, Started)
    other = q.call(q.operate_call("cancel", "queued", rate=1))
    assert isinstance(other, Known)
    assert other.operation == first.operation


@pytest.mark.parametrize("action", MAY)
def test_each_action_is_for_the_states_in_which_it_can_be_done(q: QueueState, action: str) -> None:
    for n, state in enumerate(STATES):
        word, *rest = q.send("operate", f"o{n}", action, state, "", b"", "", "", "", 0, "", 0, "")
        assert (word == b"STARTED") == (state in MAY[action]), state
        if word == b"BAD_ARGUMENT":
            assert rest[0].startswith(b"state must be one of ")


def test_a_count_that_differs_begins_nothing_where_all_jobs_of_a_state_are_asked_for(
    q: QueueState,
) -> None:
    q.enqueue("a", "b", "c")
    before = q.dump()
    reply = q.call(q.operate_call("cancel", "queued", expected=2))
    assert reply == Differs(reply.now_ms, 3)
    assert q.dump() == before
    assert isinstance(q.call(q.operate_call("cancel", "queued", expected=3)), Started)
    assert kept(q)["status"] == "running"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, "running"),
        ({"dry_run": 1}, "counting"),
        ({"dry_run": 1, "expected": 9}, "counting"),
        ({"expected": 9, "type_": "mail"}, "counting"),
        ({"expected": 9, "error": b"E"}, "counting"),
        ({"expected": 9, "since_ms": 0}, "counting"),
        ({"expected": 9, "until_ms": 0}, "counting"),
        ({"type_": "mail"}, "running"),
    ],
)
def test_a_dry_run_and_an_expected_count_of_some_jobs_are_counted_first(
    q: QueueState, asked: dict[str, Any], status: str
) -> None:
    q.call(q.operate_call("purge", "queued", **asked))
    assert kept(q)["status"] == status


def test_a_hundred_are_kept_and_the_first_to_have_ended_goes(q: QueueState) -> None:
    for n in range(100):
        assert isinstance(q.call(q.operate_call("purge", "dead", f"o{n}")), Started)
    before = q.dump()
    assert isinstance(q.call(q.operate_call("purge", "dead", "more")), Busy)
    assert q.dump() == before
    for n in (7, 5):
        q.call(scripts.stop(q.name, id_=f"o{n}"))
    rewrite(q, "o5", ended_ms=q.now_ms() - 5000)
    assert isinstance(q.call(q.operate_call("purge", "dead", "more")), Started)
    assert len(q.read("operations")) == 100
    assert "o5" not in q.read("operations")
    assert "o7" in q.read("operations")


def test_what_ended_a_week_ago_goes_when_another_begins(q: QueueState) -> None:
    for n in range(4):
        q.call(q.operate_call("purge", "dead", f"o{n}"))
    for n in range(3):
        q.call(scripts.stop(q.name, id_=f"o{n}"))
    rewrite(q, "o0", ended_ms=q.now_ms() - WEEK_MS - 1000)
    rewrite(q, "o1", ended_ms=q.now_ms() - WEEK_MS + 60_000)
    rewrite(q, "o3", started_ms=q.now_ms() - 2 * WEEK_MS)
    q.call(q.operate_call("purge", "dead", "new"))
    assert set(q.read("operations")) == {"o1", "o2", "o3", "new"}


def test_stop_ends_an_operation_once(q: QueueState) -> None:
    q.call(q.operate_call("purge", "dead", by="me"))
    before = kept(q)
    first, second = q.twice(scripts.stop(q.name, id_="o1"))
    assert isinstance(first, Stopped)
    assert isinstance(second, StopEnded)
    assert second.operation == first.operation
    assert kept(q) == before | {"status": "stopped", "ended_ms": first.now_ms}
    assert isinstance(q.call(scripts.stop(q.name, id_="none")), StopUnknown)


def test_operations_are_shown_one_or_all_as_they_are_kept(q: QueueState) -> None:
    assert q.call(scripts.operations(q.name)).answers == []
    for n in range(3):
        q.call(q.operate_call("purge", "dead", f"o{n}"))
    before = q.dump()
    shown = q.call(scripts.operations(q.name)).answers
    assert {one.id: one.operation for one in shown} == before["operations"]
    (one,) = q.call(scripts.operations(q.name, id_="o1")).answers
    assert (one.id, one.operation) == ("o1", before["operations"]["o1"])
    assert q.call(scripts.operations(q.name, id_="none")).answers == []
    assert q.dump() == before
