"""inspect: a job is shown whole, as it is in each state, and nothing is written."""

import json

import pytest
from queue_keys import HOUR_MS
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import InspectJob, InspectLater, InspectUnknown


def look(q: QueueState, *ids: str, with_payload: int = 0) -> list[scripts.InspectAnswer]:
    before = q.dump()
    items = [scripts.InspectItem(id) for id in ids]
    answers = q.call(scripts.inspect(q.name, items, with_payload=with_payload)).answers
    assert q.dump() == before
    return answers


def show(q: QueueState, id: str = "a", *, with_payload: int = 0) -> InspectJob:
    (answer,) = look(q, id, with_payload=with_payload)
    assert isinstance(answer, InspectJob)
    return answer


def known(job: InspectJob) -> dict[str, object]:
    """What is told of a job, without what is not known; header and place are read apart."""
    members = job._asdict()
    del members["id"], members["header"], members["place"]
    return {name: value for name, value in members.items() if value not in (0, "", b"")}


def test_a_queued_job_runs_at_once(q: QueueState) -> None:
    before = q.now_ms()
    q.enqueue("a", priority=3, headers=b'{"trace":"1"}')
    job = show(q)
    assert before <= job.run_at_ms <= q.now_ms()
    told = {"state": "queued", "headers": b'{"trace":"1"}', "run_at_ms": job.run_at_ms}
    assert (job.id, known(job)) == ("a", told)
    header = json.loads(job.header)
    assert header["created_ms"] == job.run_at_ms
    assert (header["type"], header["priority"]) == ("echo", 3)


def test_a_scheduled_job_tells_when_it_runs(q: QueueState) -> None:
    q.enqueue("a", delay_ms=5000)
    job = show(q)
    assert job.run_at_ms == json.loads(job.header)["created_ms"] + 5000
    assert known(job) == {"state": "scheduled", "run_at_ms": job.run_at_ms}


def test_a_running_job_tells_of_its_lease(q: QueueState) -> None:
    q.run("b")
    q.fail("b", delay_ms=1)
    q.make_due("retrying", "b")
    claim = q.claim("t2", worker="host 1 0 1", lease_ms=5000)
    (leased,) = claim.answers
    assert known(show(q, "b")) | {"errors": b""} == {
        "state": "running",
        "attempt": 2,
        "failures": 1,
        "fence": leased.fence,
        "started_ms": claim.now_ms,
        "lease_end_ms": claim.now_ms + 5000,
        "worker": "host 1 0 1",
        "errors": b"",
    }
    q.cancel("b")
    assert show(q, "b").cancel == 1


def test_a_retrying_job_tells_of_its_failures(q: QueueState) -> None:
    q.run("a", claim={"worker": "host-1"})
    (answer,) = q.fail("a", error=b"KeyError", message=b'"\n\0', stack=b"line 7", delay_ms=9000)
    assert isinstance(answer, scripts.FailRetrying)
    job = show(q)
    (line,) = job.errors.splitlines()
    error = json.loads(line)
    assert error.pop("at_ms") == answer.run_at_ms - 9000
    assert error == {
        "attempt": 1,
        "type": "KeyError",
        "message": '"\n\0',
        "stack": "line 7",
        "worker": "host-1",
    }
    told = {"state": "retrying", "run_at_ms": answer.run_at_ms, "attempt": 1, "failures": 1}
    assert known(job) == told | {"errors": job.errors}


def test_a_completed_job_tells_how_it_ended_and_what_it_returned(q: QueueState) -> None:
    q.enqueue("a")
    claim = q.claim(worker="host-1")
    reply = q.call(scripts.ack(q.name, [scripts.AckItem("a", "t1", b'{"n":\n1.0}\0')]))
    assert known(show(q)) == {
        "state": "completed",
        "attempt": 1,
        "started_ms": claim.now_ms,
        "worker": "host-1",
        "how": "ack",
        "ended_ms": reply.now_ms,
        "kept_until_ms": reply.now_ms + HOUR_MS,
        "result": b'{"n":\n1.0}\0',
    }


def test_a_dead_job_tells_what_killed_it(q: QueueState) -> None:
    q.enqueue("a", max_lost=0)
    claim = q.claim(worker="host-1")
    q.make_due("running", "a")
    reply = q.reap()
    job = show(q)
    assert json.loads(job.errors)["type"] == "LeaseLost"
    assert known(job) | {"errors": b""} == {
        "state": "dead",
        "attempt": 1,
        "lost": 1,
        "started_ms": claim.now_ms,
        "worker": "host-1",
        "how": "reap",
        "ended_ms": reply.now_ms,
        "kept_until_ms": reply.now_ms + 90 * 24 * HOUR_MS,
        "errors": b"",
    }


def test_a_cancelled_job_tells_whether_it_ran(q: QueueState) -> None:
    q.run("a", "b", claim={"worker": "host-1"})
    q.fail("b")
    reply = q.call(scripts.cancel(q.name, [scripts.CancelItem("a"), scripts.CancelItem("b")]))
    q.release("a")
    kept = {"state": "cancelled", "attempt": 1}
    ran, rested = known(show(q, "a")), known(show(q, "b"))
    assert ran | {"started_ms": 0, "ended_ms": 0, "kept_until_ms": 0} == kept | {
        "how": "release",
        "worker": "host-1",
        "started_ms": 0,
        "ended_ms": 0,
        "kept_until_ms": 0,
    }
    assert rested | {"errors": b""} == kept | {
        "how": "cancel",
        "failures": 1,
        "ended_ms": reply.now_ms,
        "kept_until_ms": reply.now_ms + HOUR_MS,
        "errors": b"",
    }


def test_a_replayed_job_tells_of_its_whole_life(q: QueueState) -> None:
    q.run("a")
    q.fail("a", final=1)
    q.call(scripts.replay(q.name, limit=1, cursor=""))
    job = show(q)
    assert (job.state, job.attempt, job.failures, job.how) == ("queued", 0, 1, "")
    assert len(job.errors.splitlines()) == 1


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 1_000_000])
def test_a_payload_is_shown_on_demand_to_the_bit(q: QueueState, size: int) -> None:
    payload = (b"\0\xff\r\n" * (size // 4 + 1))[:size]
    q.enqueue("a", payload=payload, headers=b"\n{}")
    without, whole = show(q), show(q, with_payload=1)
    assert (without.has_payload, without.payload) == (0, b"")
    assert (whole.has_payload, whole.payload, whole.headers) == (1, payload, b"\n{}")


def test_a_large_payload_that_went_with_the_ack_is_told_from_an_empty_one(q: QueueState) -> None:
    q.run("a", payload=b"x" * 4097)
    q.run("b", payload=b"", token="t2")
    assert show(q, with_payload=1).has_payload == 1
    q.ack("a")
    q.ack("b", token="t2")
    assert show(q, with_payload=1).has_payload == 0
    assert show(q, "b", with_payload=1).has_payload == 1


def test_what_does_not_fit_into_the_reply_is_told_and_comes_when_asked_again(
    q: QueueState,
) -> None:
    q.configure(payload_bytes=8_000_000)
    for id in ("a", "b", "c"):
        q.enqueue(id, payload=id.encode() * 3_500_000)
    q.enqueue("whole", payload=b"w" * 8_000_000)
    items = [scripts.InspectItem(id) for id in ("a", "b", "c", "whole")]
    asked = []
    while items:
        answers = q.call(scripts.inspect(q.name, items, with_payload=1)).answers
        asked.append("".join("+" if isinstance(one, InspectJob) else "-" for one in answers))
        for one in answers:
            assert isinstance(one, InspectLater) or set(one.payload) == {ord(one.id[0])}
        items = [item for item, one in zip(items, answers, strict=True) if one == InspectLater()]
    assert asked == ["+---", "+--", "+-", "+"]


def test_two_megabytes_of_payloads_are_shown_at_once_and_far_more_without_them(
    q: QueueState,
) -> None:
    for n in range(5):
        q.enqueue(f"x{n}", payload=b"x" * 900_000)
    shown = look(q, *(f"x{n}" for n in range(5)), with_payload=1)
    assert [isinstance(one, InspectJob) for one in shown] == [True, True, False, False, False]
    assert all(isinstance(one, InspectJob) for one in look(q, *(f"x{n}" for n in range(5))))


def test_items_are_answered_in_order_also_twice_and_unknown(q: QueueState) -> None:
    q.enqueue("a", "b")
    answers = look(q, "b", "no", "a", "b")
    assert [getattr(answer, "id", None) for answer in answers] == ["b", None, "a", "b"]
    assert answers[1] == InspectUnknown()
