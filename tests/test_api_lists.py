"""Lists of jobs over HTTP: by state, queue, type, error, worker and time, page by page."""

from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from operated import Rig, rig
from servers import until

from boltq import scripts
from boltq.api import merged, searched
from boltq.api.listing import STATES
from boltq.api.merged import Source, Wanted
from boltq.job import shown_time
from boltq.newjob import NewJob

__all__ = ["rig"]

MIB = 1024 * 1024


def fill(rig: Rig, queue: str) -> dict[str, str]:
    """Put one job into each state of a queue."""
    rig.enqueue(queue, "dead", "retrying", "completed", "cancelled", "running")
    token = rig.claim(queue)
    rig.fail(queue, token, "dead")
    rig.fail(queue, token, "retrying", final=0)
    rig.ack(queue, token, "completed")
    rig.call(scripts.cancel(queue, [scripts.CancelItem("cancelled")]))
    rig.fail(queue, token, "cancelled")
    rig.enqueue(queue, "scheduled", delay_seconds=3600)
    rig.enqueue(queue, "queued")
    return {state: f"{queue}:{state}" for state in STATES}


def listed(rig: Rig, query: str) -> list[str]:
    return [job["id"] for job in rig.get(f"/api/jobs?{query}")["jobs"]]


def turned(rig: Rig, query: str, path: str = "/api/jobs") -> list[Any]:
    pages, cursor = [], ""
    while not pages or cursor:
        page = rig.get(f"{path}?{query}&cursor={cursor}")
        pages.append(page)
        cursor = page["cursor"]
        assert len(pages) < 60
    return pages


def ids_of(pages: list[Any]) -> list[str]:
    return [job["id"] for job in chain(*(page["jobs"] for page in pages))]


def test_each_state_is_a_list_and_no_state_is_all(rig: Rig) -> None:
    made = fill(rig, "a")
    for state, id in made.items():
        assert listed(rig, f"state={state}") == [id]
    assert sorted(listed(rig, "")) == sorted(made.values())
    assert sorted(listed(rig, "state=dead,queued")) == ["a:dead", "a:queued"]
    assert sorted(ids_of(turned(rig, "limit=2"))) == sorted(made.values())


def test_a_list_of_all_is_newest_first_by_the_time_that_matters(rig: Rig) -> None:
    fill(rig, "a")
    ids = listed(rig, "queue=a")
    assert ids[0] == "a:scheduled" or ids[0] == "a:retrying"  # what is due in an hour
    assert ids[2] == "a:queued"
    assert listed(rig, "queue=a&order=oldest") == ids[::-1]


def test_pages_of_many_queues_are_one_list_and_tell_how_much_of_it_they_have_seen(rig: Rig) -> None:
    died = list(chain(*(rig.bury(f"q{n % 7}", f"j{n}") for n in range(25))))
    for limit in (1, 3, 10, 200):
        for path, query in (("/api/jobs", "state=dead"), ("/api/dead", "")):
            pages = turned(rig, f"{query}&limit={limit}", path)
            assert sorted(ids_of(pages)) == sorted(died)
            ended = [job["finished_at"] for page in pages for job in page["jobs"]]
            assert ended == sorted(ended, reverse=True)
            assert all(len(page["jobs"]) == limit for page in pages[:-1])
            assert {page["total"] for page in pages} == {25}
            seen = [page["scanned"] for page in pages]
            assert seen == sorted(seen)
            assert seen[-1] == 25
    pages = turned(rig, "state=dead&order=oldest&limit=4")
    ended = [job["finished_at"] for page in pages for job in page["jobs"]]
    assert (len(ended), ended) == (25, sorted(ended))


def ended_ms(rig: Rig, id: str) -> float:
    ended = rig.boltq.get(id).finished_at
    assert ended is not None
    return ended.timestamp() * 1000


def test_jobs_that_leave_while_pages_are_turned_hide_no_other(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, 5):
        for queue in ("a", "b"):
            (id,) = rig.bury(queue, f"{queue}{n}")
            until(lambda: rig.boltq.server.now_ms() > ended_ms(rig, id))  # noqa: B023 - at once
    server, wanted = rig.boltq.server, Wanted(3)
    read, calls = merged._read, []

    def reading(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:  # the newest was read, is shown, and leaves
            rig.boltq.replay("b:b4")
        return read(*arguments)

    monkeypatch.setattr(merged, "_read", reading)
    starts = {Source(queue, "dead"): "" for queue in ("a", "b")}
    found = merged.page(server, starts, wanted)
    assert [job.id for job in found.jobs] == ["b:b4", "a:a4", "b:b3"]
    shown = [job.id for job in found.jobs]
    while found.rest:
        found = merged.page(server, found.rest, wanted)
        shown += [job.id for job in found.jobs]
    assert set(shown) == {f"{queue}:{queue}{n}" for queue in "ab" for n in (1, 2, 3, 4)}


def test_a_page_of_many_lists_reads_little_more_than_it_shows(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(40):
        rig.bury(f"q{n % 4}", f"j{n}")
    rig.bury("only", *(f"k{n}" for n in range(40)))
    read, rows = merged._read, []

    def reading(*arguments: Any) -> Any:
        parts = read(*arguments)
        rows.append(sum(len(part.jobs) for part in parts.values()))
        return parts

    monkeypatch.setattr(merged, "_read", reading)
    for queues, most in (([f"q{n}" for n in range(4)], 24), (["only"], 24)):
        rows.clear()
        starts = {Source(queue, "dead"): "" for queue in queues}
        assert len(merged.page(rig.boltq.server, starts, Wanted(24)).jobs) == 24
        # As much again, to have where each list goes on.
        assert rows[0] <= 2 * most
        assert sum(rows) <= 3 * most
    rows.clear()
    queues = ["only", *(f"none{n}" for n in range(30))]
    starts = {Source(queue, "dead"): "" for queue in queues}
    assert len(merged.page(rig.boltq.server, starts, Wanted(24)).jobs) == 24
    assert (rows[0], len(rows) <= 4, sum(rows) <= 48) == (3, True, True)


def test_a_filter_finds_by_type_error_worker_and_time(rig: Rig) -> None:
    rig.bury("a", "one", type="mail", error="Timeout")
    rig.bury("b", "two", type="mail", error="ValueError")
    rig.bury("b", "three", type="echo", error="Timeout")
    died = rig.boltq.get("b:two").finished_at
    assert died is not None
    then, later = shown_time(died), shown_time(died + timedelta(milliseconds=1))
    assert listed(rig, "state=dead&type=mail") == ["b:two", "a:one"]
    assert listed(rig, "state=dead&error=Timeout") == ["b:three", "a:one"]
    assert listed(rig, "state=dead&error=Timeout&type=mail") == ["a:one"]
    assert listed(rig, "state=dead&worker=w1&queue=a") == ["a:one"]
    assert listed(rig, "state=dead&worker=nobody") == []
    assert "b:two" in listed(rig, f"state=dead&since={then}&until={later}")
    assert "a:one" not in listed(rig, f"state=dead&since={later}")
    assert listed(rig, "type=mail") == ["b:two", "a:one"]
    assert listed(rig, "state=&type=&since=&worker=&error=&order=&queue=b") == ["b:three", "b:two"]


def test_a_search_says_how_far_it_has_come(rig: Rig) -> None:
    many = [
        scripts.EnqueueItem(f"j{n}", "mail" if n == 3 else "echo", b"1", b"") for n in range(2500)
    ]
    for start in range(0, len(many), 500):
        rig.call(scripts.enqueue("a", many[start : start + 500], delay_ms=0))
    rig.enqueue("a", "last")
    pages = turned(rig, "state=queued&type=mail")
    assert ids_of(pages) == ["a:j3"]
    assert [page["scanned"] for page in pages] == [2000, 2501]
    assert {page["total"] for page in pages} == {2501}
    assert [len(page["jobs"]) for page in pages] == [0, 1]


def test_no_payload_and_no_result_is_in_a_list(rig: Rig) -> None:
    rig.call(scripts.enqueue("a", [scripts.EnqueueItem("x", "echo", b"1" * MIB, b"")], delay_ms=0))
    rig.enqueue("a", "y", payload="secret")
    result = rig.http.simulate_get("/api/jobs?state=queued")
    assert len(result.json["jobs"]) == 2
    assert len(result.content) < 2 * 2000
    assert "secret" not in result.text
    assert not any("payload" in job or "result" in job for job in result.json["jobs"])


def test_a_list_that_has_not_changed_is_not_sent_again(rig: Rig) -> None:
    rig.bury("a", "a1", "a2", "a3")
    for path in ("/api/jobs?limit=2", "/api/jobs?state=dead", "/api/dead?limit=1"):
        tag = rig.http.simulate_get(path).headers["etag"]
        assert rig.send("GET", path, If_None_Match=tag).status_code == 304
    rig.bury("a", "a4")
    assert rig.send("GET", path, If_None_Match=tag).status_code == 200


BAD_QUERIES = [
    *(("state=alive", "state"), ("state=dead,dead", "state"), ("state=dead,", "state")),
    *(("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit")),
    *(("queue=a%7Bb", "queue"), ("type=a%20b", "type"), ("type=" + "t" * 129, "type")),
    *(("error=" + "e" * 201, "error"), ("error=a%0Ab", "error")),
    *(("worker=" + "w" * 129, "worker"), ("order=random", "order")),
    *(("since=yesterday", "since"), ("since=2026-01-31", "since")),
    *(("until=2026-01-31T10:00:00", "until"), ("until=2026-02-31T10:00:00Z", "until")),
    ("since=2026-01-31T10:00:00+01:00", "since"),  # the plus sign is a blank here
    *(("stat=dead", "stat"), ("state=dead&state=queued", "state"), ("%0A=1", "\\n")),
    *(("cursor=x", "cursor"), ("cursor=%FF", "cursor"), ("cursor=bnVsbA==", "cursor")),
    ("state=dead&cursor=eyJhIjoieCJ9", None),  # what a queue's cursor is, the script says
    ("cursor=eyJhIjoieCJ9", "cursor"),
    ("state=dead&queue=b&cursor=eyJhIjoiIn0=", "cursor"),
    ("state=dead&cursor=eyIjIjoieCJ9", "cursor"),
]


def test_a_bad_query_is_refused_by_its_name(rig: Rig) -> None:
    for query, field in BAD_QUERIES:
        rig.refused(rig.http.simulate_get(f"/api/jobs?{query}"), 400, "BAD_ARGUMENT", field)


def test_a_cursor_is_good_for_its_own_filter_alone(rig: Rig) -> None:
    rig.bury("a", "a1", "a2", "a3")
    cursor = rig.get("/api/jobs?state=dead&limit=1")["cursor"]
    assert len(rig.get(f"/api/jobs?state=dead&limit=2&cursor={cursor}")["jobs"]) == 2
    for other in ("state=dead&type=echo", "state=dead&order=oldest", "", "state=dead,queued"):
        result = rig.http.simulate_get(f"/api/jobs?{other}&cursor={cursor}")
        rig.refused(result, 400, "BAD_ARGUMENT", "cursor")


def test_an_offset_from_utc_is_a_time_too(rig: Rig) -> None:
    rig.bury("a", "a1")
    assert listed(rig, "since=2026-01-31T10:00:00.5%2B01:00") == ["a:a1"]
    assert listed(rig, "since=9999-12-31T23:59:59-00:00") == []


def test_a_text_is_looked_for_in_payloads_whatever_its_case_and_form(rig: Rig) -> None:
    big = {f"big{n}": b'"%b"' % (b"y" * 900_000) for n in range(7)}  # more than one reply holds
    for id, payload in {
        "large": b'"' + b"x" * 900_000 + b'ada"',
        **big,
        "plain": b'{"to":"Ada@example.com"}',
        "escaped": b'{"name":"caf\\u00e9 \\"x\\""}',
        "raw": '{"name":"café"}'.encode(),
        "bytes": b"\xff ADA \xfe",
        "none": b"null",
    }.items():
        rig.boltq.enqueue("send", queue="t", id=id, raw=payload)
    assert set(listed(rig, "text=ada")) == {"t:plain", "t:bytes", "t:large"}
    assert set(listed(rig, "text=caf%C3%A9")) == {"t:escaped", "t:raw"}
    assert listed(rig, "text=%22x%22") == ["t:escaped"]
    assert listed(rig, "text=ada&type=other") == []
    page = rig.get("/api/jobs?text=nowhere")
    assert (page["jobs"], page["cursor"], page["scanned"], page["total"]) == ([], "", 13, 13)


def test_a_search_ends_with_its_time_and_goes_on_where_it_was(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [NewJob("send", {"n": n % 7}, id=f"j{n:03}") for n in range(230)]
    rig.boltq.enqueue_many(items[:115], queue="a")
    rig.boltq.enqueue_many(items[115:], queue="b")
    monkeypatch.setattr(searched, "LOOK_SECONDS", 0.0)
    pages = turned(rig, "text=%223%22:&limit=20")
    assert len(pages) >= 230 / searched.PAGE_JOBS
    assert ids_of(pages) == []
    pages = turned(rig, "text=n%22:3&limit=20")
    wanted = {f"{'a' if n < 115 else 'b'}:j{n:03}" for n in range(230) if n % 7 == 3}
    assert len(ids_of(pages)) == len(set(ids_of(pages)))
    assert set(ids_of(pages)) == wanted
    assert all(len(page["jobs"]) <= 20 for page in pages)
    assert [page["total"] for page in pages] == [230] * len(pages)
    scanned = [page["scanned"] for page in pages]
    assert scanned == sorted(scanned)
    assert scanned[-1] == 230
    monkeypatch.setattr(searched, "LOOK_SECONDS", 60.0)
    assert len(turned(rig, "text=n%22:3&limit=20")) == 2
    wrong = rig.http.simulate_get(
        "/api/jobs", query_string=f"text=other&cursor={pages[0]['cursor']}"
    )
    assert wrong.status_code == 400
