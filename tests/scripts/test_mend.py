"""mend: each corruption that needs no guess is mended, the rest is told and left as it is."""

from typing import Any

import pytest
from audited import sound
from queue_keys import HOUR_MS, PARTS, PRIORITY_STEP, Tries, stamp_of
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import MendItem, MendLater, MendLeft, MendMended, MendSound

LARGE = bytes(5000)


def mend(q: QueueState, *names: str, of: str = "job") -> scripts.Mended:
    return q.call(scripts.mend(q.name, [MendItem(name.encode()) for name in names], of=of))


def one(q: QueueState, name: str, of: str = "job") -> Any:
    (answer,) = mend(q, name, of=of).answers
    return answer


def put(q: QueueState, part: str, name: str, value: object) -> None:
    q.raw.hset(q.key(part), name, value)


def test_a_job_in_no_state_is_queued_again_at_the_end_of_its_priority(q: QueueState) -> None:
    q.enqueue("urgent", priority=9)
    q.enqueue("first", "second")
    q.raw.zrem(q.key("queued"), "first", "urgent")
    q.silence()
    assert mend(q, "first", "urgent", "first").answers == [
        MendMended("NO_SET", "queued", ""),
        MendMended("NO_SET", "queued", ""),
        MendSound(),
    ]
    assert (q.order("queued"), q.bell()) == (["urgent", "second", "first"], 1)


def test_a_job_in_no_state_goes_where_its_outcome_says_and_is_kept_as_long(q: QueueState) -> None:
    q.run("done", "own", "dead")
    q.ack("done", "own", result=b"7")
    q.fail("dead", final=1)
    before = q.dump()
    q.raw.delete(q.key("completed"), q.key("dead"))
    assert [answer.state for answer in mend(q, "done", "own", "dead").answers] == [
        *("completed", "completed", "dead")
    ]
    for part in ("completed", "dead"):
        for id, kept_until in q.read(part).items():
            assert abs(kept_until - before[part][id]) <= 1000 * 512
    assert q.read("outcomes") == before["outcomes"]


def test_a_job_that_is_not_running_any_more_but_leased_runs_on(q: QueueState) -> None:
    q.run("a")
    before = q.dump()
    q.raw.zrem(q.key("running"), "a")
    assert one(q, "a") == MendMended("NO_SET LEASE_EXTRA", "running", "")
    assert q.dump() == before
    assert q.ack("a") == [scripts.AckDone()]


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (("queued", "scheduled"), "scheduled"),
        (("queued", "retrying", "scheduled"), "retrying"),
        (("queued", "dead"), "queued"),
        (("queued", "running"), "queued"),
        (("queued", "completed", "cancelled", "dead"), "queued"),
    ],
)
def test_of_several_states_that_one_is_left_which_leads_to_the_job_being_run(
    q: QueueState, states: tuple[str, ...], state: str
) -> None:
    q.run("a")
    q.fail("a", delay_ms=0)
    q.promote()
    for other in states[1:]:
        q.raw.zadd(q.key(other), {"a": stamp_of(q.now_ms())})
    answer = one(q, "a")
    assert (answer.state, answer.faults, q.states("a")) == (state, "", [state])


def test_of_several_states_that_of_a_held_lease_is_left_whatever_the_others(q: QueueState) -> None:
    q.run("a")
    for other in ("queued", "completed", "retrying"):
        q.raw.zadd(q.key(other), {"a": 5 * PRIORITY_STEP if other == "queued" else 5})
    assert one(q, "a").state == "running"
    assert (q.states("a"), q.ack("a")) == (["running"], [scripts.AckDone()])


def test_of_several_states_that_is_left_which_the_outcome_confirms(q: QueueState) -> None:
    q.run("a", "b", "c")
    q.ack("a")
    q.fail("b", final=1)
    q.cancel("c")
    q.release("c")
    for id in "abc":
        q.raw.zadd(q.key("queued"), {id: 5 * PRIORITY_STEP})
        for end in ("completed", "dead", "cancelled"):
            q.raw.zadd(q.key(end), {id: stamp_of(q.now_ms()) + 512 * HOUR_MS})
    answers = mend(q, "a", "b", "c").answers
    assert [answer.state for answer in answers] == ["completed", "dead", "cancelled"]


def test_between_two_ends_that_nothing_confirms_nobody_guesses(q: QueueState) -> None:
    q.corrupted = True
    q.enqueue("a")
    q.raw.zrem(q.key("queued"), "a")
    for end in ("completed", "dead"):
        q.raw.zadd(q.key(end), {"a": stamp_of(q.now_ms())})
    before = q.dump()
    assert one(q, "a") == MendLeft("TWO_SETS:completed,dead")
    assert q.dump() == before


def test_a_job_that_runs_under_no_lease_is_queued_again(q: QueueState) -> None:
    q.run("a", "b", priority=9)
    q.raw.hdel(q.key("leases"), "a")
    put(q, "leases", "b", "nonsense")
    assert mend(q, "a", "b").answers == [
        MendMended("LEASE_MISSING", "queued", ""),
        MendMended("LEASE_BROKEN", "queued", ""),
    ]
    assert q.order("queued") == ["a", "b"]
    assert not {"running", "leases"} & set(q.dump())


def test_what_belongs_to_no_job_is_deleted_and_a_lost_job_is_counted(q: QueueState) -> None:
    q.run("a", payload=LARGE)
    q.fail("a", delay_ms=0)
    q.raw.hdel(q.key("jobs"), "a")
    for part in ("payloads", "tries", "outcomes", "leases"):
        put(q, part, "x", "left")
    assert mend(q, "a", "x").answers == [
        MendMended("NO_RECORD:retrying,payload,tries", "", ""),
        MendMended("NO_RECORD:payload,lease,tries,outcome", "", ""),
    ]
    assert set(q.dump()) == {"claims", "claim_ends", "stats"} | ({"bell"} & set(q.dump()))
    assert q.stat("missing") == 1


def test_a_place_is_made_anew_where_something_else_tells_it(q: QueueState) -> None:
    q.corrupted = True
    q.run("running", "dead")
    q.fail("dead", final=1)
    q.enqueue("queued", "moved")
    q.enqueue("later", delay_ms=HOUR_MS)
    before = q.dump()
    for part, name in {"running": "running", "dead": "dead", "queued": "queued"}.items():
        q.raw.zadd(q.key(part), {name: -7})
    q.raw.zadd(q.key("queued"), {"moved": before["queued"]["moved"] - PRIORITY_STEP})
    q.raw.zadd(q.key("scheduled"), {"later": 1e300})
    words = [answer.faults for answer in mend(q, "running", "dead", "queued", "moved").answers]
    assert words == [""] * 4
    after = q.dump()
    assert after["running"] == before["running"]
    assert abs(after["dead"]["dead"] - before["dead"]["dead"]) <= 1000 * 512
    assert after["queued"]["moved"] == before["queued"]["moved"]
    assert q.order("queued") == ["moved", "queued"]
    # When a delay ends only its place told.
    assert one(q, "later") == MendLeft("SCORE_BROKEN:scheduled")


def test_a_lease_takes_from_the_record_what_differs_and_stays_held(q: QueueState) -> None:
    q.run("a", retention_ms=77)
    before = q.read("leases")
    put(q, "leases", "a", before["a"].replace(b" 77 ", b" - ", 1))
    assert one(q, "a") == MendMended("LEASE_OTHER", "running", "")
    assert q.read("leases") == before
    assert q.ack("a") == [scripts.AckDone()]


def test_the_stamp_follows_the_highest_fence(q: QueueState) -> None:
    q.run("a")
    lease = q.lease("a")
    assert lease
    ahead = lease.fence + 10_000_000_000
    fields = q.read("leases")["a"].decode().split(" ", 8)
    fields[3] = str(ahead + 30_000 * 512)
    put(q, "leases", "a", " ".join(fields))
    assert one(q, "a") == MendMended("FENCE_AHEAD", "running", "")
    assert q.stat("stamp") == ahead


@pytest.mark.parametrize("part", ["claims", "claim_ends"])
def test_a_held_claim_is_remembered_again_so_that_its_repeat_takes_nothing_new(
    q: QueueState, part: str
) -> None:
    q.run("a", "b")
    q.enqueue("c")
    before = q.dump()
    q.raw.delete(q.key(part))
    assert mend(q, "a", "b").answers[0] == MendMended("CLAIM_MISSING", "running", "")
    mend(q, "t1", of="claim")
    assert set(q.read("claims")["t1"].decode().split()) == {"a", "b"}
    assert q.read("claim_ends") == before["claim_ends"]
    assert sorted(q.claimed("t1")) == ["a", "b"]


def test_a_claim_under_which_nothing_is_held_is_forgotten(q: QueueState) -> None:
    q.run("a")
    q.ack("a")
    put(q, "claims", "half", "a")
    put(q, "claims", "t1", "\n")
    q.raw.zadd(q.key("claim_ends"), {"other": 5})
    assert [one(q, token, "claim") for token in ("half", "t1", "other", "none")] == [
        MendMended("CLAIM_NO_END", "", ""),
        MendMended("CLAIM_BROKEN", "", ""),
        MendMended("CLAIM_NO_IDS", "", ""),
        MendSound(),
    ]
    assert not {"claims", "claim_ends"} & set(q.dump())


def test_an_outcome_that_is_lost_tells_no_more_than_the_state(q: QueueState) -> None:
    q.run("completed", "reaped", "cancelled", max_lost=0)
    q.ack("completed", result=b"7")
    q.cancel("cancelled")
    q.release("cancelled")
    q.make_due("running", "reaped")
    q.reap()
    q.raw.delete(q.key("outcomes"))
    put(q, "outcomes", "reaped", "nonsense")
    words = [answer.mended for answer in mend(q, "completed", "reaped", "cancelled").answers]
    assert words == ["OUTCOME_MISSING", "OUTCOME_BROKEN", "OUTCOME_MISSING"]
    for id, how in {"completed": "ack", "reaped": "reap", "cancelled": "cancel"}.items():
        outcome = q.outcome(id)
        assert outcome
        assert (outcome.how, outcome.at_ms, outcome.token, outcome.result) == (how, 0, "-", b"")
    # Whoever lost his lease is still told so, and whoever ended it, that he did.
    assert q.release("cancelled") == [scripts.ReleaseAlready()]
    items = [scripts.InspectItem(id) for id in ("completed", "reaped", "cancelled")]
    assert len(q.call(scripts.inspect(q.name, items, with_payload=1)).answers) == 3


def test_an_outcome_of_a_job_that_has_not_ended_is_deleted(q: QueueState) -> None:
    q.enqueue("a")
    before = q.dump()
    put(q, "outcomes", "a", "cancel 5 - - 0 0 0 0 0 0 \n")
    assert one(q, "a") == MendMended("OUTCOME_EXTRA", "queued", "")
    assert q.dump() == before


def test_a_second_payload_and_a_lease_of_a_job_at_rest_are_deleted(q: QueueState) -> None:
    q.enqueue("a")
    before = q.dump()
    put(q, "payloads", "a", LARGE)
    put(q, "leases", "a", "nonsense")
    assert set(one(q, "a").mended.split()) == {"PAYLOAD_EXTRA", "LEASE_EXTRA"}
    assert q.dump() == before


def test_the_stamp_follows_the_fence_of_an_end_too(q: QueueState) -> None:
    q.run("a")
    q.fail("a", final=1)
    outcome = q.read("outcomes")["a"].split(b" ")
    ahead = stamp_of(q.now_ms()) + 10_000_000_000
    outcome[5] = str(ahead + 30_000 * 512).encode()
    put(q, "outcomes", "a", b" ".join(outcome))
    assert one(q, "a") == MendMended("FENCE_AHEAD", "dead", "")
    assert q.stat("stamp") == ahead


def test_of_broken_tries_all_is_kept_that_can_be_read(q: QueueState) -> None:
    q.run("a", "b", "c")
    q.fail("a", "b", "c", delay_ms=0)
    whole = q.read("tries")
    put(q, "tries", "a", whole["a"].replace(b"\n", b"\nnonsense\n", 1))
    put(q, "tries", "b", b"1 x\xff\0\n" + whole["b"].split(b"\n", 1)[1])
    put(q, "tries", "c", b"")
    assert {answer.mended for answer in mend(q, "a", "b", "c").answers} == {"TRIES_BROKEN"}
    kept = [q.tries(id) for id in "abc"]
    errors = [one.errors for one in kept if one]
    assert kept == [
        Tries(1, 0, 1, 0, "-", "-", errors[0]),
        Tries(1, 0, 1, 0, "-", "-", errors[1]),
        Tries(0, 0, 0, 0, "-", "-", []),
    ]
    assert [len(one) for one in errors] == [1, 1, 0]


def test_totals_are_raised_to_what_the_queue_holds_and_the_bell_rings_once(q: QueueState) -> None:
    q.run("a", "b")
    q.ack("a")
    q.fail("b", final=1)
    q.enqueue("c")
    q.raw.delete(q.key("stats"))
    q.raw.rpush(q.key("bell"), "1", "1")
    assert one(q, "b") == MendMended("TRIES_UNCOUNTED", "dead", "")
    told = mend(q)
    assert set(told.mended.split()) == {
        *("TOTAL_LOW:enqueued", "TOTAL_LOW:completed", "TOTAL_LOW:died", "BELL_LONG")
    }
    totals = {name: int(value) for name, value in q.read("stats").items()}
    assert totals.pop("stamp") >= stamp_of(q.now_ms() - 60_000)
    assert totals == {"enqueued": 3, "completed": 1, "died": 1, "failed": 1}
    assert q.read("bell") == [b"1"]


def test_totals_that_are_no_numbers_count_on(q: QueueState) -> None:
    q.enqueue("a")
    for name in ("stamp", "enqueued", "trimmed"):
        put(q, "stats", name, "nonsense")
    told = mend(q)
    assert (told.faults, q.stat("enqueued"), q.stat("trimmed")) == ("", 1, 0)
    q.enqueue("b")
    assert q.order("queued") == ["a", "b"]


def test_a_job_that_vanished_is_counted_as_missing_once(q: QueueState) -> None:
    q.enqueue("a", "b")
    q.raw.hdel(q.key("jobs"), "a")
    q.raw.zrem(q.key("queued"), "a")
    told = mend(q)
    assert (told.mended, told.faults, q.stat("missing")) == ("UNACCOUNTED:1", "", 1)
    assert (mend(q).mended, q.stat("missing")) == ("", 1)


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("jobs", b"nonsense", "RECORD_BROKEN"),
        ("payloads", b"x", "PAYLOAD_SIZE"),
        ("tries", b"3 0 3 0 t1 fail\n", "TRIES_BOUND TRIES_UNCOUNTED"),
    ],
)
def test_what_only_a_guess_could_mend_is_told_and_left(
    q: QueueState, part: str, value: bytes, fault: str
) -> None:
    q.corrupted = True
    q.enqueue("a", payload=LARGE)
    put(q, part, "a", value)
    before = q.dump()
    answer = one(q, "a")
    assert set(answer.faults.split()) == set(fault.split()) - {"TRIES_UNCOUNTED"}
    after = q.dump()
    before.pop("stats"), after.pop("stats")
    assert after == before


def test_nothing_is_mended_while_a_key_is_of_the_wrong_type(q: QueueState) -> None:
    q.corrupted = True
    q.enqueue("a", "b")
    q.raw.zrem(q.key("queued"), "b")
    q.raw.delete(q.key("stats"))
    for part in set(PARTS) - {"settings", "jobs"}:
        kept = q.raw.dump(q.key(part))
        q.raw.delete(q.key(part))
        q.raw.set(q.key(part), "x")
        before = q.dump()
        told = mend(q, "b")
        assert isinstance(told.answers[0], MendLeft)
        assert (told.mended, f"TYPE:{part},string" in told.faults) == ("", True)
        assert mend(q).mended == ""
        assert q.dump() == before
        q.raw.delete(q.key(part))
        if kept:
            q.raw.restore(q.key(part), 0, kept)
    assert one(q, "b").state == "queued"


def test_a_sound_queue_is_left_as_it_is_whatever_is_asked(q: QueueState) -> None:
    q.run("a", "b", payload=LARGE)
    q.ack("a")
    q.enqueue("c", delay_ms=HOUR_MS)
    before = q.dump()
    told = mend(q, "a", "b", "c", "d", "t1", "")
    assert (told.mended, told.faults, set(told.answers)) == ("", "", {MendSound()})
    assert set(mend(q, "t1", "a", of="claim").answers) == {MendSound()}
    assert mend(q).answers == []
    assert q.dump() == before


def test_of_many_large_values_some_are_left_for_another_call(q: QueueState) -> None:
    q.configure(result_bytes=1_000_000)
    ids = [f"j{n}" for n in range(4)]
    q.run(*ids)
    q.ack(*ids, result=bytes(1_000_000))
    q.raw.delete(q.key("completed"))
    for n in range(4):
        # The first is always mended, however large it is.
        assert mend(q, *ids[n:]).answers == [
            MendMended("NO_SET", "completed", ""),
            *[MendLater()] * (3 - n),
        ]
    assert q.read("completed")
    sound(q)
