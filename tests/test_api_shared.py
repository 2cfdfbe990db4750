"""Who says that an answer of the last second will do is given that of another, and no one else."""

from collections.abc import Iterator

import pytest
from falcon.testing import TestClient
from operated import Rig, rig

from boltq.api import shared
from boltq.api.app import create_app
from boltq.settings import Settings

__all__ = ["rig"]

AGAIN = {"Cache-Control": "max-age=1"}
LOOKS, WORKS = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def calls(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls of scripts each round trip had."""
    made: list[int] = []
    call_all = rig.boltq.server.call_all

    def noted(calls: list[object]) -> object:
        made.append(len(calls))
        return call_all(calls)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.boltq.server, "call_all", noted)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(shared.time, "monotonic", lambda: now[0])
    return now


def seen(rig: Rig, path: str = "/api/jobs?queue=a", **headers: str) -> list[str]:
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    result = rig.http.simulate_get(path, headers=told)
    assert result.status_code == 200
    return sorted(job["id"] for job in result.json["jobs"])


def test_a_second_is_served_what_the_first_one_saw(rig: Rig, clock: list[float]) -> None:
    rig.enqueue("a", "x")
    first = rig.http.simulate_get("/api/jobs?queue=a", headers=AGAIN)
    rig.enqueue("a", "y")
    again = rig.http.simulate_get("/api/jobs?queue=a", headers=AGAIN)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    tagged = AGAIN | {"If-None-Match": first.headers["etag"]}
    assert rig.http.simulate_get("/api/jobs?queue=a", headers=tagged).status_code == 304
    clock[0] += shared.MOST_SECONDS
    assert seen(rig, **AGAIN) == ["a:x", "a:y"]


@pytest.mark.parametrize("told", ["", "no-cache", "max-age=0", "x-max-age=1", "max-age=1s"])
def test_who_does_not_ask_for_it_sees_what_is(rig: Rig, told: str) -> None:
    rig.enqueue("a", "x")
    assert seen(rig, **AGAIN) == ["a:x"]
    rig.enqueue("a", "y")
    assert seen(rig, Cache_Control=told) == ["a:x", "a:y"]


def test_another_question_has_an_answer_of_its_own(rig: Rig) -> None:
    rig.enqueue("a", "x")
    rig.enqueue("b", "y")
    assert seen(rig, **AGAIN) == ["a:x"]
    assert seen(rig, "/api/jobs?queue=b", **AGAIN) == ["b:y"]
    path = "/api/jobs/a:x"
    assert rig.http.simulate_get(path, headers=AGAIN).json["state"] == "queued"
    rig.claim("a")
    assert rig.http.simulate_get(path, headers=AGAIN).json["state"] == "running"


def test_a_refusal_is_given_to_nobody_else(rig: Rig) -> None:
    for _ in range(2):
        result = rig.http.simulate_get("/api/jobs?state=wrong", headers=AGAIN)
        rig.refused(result, 400, "BAD_ARGUMENT", "state")


def test_nobody_is_given_what_his_key_does_not_grant(rig: Rig) -> None:
    keys = f"looks:read:{LOOKS},works:work:{WORKS}"
    http = TestClient(create_app(rig.boltq, Settings(api_keys=keys, api_hosts=("*",))))
    rig.enqueue("a", "x")
    looks, works = (AGAIN | {"Authorization": f"Bearer {one}"} for one in (LOOKS, WORKS))
    assert http.simulate_get("/api/jobs?queue=a", headers=looks).status_code == 200
    assert http.simulate_get("/api/jobs?queue=a", headers=works).status_code == 403
    assert http.simulate_get("/api/jobs?queue=a", headers=AGAIN).status_code == 401


@pytest.mark.usefixtures("clock")
def test_many_who_look_cost_the_server_as_much_as_one(rig: Rig, calls: list[int]) -> None:
    rig.enqueue("a", "x")
    seen(rig, **AGAIN)
    once = len(calls)
    assert once
    for _ in range(20):
        seen(rig, **AGAIN)
    assert len(calls) == once


@pytest.mark.parametrize(("most", "limit"), [("MOST_ANSWERS", 1), ("MOST_BYTES", 10)])
def test_what_is_kept_is_bounded_in_number_and_size(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, most: str, limit: int
) -> None:
    monkeypatch.setattr(shared, most, limit)
    rig.enqueue("a", "x")
    assert seen(rig, **AGAIN) == ["a:x"]
    rig.enqueue("a", "y")
    seen(rig, "/api/jobs?queue=b", **AGAIN)
    assert seen(rig, **AGAIN) == ["a:x", "a:y"]
