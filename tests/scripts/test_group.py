"""group: dead jobs, and others, by type and by how they failed."""

from collections.abc import Sequence

import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import GroupGroup


def group(
    q: QueueState, state: str = "dead", scan: int = 1000, cursor: str = ""
) -> scripts.Grouped:
    before = q.dump()
    reply = q.call(scripts.group(q.name, state=state, scan=scan, cursor=cursor))
    assert q.dump() == before
    return reply


def bury(
    q: QueueState, *ids: str, type: str = "echo", error: bytes = b"E", message: bytes = b"no"
) -> None:
    q.run(*ids, token=f"bury-{ids[0]}", type=type)
    q.fail(*ids, token=f"bury-{ids[0]}", error=error, message=message, final=1)


def counts(groups: Sequence[GroupGroup]) -> list[tuple[str, bytes, bytes, int]]:
    return [(one.type, one.error, one.message, one.jobs) for one in groups]


def test_dead_jobs_are_counted_by_type_error_and_message_the_most_first(q: QueueState) -> None:
    bury(q, "a", "b", "c")
    bury(q, "d", type="mail")
    bury(q, "e", "f", error=b"F")
    bury(q, "g", message=b"yes")
    bury(q, "h", "i")
    reply = group(q)
    assert (reply.cursor, reply.scanned, reply.total, reply.others) == ("", 9, 9, 0)
    assert counts(reply.answers) == [
        ("echo", b"E", b"no", 5),
        ("echo", b"F", b"no", 2),
        ("echo", b"E", b"yes", 1),
        ("mail", b"E", b"no", 1),
    ]


def test_a_group_tells_when_its_newest_and_oldest_died_and_names_the_newest(
    q: QueueState,
) -> None:
    bury(q, "a", "b", "c")
    first_ms = q.now_ms() - 5000
    for n, id in enumerate("cab"):  # not in the order in which they are kept
        words = q.read("outcomes")[id].split(b" ")
        words[1] = b"%d" % (first_ms + n)
        q.raw.hset(q.key("outcomes"), id, b" ".join(words))
    (one,) = group(q).answers
    assert (one.newest_ms, one.oldest_ms, one.id) == (first_ms + 2, first_ms, "b")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"first\nsecond", b"first"),
        (b"first\r\nsecond", b"first"),
        (b"", b""),
        (b"\nsecond", b""),
        (b"x" * 101, b"x" * 100),
        (b"x" * 99 + "\u00e9".encode(), b"x" * 99),
        (b'"quoted\\" ,"stack":"no"', b'"quoted\\" ,"stack":"no"'),
        (b"a\0b", b"a\0b"),
        ("\u20ac 5".encode(), "\u20ac 5".encode()),
        (b"\xff", b"\xff"),
    ],
)
def test_a_message_counts_by_its_first_line_100_bytes_of_it_at_most(
    q: QueueState, message: bytes, told: bytes
) -> None:
    bury(q, "a", message=message)
    bury(q, "b", message=message + (b"y" if len(message) > 100 else b"\nmore" if message else b""))
    (one, *more) = group(q).answers
    assert (one.message, one.error) == (told, b"E")
    assert not more


def test_the_last_error_counts_and_jobs_without_one_are_a_group_too(q: QueueState) -> None:
    q.run("a", "b")
    q.fail("a", error=b"First", delay_ms=0)
    q.ack("b")
    q.promote()
    q.claim("t2")
    q.ack("a", token="t2")
    assert sorted(counts(group(q, "completed").answers)) == [
        ("echo", b"", b"", 1),
        ("echo", b"First", b"no", 1),
    ]
    q.enqueue("c", "d", delay_ms=HOUR_MS)
    (one,) = group(q, "scheduled").answers
    due = [q.read("scheduled")[id] // 512 + 1_735_689_600_000 for id in "cd"]
    assert (one.jobs, one.newest_ms, one.oldest_ms) == (2, max(due), min(due))


def test_names_that_run_together_are_different_groups(q: QueueState) -> None:
    bury(q, "a", type="ab", error=b"c", message=b"d")
    bury(q, "b", type="a", error=b"bc", message=b"d")
    bury(q, "c", type="ab", error=b"", message=b"cd")
    assert len(group(q).answers) == 3


def test_pages_come_from_the_newest_on_and_see_each_job_once(q: QueueState) -> None:
    for n in range(5):
        bury(q, f"j{n}", message=b"%d" % n)
    cursor, seen = "", []
    while True:
        reply = group(q, scan=2, cursor=cursor)
        seen.append([one.id for one in reply.answers])
        assert (reply.scanned, reply.total) == (len(seen[-1]), 5)
        cursor = reply.cursor
        if not cursor:
            break
    assert seen == [["j4", "j3"], ["j2", "j1"], ["j0"]]


def test_beyond_200_groups_the_smallest_are_summed(q: QueueState) -> None:
    ids = [f"j{n:03}" for n in range(421)]
    q.run(*ids)
    items = [
        scripts.FailItem(id, "t1", b"E", b"%d" % (n // 2), b"", "", 1) for n, id in enumerate(ids)
    ]
    q.call(scripts.fail(q.name, items))
    reply = group(q)
    assert (len(reply.answers), reply.others) == (200, 21)
    assert [one.jobs for one in reply.answers] == [2] * 200


def test_no_jobs_are_no_groups(q: QueueState) -> None:
    assert group(q)[1:] == ("", 0, 0, 0, [])


def test_a_look_at_many_long_errors_ends_early_and_says_so(q: QueueState) -> None:
    ids = [f"j{n:03}" for n in range(60)]
    q.enqueue(*ids, max_attempts=11)
    for n in range(10):
        q.claim(f"t{n}", limit=100)
        q.fail(*ids, token=f"t{n}", stack=b"x" * 2800, message=b"m" * 1000, delay_ms=0)
        q.promote()
    reply = group(q, "queued")
    assert 40 < reply.scanned < 60
    assert reply.cursor
    assert reply.scanned + group(q, "queued", cursor=reply.cursor).scanned == 60


def test_an_error_that_cannot_be_read_is_no_error(q: QueueState) -> None:
    q.corrupted = True
    bury(q, "a")
    q.raw.hset(q.key("tries"), "a", b'1 0 1 0 t1 fail\n{"attempt":1,"type":"E,"stack":""}\n')
    assert counts(group(q).answers) == [("echo", b"", b"", 1)]
