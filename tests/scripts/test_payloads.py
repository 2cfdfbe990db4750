"""What a user sent comes back to the bit, wherever it is kept in between."""

import pytest
from queue_state import QueueState

from boltq import scripts
from boltq.scripts import EnqueueItem

PAYLOADS = {
    "empty": b"",
    "one-nul": b"\0",
    "newline": b"\n",
    "newlines": b"\r\n\n\r",
    "leading-newline": b"\n{}",
    "every-byte": bytes(range(256)),
    "no-utf8": b"\xff\xfe\xc3\x28",
    "number": b"9007199254740993",
    "decimal": b"1.0",
    "escape": b'"\\u00e9"',
    "emoji": "\U0001f600 \u00e9".encode(),
    "json": b'{"payload_bytes":1,"headers_bytes":3}',
    "format": b"%s%d%%n %.0f",
    "below-border": b"\n" * 4095,
    "border": bytes(4096),
    "above-border": bytes(4097),
    "above-border-binary": bytes(range(256)) * 17,
    "large": b"\x00\xff\n" * 300_000,
}
HEADERS = {
    "no-headers": b"",
    "one-byte": b"\0",
    "newlines": b"\n\n",
    "binary": bytes(range(256)) * 16,
    "braces": b'}\n{"payload_bytes":5}',
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_payload_and_headers_come_back_to_the_bit(q: QueueState, headers: bytes) -> None:
    items = [EnqueueItem(id, "echo", payload, headers) for id, payload in PAYLOADS.items()]
    q.call(scripts.enqueue(q.name, items, delay_ms=0))
    sent = {id: (headers, payload) for id, payload in PAYLOADS.items()}

    claimed = q.claim(limit=100)
    assert {job.id: (job.headers, job.payload) for job in claimed.answers} == sent
    repeated = q.claim(limit=100)
    assert {job.id: (job.headers, job.payload) for job in repeated.answers} == sent
    seen = q.call(
        scripts.inspect(q.name, [scripts.InspectItem(id) for id in PAYLOADS], with_payload=1)
    )
    assert {job.id: (job.headers, job.payload) for job in seen.answers} == sent


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_payloads_above_4096_bytes_are_kept_apart_from_the_record(
    q: QueueState, headers: bytes
) -> None:
    items = [EnqueueItem(id, "echo", payload, headers) for id, payload in PAYLOADS.items()]
    q.call(scripts.enqueue(q.name, items, delay_ms=0))
    large = {id: payload for id, payload in PAYLOADS.items() if len(payload) > 4096}
    assert q.read("payloads") == large
    for id, record in q.read("jobs").items():
        line, rest = record.split(b"\n", 1)
        assert line.endswith(b"}")
        assert rest == headers + (b"" if id in large else PAYLOADS[id])
        assert q.header(id).get("payload_bytes", 0) == len(large.get(id, b""))
        assert q.header(id).get("headers_bytes", 0) == len(headers)


def test_a_payload_is_the_same_after_every_way_back_to_the_queue(q: QueueState) -> None:
    payload = bytes(range(256)) * 32
    q.run("a", payload=payload, headers=b"\n\0", delay_ms=0, max_attempts=9)
    before = q.read("jobs"), q.read("payloads")
    q.release("a")
    q.claim("t2")
    q.fail("a", token="t2", delay_ms=0)
    q.claim("t3")
    q.make_due("running", "a")
    q.reap()
    q.make_due("retrying", "a")
    q.claim("t4")
    q.fail("a", token="t4", final=1)
    q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
    job = q.claim("t5").answers[0]
    assert (job.headers, job.payload) == (b"\n\0", payload)
    assert (q.read("jobs"), q.read("payloads")) == before


def test_a_completed_job_loses_a_payload_above_4096_bytes_and_keeps_a_smaller_one(
    q: QueueState,
) -> None:
    q.enqueue("small", payload=bytes(4096), headers=b"h")
    q.enqueue("large", payload=bytes(4097), headers=b"h")
    q.claim()
    record = q.read("jobs")["large"]
    q.ack("small", "large")
    assert q.read("payloads") is None
    assert q.read("jobs")["small"].endswith(b"\nh" + bytes(4096))
    assert q.read("jobs")["large"] == record


def test_a_queue_may_keep_the_payloads_of_completed_jobs(q: QueueState) -> None:
    q.configure(keep_payloads=1)
    q.run("a", payload=bytes(5000))
    q.ack("a")
    assert q.read("payloads") == {"a": bytes(5000)}


@pytest.mark.parametrize("end", ["dead", "cancelled"])
def test_a_job_that_did_not_complete_keeps_its_large_payload(q: QueueState, end: str) -> None:
    q.run("a", payload=bytes(5000))
    if end == "dead":
        q.fail("a", final=1)
    else:
        q.cancel("a")
        q.release("a")
    assert q.states("a") == [end]
    assert q.read("payloads") == {"a": bytes(5000)}
