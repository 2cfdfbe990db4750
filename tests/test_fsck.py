"""`boltq fsck`: every corruption of one step is found, and what needs no guess is mended."""

import re
from pathlib import Path

import pytest
from audited import faults_of, sound
from corruptions import arrange, bring_back, corruptions, keep
from queue_keys import PARTS, STATES
from queue_state import QueueState

from boltq import fsck
from boltq.faults import EVERY, OF_CLAIMS, OF_QUEUES
from boltq.fsck import Finding

LUA = Path(__file__).parents[1] / "lua" / "parts"
# Nothing else that is kept tells of these.
UNSEEN = {
    *(f"settings without {name}" for name in ("keep_payloads", "keep_dead")),
    *("settings without pause_reason", "settings without paused_by"),
    *("bell deleted", "events deleted", "series deleted"),
    *("notes deleted", "notes without once"),
    *("operations deleted", "operations without o1", "operations without o2"),
    "payloads without completed-l",
    *(f"tries without {state}-{size}" for state in ("queued", "scheduled") for size in "sl"),
    *("tries without cancelled-s", "tries without cancelled-l"),
}
# Where verbs fail until somebody has done something by hand.
STUCK = {"BLOCKED", "TYPE", "RECORD_BROKEN", "SETTING_BROKEN"}


def walk(q: QueueState) -> list[Finding]:
    return list(fsck.walk(q.server, q.name))


def repair(q: QueueState) -> list[Finding]:
    return list(fsck.repair(q.server, q.name))


@pytest.fixture
def full(q: QueueState) -> QueueState:
    q.corrupted = True
    arrange(q)
    sound(q)
    return q


def ids_in(q: QueueState, state: str) -> set[str]:
    """The ids of a set, also where its scores are no whole numbers."""
    return {id.decode() for id in q.raw.zrange(q.key(state), 0, -1)}


def drain(q: QueueState) -> None:
    """Run every job to its end, whatever it waits for."""
    q.configure(paused=0)
    for n in range(100):
        for part in ("scheduled", "retrying", "running"):
            if ids := ids_in(q, part):
                q.raw.zadd(q.key(part), dict.fromkeys(ids, 0))
        if done := q.claimed(f"drain-{n}", limit=500):
            q.ack(*done, token=f"drain-{n}")
        elif not any(ids_in(q, part) for part in ("queued", "scheduled", "retrying", "running")):
            return
    pytest.fail("the queue is never empty")


def check_kept(q: QueueState, ids: set[str], left: list[Finding], *, to_the_end: bool) -> None:
    """No job that had a record is lost, nor is it in two states; drained, each has ended."""
    stuck = bool(STUCK & {finding.word for finding in left})
    if to_the_end and not stuck:
        drain(q)
    held = {} if stuck else {state: ids_in(q, state) for state in STATES}
    ended = ("completed", "cancelled", "dead")
    for id in (ids if held else set()) - {finding.name for finding in left}:
        states = [state for state in STATES if id in held[state]]
        assert len(states) == 1, id
        assert not to_the_end or states[0] in ended, id


@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", PARTS)
def test_every_corruption_of_one_step_is_found_and_mended_without_losing_a_job(
    full: QueueState, part: str
) -> None:
    kept, unseen = keep(full), set()
    for n, spoil in enumerate(one for one in corruptions(full) if one.part == part):
        spoil.act()
        jobs = full.read("jobs")
        found = repair(full)
        if not found:
            unseen.add(spoil.name)
        assert all(one.mended == one.repairable for one in found), (spoil.name, found)
        left = walk(full)
        assert not any(one.repairable for one in left), (spoil.name, left)
        assert {one.word for one in left} <= {one.word for one in found}, spoil.name
        ids = set(jobs) if isinstance(jobs, dict) else set()
        check_kept(full, ids, left, to_the_end=n % 8 == 0)
        bring_back(full, kept)
    sound(full)
    assert unseen == {name for name in UNSEEN if name.split()[0] == part}


def test_there_are_enough_corruptions_of_every_part(full: QueueState) -> None:
    every = list(corruptions(full))
    assert len(every) > 400
    assert len({spoil.name for spoil in every}) == len(every)
    assert {spoil.part for spoil in every} == set(PARTS)


def test_looking_writes_nothing_and_says_what_repair_would_do(full: QueueState) -> None:
    full.raw.zrem(full.key("queued"), "queued-2")
    full.raw.zadd(full.key("dead"), {"ghost": 1})
    full.raw.hset(full.key("stats"), "died", "1")
    before = full.dump()
    found = {finding.name: finding for finding in walk(full)}
    assert full.dump() == before
    assert found["queued-2"] == Finding(
        full.name,
        "job",
        "queued-2",
        "NO_SET",
        "",
        f"job queued-2 of {full.name}: is in no state, so that nobody will ever run it; repair "
        "queues it again, unless its outcome or its lease tells its state",
        repairable=True,
    )
    assert found["ghost"].sentence == (
        f"job ghost of {full.name}: has no record any more, only what is left in dead: its work "
        "is lost; repair deletes the rest, and counts the job as missing"
    )
    assert found[full.name].sentence == (
        f"queue {full.name}: its total died is below what the queue holds; repair raises it to "
        "what the queue holds"
    )
    mended = {finding.name: finding for finding in repair(full)}
    assert all(finding.mended for finding in mended.values())
    assert mended["queued-2"].sentence.endswith("ever run it; mended; it is queued now")
    assert "queued-2" in full.order("queued")
    sound(full)


def test_a_sound_queue_and_one_that_nobody_has_used_have_no_findings(q: QueueState) -> None:
    assert (walk(q), repair(q), q.keys()) == ([], [], set())
    arrange(q)
    before = q.dump()
    assert (walk(q), repair(q)) == ([], [])
    assert q.dump() == before


def test_hostile_names_are_shown_safely_and_what_has_no_record_is_taken_out(q: QueueState) -> None:
    q.corrupted = True
    q.enqueue("a")
    hostile = [b"", b"a b", b"\xff\0\r\n", b"a" * 4096, "\u00e9\U0001f600".encode()]
    for name in hostile:
        q.raw.zadd(q.key("queued"), {name: 5})
        q.raw.hset(q.key("claims"), name, b"\0")
    q.raw.hset(q.key("tries"), b"x" * 5000, b"1")
    q.raw.hset(q.key("jobs"), "status", q.raw.hget(q.key("jobs"), "a"))
    found = repair(q)
    assert sum(finding.mended for finding in found if finding.kind == "job") == len(hostile)
    assert sum(finding.mended for finding in found if finding.kind == "claim") == len(hostile)
    left = {(finding.name, finding.word) for finding in walk(q)}
    assert left == {("status", "BAD_ID"), ("status", "NO_SET"), ("x" * 100, "BAD_ID")}
    assert q.order("queued") == ["a"]


def test_many_names_and_large_values_are_walked_in_steps(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(450)]
    q.enqueue(*ids)
    q.enqueue(*(f"large{n}" for n in range(5)), payload=bytes(1_000_000), priority=9)
    q.configure(result_bytes=1_000_000)
    done = q.claimed("t1", limit=4, max_bytes=8_000_000)
    for id in done:
        q.ack(id, result=bytes(1_000_000))
    seen: list[int] = []
    assert list(fsck.walk(q.server, q.name, seen.append)) == []
    assert sum(seen) >= 455 * 2
    assert max(seen) <= fsck.BATCH_NAMES
    q.corrupted = True
    q.raw.delete(q.key("queued"), q.key("completed"))
    found = repair(q)
    assert [finding.word for finding in found] == ["NO_SET"] * 455
    assert (len(q.order("queued")), sorted(q.order("completed"))) == (451, sorted(done))
    sound(q)


def test_a_queue_is_audited_while_workers_take_its_jobs(q: QueueState) -> None:
    q.enqueue(*(f"j{n}" for n in range(450)))
    steps = iter(range(1000))

    def work(_more: int) -> None:
        token = f"t{next(steps)}"
        if ids := q.claimed(token, limit=90):
            q.ack(*ids[::3], token=token)
            q.fail(*ids[1::3], token=token)

    assert list(fsck.walk(q.server, q.name, work)) == []
    assert len(q.order("queued")) < 450


def test_each_word_of_the_scripts_has_its_sentence() -> None:
    words = {
        word
        for path in LUA.glob("judge_*.lua")
        for word in re.findall(r'(?:add\(\(?|\{ )"([A-Z_]+)[:"]', path.read_text("utf-8"))
    }
    assert words | {"BLOCKED"} == set(EVERY)
    for word, fault in EVERY.items():
        assert fault.means.format(detail="x")
        assert not fault.means.endswith(".")
        assert word.startswith("CLAIM_") or word not in OF_CLAIMS
    assert not any(OF_QUEUES[word].repair for word in ("TYPE", "BLOCKED"))


def test_a_queue_that_no_script_can_read_is_told_and_left(q: QueueState) -> None:
    q.corrupted = True
    q.enqueue("a")
    q.raw.hset(q.key("settings"), "needs", "x")
    for found in (walk(q), repair(q)):
        assert [(finding.word, finding.mended) for finding in found] == [("BLOCKED", False)]
    q.raw.hdel(q.key("settings"), "needs")
    assert faults_of(q) == {}
