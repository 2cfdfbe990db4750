"""What holds for every verb: it writes what it is to write, once, and nothing when it refuses."""

from typing import Any

import pytest
from every_verb import CASES, SCRIPTS, begin_a_minute
from queue_keys import PARTS
from queue_state import QueueState

from boltq.errors import Corrupt, UpgradeNeeded

WRITING = [name for name, case in CASES.items() if case.writes]


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {part for part in PARTS if before.get(part) != after.get(part)}


def test_there_is_a_case_of_each_verb() -> None:
    assert {case.verb for case in CASES.values()} == set(SCRIPTS)


@pytest.mark.parametrize("name", CASES)
def test_a_verb_changes_the_keys_that_it_is_there_to_change_and_no_other(
    q: QueueState, name: str
) -> None:
    case = CASES[name]
    call = case.prepare(q)
    before = q.dump()
    q.call(call)
    assert changed(before, q.dump()) == set(case.writes.split())
    assert set(case.writes.split()) <= set(SCRIPTS[case.verb]["keys"])


@pytest.mark.parametrize("name", [name for name in WRITING if name != "extend"])
def test_a_request_sent_twice_leaves_the_queue_as_once(q: QueueState, name: str) -> None:
    q.twice(CASES[name].prepare(q))


def test_an_extend_sent_twice_only_moves_the_ends_of_the_same_leases_by_the_time_between(
    q: QueueState,
) -> None:
    call = CASES["extend"].prepare(q)
    first, once = q.call(call), q.dump()
    second, twice = q.call(call), q.dump()
    for part in ("running", "claim_ends"):
        moved = {twice[part][name] - end for name, end in once[part].items()}
        assert moved <= {0, (second.now_ms - first.now_ms) * 512}
        once.pop(part), twice.pop(part)
    assert once == twice


@pytest.mark.parametrize("minute", ["begins", "goes on"])
@pytest.mark.parametrize("name", CASES)
def test_a_key_of_the_wrong_type_fails_the_call_and_nothing_is_written(
    q: QueueState, name: str, minute: str
) -> None:
    case = CASES[name]
    call = case.prepare(q)
    spares = set(case.spares)
    if minute == "begins":
        begin_a_minute(q)
    else:  # then most have no need of these
        spares |= {"series", "queued"} - set(case.writes.split())
    for part in set(SCRIPTS[case.verb]["keys"]) - spares:
        for wrong in ("string", "set"):
            key, aside = q.key(part), q.key("aside")
            q.raw.rename(key, aside) if q.raw.exists(key) else None
            q.raw.set(key, "wrong") if wrong == "string" else q.raw.sadd(key, "wrong")
            before = q.dump()
            if part in case.unread:
                q.call(call)
            else:
                with pytest.raises(Corrupt, match="WRONGTYPE"):
                    q.call(call)
            assert changed(before, q.dump()) == set(), part
            q.raw.delete(key)
            q.raw.rename(aside, key) if q.raw.exists(aside) else None
    # The arrangement was never used up: now that all is well, the verb does its whole work.
    before = q.dump()
    q.call(call)
    assert changed(before, q.dump()) == set(case.writes.split())


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "notes" in case.spares])
def test_notes_of_the_wrong_type_are_left_alone_and_all_else_is_done(
    q: QueueState, name: str
) -> None:
    case = CASES[name]
    call = case.prepare(q)
    q.corrupted = True
    q.raw.delete(q.key("notes"))
    q.raw.set(q.key("notes"), "wrong")
    before = q.dump()
    q.call(call)
    assert changed(before, q.dump()) == set(case.writes.split()) - {"notes"}


@pytest.mark.parametrize("name", CASES)
def test_an_older_script_is_shut_out_of_a_queue_that_needs_a_newer_one(
    q: QueueState, name: str
) -> None:
    call = CASES[name].prepare(q)
    q.raw.hset(q.key("settings"), "needs", 2)
    before = q.dump()
    with pytest.raises(UpgradeNeeded) as told:
        q.call(call)
    assert str(told.value) == f"queue {q.name} needs level 2, this script is 1"
    assert changed(before, q.dump()) == set()
    q.raw.hset(q.key("settings"), "needs", 1)
    q.call(call)
