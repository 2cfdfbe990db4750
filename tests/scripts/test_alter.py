"""alter: a job that rests gets another priority or due time, and nothing else of it changes."""

import json

import pytest
from every_verb import fill
from queue_keys import EPOCH_MS, HOUR_MS, PRIORITY_STEP, stamp_of
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import AlterItem

LARGE = b"x" * 5000
RESTING = ("scheduled", "queued", "retrying")
PAYLOAD = b'\n"priority":9 "created_ms":1 \xff\0'


def put(q: QueueState, state: str, *ids: str, priority: int | None = 6) -> None:
    """Put jobs into one of the states in which they rest, each with headers and a hard payload."""
    delay_ms = HOUR_MS if state == "scheduled" else 0
    q.enqueue(*ids, payload=PAYLOAD, headers=b"{}", priority=priority, delay_ms=delay_ms)
    if state == "retrying":
        q.claim(limit=len(ids))
        q.fail(*ids, delay_ms=HOUR_MS)
    q.silence()


def words(reply: scripts.Altered) -> list[tuple[str, str]]:
    """The word and the place of each answer: as tuples, answers of other words would be equal."""
    return [
        (type(one).__name__.removeprefix("Alter").upper(), *(one if isinstance(one, tuple) else ()))
        for one in reply.answers
    ]


def base(priority: int) -> int:
    return (9 - priority) * PRIORITY_STEP


@pytest.mark.parametrize(("old", "new"), [(6, 2), (6, 4), (None, 0), (None, 9), (0, 9)])
@pytest.mark.parametrize("state", RESTING)
def test_a_new_priority_stands_in_the_header_and_all_else_of_the_record_stays(
    q: QueueState, state: str, old: int | None, new: int
) -> None:
    put(q, state, "a", priority=old)
    before = q.dump()
    header = json.loads(before["jobs"]["a"].split(b"\n")[0])
    assert q.alter("a", priority=new) == [("CHANGED", q.place("a"))]
    after = q.dump()
    line, rest = after["jobs"]["a"].split(b"\n", 1)
    assert rest == b"{}" + PAYLOAD
    wanted = {**header, "priority": new}
    if new == 4:
        del wanted["priority"]
    assert json.loads(line) == wanted
    # As enqueue would have written it, to the byte.
    q.enqueue("b", payload=PAYLOAD, headers=b"{}", priority=new)
    twin = q.read("jobs")["b"].replace(b"%d" % q.header("b")["created_ms"], b"TIME")
    assert after["jobs"]["a"].replace(b"%d" % header["created_ms"], b"TIME") == twin
    scores = before.pop(state), after.pop(state)
    if state == "queued":
        turn = scores[0]["a"] % PRIORITY_STEP
        assert scores[1] == {"a": base(new) + turn}
    else:
        assert scores[0] == scores[1]
    del before["jobs"], after["jobs"]
    assert before == after  # nor did the bell ring, nor the stamp move


def test_a_queued_job_goes_before_those_of_less_priority_and_behind_those_that_came_before_it(
    q: QueueState,
) -> None:
    q.enqueue("a", "b", "c", "d")
    q.enqueue("urgent", priority=7)
    q.enqueue("late", priority=7)
    q.alter("c", priority=7)
    assert q.order("queued") == ["c", "urgent", "late", "a", "b", "d"]
    q.alter("a", priority=0)
    q.alter("urgent", priority=4)
    assert q.claimed(limit=10) == ["c", "late", "b", "d", "urgent", "a"]


@pytest.mark.parametrize("way", ["promote", "claim", "release", "replay", "reap"])
def test_whatever_queues_the_job_later_goes_by_its_new_priority(q: QueueState, way: str) -> None:
    if way in ("promote", "claim"):
        put(q, "scheduled", "a")
        q.alter("a", priority=8)
        q.make_due("scheduled", "a")
        if way == "claim":
            q.enqueue("b", priority=7)
            assert q.claimed(limit=1) == ["a"]
            return
        q.promote()
        assert q.read("queued") == {"a": base(8)}
        return
    q.enqueue("a", base_ms=0)
    q.alter("a", priority=8)
    q.claim()
    match way:
        case "release":
            q.release("a")
        case "replay":
            q.fail("a", final=1)
            q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
        case "reap":
            q.make_due("running", "a")
            q.reap()
    assert q.read("queued")["a"] // PRIORITY_STEP == 9 - 8


@pytest.mark.parametrize("state", ["scheduled", "retrying"])
def test_a_delayed_job_runs_now_with_the_turn_of_now(q: QueueState, state: str) -> None:
    put(q, state, "a", "b")
    before = q.dump()
    reply = q.call(scripts.alter(q.name, [AlterItem("a", "", 0, "")]))
    after = q.dump()
    stamp = int(after["stats"].pop("stamp"))
    assert stamp >= max(stamp_of(reply.now_ms), int(before["stats"].pop("stamp")) + 1)
    assert after.pop("queued") == {"a": base(6) + stamp}
    assert after.pop("bell") == [b"1"]
    assert before.pop(state).keys() - after.pop(state).keys() == {"a"}
    assert after == before
    assert q.states("a") == ["queued"]


@pytest.mark.parametrize("state", ["scheduled", "retrying"])
def test_one_that_was_due_already_keeps_its_turn(q: QueueState, state: str) -> None:
    put(q, state, "a")
    q.make_due(state, "a")
    q.alter("a", delay_ms=0, priority=1)
    assert q.read("queued") == {"a": base(1)}


def test_a_queued_job_that_is_to_run_now_stays_where_it_is(q: QueueState) -> None:
    put(q, "queued", "a")
    before = q.dump()
    assert q.alter("a", delay_ms=0) == [("CHANGED", q.place("a"))]
    assert q.dump() == before


@pytest.mark.parametrize("state", RESTING)
def test_a_delay_counts_from_now_and_a_queued_job_is_scheduled(q: QueueState, state: str) -> None:
    put(q, state, "a", "b")
    after_it = "retrying" if state == "retrying" else "scheduled"
    before = q.dump()
    reply = q.call(scripts.alter(q.name, [AlterItem("a", "", 5000, "")]))
    after = q.dump()
    stamp = int(after["stats"].pop("stamp"))
    assert stamp >= max(stamp_of(reply.now_ms), int(before["stats"].pop("stamp")) + 1)
    assert after[after_it]["a"] == stamp + 5000 * 512
    assert q.states("a") == [after_it]
    assert after["jobs"] == before["jobs"]
    assert words(reply) == [("CHANGED", f"{after_it}:{stamp + 5000 * 512}:6")]


@pytest.mark.parametrize(
    ("delay_ms", "rings"), [(HOUR_MS // 2, 1), (HOUR_MS * 2, 0), (0, 1), (HOUR_MS - 60_000, 1)]
)
@pytest.mark.parametrize("state", ["scheduled", "retrying"])
def test_the_bell_rings_for_a_new_queued_job_and_for_an_earlier_due_time(
    q: QueueState, state: str, delay_ms: int, rings: int
) -> None:
    put(q, state, "a", "b")
    q.alter("b", delay_ms=delay_ms)
    assert q.bell() == rings


def test_the_bell_is_silent_where_a_queued_job_leaves_or_changes_its_turn(q: QueueState) -> None:
    put(q, "scheduled", "first")
    put(q, "queued", "a", "b")
    q.alter("a", priority=9)
    q.alter("b", delay_ms=2 * HOUR_MS)
    assert q.bell() == 0
    q.alter("a", delay_ms=1000)
    assert q.bell() == 1


def test_jobs_of_one_batch_keep_their_order(q: QueueState) -> None:
    put(q, "scheduled", "a", "b", "c")
    q.alter("c", "a", "b", delay_ms=0)
    q.alter("b", "c", delay_ms=1000)
    assert q.order("queued") == ["a"]
    assert q.order("scheduled") == ["b", "c"]


def test_a_batch_takes_as_many_stamps_as_it_has_items_each_its_own(q: QueueState) -> None:
    put(q, "scheduled", "a", "b", "c")
    put(q, "queued", "kept")
    turn = q.read("queued")["kept"] % PRIORITY_STEP
    items = [AlterItem(id, "", 0, "") for id in "cab"] + [AlterItem("kept", 9, "", "")]
    before = int(q.read("stats")["stamp"])
    q.call(scripts.alter(q.name, items))
    last = int(q.read("stats")["stamp"])
    assert last - 3 > before
    scores = q.read("queued")
    assert [scores[id] - base(6) for id in "cab"] == [last - 3, last - 2, last - 1]
    assert scores["kept"] == base(9) + turn


@pytest.mark.parametrize("state", RESTING)
def test_a_job_is_changed_where_it_was_seen(q: QueueState, state: str) -> None:
    put(q, state, "a")
    place = q.place("a")
    (answer,) = q.alter("a", priority=9, place=place)
    assert answer == ("CHANGED", q.place("a"))
    assert q.header("a")["priority"] == 9
    assert q.place("a") != place


def test_a_job_that_has_left_its_place_stays_as_it_is_and_its_place_is_told(q: QueueState) -> None:
    put(q, "queued", "a", "b", "c", "d")
    places = {id: q.place(id) for id in "abcd"}
    q.claim("t2", limit=2)
    q.ack("b", token="t2")
    q.alter("c", delay_ms=HOUR_MS)
    q.alter("d", priority=3)
    before = q.dump()
    for id, place in places.items():
        (answer,) = q.alter(id, priority=9, place=place)
        assert answer == ("MOVED", q.place(id))
    for id in "ab":  # as they would be asked to be, if they rested
        assert q.alter(id, priority=6, place=places[id]) == [("MOVED", q.place(id))]
    assert q.alter("a", priority=9, place="no place") == [("MOVED", q.place("a"))]
    assert q.dump() == before


def test_a_running_job_that_was_asked_to_stop_tells_so_in_its_place(q: QueueState) -> None:
    q.run("a")
    place = q.place("a")
    q.cancel("a")
    assert q.alter("a", priority=1, place=place) == [("MOVED", f"{place}:asked")]
    assert q.alter("a", priority=1, place=q.place("a")) == [("RUNNING", f"{place}:asked")]


@pytest.mark.parametrize("state", RESTING)
@pytest.mark.parametrize("change", [{"priority": 6}, {"priority": 1}, {"priority": 9}])
def test_a_repeat_with_the_same_place_answers_that_all_is_as_asked(
    q: QueueState, state: str, change: dict[str, int]
) -> None:
    put(q, state, "a")
    item = AlterItem("a", change["priority"], "", q.place("a"))
    first, second = q.twice(scripts.alter(q.name, [item]))
    assert words(first) == [("CHANGED", q.place("a"))]
    same = change["priority"] == 6
    assert words(second) == [("CHANGED" if same else "ALREADY", q.place("a"))]


@pytest.mark.parametrize("delay_ms", [0, 1000, HOUR_MS])
@pytest.mark.parametrize("state", RESTING)
def test_a_delay_sent_again_with_the_same_place_does_not_count_anew(
    q: QueueState, state: str, delay_ms: int
) -> None:
    put(q, state, "a", priority=3)
    item = AlterItem("a", 5, delay_ms, q.place("a"))
    first, second = q.twice(scripts.alter(q.name, [item]))
    assert words(first) == [("CHANGED", q.place("a"))]
    assert words(second) == [("ALREADY", q.place("a"))]


def test_what_somebody_else_has_changed_otherwise_is_not_taken_for_a_repeat(
    q: QueueState,
) -> None:
    put(q, "scheduled", "a")
    place = q.place("a")
    q.alter("a", delay_ms=10_000_000)
    now = q.place("a")
    for delay_ms in (0, 9_000_000, 11_000_000):
        assert q.alter("a", delay_ms=delay_ms, place=place) == [("MOVED", now)]
    assert q.alter("a", delay_ms=10_000_000, priority=1, place=place) == [("MOVED", now)]
    assert q.alter("a", delay_ms=10_030_000, place=place) == [("ALREADY", now)]
    q.alter("a", delay_ms=0, priority=9)  # so that its turn could be a time
    assert q.alter("a", delay_ms=1, place=place) == [("MOVED", q.place("a"))]


def test_without_a_place_a_delay_counts_anew_and_all_else_is_as_once(q: QueueState) -> None:
    put(q, "queued", "a", "b")
    q.twice(scripts.alter(q.name, [AlterItem("a", 2, 0, "")]))
    (first,) = q.alter("b", delay_ms=HOUR_MS)
    (second,) = q.alter("b", delay_ms=HOUR_MS)
    assert (first[0], second[0]) == ("CHANGED", "CHANGED")
    assert first[1] < second[1]


def test_what_runs_or_has_ended_or_is_not_kept_is_left_alone(q: QueueState) -> None:
    fill(q)
    before = q.dump()
    found = q.alter("held", "dead", "completed", "cancelled", "none", priority=9, delay_ms=0)
    assert found == [
        ("RUNNING", q.place("held")),
        *(("FINISHED", q.place(id)) for id in ("dead", "completed", "cancelled")),
        ("UNKNOWN", ""),
    ]
    assert q.dump() == before


def test_an_item_that_repeats_one_of_its_batch_is_answered_as_if_sent_after_it(
    q: QueueState,
) -> None:
    put(q, "scheduled", "a")
    place = q.place("a")
    items = [
        AlterItem("a", 8, 0, place),
        AlterItem("a", 8, 0, place),
        AlterItem("a", 2, "", place),
        AlterItem("a", 1, "", ""),
        AlterItem("a", "", HOUR_MS, ""),
    ]
    told = words(q.call(scripts.alter(q.name, items)))
    assert [word for word, _ in told] == ["CHANGED", "ALREADY", "MOVED", "CHANGED", "CHANGED"]
    assert told[-1][1] == q.place("a")
    assert q.header("a")["priority"] == 1
    assert q.states("a") == ["scheduled"]


def test_an_item_that_asks_for_nothing_refuses_the_whole_batch(q: QueueState) -> None:
    put(q, "queued", "a", "b")
    before = q.dump()
    word, sentence = q.send("alter", "a", "9", "", "", "b", "", "", "")
    assert (word, sentence) == (b"BAD_ARGUMENT", b"item 2 must be given a priority or a delay_ms")
    assert q.dump() == before


def test_large_payloads_stay_where_they_are_and_are_handed_out_whole(q: QueueState) -> None:
    q.enqueue("a", payload=LARGE)
    q.alter("a", priority=9)
    assert q.read("payloads") == {"a": LARGE}
    (job,) = q.claim().answers
    assert job.payload == LARGE
    assert json.loads(job.header)["priority"] == 9


def test_a_place_told_by_a_list_is_as_good(q: QueueState) -> None:
    put(q, "queued", "a", "b")
    (first, _) = q.call(q.list_call("queued")).answers
    assert q.alter("a", delay_ms=0, place=first.place) == [("CHANGED", first.place)]
    due_ms = (int(q.alter("a", delay_ms=60_000)[0][1].split(":")[1]) >> 9) + EPOCH_MS
    assert due_ms - 60_000 <= q.now_ms()
