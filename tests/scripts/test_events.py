"""events: a feed of what each call did, where the queue keeps one."""

from typing import Any

import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.errors import BadArgument

Told = tuple[str, dict[str, tuple[int, list[str]]]]


@pytest.fixture
def fed(q: QueueState) -> QueueState:
    q.configure(keep_events=1000)
    return q


def events(q: QueueState, after: str = "", limit: int = 1000) -> scripts.Events:
    return q.call(scripts.events(q.name, after=after, limit=limit))


def told(q: QueueState) -> list[Told]:
    """The verb of each event, and what it names by state."""
    return [(event.verb, states_of(event)) for event in events(q).answers]


def states_of(event: scripts.EventsEvent) -> dict[str, tuple[int, list[str]]]:
    lines = [line.split(" ") for line in event.jobs.decode().split("\n")]
    return {state: (int(count), ids) for state, count, *ids in lines}


def last(q: QueueState) -> Told:
    return told(q)[-1]


def test_a_queue_that_keeps_none_tells_none_and_has_no_feed(q: QueueState) -> None:
    q.run("a")
    q.ack("a")
    reply = events(q)
    assert (reply.keep_events, reply.gap, reply.more, reply.last) == (0, 0, 0, "")
    assert reply.answers == []
    assert "events" not in q.dump()


def test_each_verb_tells_what_became_of_which_jobs(fed: QueueState) -> None:
    q = fed
    q.enqueue("a", "b", "c")
    q.enqueue("later", delay_ms=HOUR_MS)
    assert q.claimed("t1", limit=3) == ["a", "b", "c"]
    q.ack("a")
    q.fail("b", "c", delay_ms=HOUR_MS)
    q.alter("b", delay_ms=0)
    q.cancel("later")
    q.call(scripts.purge(q.name, [scripts.PurgeItem("later")], limit=1, cursor=""))
    q.configure(paused=1)
    q.configure(paused=0)
    assert told(q) == [
        ("enqueue", {"queued": (3, ["a", "b", "c"])}),
        ("enqueue", {"scheduled": (1, ["later"])}),
        ("claim", {"running": (3, ["a", "b", "c"])}),
        ("ack", {"completed": (1, ["a"])}),
        ("fail", {"retrying": (2, ["b", "c"])}),
        ("alter", {"queued": (1, ["b"])}),
        ("cancel", {"cancelled": (1, ["later"])}),
        ("purge", {"purged": (1, ["later"])}),
        ("configure", {"paused": (0, [])}),
        ("configure", {"resumed": (0, [])}),
    ]


def test_outcomes_of_one_call_are_told_apart_in_one_event(fed: QueueState) -> None:
    q = fed
    q.run("a", "b", "c")
    q.cancel("c")
    assert last(q) == ("cancel", {"asked": (1, ["c"])})
    items = [
        scripts.FailItem("a", "t1", b"E", b"m", b"s", 1, 0),
        scripts.FailItem("b", "t1", b"E", b"m", b"s", 1, 1),
        scripts.FailItem("c", "t1", b"E", b"m", b"s", 1, 0),
    ]
    q.call(scripts.fail(q.name, items))
    expected = {"retrying": (1, ["a"]), "cancelled": (1, ["c"]), "dead": (1, ["b"])}
    assert last(q) == ("fail", expected)


def test_a_claim_tells_what_it_reaped_and_promoted_too(fed: QueueState) -> None:
    q = fed
    q.enqueue("lapsed")
    q.enqueue("buried", max_lost=0)
    q.enqueue("again", base_ms=0)
    assert len(q.claimed("t1")) == 3
    q.enqueue("due", delay_ms=HOUR_MS)
    q.make_due("running", "lapsed", "buried", "again")
    q.make_due("scheduled", "due")
    assert q.claimed("t2", limit=1) == ["due"]
    verb, states = last(q)
    assert (verb, states["running"], states["dead"]) == ("claim", (1, ["due"]), (1, ["buried"]))
    assert (states["retrying"], sorted(states["queued"][1])) == ((1, ["lapsed"]), ["again", "due"])
    assert sorted(states["lost"][1]) == ["again", "buried", "lapsed"]


def test_a_claim_that_takes_nothing_tells_what_it_moved_and_else_nothing(fed: QueueState) -> None:
    q = fed
    q.enqueue("due", delay_ms=HOUR_MS)
    q.configure(paused=1)
    q.make_due("scheduled", "due")
    q.claim("t1")
    assert last(q) == ("claim", {"queued": (1, ["due"])})
    before = told(q)
    q.claim("t2")
    q.configure(paused=0)
    assert len(told(q)) == len(before) + 1


def test_release_promote_reap_replay_and_steps_tell_what_they_moved(fed: QueueState) -> None:
    q = fed
    q.run("a", "b")
    items = [scripts.ReleaseItem("a", "t1", 0), scripts.ReleaseItem("b", "t1", HOUR_MS)]
    q.call(scripts.release(q.name, items))
    assert last(q) == ("release", {"scheduled": (1, ["b"]), "queued": (1, ["a"])})
    q.make_due("scheduled", "b")
    q.promote()
    assert last(q) == ("promote", {"queued": (1, ["b"])})
    q.claim("t2")
    q.fail("a", token="t2", final=1)
    q.make_due("running", "b")
    q.reap()
    assert last(q) == ("reap", {"lost": (1, ["b"]), "retrying": (1, ["b"])})
    q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
    assert last(q) == ("replay", {"queued": (1, ["a"])})
    q.call(q.operate_call("run_now", "retrying", "o1"))
    q.call(scripts.step(q.name, id_="o1", limit=9))
    assert last(q) == ("step", {"queued": (1, ["b"])})
    q.call(q.operate_call("cancel", "queued", "o2", type_="echo"))
    q.call(scripts.step(q.name, id_="o2", limit=9))
    assert sorted(last(q)[1]["cancelled"][1]) == ["a", "b"]
    q.call(q.operate_call("purge", "cancelled", "o3"))
    q.call(scripts.step(q.name, id_="o3", limit=9))
    assert last(q)[1]["purged"][0] == 2
    q.run("c", token="t3")
    q.fail("c", token="t3", final=1)
    q.call(q.operate_call("replay", "dead", "o4"))
    q.call(scripts.step_replay(q.name, id_="o4", limit=9))
    assert last(q) == ("step_replay", {"queued": (1, ["c"])})


def test_what_changes_nothing_is_no_event(fed: QueueState) -> None:
    q = fed
    q.run("a")
    q.cancel("a")
    before = told(q)
    q.enqueue("a")
    q.claim("t1")
    q.cancel("a")
    q.ack("a", token="other")
    q.extend("a")
    q.promote()
    q.reap()
    q.call(scripts.purge(q.name, [scripts.PurgeItem("a")], limit=1, cursor=""))
    q.configure(keep_dead=5)
    assert told(q) == before


def test_ids_end_after_4096_bytes_and_the_count_is_that_of_all(fed: QueueState) -> None:
    ids = [f"{n:03}-{'x' * 96}" for n in range(500)]
    fed.enqueue(*ids)
    ((_, states),) = told(fed)
    count, shown = states["queued"]
    assert (count, shown) == (500, ids[: 4096 // 101])


def test_who_follows_is_told_each_event_once_and_in_order(fed: QueueState) -> None:
    for n in range(5):
        fed.enqueue(f"j{n}")
    seen: list[str] = []
    after, steps = "", 0
    while True:
        reply = events(fed, after, 2)
        seen += [states_of(event)["queued"][1][0] for event in reply.answers]
        assert reply.gap == 0
        steps += 1
        if not reply.more:
            break
        after = reply.answers[-1].id
    assert (seen, steps) == ([f"j{n}" for n in range(5)], 3)
    assert reply.answers[-1].id == reply.last
    assert events(fed, reply.last).answers == []
    assert events(fed, reply.last).gap == 0


def test_the_id_of_an_event_begins_with_its_time(fed: QueueState) -> None:
    before = fed.now_ms()
    fed.enqueue("a")
    (event,) = events(fed).answers
    assert before <= int(event.id.split("-")[0]) <= fed.now_ms()


def test_a_gap_is_told_where_what_came_next_may_have_been_let_go(q: QueueState) -> None:
    q.configure(keep_events=10)
    q.enqueue("first")
    known = events(q).last
    for n in range(250):
        q.enqueue(f"j{n}")
    kept = q.raw.xlen(q.key("events"))
    assert 10 <= kept < 120
    reply = events(q, known)
    assert (reply.gap, len(reply.answers)) == (1, kept)
    # Whoever knows one that is still kept, or one before it that is, misses nothing.
    (oldest, *_) = events(q, "", 1).answers
    assert events(q, oldest.id).gap == 0
    ms, nth = oldest.id.split("-")
    assert events(q, f"{ms}-{int(nth) + 1}").gap == 0


def test_after_an_end_that_is_not_kept_any_more_there_is_a_gap(fed: QueueState) -> None:
    assert events(fed, "5-0").gap == 1
    fed.enqueue("a")
    assert events(fed, f"{fed.now_ms() + HOUR_MS}-0").gap == 1


@pytest.mark.parametrize("after", ["5", "-", "5-", "-5", "a-b", "5-0-0", "(5-0", "9" * 16 + "-0"])
def test_what_is_no_id_of_an_event_is_refused(fed: QueueState, after: str) -> None:
    with pytest.raises(BadArgument, match="after must be an id that events gave"):
        events(fed, after)


def test_a_feed_that_is_switched_off_is_emptied_and_goes_on_when_it_is_on_again(
    fed: QueueState,
) -> None:
    fed.enqueue("a")
    known = events(fed).last
    fed.configure(keep_events=0)
    assert events(fed).answers == []
    fed.enqueue("b")
    fed.configure(keep_events=5)
    fed.enqueue("c")
    reply = events(fed, known)
    assert [states_of(event)["queued"][1] for event in reply.answers] == [["c"]]
    assert reply.gap == 1


def test_a_reply_ends_after_4_mb_and_the_next_goes_on(fed: QueueState) -> None:
    entry: dict[Any, Any] = {"verb": "ack", "jobs": "completed 1 " + "x" * 60_000}
    for _ in range(200):
        fed.raw.xadd(fed.key("events"), entry)
    fed.corrupted = True
    first = events(fed)
    assert (first.more, 60 < len(first.answers) < 150) == (1, True)
    second = events(fed, first.answers[-1].id)
    assert (second.more, len(first.answers) + len(second.answers)) == (0, 200)


def test_a_dropped_queue_has_no_feed_and_no_series(fed: QueueState) -> None:
    fed.run("a")
    fed.ack("a")
    fed.call(scripts.purge(fed.name, [], state="completed", limit=9, cursor=""))
    fed.call(scripts.drop(fed.name))
    assert not {fed.key("events"), fed.key("series"), fed.key("notes")} & fed.keys()
