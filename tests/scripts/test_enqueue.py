import json
from typing import Any

import pytest
from queue_keys import PRIORITY_STEP, stamp_of
from queue_state import QueueState

from boltq import scripts
from boltq.errors import BadArgument, TooLarge
from boltq.scripts import EnqueueCreated, EnqueueDuplicate, EnqueueItem


def test_an_enqueued_job_is_queued_with_its_record_and_nothing_else_is_written(
    q: QueueState,
) -> None:
    reply = q.call(
        scripts.enqueue(q.name, [EnqueueItem("a", "echo", b'{"x": 1.0}', b'{"t":1}')], delay_ms=0)
    )
    stamp = q.stat("stamp")
    assert reply.answers == [EnqueueCreated("a")]
    assert 0 <= stamp - stamp_of(reply.now_ms) < 512
    header = b'{"type":"echo","created_ms":%d,"headers_bytes":7}' % reply.now_ms
    assert q.dump() == {
        "jobs": {"a": header + b'\n{"t":1}{"x": 1.0}'},
        "queued": {"a": 5 * PRIORITY_STEP + stamp},
        "stats": {"stamp": b"%d" % stamp, "enqueued": b"1"},
        "bell": [b"1"],
    }


def test_a_delayed_job_is_scheduled_for_its_stamp_and_the_delay(q: QueueState) -> None:
    q.enqueue("a", "b", delay_ms=60_000)
    first = q.stat("stamp") - 1
    assert q.states("a") == q.states("b") == ["scheduled"]
    assert q.read("scheduled") == {"a": first + 60_000 * 512, "b": first + 1 + 60_000 * 512}
    assert q.read("queued") is None


def test_every_option_is_written_into_the_record(q: QueueState) -> None:
    q.enqueue(
        *["a"],
        priority=9,
        max_attempts=1000,
        max_lost=0,
        timeout_ms=0,
        retention_ms=315_360_000_000,
        base_ms=250,
        factor=1.5,
        cap_ms=7000,
        jitter=0.25,
    )
    header = q.header("a")
    del header["created_ms"]
    assert header == {
        "type": "echo",
        "priority": 9,
        "max_attempts": 1000,
        "max_lost": 0,
        "timeout_ms": 0,
        "retention_ms": 315_360_000_000,
        "backoff_base_ms": 250,
        "backoff_factor": 1.5,
        "backoff_cap_ms": 7000,
        "backoff_jitter": 0.25,
    }
    assert b'"retention_ms":315360000000' in q.read("jobs")["a"]


@pytest.mark.parametrize(
    ("option", "member", "value"),
    [
        ("priority", "priority", 0),
        ("max_attempts", "max_attempts", 1),
        ("max_lost", "max_lost", 0),
        ("timeout_ms", "timeout_ms", 0),
        ("retention_ms", "retention_ms", 0),
        ("base_ms", "backoff_base_ms", 0),
        ("factor", "backoff_factor", 1),
        ("cap_ms", "backoff_cap_ms", 0),
        ("jitter", "backoff_jitter", 0),
    ],
)
def test_an_option_given_alone_is_written_into_the_record(
    q: QueueState, option: str, member: str, value: int
) -> None:
    q.enqueue("a", **{option: value})
    header = q.header("a")
    del header["created_ms"]
    assert header == {"type": "echo", member: value}


BY_HEART = {
    "priority": 4,
    "max_attempts": 3,
    "max_lost": 5,
    "timeout_ms": 3_600_000,
    "base_ms": 1000,
    "factor": 2,
    "cap_ms": 3_600_000,
    "jitter": 0.2,
}


def test_options_that_every_script_knows_by_heart_are_left_out_of_the_record(
    q: QueueState,
) -> None:
    q.enqueue("a", **BY_HEART)
    assert set(q.header("a")) == {"type", "created_ms"}


OF_QUEUE = {
    "job_priority": ("priority", 7),
    "job_max_attempts": ("max_attempts", 9),
    "job_max_lost": ("max_lost", 2),
    "job_timeout_ms": ("timeout_ms", 1),
    "job_backoff_base_ms": ("backoff_base_ms", 5),
    "job_backoff_factor": ("backoff_factor", 3.5),
    "job_backoff_cap_ms": ("backoff_cap_ms", 6),
    "job_backoff_jitter": ("backoff_jitter", 0),
}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("priority=1 priority=1", "priority=1"),
        ("priority=1 lease_ms=5", "lease_ms=5"),
        ("9priority=1", "9priority=1"),
        ("priority", "priority"),
        ("priority =1", "priority"),
        ('{"priority":1}', '{"priority":1}'),
    ],
)
def test_a_word_that_is_no_option_once_is_refused_and_writes_nothing(
    q: QueueState, words: str, named: str
) -> None:
    word, sentence = q.send("enqueue", words, "a", "echo", b"", b"")
    assert word == b"BAD_ARGUMENT"
    assert sentence.decode() == (
        "options must be words name=value, each name once, of base_ms cap_ms delay_ms factor jitter"
        f" max_attempts max_lost priority retention_ms timeout_ms, not '{named}'"
    )
    assert q.keys() == set()


def test_options_left_out_are_the_queues_and_those_given_win(q: QueueState) -> None:
    q.configure(**{setting: value for setting, (_, value) in OF_QUEUE.items()})
    q.enqueue("left-out")
    q.enqueue("given", **BY_HEART)
    header = q.header("left-out")
    assert {member: header[member] for member, _ in OF_QUEUE.values()} == dict(OF_QUEUE.values())
    assert set(q.header("given")) == {"type", "created_ms"}
    # And the order in which they run is by these priorities.
    assert q.claimed() == ["left-out", "given"]


def test_a_job_keeps_the_options_of_its_enqueue_when_the_queue_changes(q: QueueState) -> None:
    q.enqueue("a", delay_ms=1000)
    before = q.read("jobs")
    q.configure(job_priority=0, job_max_attempts=1)
    q.make_due("scheduled", "a")
    q.promote()
    assert q.read("jobs") == before
    assert q.read("queued") == {"a": 5 * PRIORITY_STEP}


@pytest.mark.parametrize(
    "state", ["queued", "scheduled", "running", "retrying", "completed", "cancelled", "dead"]
)
def test_an_id_that_is_kept_is_a_duplicate_in_whatever_state_and_changes_nothing(
    q: QueueState, state: str
) -> None:
    q.enqueue("a", delay_ms=60_000 if state == "scheduled" else 0)
    if state == "cancelled":
        q.cancel("a")
    elif state not in ("queued", "scheduled"):
        q.claim()
    if state == "completed":
        q.ack("a")
    if state in ("retrying", "dead"):
        q.fail("a", final=int(state == "dead"))
    q.silence()
    before = q.dump()
    assert q.states("a") == [state]
    assert q.enqueue("a", payload=b"other", priority=9) == [EnqueueDuplicate("a")]
    assert q.enqueue("a", delay_ms=1) == [EnqueueDuplicate("a")]
    assert q.dump() == before


def test_an_id_that_is_no_longer_kept_may_be_used_again(q: QueueState) -> None:
    q.run("a", retention_ms=0)
    q.ack("a")
    assert q.enqueue("a", payload=b"2") == [EnqueueCreated("a")]
    assert q.read("jobs")["a"].endswith(b"\n2")
    assert q.states("a") == ["queued"]


def test_an_id_twice_in_a_batch_is_added_once_with_the_first_payload(q: QueueState) -> None:
    items = [
        EnqueueItem("a", "echo", b"1", b""),
        EnqueueItem("b", "echo", b"2", b""),
        EnqueueItem("a", "other", b"3" * 5000, b"h"),
    ]
    first, again = q.twice(scripts.enqueue(q.name, items, delay_ms=0))
    assert first.answers == [EnqueueCreated("a"), EnqueueCreated("b"), EnqueueDuplicate("a")]
    assert again.answers == [EnqueueDuplicate(id) for id in ("a", "b", "a")]
    assert q.order("queued") == ["a", "b"]
    assert q.read("jobs")["a"].endswith(b"\n1")
    assert q.read("payloads") is None
    assert q.stat("enqueued") == 2


def test_a_batch_of_old_and_new_ids_adds_the_new_ones(q: QueueState) -> None:
    q.enqueue("a", "c")
    answers = q.enqueue("a", "b", "c", "d")
    assert answers == [
        EnqueueDuplicate("a"),
        EnqueueCreated("b"),
        EnqueueDuplicate("c"),
        EnqueueCreated("d"),
    ]
    assert q.claimed() == ["a", "c", "b", "d"]
    assert q.stat("enqueued") == 4


def test_an_empty_id_is_made_from_the_stamp(q: QueueState) -> None:
    answers = q.enqueue("", "x", "")
    last = q.stat("stamp")
    assert answers == [
        EnqueueCreated(str(last - 2)),
        EnqueueCreated("x"),
        EnqueueCreated(str(last)),
    ]
    assert q.claimed() == [str(last - 2), "x", str(last)]


@pytest.mark.parametrize("word", ["status", "batch"])
def test_the_ids_that_are_words_of_the_api_are_refused(q: QueueState, word: str) -> None:
    with pytest.raises(BadArgument, match=f"^item 2: id must be .*, not '{word}'$"):
        q.enqueue("a", word)
    assert q.dump() == {}
    assert q.enqueue(f"{word}1", word.upper()) == [
        EnqueueCreated(f"{word}1"),
        EnqueueCreated(word.upper()),
    ]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (EnqueueItem("a b", "echo", b"", b""), "item 3: id must be"),
        (EnqueueItem("c", "e{}", b"", b""), "item 3: type must be"),
        (EnqueueItem("c", "echo", b"", bytes(4097)), "item 3: headers must be 0..4096 bytes long"),
    ],
)
def test_a_bad_item_refuses_the_whole_batch(q: QueueState, bad: EnqueueItem, named: str) -> None:
    good = [EnqueueItem(id, "echo", b"", b"") for id in ("a", "b")]
    with pytest.raises(BadArgument, match=named):
        q.call(scripts.enqueue(q.name, [*good, bad, *good], delay_ms=0))
    assert q.dump() == {}


@pytest.mark.parametrize(
    ("settings", "limit"),
    [({}, 1_048_576), ({"payload_bytes": 10}, 10), ({"payload_bytes": 3_000_000}, 3_000_000)],
)
def test_a_payload_above_the_queues_limit_refuses_the_batch(
    q: QueueState, settings: dict[str, Any], limit: int
) -> None:
    q.configure(**settings)
    before = q.dump()
    items = [EnqueueItem("a", "echo", b"", b""), EnqueueItem("b", "echo", bytes(limit + 1), b"")]
    with pytest.raises(TooLarge) as refused:
        q.call(scripts.enqueue(q.name, items, delay_ms=0))
    assert str(refused.value) == (
        f"item 2: payload has {limit + 1} bytes, queue {q.name} takes at most {limit}"
    )
    assert q.dump() == before
    assert q.enqueue("b", payload=bytes(limit)) == [EnqueueCreated("b")]


def test_what_a_client_has_written_as_json_is_never_read_as_a_header(q: QueueState) -> None:
    # Headers and payload that look like members of the record's own line.
    trap = b'","priority":9,"headers_bytes":0,"payload_bytes":9,"max_attempts":1}\n{"x":'
    q.enqueue("a", payload=trap, headers=trap, delay_ms=1)
    assert json.loads(q.read("jobs")["a"].split(b"\n")[0])["headers_bytes"] == len(trap)
    q.make_due("scheduled", "a")
    q.promote()
    assert q.read("queued") == {"a": 5 * PRIORITY_STEP}
    job = q.claim().answers[0]
    assert (job.headers, job.payload) == (trap, trap)


def test_an_answer_is_not_equal_to_another_word_with_the_same_fields() -> None:
    assert EnqueueCreated("a") == EnqueueCreated("a")
    assert EnqueueCreated("a") != EnqueueDuplicate("a")
    assert len({EnqueueCreated("a"), EnqueueDuplicate("a"), EnqueueCreated("a")}) == 2


def test_the_answer_tells_what_all_headers_of_the_batch_have_in_common(q: QueueState) -> None:
    q.configure(job_max_attempts=7)
    items = [EnqueueItem("a", "echo", b"1", b"{}"), EnqueueItem("b", "mail", b"2", b"")]
    reply = q.call(scripts.enqueue(q.name, items, delay_ms=0, priority=9, retention_ms=5))
    told = json.loads(reply.header)
    assert told == {
        "created_ms": reply.now_ms,
        "priority": 9,
        "max_attempts": 7,
        "retention_ms": 5,
    }
    own = {"a": {"type": "echo", "headers_bytes": 2}, "b": {"type": "mail"}}
    assert all(q.header(id) == told | member for id, member in own.items())


@pytest.mark.parametrize("delay_ms", [0, 60_000])
def test_the_answer_tells_when_the_first_is_due_or_was_queued(q: QueueState, delay_ms: int) -> None:
    items = [EnqueueItem(id, "echo", b"1", b"") for id in ("a", "b")]
    q.raw.hset(q.key("stats"), "stamp", stamp_of(q.now_ms() + 5000))  # ahead of the clock
    reply = q.call(scripts.enqueue(q.name, items, delay_ms=delay_ms))
    call = scripts.inspect(q.name, [scripts.InspectItem("a")], with_payload=0)
    (seen,) = q.call(call).answers
    assert isinstance(seen, scripts.InspectJob)
    assert reply.run_at_ms == seen.run_at_ms
    assert 4000 < reply.run_at_ms - reply.now_ms - delay_ms <= 5001
