"""Logging: one event is one line, in both forms, whatever is in it; no passwords."""

import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from boltq import logs

Configure = Callable[..., io.StringIO]
log = logging.getLogger("boltq.worker")


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Configure logging into a stream, and give pytest its own back afterwards."""
    root, waitress = logging.getLogger(), logging.getLogger("waitress.queue")
    handlers, levels = root.handlers[:], (root.level, waitress.level)

    def into_a_stream(form: str, level: str = "INFO") -> io.StringIO:
        stream = io.StringIO()
        logs.configure(form, level, stream)
        return stream

    yield into_a_stream
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    waitress.setLevel(levels[1])


def only_line(stream: io.StringIO) -> str:
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    return text[:-1]


def test_a_json_line_holds_time_level_event_logger_and_the_fields(configure: Configure) -> None:
    stream = configure("json")
    log.warning("job %s", "failed", extra={"job": "q:a1", "attempt": 2, "duration_ms": 1.5})
    line = json.loads(only_line(stream))
    told = datetime.fromisoformat(line.pop("time"))
    assert told.tzinfo == UTC
    assert abs((datetime.now(UTC) - told).total_seconds()) < 5
    assert list(line.items()) == [
        ("level", "WARNING"),
        ("event", "job failed"),
        ("logger", "boltq.worker"),
        ("job", "q:a1"),
        ("attempt", 2),
        ("duration_ms", 1.5),
    ]


def test_the_time_of_a_json_line_is_utc_to_the_millisecond() -> None:
    lines = logs.JsonLines()
    for created, told in (
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_800_000_000.5, "2027-01-15T08:00:00.500Z"),
        (1_800_000_000.75, "2027-01-15T08:00:00.750Z"),
        (1_800_000_001.25, "2027-01-15T08:00:01.250Z"),
    ):
        record = logging.makeLogRecord({"created": created, "msecs": created % 1 * 1000})
        assert json.loads(lines.format(record))["time"] == told


def test_a_text_line_is_short_and_quotes_what_is_not_plain(configure: Configure) -> None:
    stream = configure("text")
    log.info("job done", extra={"job": "q:a1", "error": 'no "host" found', "note": "", "n": 3})
    line = only_line(stream)
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO worker: job done .*", line)
    assert line.endswith(r'job=q:a1 error="no \"host\" found" note="" n=3')
    assert abs(int(line[3:5]) - time.localtime().tm_min) in (0, 1, 59)


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_text_can_break_the_line_or_move_the_cursor(configure: Configure, form: str) -> None:
    stream = configure(form)
    nasty = "a\nb\r\x1b[31m\x00\x85\u2028\u202e\ud800"
    log.info("event %s", nasty, extra={"type": nasty})
    line = only_line(stream)
    assert line.isprintable()
    if form == "json":
        assert json.loads(line)["type"] == nasty


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_exception_is_one_field(configure: Configure, form: str) -> None:
    stream = configure(form)
    try:
        int("x")
    except ValueError:
        log.exception("handler failed")
    line = only_line(stream)
    trace = json.loads(line)["exception"] if form == "json" else line.partition("exception=")[2]
    assert "Traceback" in trace
    assert "invalid literal for int" in trace


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("odd", [b"\xff", float("nan"), {1, 2}, object(), 2**70])
def test_a_field_of_any_kind_is_written_somehow(
    configure: Configure, form: str, odd: object
) -> None:
    stream = configure(form)
    log.info("event", extra={"odd": odd, "job": "a1"})
    line = only_line(stream)
    if form == "json":
        assert json.loads(line, parse_constant=pytest.fail)["job"] == "a1"
    else:
        assert "odd=" in line


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "address",
    [
        "redis://u:s3cret@h:1",
        "rediss://:s3cret@h",
        "redis+sentinel://u:s3c@s3cret/s3cret@h1,h2/x",
        "unix://u:s3cret@/run/x",
    ],
)
def test_the_password_of_an_address_is_never_written(
    configure: Configure, form: str, address: str
) -> None:
    stream = configure(form)
    log.info("no answer from %s yet", address, extra={"redis": address})
    line = only_line(stream)
    assert "s3cret" not in line
    assert line.count("://***@") == 2
    assert "yet" in line


def test_an_address_without_a_password_is_written_whole(configure: Configure) -> None:
    stream = configure("text")
    log.info("on unix:///run/a@b and redis://h:1 for me@example.com")
    assert only_line(stream).endswith("on unix:///run/a@b and redis://h:1 for me@example.com")


def test_what_is_below_the_level_and_waitress_queue_warnings_are_not_written(
    configure: Configure,
) -> None:
    stream = configure("text", "INFO")
    log.debug("not this")
    logging.getLogger("waitress.queue").warning("Task queue depth is 1")
    logging.getLogger("waitress").warning("this")
    assert only_line(stream).endswith("WARNING waitress: this")


def test_configuring_again_replaces_what_was_configured_before(configure: Configure) -> None:
    first, second = configure("json"), configure("text")
    log.info("once")
    assert first.getvalue() == ""
    assert only_line(second).endswith("once")
