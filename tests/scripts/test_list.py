"""list: the jobs of one state, page by page, from either end."""

import json
import time

import pytest
from queue_keys import HOUR_MS, STATES
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import ListJob

ORDERS = ("oldest", "newest")
NO_CURSORS = {
    "a word": b"x",
    "an id": b"20250101000000-abc",
    "three parts": b"1 1 1",
    "five parts": b"1 1 1 a b",
    "no number": b"1 - - a",
    "a dot": b"1 1 . a",
    "an exponent alone": b"1 1 e a",
    "infinity": b"1 1 -inf a",
    "an open bound": b"1 (1 1 a",
    "hexadecimal": b"1 0x1 1 a",
    "a blank before": b" 1 1 1 a",
    "a bad id": b"1 1 1 a{b",
    "no UTF-8": b"1 1 1 \xff",
}


def page(
    q: QueueState, state: str, order: str = "oldest", limit: int = 100, cursor: str = ""
) -> scripts.Listed:
    call = q.list_call(state, order, limit, cursor)
    before = q.dump()
    reply = q.call(call)
    assert q.dump() == before
    return reply


def pages(q: QueueState, state: str, order: str, limit: int) -> list[list[str]]:
    """Name the jobs of each page until the cursor is empty."""
    cursor, found = "", []
    while True:
        reply = page(q, state, order, limit, cursor)
        found.append([job.id for job in reply.answers])
        cursor = reply.cursor
        if not cursor:
            return found


def fill(q: QueueState, state: str, count: int = 5) -> list[str]:
    """Put jobs into a set; returns them from the lowest score."""
    ids = [f"j{n:03}" for n in range(count)]
    if state == "scheduled":
        q.enqueue(*ids, delay_ms=HOUR_MS)
    elif state == "queued":
        q.enqueue(*ids)
    else:
        q.run(*ids, payload=b"x" * 5000, headers=b"{}")
    if state == "retrying":
        q.fail(*ids, delay_ms=HOUR_MS)
    elif state == "completed":
        q.ack(*ids, result=b"result")
    elif state == "dead":
        q.fail(*ids, final=1)
    elif state == "cancelled":
        q.cancel(*ids)
        q.release(*ids)
    assert q.order(state) == ids
    return ids


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_listed_from_either_end_in_pages(q: QueueState, state: str) -> None:
    a, b, c, d, e = fill(q, state)
    assert pages(q, state, "oldest", 2) == [[a, b], [c, d], [e]]
    assert pages(q, state, "newest", 2) == [[e, d], [c, b], [a]]
    assert pages(q, state, "newest", 200) == [[e, d, c, b, a]]
    assert [job.state for job in page(q, state).answers] == [state] * 5


@pytest.mark.parametrize("state", STATES)
def test_a_listed_job_is_the_inspected_one_without_payload_and_result(
    q: QueueState, state: str
) -> None:
    fill(q, state, 1)
    (listed,) = page(q, state).answers
    items = [scripts.InspectItem("j000")]
    (shown,) = q.call(scripts.inspect(q.name, items, with_payload=0)).answers
    assert isinstance(shown, scripts.InspectJob)
    assert listed == ListJob(*shown._replace(result=b"")[: len(ListJob._fields)])
    assert (listed.has_payload, listed.payload) == (0, b"")


def test_of_several_errors_the_last_comes_with_a_listed_job(q: QueueState) -> None:
    q.enqueue("a", max_attempts=3)
    for n in (1, 2):
        q.claim(f"t{n}")
        q.fail("a", token=f"t{n}", message=b"try %d" % n, delay_ms=1)
        q.make_due("retrying", "a")
    (job,) = page(q, "retrying").answers
    assert [json.loads(line)["message"] for line in job.errors.splitlines()] == ["try 2"]

    assert job.failures == 2


@pytest.mark.timeout(30)
def test_a_page_of_jobs_with_long_histories_of_errors_comes_at_once(q: QueueState) -> None:
    ids = [f"a{n}" for n in range(20)]
    q.enqueue(*ids, max_attempts=10)
    for attempt in range(10):
        token = f"t{attempt}"
        assert len(q.claimed(token, limit=20)) == 20
        q.fail(*ids, token=token, message=b"m" * 1000, stack=b"s" * 2800, delay_ms=0)
    began = time.monotonic()
    jobs = q.call(scripts.list_(q.name, state="dead", order="newest", limit=20, cursor="")).answers
    assert time.monotonic() - began < 2.0
    assert {len(job.errors.splitlines()) for job in jobs} == {1}
    assert all(json.loads(job.errors)["attempt"] == 10 for job in jobs)


@pytest.mark.parametrize("order", ORDERS)
def test_an_empty_state_is_one_empty_page(q: QueueState, order: str) -> None:
    assert page(q, "dead", order)[1:] == ("", 0, 0, [])


@pytest.mark.parametrize("order", ORDERS)
def test_jobs_that_come_and_go_while_one_pages_hide_no_other(q: QueueState, order: str) -> None:
    ids = fill(q, "queued", 6)
    if order == "newest":
        ids.reverse()
    first = page(q, "queued", order, 2)
    q.enqueue("more")
    q.enqueue("urgent", priority=9)
    # The last one shown, to which the cursor points, and one not yet shown.
    q.cancel(ids[1], ids[2])
    second = page(q, "queued", order, 2, first.cursor)
    third = page(q, "queued", order, 2, second.cursor)
    seen = [job.id for reply in (first, second, third) for job in reply.answers]
    assert seen == [*ids[:2], *ids[3:]]


def test_a_sweep_ends_though_jobs_come_faster_than_it_goes(q: QueueState) -> None:
    fill(q, "queued", 3)
    cursor, steps = "", 0
    while True:
        reply = page(q, "queued", "oldest", 1, cursor)
        cursor, steps = reply.cursor, steps + 1
        q.enqueue(f"more-{steps}-a", f"more-{steps}-b")
        if not cursor:
            break
    assert steps == 4


@pytest.mark.parametrize("order", ORDERS)
def test_the_jobs_of_one_heartbeat_are_all_listed(q: QueueState, order: str) -> None:
    ids = [f"j{n:03}" for n in range(450)]
    q.run(*ids)
    ends = {answer.lease_end_ms for answer in q.extend(*ids, lease_ms=60_000)}
    assert len(ends) == 1
    found = [id for part in pages(q, "running", order, 50) for id in part]
    assert sorted(found) == ids


@pytest.mark.parametrize("order", ORDERS)
def test_jobs_of_one_score_are_listed_once_each(q: QueueState, order: str) -> None:
    ids = ["B", "a", "a-", "a.b", "a0", "aa", "b", "z" * 128]
    q.enqueue(*ids, delay_ms=HOUR_MS)
    q.make_due("scheduled", *ids)
    expected = sorted(ids, reverse=order == "newest")
    assert [id for part in pages(q, "scheduled", order, 3) for id in part] == expected
    assert pages(q, "scheduled", order, 1)[:-1] == [[id] for id in expected]


def test_an_entry_whose_job_is_missing_is_passed_over(q: QueueState) -> None:
    q.corrupted = True
    fill(q, "queued", 3)
    q.raw.hdel(q.key("jobs"), "j001")
    assert pages(q, "queued", "oldest", 1) == [["j000"], [], ["j002"], []]


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("list", ["dead", "oldest", "1"], ["", "", "", "", "", "1"]),
        ("group", ["dead", "1"], []),
        ("purge", ["dead", "1"], []),
        ("replay", ["1"], []),
    ],
)
@pytest.mark.parametrize("case", NO_CURSORS)
def test_what_is_no_cursor_is_refused_by_every_sweep(
    q: QueueState, verb: str, before: list[str], after: list[str], case: str
) -> None:
    fill(q, "dead")
    held = q.dump()
    word, sentence = q.send(verb, *before, NO_CURSORS[case], *after)
    assert word == b"BAD_ARGUMENT"
    assert sentence.startswith(f"cursor must be one that {verb} gave, or empty, not '".encode())
    assert sentence.isascii()
    assert q.dump() == held


def test_200_jobs_with_large_headers_fit_into_one_page(q: QueueState) -> None:
    ids = [f"j{n:03}" for n in range(200)]
    q.enqueue(*ids, headers=b"h" * 4096, payload=b"p" * 4096)
    reply = page(q, "queued", "oldest", 200)
    assert [job.id for job in reply.answers] == ids
    assert {job.headers for job in reply.answers} == {b"h" * 4096}
