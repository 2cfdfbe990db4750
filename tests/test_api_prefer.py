"""`Prefer: wait=N`: answers that come when the job has ended."""

import json
import time
from collections.abc import Iterator

import pytest
from api_served import Api, served
from queue_state import QueueState
from servers import TestServer, until

from boltq import scripts
from boltq.api import preference
from boltq.api.lot import LOOK_SECONDS
from boltq.client import BoltQ


@pytest.fixture(scope="module")
def kept_api(server: TestServer) -> Iterator[Api]:
    boltq = BoltQ(server.address)
    with served(boltq.server) as api:
        yield api
    boltq.close()


@pytest.fixture
def api(kept_api: Api) -> Iterator[Api]:
    yield kept_api
    kept_api.waiting(0)


def purge(q: QueueState, *ids: str) -> None:
    items = [scripts.PurgeItem(id) for id in ids]
    q.call(scripts.purge(q.name, items, limit=1, cursor=""))


def test_a_post_that_waits_is_answered_with_the_result(api: Api, q: QueueState) -> None:
    job = {"type": "echo", "queue": q.name, "id": "a", "payload": 1}
    answer = api.starts("POST", "/api/jobs", job, Prefer="wait=20")
    api.waiting()
    q.claim("t1")
    q.ack("a", result=b'{"n":1.0}')
    told = answer.result(10)
    assert (told.status, told.headers["Preference-Applied"]) == (200, "wait=20")
    assert told.headers["Location"] == f"/api/jobs/{q.name}:a"
    assert b'"result":{"n":1.0}' in told.body
    assert told.json["state"] == "completed"


def test_a_post_without_an_id_makes_one_job_however_often_it_is_looked_at(
    api: Api, q: QueueState
) -> None:
    answer = api.ask("POST", "/api/jobs", {"type": "echo", "queue": q.name}, Prefer="wait=1")
    assert (answer.status, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert answer.json["state"] == "queued"
    assert len(q.order("queued")) == 1


@pytest.mark.parametrize("path", ["/api/jobs/{}", "/api/jobs/status?id={}"])
def test_a_look_that_waits_is_answered_when_the_job_has_ended(
    api: Api, q: QueueState, path: str
) -> None:
    q.run("a")
    answer = api.starts("GET", path.format(f"{q.name}:a"), Prefer="respond-async, wait=20")
    api.waiting()
    q.fail("a", final=1)
    told = answer.result(10)
    assert (told.status, told.json["state"]) == (200, "dead")
    assert told.headers["Preference-Applied"] == "wait=20"


def test_a_look_at_a_job_that_goes_on_is_answered_when_the_time_is_over(
    api: Api, q: QueueState, monkeypatch: pytest.MonkeyPatch
) -> None:
    q.run("a")
    monkeypatch.setattr(preference, "LONGEST_WAIT_SECONDS", 0.2)
    began = time.monotonic()
    told = api.ask("GET", f"/api/jobs/{q.name}:a", Prefer="wait=3600")
    assert time.monotonic() - began >= 0.2
    assert (told.status, told.json["state"]) == (200, "running")
    assert told.headers["Preference-Applied"] == "wait=0.2"


def test_a_job_that_is_purged_while_it_is_waited_for_is_a_404(api: Api, q: QueueState) -> None:
    q.enqueue("a")
    answer = api.starts("GET", f"/api/jobs/{q.name}:a", Prefer="wait=20")
    api.waiting()
    purge(q, "a")
    assert answer.result(10).status == 404


def test_a_job_that_has_ended_is_answered_at_once(api: Api, q: QueueState) -> None:
    q.run("a")
    q.ack("a")
    job = {"type": "echo", "queue": q.name, "id": "a"}
    for told in (
        api.ask("GET", f"/api/jobs/{q.name}:a", Prefer="wait=20"),
        api.ask("POST", "/api/jobs", job, Prefer="wait=20"),
    ):
        assert (told.status, told.json["state"]) == (200, "completed")
        assert told.headers["Preference-Applied"] == "wait=20"


@pytest.mark.parametrize(
    "prefers", ["wait=0", "wait=-1", "wait=x", "await=9", "return=minimal", ""]
)
def test_without_a_wait_that_can_be_understood_nobody_waits(
    api: Api, q: QueueState, prefers: str
) -> None:
    q.enqueue("a")
    told = api.ask("GET", f"/api/jobs/{q.name}:a", Prefer=prefers)
    assert (told.status, told.json["state"]) == (200, "queued")
    assert "Preference-Applied" not in told.headers
    assert "Retry-After" not in told.headers


def test_many_who_wait_for_jobs_cost_a_few_looks_a_second(api: Api, q: QueueState) -> None:
    ids = [f"j{n}" for n in range(40)]
    q.enqueue(*ids)
    before = inspects(q)
    answers = [api.starts("GET", f"/api/jobs/{q.name}:{id}", Prefer="wait=20") for id in ids]
    api.waiting(40)
    waited_from, looks_from = time.monotonic(), inspects(q)
    assert looks_from - before >= 40  # each was looked at when it came
    until(lambda: inspects(q) - looks_from >= 3)
    looks, waited = inspects(q) - looks_from, time.monotonic() - waited_from
    assert looks <= waited / LOOK_SECONDS + 2
    purge(q, *ids)
    assert {answer.result(10).status for answer in answers} == {404}


def inspects(q: QueueState) -> int:
    """How often the script has been called; others on this server do not inspect meanwhile."""
    told = q.raw.info("commandstats")
    return int(told["cmdstat_evalsha"]["calls"])


def test_the_first_answer_of_a_post_is_that_of_a_post_without_a_wait(
    api: Api, q: QueueState
) -> None:
    plain = api.ask("POST", "/api/jobs", {"type": "echo", "queue": q.name})
    assert plain.status == 202
    assert json.loads(plain.body)["state"] == "queued"
    assert "Preference-Applied" not in plain.headers
