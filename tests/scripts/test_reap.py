import pytest
from queue_keys import HOUR_MS, PRIORITY_STEP
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import Reaped

DEAD_MS = 90 * 24 * HOUR_MS


def lapse(q: QueueState, *ids: str) -> Reaped:
    q.make_due("running", *ids)
    return q.reap()


def test_a_lease_that_ran_out_is_ended_and_the_job_waits_its_backoff(q: QueueState) -> None:
    q.run("a", jitter=0, payload=bytes(5000), claim={"worker": "host 1"})
    q.silence()
    before = q.dump()
    reply = lapse(q, "a")
    assert reply == Reaped(reply.now_ms, reaped=1, trimmed=0, more=0)
    stamp, tries = q.stat("stamp"), q.tries("a")
    assert (tries.failures, tries.lost, tries.failures_ever, tries.lost_ever) == (0, 1, 0, 1)
    assert (tries.token, tries.how) == ("t1", "reap")
    assert [(error["type"], error["worker"]) for error in tries.errors] == [("LeaseLost", "host 1")]
    after = q.dump()
    assert set(after.pop("tries")) == {"a"}
    assert after == {
        "jobs": before["jobs"],
        "payloads": before["payloads"],
        "retrying": {"a": stamp + 1000 * 512},
        "claims": before["claims"],
        "claim_ends": before["claim_ends"],
        "stats": {"stamp": b"%d" % stamp, "enqueued": b"1", "lost": b"1"},
        "bell": [b"1"],
    }


def test_a_lease_that_is_held_is_left_alone_and_nothing_is_written(q: QueueState) -> None:
    q.run("a", "b")
    before = q.dump()
    reply = q.reap()
    assert reply == Reaped(reply.now_ms, 0, 0, 0)
    assert q.dump() == before


def test_a_lease_that_was_just_extended_is_left_alone(q: QueueState) -> None:
    q.run("a", "b", claim={"lease_ms": 100})
    q.extend("a")
    assert lapse(q, "b").reaped == 1
    assert (q.states("a"), q.states("b")) == (["running"], ["retrying"])


def test_an_empty_queue_stays_without_keys(q: QueueState) -> None:
    assert (q.reap().reaped, q.dump()) == (0, {})


def test_a_repeated_reap_finds_nothing_and_writes_nothing(q: QueueState) -> None:
    q.run("a", "b")
    q.make_due("running", "a", "b")
    first, again = q.twice(scripts.reap(q.name, limit=100))
    assert (first.reaped, again.reaped) == (2, 0)


def test_no_more_leases_than_the_limit_are_ended_and_more_is_told(q: QueueState) -> None:
    q.run("a", "b", "c")
    q.make_due("running", "a", "b", "c")
    told = [(reply.reaped, reply.more) for reply in (q.reap(2), q.reap(2), q.reap(2))]
    assert told == [(2, 1), (1, 0), (0, 0)]


def test_without_backoff_the_job_is_queued_behind_those_of_its_priority(q: QueueState) -> None:
    q.run("a", base_ms=0, priority=6)
    q.enqueue("b", priority=6)
    lapse(q, "a")
    assert q.order("queued") == ["b", "a"]
    assert q.read("queued")["a"] == 3 * PRIORITY_STEP + q.stat("stamp")


def test_a_job_that_lost_more_leases_than_it_may_is_dead(q: QueueState) -> None:
    q.enqueue("a", max_lost=2, base_ms=0)
    for n in range(3):
        assert q.states("a") == ["queued"]
        assert q.claimed(f"t{n}") == ["a"]
        reply = lapse(q, "a")
    assert q.read("dead") == {"a": q.stat("stamp") + DEAD_MS * 512}
    outcome = q.outcome("a")
    assert (outcome.how, outcome.at_ms, outcome.token) == ("reap", reply.now_ms, "t2")
    assert (outcome.attempt, outcome.worker, outcome.result) == (3, "w1", b"")
    assert [error["type"] for error in q.tries("a").errors] == ["LeaseLost"] * 3
    assert (q.stat("lost"), q.stat("died"), q.stat("failed")) == (3, 1, 0)


@pytest.mark.parametrize(("option", "setting", "most"), [(None, None, 5), (None, 1, 1), (0, 9, 0)])
def test_how_many_leases_may_be_lost_is_the_jobs_then_the_queues_then_five(
    q: QueueState, option: int | None, setting: int | None, most: int
) -> None:
    if setting is not None:
        q.configure(job_max_lost=setting)
    q.enqueue("a", max_lost=option, base_ms=0, max_attempts=1)
    lost = 0
    while q.claimed(f"t{lost}"):
        lapse(q, "a")
        lost += 1
    assert (q.states("a"), lost) == (["dead"], most + 1)


def test_failures_do_not_count_as_lost_leases(q: QueueState) -> None:
    q.run("a", max_lost=0, base_ms=0)
    q.fail("a", delay_ms=0)
    assert q.claimed("t2") == ["a"]
    q.ack("a", token="t2")
    assert q.states("a") == ["completed"]


@pytest.mark.parametrize("options", [{}, {"max_lost": 0}, {"base_ms": 0}], ids=str)
def test_a_job_whose_cancel_was_asked_ends_cancelled(
    q: QueueState, options: dict[str, int]
) -> None:
    q.run("a", **options)
    q.cancel("a")
    reply = lapse(q, "a")
    assert (reply.reaped, reply.trimmed) == (1, 0)
    assert q.states("a") == ["cancelled"]
    assert q.read("cancelled") == {"a": q.stat("stamp") + HOUR_MS * 512}
    outcome = q.outcome("a")
    assert (outcome.how, outcome.token, outcome.attempt) == ("reap", "t1", 1)
    assert (q.stat("lost"), q.stat("cancelled"), q.stat("died")) == (1, 1, 0)


def test_each_job_of_a_reap_ends_by_itself(q: QueueState) -> None:
    q.run("retried", token="t1")
    q.run("queued", token="t2", base_ms=0)
    q.run("buried", token="t3", max_lost=0)
    q.run("asked", token="t4")
    q.run("held", token="t5")
    q.cancel("asked")
    assert lapse(q, "retried", "queued", "buried", "asked").reaped == 4
    assert [q.states(id) for id in ("retried", "queued", "buried", "asked", "held")] == [
        ["retrying"],
        ["queued"],
        ["dead"],
        ["cancelled"],
        ["running"],
    ]
    assert set(q.read("leases")) == {"held"}


@pytest.mark.parametrize("verb", ["ack", "fail", "release", "extend"])
def test_the_token_of_a_reaped_lease_holds_nothing_any_more(q: QueueState, verb: str) -> None:
    q.run("a")
    lapse(q, "a")
    before = q.dump()
    (answer,) = getattr(q, verb)("a")
    assert type(answer).__name__ == f"{verb.capitalize()}LeaseLost"
    assert q.dump() == before


def test_an_entry_without_a_record_is_dropped_and_counted(q: QueueState) -> None:
    q.run("a", "b")
    q.raw.hdel(q.key("jobs"), "a")
    assert lapse(q, "a", "b").reaped == 2
    assert (q.order("retrying"), q.stat("missing"), q.stat("lost")) == (["b"], 1, 1)
    assert q.read("running") is q.read("leases") is None


def test_an_entry_without_a_lease_is_given_back_too(q: QueueState) -> None:
    q.run("a")
    q.raw.delete(q.key("leases"))
    assert lapse(q, "a").reaped == 1
    assert q.states("a") == ["retrying"]
    assert q.tries("a").errors[0]["worker"] == "unknown"


# --- what is no longer kept


@pytest.mark.parametrize("end", ["completed", "cancelled", "dead"])
def test_finished_jobs_past_their_time_are_forgotten(q: QueueState, end: str) -> None:
    finish(q, end, "a", "b")
    q.make_due(end, "a")
    reply = q.reap()
    assert reply == Reaped(reply.now_ms, 0, trimmed=1, more=0)
    assert q.order(end) == ["b"]
    for part in ("jobs", "outcomes", "tries", "payloads"):
        assert "a" not in (q.read(part) or {})
    assert (q.stat("trimmed"), q.stat("dead_trimmed")) == ((0, 1) if end == "dead" else (1, 0))


@pytest.mark.parametrize("end", ["completed", "cancelled", "dead"])
def test_finished_jobs_above_their_number_are_forgotten_oldest_first(
    q: QueueState, end: str
) -> None:
    finish(q, end, "a", "b", "c")
    q.configure(**{f"keep_{end}": 1})
    assert (q.reap().trimmed, q.reap().trimmed) == (2, 0)
    assert q.order(end) == ["c"]
    assert set(q.read("jobs")) == set(q.read("outcomes")) == {"c"}


def test_five_hundred_finished_jobs_are_forgotten_at_once_and_more_is_told(q: QueueState) -> None:
    ids = [f"j{n}" for n in range(502)]
    for n, some in enumerate((ids[:251], ids[251:])):
        q.enqueue(*some)
        q.claim(f"t{n}", limit=500)
        q.ack(*some, token=f"t{n}")
    q.make_due("completed", *ids)
    told = [(reply.trimmed, reply.more) for reply in (q.reap(), q.reap())]
    assert told == [(500, 1), (2, 0)]
    assert set(q.dump()) == {"claims", "claim_ends", "stats", "bell"}


@pytest.mark.parametrize(
    ("end", "settings"),
    [
        ("dead", {"keep_dead": 0}),
        ("dead", {"keep_dead_ms": 0}),
        ("cancelled", {"keep_cancelled": 0}),
        ("cancelled", {"keep_cancelled_ms": 0}),
    ],
)
def test_what_a_reap_ends_and_nobody_wants_kept_is_gone_at_once(
    q: QueueState, end: str, settings: dict[str, int]
) -> None:
    q.configure(**settings)
    q.run("a", max_lost=0, payload=bytes(5000))
    if end == "cancelled":
        q.cancel("a")
    reply = lapse(q, "a")
    assert (reply.reaped, reply.trimmed, reply.more) == (1, 1, 0)
    assert not set(q.dump()) - {"claims", "claim_ends", "stats", "settings", "bell"}


def finish(q: QueueState, end: str, *ids: str) -> None:
    q.run(*ids, payload=bytes(5000))
    if end == "completed":
        q.ack(*ids)
    elif end == "dead":
        q.fail(*ids, final=1)
    else:
        q.cancel(*ids)
        q.release(*ids)
    assert q.order(end) == list(ids)
