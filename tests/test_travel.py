"""What is sent arrives to the bit, also when the server has forgotten its scripts, and in bulk."""

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.call import Call

pytestmark = pytest.mark.everywhere

EVERY_BYTE = bytes(range(256))
PAYLOADS = {
    "none": b"",
    "every-byte": EVERY_BYTE,
    "lines": b"\r\n\n\0\r{}\n",
    "numbers": b"[9007199254740993,1.0,1e400,-0]",
    "escapes": rb'"\u00e9\ud800"',
    "small": EVERY_BYTE * 16,
    "large": EVERY_BYTE * 16 + b"\n",
    "very-large": EVERY_BYTE * 4000,
}
HEADERS = b'{"a":\n"\xff\0"}\r\n'


def enqueue(q: QueueState, id: str) -> Call[scripts.Enqueued]:
    item = scripts.EnqueueItem(id, "echo", PAYLOADS[id], HEADERS)
    return scripts.enqueue(q.name, [item], delay_ms=0)


def forget_scripts(q: QueueState) -> None:
    q.raw.script_flush()


@pytest.mark.parametrize("id", PAYLOADS)
def test_a_payload_is_the_same_though_the_server_forgot_the_scripts_before_each_call(
    q: QueueState, id: str
) -> None:
    forget_scripts(q)
    assert q.call(enqueue(q, id)).answers == [scripts.EnqueueCreated(id)]
    forget_scripts(q)
    (job,) = q.claim().answers
    assert (job.id, job.headers, job.payload) == (id, HEADERS, PAYLOADS[id])
    forget_scripts(q)
    assert q.ack(id, result=EVERY_BYTE) == [scripts.AckDone()]
    forget_scripts(q)
    outcome = q.outcome(id)
    assert outcome is not None
    assert outcome.result == EVERY_BYTE


def test_payloads_are_the_same_in_one_round_trip_with_scripts_the_server_forgot(
    q: QueueState,
) -> None:
    forget_scripts(q)
    added = q.server.call_all([enqueue(q, id) for id in PAYLOADS])
    assert [reply.answers for reply in added] == [[scripts.EnqueueCreated(id)] for id in PAYLOADS]
    forget_scripts(q)
    claims = [q.claim_call(f"t-{id}", limit=1) for id in PAYLOADS]
    jobs = [job for reply in q.server.call_all(claims) for job in reply.answers]
    assert {job.id: (job.headers, job.payload) for job in jobs} == {
        id: (HEADERS, payload) for id, payload in PAYLOADS.items()
    }
    forget_scripts(q)
    acks = [scripts.ack(q.name, [scripts.AckItem(id, f"t-{id}", EVERY_BYTE)]) for id in PAYLOADS]
    looks = [scripts.inspect(q.name, [scripts.InspectItem(id)], with_payload=1) for id in PAYLOADS]
    *acked, _ = q.server.call_all([*acks, scripts.stats(q.name)])
    assert [reply.answers for reply in acked] == [[scripts.AckDone()]] * len(PAYLOADS)
    shown = [reply.answers[0] for reply in q.server.call_all(looks)]
    assert {job.result for job in shown} == {EVERY_BYTE}
    kept = {job.id: job.payload for job in shown if job.has_payload}
    assert kept == {id: PAYLOADS[id] for id in PAYLOADS if len(PAYLOADS[id]) <= 4096}
