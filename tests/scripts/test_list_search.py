"""list with a filter: what is asked for, found entry by entry, and how far a page has seen."""

from collections.abc import Callable
from typing import Any

import pytest
from queue_keys import EPOCH_MS, HOUR_MS, STATES, stamp_of
from queue_state import QueueState

from boltq import scripts


def search(q: QueueState, state: str, **asked: Any) -> scripts.Listed:
    before = q.dump()
    reply = q.call(q.list_call(state, **asked))
    assert q.dump() == before
    return reply


def found(q: QueueState, state: str, **asked: Any) -> list[str]:
    return [job.id for job in search(q, state, **asked).answers]


def fill(q: QueueState, state: str) -> None:
    """Put six jobs into a state: of two types, that failed in two ways, held by two workers."""
    for n, worker in enumerate(("w1", "w2", "w1")):
        pair, token = (f"a{n}", f"b{n}"), f"again-{n}"
        for id in pair:
            q.enqueue(id, type="mail:send" if id[0] == "a" else "mail")
        assert q.claimed(f"t{n}") == list(pair)
        q.fail(*pair, token=f"t{n}", delay_ms=0, error=b"Old")
        q.promote()
        assert q.claimed(token, worker=worker) == list(pair)
        error = b"E" if n else b'Odd"\n'
        if state == "completed":
            q.ack(*pair, token=token, result=b"w1")
        elif state != "running":
            q.cancel(*(pair if state == "cancelled" else ("none",)))
            q.fail(*pair, token=token, error=error, delay_ms=HOUR_MS, final=int(state == "dead"))
        if state == "scheduled":
            q.alter(*pair, delay_ms=0)
            q.alter(*pair, delay_ms=HOUR_MS)
    ids = [f"{letter}{n}" for letter in "ab" for n in range(3)]
    if state == "queued":
        q.alter(*ids, delay_ms=0)
    assert sorted(q.order(state)) == ids


@pytest.mark.parametrize("state", STATES)
def test_jobs_of_a_type_are_found_and_of_no_other_that_begins_alike(
    q: QueueState, state: str
) -> None:
    fill(q, state)
    assert sorted(found(q, state, type_="mail")) == ["b0", "b1", "b2"]
    assert sorted(found(q, state, type_="mail:send")) == ["a0", "a1", "a2"]
    assert found(q, state, type_="mail:") == []


@pytest.mark.parametrize("state", ["dead", "retrying", "scheduled", "queued"])
def test_jobs_are_found_by_the_type_of_their_last_error(q: QueueState, state: str) -> None:
    fill(q, state)
    assert sorted(found(q, state, error=b"E")) == ["a1", "a2", "b1", "b2"]
    assert sorted(found(q, state, error=b'Odd"\n')) == ["a0", "b0"]
    assert found(q, state, error=b"Old") == []
    assert found(q, state, error=b"Odd") == []
    assert found(q, state, error=b"E", type_="mail") in (["b1", "b2"], ["b2", "b1"])
    q.enqueue("fresh", delay_ms=HOUR_MS if state == "scheduled" else 0)
    assert "fresh" not in found(q, state, error=b"E")


@pytest.mark.parametrize("state", ["running", "completed", "cancelled", "dead"])
def test_jobs_are_found_by_who_holds_or_ended_them(q: QueueState, state: str) -> None:
    fill(q, state)
    assert sorted(found(q, state, worker="w2")) == ["a1", "b1"]
    assert sorted(found(q, state, worker="w1", type_="mail")) == ["b0", "b2"]
    assert found(q, state, worker="w") == []


def test_a_job_that_waits_is_nobodys(q: QueueState) -> None:
    fill(q, "retrying")
    assert found(q, "retrying", worker="w1") == []


def test_what_stands_elsewhere_in_an_error_is_not_its_type(q: QueueState) -> None:
    q.run("a", claim={"worker": "E"})
    q.fail("a", error=b"F", message=b"E", stack=b"E", final=1)
    assert (found(q, "dead", error=b"E"), found(q, "dead", error=b"F")) == ([], ["a"])


def _due(q: QueueState, part: str) -> None:
    scores = {"a": stamp_of(EPOCH_MS + 1000), "b": stamp_of(EPOCH_MS + 2000) + 511}
    if part == "queued":
        scores = {id: score + 5 * 2**49 for id, score in scores.items()}
    q.raw.zadd(q.key(part), scores)


def _started(q: QueueState, *_: str) -> None:
    for id, at_ms in (("a", 1000), ("b", 2000)):
        words = q.read("leases")[id].split(b" ")
        words[5] = b"%d" % (EPOCH_MS + at_ms)
        q.raw.hset(q.key("leases"), id, b" ".join(words))


def _ended(q: QueueState, *_: str) -> None:
    for id, at_ms in (("a", 1000), ("b", 2000)):
        words = q.read("outcomes")[id].split(b" ")
        words[1] = b"%d" % (EPOCH_MS + at_ms)
        q.raw.hset(q.key("outcomes"), id, b" ".join(words))


@pytest.mark.parametrize(
    ("state", "arrange"),
    [
        *((state, _due) for state in ("scheduled", "queued", "retrying")),
        ("running", _started),
        *((state, _ended) for state in ("completed", "cancelled", "dead")),
    ],
)
def test_jobs_are_found_from_a_time_on_and_before_another(
    q: QueueState, state: str, arrange: Callable[..., None]
) -> None:
    if state in ("scheduled", "queued"):
        q.enqueue("a", "b", delay_ms=HOUR_MS if state == "scheduled" else 0)
    else:
        q.run("a", "b")
    match state:
        case "retrying":
            q.fail("a", "b")
        case "completed":
            q.ack("a", "b", result=b"1 2\n3")
        case "dead":
            q.fail("a", "b", final=1)
        case "cancelled":
            q.cancel("a", "b")
            q.release("a", "b")
    arrange(q, state)
    times = {"a": EPOCH_MS + 1000, "b": EPOCH_MS + 2000}
    for id, at_ms in times.items():
        assert found(q, state, since_ms=at_ms, until_ms=at_ms + 1) == [id]
        assert id not in found(q, state, since_ms=at_ms + 1)
        assert id not in found(q, state, until_ms=at_ms)
    assert found(q, state, since_ms=times["a"]) == ["a", "b"]
    assert found(q, state, until_ms=times["b"] + 1) == ["a", "b"]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_page_tells_how_many_of_how_many_it_has_looked_at_and_the_next_goes_on_there(
    q: QueueState, order: str
) -> None:
    wanted = [f"j{n:03}" for n in range(0, 120, 40)]
    for n in range(120):
        q.enqueue(f"j{n:03}", type="rare" if f"j{n:03}" in wanted else "usual")
    cursor, seen, looked = "", [], []
    while True:
        reply = search(q, "queued", order=order, type_="rare", scan=50, limit=2, cursor=cursor)
        assert reply.total == 120
        seen += [job.id for job in reply.answers]
        looked.append(reply.scanned)
        cursor = reply.cursor
        if not cursor:
            break
    assert seen == (wanted if order == "oldest" else wanted[::-1])
    assert looked == ([41, 50, 29] if order == "oldest" else [50, 50, 20])


def test_a_page_that_is_full_ends_at_its_last_job(q: QueueState) -> None:
    for n in range(6):
        q.enqueue(f"j{n}", type="even" if n % 2 == 0 else "odd")
    first = search(q, "queued", type_="even", limit=2)
    assert ([job.id for job in first.answers], first.scanned) == (["j0", "j2"], 3)
    second = search(q, "queued", type_="even", limit=2, cursor=first.cursor)
    assert ([job.id for job in second.answers], second.scanned) == (["j4"], 3)
    assert second.cursor == ""


def test_without_a_filter_a_page_looks_at_what_it_shows_whatever_it_might_scan(
    q: QueueState,
) -> None:
    q.enqueue("a", "b", "c")
    reply = search(q, "queued", limit=2, scan=1)
    assert (len(reply.answers), reply.scanned, reply.total) == (2, 2, 3)


def test_a_look_at_much_that_is_large_ends_early_and_says_so(q: QueueState) -> None:
    q.configure(result_bytes=300_000)
    ids = [f"j{n:02}" for n in range(12)]
    q.run(*ids)
    q.ack(*ids, result=b"x" * 300_000)
    reply = search(q, "completed", worker="nobody")
    assert (reply.scanned, reply.total, reply.answers) == (7, 12, [])
    assert search(q, "completed", worker="nobody", cursor=reply.cursor).scanned == 5
