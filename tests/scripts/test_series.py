"""series: what happened by the minute, as differences of totals that its first call wrote down."""

import pytest
from every_verb import begin_a_minute
from queue_keys import EPOCH_MS, HOUR_MS, MINUTE_MS, stamp_of
from queue_state import QueueState
from servers import until

from boltq import scripts
from boltq.errors import Corrupt

NOTHING = (0,) * 8


@pytest.fixture(autouse=True)
def within_a_minute(q: QueueState) -> None:
    """Begin no test that the end of a minute would interrupt."""
    until(lambda: q.now_ms() % MINUTE_MS < 57_000)


def minutes(q: QueueState, count: int = 60) -> list[scripts.SeriesMinute]:
    return q.call(scripts.series(q.name, minutes=count)).answers


def counts(q: QueueState) -> list[tuple[int, ...]]:
    """What each minute counts, in the order of the totals."""
    return [tuple(minute[3:]) for minute in minutes(q)]


def lines(q: QueueState) -> dict[int, list[int]]:
    held = q.read("series") or {}
    return {int(slot): [int(word) for word in line.split()] for slot, line in held.items()}


def pass_minutes(q: QueueState, count: int) -> None:
    """Let time pass for what is told of minutes: the lines move back, and so does the stamp."""
    q.corrupted = True
    moved = {
        (line[0] - count) % 1440: " ".join(map(str, [line[0] - count, *line[1:]]))
        for line in lines(q).values()
    }
    q.raw.delete(q.key("series"))
    q.raw.hset(q.key("series"), mapping=moved)
    stamp = int(q.read("stats")["stamp"])
    q.raw.hset(q.key("stats"), "stamp", stamp - count * MINUTE_MS * 512)


def test_a_queue_that_nobody_has_used_has_no_minutes(q: QueueState) -> None:
    assert minutes(q, 1440) == []
    assert q.keys() == set()


def test_what_happened_is_counted_in_the_minute_in_which_it_did(q: QueueState) -> None:
    q.run("a", "b", "c")
    q.ack("a")
    pass_minutes(q, 2)
    q.fail("b", final=1)
    q.enqueue("d", "e")
    q.cancel("d")
    pass_minutes(q, 5)
    q.call(scripts.replay(q.name, [scripts.ReplayItem("b")], limit=1, cursor=""))
    q.make_due("running", "c")
    q.reap()
    gone = [scripts.PurgeItem("a"), scripts.PurgeItem("e")]
    q.call(scripts.purge(q.name, gone, limit=1, cursor=""))
    pass_minutes(q, 1)
    q.enqueue("f")
    told = minutes(q)
    ago = [(told[-1].at_ms - minute.at_ms) // MINUTE_MS for minute in told]
    assert ago == [8, 6, 1, 0]
    #                      enqueued completed failed lost died cancelled replayed purged
    assert counts(q) == [
        (3, 1, 0, 0, 0, 0, 0, 0),
        (2, 0, 1, 0, 1, 1, 0, 0),
        (0, 0, 0, 1, 0, 0, 1, 2),
        (1, 0, 0, 0, 0, 0, 0, 0),
    ]


def test_a_minute_begins_at_a_full_one_and_tells_the_queue_as_it_was_then(q: QueueState) -> None:
    q.enqueue("a", "b", "c")
    q.enqueue("later", delay_ms=HOUR_MS)
    pass_minutes(q, 1)
    for id in ("a", "b", "c"):
        q.raw.zincrby(q.key("queued"), -30_000 * 512, id)
    q.claimed(limit=2)
    (_, minute) = minutes(q)
    assert minute.at_ms % MINUTE_MS == 0
    assert minute.at_ms <= q.now_ms() < minute.at_ms + 2 * MINUTE_MS
    assert minute.queued == 3
    assert 30_000 <= minute.oldest_queued_ms < 40_000


@pytest.mark.parametrize("verb", ["enqueue", "claim", "ack", "fail", "release", "cancel", "reap"])
def test_the_first_call_of_a_minute_writes_its_line_and_the_next_do_not(
    q: QueueState, verb: str
) -> None:
    q.run("a", "b")
    q.enqueue("c", "d")
    before = lines(q)
    begin_a_minute(q)
    q.raw.delete(q.key("series"))

    def call(id: str, token: str) -> object:
        return {
            "enqueue": lambda: q.enqueue(f"new-{id}"),
            "claim": lambda: q.claim(token, limit=1),
            "ack": lambda: q.ack(id),
            "fail": lambda: q.fail(id),
            "release": lambda: q.release(id),
            "cancel": lambda: q.cancel({"a": "c", "b": "d"}[id]),
            "reap": lambda: (q.make_due("running", id), q.reap()),
        }[verb]()

    call("a", "t2")
    (line,) = lines(q).values()
    assert line[3] == 4
    call("b", "t3")
    assert list(lines(q).values()) == [line]
    assert len(before) == 1


def test_a_line_is_written_before_what_the_call_does_is_counted(q: QueueState) -> None:
    q.enqueue("a")
    (line,) = lines(q).values()
    assert line[1:] == [0, 0, *NOTHING]
    assert counts(q) == [(1, *NOTHING[1:])]


def test_calls_that_change_nothing_begin_no_minute(q: QueueState) -> None:
    q.enqueue("a")
    q.claimed()
    begin_a_minute(q)
    before = lines(q)
    q.claim("t2")
    q.enqueue("a")
    q.ack("unknown")
    q.reap()
    q.extend("a")
    assert lines(q) == before


def test_the_same_minute_of_the_day_before_gives_way(q: QueueState) -> None:
    q.enqueue("a")
    (slot,) = lines(q)
    pass_minutes(q, 1440)
    assert slot in lines(q)
    assert minutes(q, 1440) == []
    q.enqueue("b")
    kept = lines(q)
    assert len(kept) <= 2  # the second where the minute turned meanwhile
    assert [minute[3] for minute in minutes(q, 1440)] == [1]


def test_a_day_of_minutes_is_told_whole_and_no_more_than_was_asked_for(q: QueueState) -> None:
    q.enqueue("a")
    (line,) = lines(q).values()
    present = line[0]
    for back in range(1440):
        then = [present - back, 7, 0, 2000 - back, *NOTHING[1:]]
        q.raw.hset(q.key("series"), str(then[0] % 1440), " ".join(map(str, then)))
    q.raw.hset(q.key("stats"), "enqueued", 2001)
    q.corrupted = True
    for asked in (1, 2, 479, 480, 481, 1440):
        told = minutes(q, asked)
        assert asked - 1 <= len(told) <= asked
        assert all(minute.enqueued == 1 for minute in told)
    oldest = minutes(q, 1440)[0]
    assert oldest.at_ms >= EPOCH_MS + (present - 1439) * MINUTE_MS


def test_a_line_that_cannot_be_read_is_left_out(q: QueueState) -> None:
    q.enqueue("a")
    pass_minutes(q, 1)
    (slot,) = lines(q)
    q.enqueue("b")
    minute = lines(q)[slot][0]
    for more in ("", " x", " 0" * 9, " 0" * 11, " 0" * 9 + " -1"):
        wrong = f"{minute}{more}"
        q.raw.hset(q.key("series"), str(slot), wrong)
        assert [minute.enqueued for minute in minutes(q)] == [1]


def test_a_purge_alone_begins_a_minute(q: QueueState) -> None:
    q.enqueue("a")
    pass_minutes(q, 3)
    q.call(scripts.purge(q.name, [scripts.PurgeItem("a")], limit=1, cursor=""))
    assert counts(q) == [(1, *NOTHING[1:]), (*NOTHING[1:], 1)]


def test_totals_that_went_back_count_as_nothing(q: QueueState) -> None:
    q.enqueue("a", "b")
    pass_minutes(q, 1)
    q.enqueue("c")
    q.raw.hset(q.key("stats"), "enqueued", 0)
    assert [minute.enqueued for minute in minutes(q)] == [2, 0]


def test_a_minute_of_many_stamps_has_that_of_the_first(q: QueueState) -> None:
    q.enqueue("a")
    (slot,) = lines(q)
    minute = (int(q.read("stats")["stamp"]) // 512 + EPOCH_MS) // MINUTE_MS
    assert slot == (minute * MINUTE_MS - EPOCH_MS) // MINUTE_MS % 1440
    # A batch that reaches beyond its minute: the line is of where it began.
    edge = stamp_of((q.now_ms() // MINUTE_MS + 2) * MINUTE_MS)
    q.raw.delete(q.key("series"))
    q.raw.hset(q.key("stats"), "stamp", edge - 4)
    q.enqueue("b", "c", "d", "e", "f", "g")
    assert lines(q) == {}  # nobody's first
    q.raw.hset(q.key("stats"), "stamp", edge - 1)
    q.enqueue("h", "i")
    ((slot, line),) = lines(q).items()
    assert (line[0], slot) == (edge // 512 // MINUTE_MS, line[0] % 1440)
    q.corrupted = True


@pytest.mark.parametrize("verb", ["ack", "claim", "enqueue"])
def test_a_series_of_the_wrong_type_stops_the_first_call_of_a_minute_before_it_writes(
    q: QueueState, verb: str
) -> None:
    q.run("a")
    q.enqueue("b")
    begin_a_minute(q)
    q.raw.delete(q.key("series"))
    q.raw.set(q.key("series"), "wrong")
    before = q.dump()
    with pytest.raises(Corrupt, match="WRONGTYPE"):
        {
            "ack": lambda: q.ack("a"),
            "claim": lambda: q.claim("t2"),
            "enqueue": lambda: q.enqueue("c"),
        }[verb]()
    assert q.dump() == before
