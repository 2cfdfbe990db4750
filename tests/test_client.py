"""The Python client: what a caller says, hears and is refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import TestServer

from boltq import Backoff, BoltQ, NewJob, ids, locate, scripts
from boltq.embedded import Embedded
from boltq.errors import BadArgument, TooLarge, UnknownJob, WrongState
from boltq.settings import Settings


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


def keys(server: TestServer, queue: str) -> set[bytes]:
    return set(server.raw().scan_iter(f"boltq1:{{{queue}}}:*"))


def test_an_enqueued_job_is_shown_whole(app: BoltQ, queue: str) -> None:
    made = app.enqueue(
        "mail:send",
        {"to": "a@example.com"},
        queue=queue,
        priority=7,
        max_attempts=5,
        timeout_seconds=60,
        headers={"traceparent": "00-ab"},
    )
    job = app.get(made.id)
    assert made.created
    assert (job.id, job.queue, job.type, job.state) == (made.id, queue, "mail:send", "queued")
    assert (job.priority, job.max_attempts, job.timeout_seconds) == (7, 5, 60)
    assert (job.attempt, job.failures, job.errors) == (0, 0, [])
    assert job.payload == b'{"to":"a@example.com"}'
    assert json.loads(job.headers or b"") == {"traceparent": "00-ab"}


def test_a_known_id_adds_nothing(app: BoltQ, queue: str) -> None:
    first = app.enqueue("echo", 1, queue=queue, id="one")
    second = app.enqueue("echo", 2, queue=queue, id=f"{queue}:one")
    assert (first.created, second.created) == (True, False)
    assert app.get(second.id).payload == b"1"
    assert app.stats(queue).enqueued_total == 1


@pytest.mark.parametrize(
    "raw", [b"[]", b"{}", b"9007199254740993", b"1.0", b'"\\u00e9"', b'"' + b"x" * 10**6 + b'"']
)
def test_raw_payloads_come_back_byte_for_byte(app: BoltQ, queue: str, raw: bytes) -> None:
    job = app.get(app.enqueue("echo", raw=raw, queue=queue).id)
    assert job.payload == raw
    assert b'"payload":' + raw + b"," in job.to_json()


def test_a_payload_that_is_no_json_is_shown_as_base64(app: BoltQ, queue: str) -> None:
    shown = json.loads(app.get(app.enqueue("echo", raw=b"\xff\x00", queue=queue).id).to_json())
    assert shown["payload_base64"] == "/wA="
    assert "payload" not in shown


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (float("nan"), "payload must be what JSON can say"),
        ({1, 2}, "payload must be what JSON can say"),
        (b"bytes", "payload must be what JSON can say"),
        ("\ud800", "payload must be what JSON can say"),
    ],
)
def test_what_json_cannot_say_is_refused_and_makes_nothing(
    app: BoltQ, server: TestServer, queue: str, payload: object, said: str
) -> None:
    with pytest.raises(BadArgument, match=said):
        app.enqueue("echo", payload, queue=queue)
    assert keys(server, queue) == set()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"priority": 10}, "priority must be an integer 0..9, not '10'"),
        ({"priority": True}, "priority must be an integer 0..9, not 'True'"),
        ({"max_attempts": 0}, "max_attempts must be an integer 1..1000, not '0'"),
        ({"delay_seconds": float("nan")}, "delay_seconds must be a number of seconds"),
        ({"delay_seconds": -5}, "delay_seconds must be a number of seconds, 0 to 315360000 s"),
        ({"delay": "5"}, "delay must be seconds or a timedelta"),
        ({"delay": 1, "delay_seconds": 1}, "delay and delay_seconds exclude each other"),
        ({"backoff": Backoff(factor=0.5)}, "factor must be a number 1..1000"),
        ({"delay_seconds": 1, "run_at": datetime.now(UTC)}, "exclude each other"),
        ({"id": "status"}, "status"),
        ({"id": "other:one"}, "names the queue other"),
    ],
)
def test_bad_options_are_refused_and_make_nothing(
    app: BoltQ, server: TestServer, queue: str, options: Any, said: str
) -> None:
    with pytest.raises(BadArgument, match=said):
        app.enqueue("echo", queue=queue, **options)
    assert keys(server, queue) == set()


def test_a_payload_above_the_queues_limit_is_too_large(app: BoltQ, queue: str) -> None:
    app.configure(queue, payload_bytes=10)
    with pytest.raises(TooLarge, match=r"payload has 13 bytes, queue .* takes at most 10"):
        app.enqueue("echo", "x" * 11, queue=queue)


def test_a_time_to_run_at_is_counted_by_the_servers_clock(app: BoltQ, queue: str) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    job = app.get(app.enqueue("echo", queue=queue, run_at=moment).id)
    assert job.state == "scheduled"
    assert job.run_at is not None
    assert abs(job.run_at - moment) < timedelta(minutes=1)


def test_a_short_time_is_rounded_up_since_0_is_another_thing(app: BoltQ, queue: str) -> None:
    job = app.get(app.enqueue("echo", queue=queue, timeout_seconds=0.0001).id)
    assert job.timeout_seconds == 0.001


def test_many_jobs_go_in_batches_and_are_answered_in_order(app: BoltQ, queue: str) -> None:
    given = [ids.new_id() for _ in range(1200)]
    jobs = (NewJob("echo", n, id=one) for n, one in enumerate(given))
    made = list(app.enqueue_each(jobs, queue=queue))
    assert [answer.id for answer in made] == [f"{queue}:{one}" for one in given]
    assert all(answer.created for answer in made)
    assert app.stats(queue).queued == 1200


def test_large_payloads_are_cut_into_calls_that_the_server_takes(app: BoltQ, queue: str) -> None:
    big = NewJob("echo", raw=b'"' + b"x" * 900_000 + b'"')
    assert app.enqueue_many([big] * 12, queue=queue) == 12


def test_a_job_that_rests_is_cancelled_and_one_that_ended_is_not(app: BoltQ, queue: str) -> None:
    made = app.enqueue("echo", queue=queue)
    assert app.cancel(made.id) == "cancelled"
    assert app.cancel(made.id) == "already"
    assert app.get(made.id).state == "cancelled"
    with pytest.raises(WrongState, match="is cancelled: only a dead job can be replayed"):
        app.replay(made.id)


def test_an_error_with_odd_line_breaks_is_shown_whole(app: BoltQ, queue: str) -> None:
    made = app.enqueue("echo", queue=queue, id="one")
    claim = scripts.claim(queue, token="t", worker="w", lease_ms=60_000, limit=1, max_bytes=100)
    app.server.call(claim)
    text = "a\u2028b\x85c\nd".encode()
    failure = scripts.FailItem("one", "t", b"Odd", text, text, scripts.LEFT_OUT, 0)
    app.server.call(scripts.fail(queue, [failure]))
    (error,) = app.get(made.id).errors
    assert (error.message, error.stack) == (text.decode(), text.decode())


def test_an_unknown_job_is_named(app: BoltQ, queue: str) -> None:
    for verb in (app.get, app.cancel, app.replay):
        with pytest.raises(UnknownJob, match=f"job {queue}:nope is not known"):
            verb(f"{queue}:nope")


def test_pages_follow_each_other_newest_first(app: BoltQ, queue: str) -> None:
    made = [app.enqueue("echo", n, queue=queue).id for n in range(5)]
    first = app.list("queued", queue=queue, limit=3)
    second = app.list("queued", queue=queue, limit=3, cursor=first.cursor)
    assert [job.id for job in first.jobs + second.jobs] == made[::-1]
    assert (bool(first.cursor), second.cursor) == (True, "")
    assert first.jobs[0].payload is None


def test_a_state_is_purged_in_steps(app: BoltQ, queue: str) -> None:
    app.enqueue_many((NewJob("echo") for _ in range(1100)), queue=queue)
    assert app.purge("queued", queue) == 1100
    assert (app.stats(queue).queued, app.stats(queue).purged_total) == (0, 1100)


def test_pausing_tells_why_and_who_and_resuming_forgets_it(app: BoltQ, queue: str) -> None:
    app.pause(queue, reason="mail server away", by="Ada")
    paused = app.stats(queue)
    assert (paused.paused, paused.pause_reason, paused.paused_by) == (1, "mail server away", "Ada")
    app.resume(queue)
    assert (app.stats(queue).paused, app.stats(queue).pause_reason) == (0, "")


def test_a_setting_goes_back_to_its_default(app: BoltQ, queue: str) -> None:
    assert app.configure(queue, keep_dead=5)["keep_dead"] == "5"
    assert app.configure(queue, keep_dead=None)["keep_dead"] == "100000"
    with pytest.raises(BadArgument, match="must be a setting of a queue, not 'colour'"):
        app.configure(queue, colour="red")


def test_queues_in_use_are_known_also_when_only_paused(app: BoltQ, queue: str) -> None:
    app.pause(queue)
    assert queue in app.queues()
    assert app.stats_of_all()[queue].paused == 1


def test_without_an_address_the_embedded_server_of_the_data_folder_is_used(tmp_path: Path) -> None:
    settings = Settings.load({"data_dir": tmp_path / "data"}, {}, tmp_path / "none")
    assert locate.server_address(settings).hosts == (("localhost", 6379),)
    embedded = Embedded(tmp_path / "data", persistent=False)
    embedded.start()
    try:
        assert locate.server_address(settings).socket_path == embedded.socket_path
        told = Settings.load({"redis_addr": "h:1"}, {}, tmp_path / "none")
        assert locate.server_address(told).hosts == (("h", 1),)
        assert locate.server_address(told, "g:2").hosts == (("g", 2),)
    finally:
        embedded.stop()
