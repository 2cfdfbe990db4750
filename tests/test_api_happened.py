"""GET /api/series and GET /api/events: what happened, and who waits for what happens next."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from api_served import Api, served
from queue_state import QueueState
from servers import TestServer

from boltq import scripts
from boltq.api import awaited
from boltq.client import BoltQ
from boltq.happened import Came


@pytest.fixture(scope="module")
def api(server: TestServer) -> Iterator[Api]:
    boltq = BoltQ(server.address)
    with served(boltq.server) as api:
        yield api
    boltq.close()


@pytest.fixture
def fed(q: QueueState) -> QueueState:
    q.configure(keep_events=100)
    return q


def events(api: Api, q: QueueState, wait_seconds: int = 0, **query: object) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in {"queue": q.name, **query}.items())
    headers = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
    answer = api.ask("GET", f"/api/events?{asked}", **headers)
    assert answer.status == 200, answer
    return answer


def test_what_happened_is_told_by_the_minute(api: Api, q: QueueState) -> None:
    q.run("a", "b")
    q.ack("a")
    q.fail("b", final=1)
    answer = api.ask("GET", f"/api/series?queue={q.name}")
    assert answer.json["queue"] == q.name
    total = {"enqueued": 0, "completed": 0, "failed": 0, "died": 0, "lost": 0}
    for minute in answer.json["minutes"]:  # two where one ended meanwhile
        assert minute["at"].endswith(":00.000Z")
        total = {name: count + minute[name] for name, count in total.items()}
    assert total == {"enqueued": 2, "completed": 1, "failed": 1, "died": 1, "lost": 0}


def test_a_queue_that_nobody_has_used_has_neither_minutes_nor_events(
    api: Api, q: QueueState
) -> None:
    assert api.ask("GET", f"/api/series?queue={q.name}").json["minutes"] == []
    told = events(api, q).json
    assert (told["events"], told["last"], told["keep_events"]) == ([], "", 0)


def test_events_name_jobs_as_they_are_known_outside(api: Api, fed: QueueState) -> None:
    fed.enqueue("a", "b")
    (event,) = events(api, fed).json["events"]
    assert event["verb"] == "enqueue"
    assert event["jobs"] == {"queued": {"count": 2, "ids": [f"{fed.name}:a", f"{fed.name}:b"]}}


def test_who_goes_on_after_an_event_is_told_what_came_later(api: Api, fed: QueueState) -> None:
    fed.enqueue("a")
    first = events(api, fed).json
    fed.enqueue("b")
    fed.enqueue("c")
    told = events(api, fed, after=first["last"], limit=1).json
    assert (told["more"], told["gap"]) == (True, False)
    assert told["events"][0]["jobs"]["queued"]["ids"] == [f"{fed.name}:b"]
    assert len(events(api, fed, after=first["last"]).json["events"]) == 2


def test_who_prefers_to_wait_hears_of_the_next_event_at_once(api: Api, fed: QueueState) -> None:
    fed.enqueue("a")
    last = events(api, fed).json["last"]
    path = f"/api/events?queue={fed.name}&after={last}"
    asked = api.starts("GET", path, Prefer="wait=20")
    api.waiting(1)
    began = time.monotonic()
    fed.enqueue("b")
    told = asked.result().json
    assert time.monotonic() - began < 15
    assert told["events"][0]["jobs"]["queued"]["ids"] == [f"{fed.name}:b"]
    api.waiting(0)


def test_a_wait_ends_without_an_event_when_its_time_is_over(api: Api, fed: QueueState) -> None:
    fed.enqueue("a")
    last = events(api, fed).json["last"]
    answer = events(api, fed, 1, after=last)
    assert answer.json["events"] == []
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_who_cannot_hear_of_anything_new_does_not_wait(api: Api, q: QueueState) -> None:
    began = time.monotonic()
    assert events(api, q, 20).json["events"] == []  # it keeps none
    q.configure(keep_events=100)
    q.enqueue("a")
    assert len(events(api, q, 20).json["events"]) == 1  # there is one already
    assert len(events(api, q, 20, after="5-0").json["events"]) == 1
    assert events(api, q, 20, after="9999999999999-0").json["gap"] is True
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("minutes=0", "minutes"), ("minutes=1441", "minutes"), ("minutes=x", "minutes")),
        *(("queue=a%20b", "queue"), ("limit=1", "limit"), ("minutes=1&minutes=2", "minutes")),
    ],
)
def test_a_query_of_minutes_that_breaks_a_rule_is_refused(api: Api, query: str, field: str) -> None:
    answer = api.ask("GET", f"/api/series?{query}")
    assert (answer.status, answer.json["field"]) == (400, field)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("after=5", "after"), ("after=x-0", "after"), ("after=1234567890123456-0", "after")),
        *(("limit=0", "limit"), ("limit=1001", "limit"), ("minutes=1", "minutes")),
    ],
)
def test_a_query_of_events_that_breaks_a_rule_is_refused(api: Api, query: str, field: str) -> None:
    answer = api.ask("GET", f"/api/events?{query}")
    assert (answer.status, answer.json["field"]) == (400, field)


def test_all_who_wait_for_a_queue_cost_one_call_a_look(fed: QueueState) -> None:
    asked: list[str] = []

    class Asking:
        def call_all(self, calls: list[Any]) -> list[Any]:
            asked.extend(call.script for call in calls)
            return fed.server.call_all(calls)

    fed.enqueue("a")
    known = fed.call(scripts.events(fed.name, after="", limit=1)).last
    feeds = [(fed.name, known), (fed.name, "5-0"), (fed.name, "")] * 100
    came = awaited.happened(Asking(), feeds)  # type: ignore[arg-type] - as far as it is used
    assert came == {(fed.name, "5-0"), (fed.name, "")}
    assert asked == ["events"]


def test_python_tells_the_same(fed: QueueState, server: TestServer) -> None:
    fed.enqueue("a", "b")
    fed.claimed()
    boltq = BoltQ(server.address)
    try:
        feed = boltq.events(fed.name)
        assert [event.verb for event in feed.events] == ["enqueue", "claim"]
        assert feed.events[1].jobs == {"running": Came(2, (f"{fed.name}:a", f"{fed.name}:b"))}
        assert (feed.last, feed.more, feed.gap, feed.keeps) == (
            feed.events[1].id,
            False,
            False,
            100,
        )
        assert boltq.events(fed.name, after=feed.last).events == []
        assert sum(minute.enqueued for minute in boltq.series(fed.name)) == 2
        assert boltq.events(fed.name, limit=1).more
    finally:
        boltq.close()
