"""Jobs with all the errors that are kept, ten of 4 KiB each: many in a call hold no server."""

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import FailItem

LINE = (
    '{"attempt":1,"type":"E","message":"' + "m" * 1000 + '","stack":"' + "s" * 2800 + '",'
    '"worker":"w1","at_ms":1}\n'
)
MOST_BYTES = 4_000_000
"""Of errors that a call reads, and then those of one more job or fifty."""


def with_histories(q: QueueState, count: int, **options: object) -> list[str]:
    """Enqueue jobs, and write down ten errors of each; they failed ten times, and lost no lease."""
    q.corrupted = True
    ids = [f"j{n:03}" for n in range(count)]
    q.enqueue(*ids, max_attempts=1000, max_lost=1000, base_ms=0, **options)
    entry = ("10 0 10 0 - -\n" + 10 * LINE).encode()
    q.raw.hset(q.key("tries"), mapping=dict.fromkeys(ids, entry))
    return ids


def listed(q: QueueState, state: str, order: str = "oldest", cursor: str = "") -> scripts.Listed:
    return q.call(scripts.list_(q.name, state=state, order=order, limit=200, cursor=cursor))


@pytest.mark.timeout(20)
def test_a_list_finds_the_last_error_without_going_through_the_others(q: QueueState) -> None:
    ids = with_histories(q, 60)
    q.claim(limit=1)
    q.call(scripts.fail(q.name, [FailItem(ids[0], "t1", b"Last", b"", b"", "", 1)]))
    (job,) = listed(q, "dead").answers
    assert job.errors.startswith(b'{"attempt":11,"type":"Last"')
    assert job.errors.count(b"\n") == 1
    # Some 10 ms; a pattern for "the last line" took half a second for each job.
    assert [job.errors for job in listed(q, "queued").answers] == [LINE.encode()] * 59


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_list_ends_its_page_where_it_has_read_much_and_the_next_goes_on(
    q: QueueState, order: str
) -> None:
    ids = with_histories(q, 250)
    cursor: str | None = None
    pages: list[list[str]] = []
    while cursor != "":
        reply = listed(q, "queued", order, cursor or "")
        cursor = reply.cursor
        pages.append([job.id for job in reply.answers])
    found = [id for page in pages for id in page]
    assert found == (ids if order == "oldest" else ids[::-1])
    most = MOST_BYTES // (10 * len(LINE)) + 1
    assert [len(page) for page in pages] == [most, most, 250 - 2 * most]


def test_a_claim_takes_no_more_than_it_may_read_of_errors_and_says_so(q: QueueState) -> None:
    ids = with_histories(q, 200)
    reply = q.claim(limit=200)
    # It reads fifty at a time, and gives all that it read.
    assert [job.id for job in reply.answers] == ids[:150]
    assert (reply.more, q.order("queued")) == (1, ids[150:])
    assert {job.failures for job in reply.answers} == {10}
    assert q.claimed("t2", limit=200) == ids[150:]


def test_a_reap_ends_as_many_leases_as_it_may_read_errors_and_says_so(q: QueueState) -> None:
    ids = with_histories(q, 200)
    for token in ("t1", "t2"):
        q.claim(token, limit=200)
    q.make_due("running", *ids)
    most = MOST_BYTES // (10 * len(LINE)) + 1
    reply = q.reap(500)
    assert (reply.reaped, reply.more) == (most, 1)
    assert (len(q.order("running")), len(q.order("queued"))) == (200 - most, most)
    assert (q.reap(500).reaped, q.reap(500).more) == (200 - most, 0)
    assert {len(q.tries(id).errors) for id in ids} == {10}
