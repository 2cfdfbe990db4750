"""Large payloads are let go of some at a time: hundreds of 1 MiB at once hold the server."""

from queue_state import QueueState

from boltq import scripts

LARGE = b"x" * 1_000_000
AT_ONCE = 65
"""Payloads of a megabyte that go in one call: the first that makes it more than 64 MB included."""


def enqueue(q: QueueState, count: int) -> list[str]:
    ids = [f"j{n:03}" for n in range(count)]
    for start in range(0, count, 8):
        q.enqueue(*ids[start : start + 8], payload=LARGE)
    return ids


def test_finished_jobs_past_their_number_go_by_64_megabytes(q: QueueState) -> None:
    ids = enqueue(q, 90)
    q.cancel(*ids)
    q.configure(keep_cancelled=10)
    left = [ids[AT_ONCE:], ids[-10:], ids[-10:]]
    for kept in left:
        q.reap()
        assert q.order("cancelled") == kept
        assert set(q.read("payloads")) == set(q.read("jobs")) == set(kept)


def test_a_purge_of_a_state_ends_its_step_and_the_next_goes_on(q: QueueState) -> None:
    ids = enqueue(q, 90)
    call = scripts.purge(q.name, [], state="queued", limit=500, cursor="")
    reply = q.call(call)
    assert (reply.purged, q.order("queued")) == (AT_ONCE, ids[AT_ONCE:])
    reply = q.call(scripts.purge(q.name, [], state="queued", limit=500, cursor=reply.cursor))
    assert (reply.purged, reply.cursor) == (90 - AT_ONCE, "")
    assert q.keys() == {q.key("stats"), q.key("series"), q.key("bell")}


def test_a_step_of_an_operation_that_purges_ends_there_too(q: QueueState) -> None:
    ids = enqueue(q, 70)
    q.call(q.operate_call("purge", "queued"))
    reply = q.call(scripts.step(q.name, id_="o1", limit=500))
    assert isinstance(reply, scripts.StepStepped)
    assert (reply.done, q.order("queued")) == (AT_ONCE, ids[AT_ONCE:])
    reply = q.call(scripts.step(q.name, id_="o1", limit=500))
    assert isinstance(reply, scripts.StepStepped)
    assert (reply.done, b'"status":"finished"' in reply.operation) == (70 - AT_ONCE, True)
    assert b'"done":70,"skipped":0' in reply.operation
