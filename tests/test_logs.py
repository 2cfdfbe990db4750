"""Logging: one event is one line, in both forms, whatever is in it; no passwords."""

import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from boltq import execution, logs
from boltq.execution import Execution

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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Unwritable:
    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.fixture
def within() -> Iterator[Callable[[Execution | None], object]]:
    """Call it with a job: what is logged from then on is logged by its handler."""
    yield execution.enter
    execution.enter(None)


def a_job(headers: bytes = b"") -> Execution:
    return Execution("mail", "a1", "t", "email", b'"payload"', headers, 3, 2, 0, 9, 60.0, 0.0)


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
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60
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
        told_of = {"name": "x", "created": created, "msecs": created % 1 * 1000}
        record = logging.makeLogRecord(told_of)
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


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_on_a_terminal_the_level_has_a_colour_unless_that_is_not_wanted(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    configure("text")  # the fixture gives pytest its own back

    def line() -> str:
        stream = Terminal()
        logs.configure("text", "DEBUG", stream)
        log.log(getattr(logging, level), "event", extra={"job": "a\x1b[0m"})
        return only_line(stream)

    monkeypatch.setenv("NO_COLOR", "")
    assert re.search(rf" \x1b\[(1;)?\d+m{level}\x1b\[0m worker: event job=", line())
    assert line().count("\x1b") == 2
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in line()


def test_json_on_a_terminal_is_json(configure: Configure) -> None:
    configure("text")
    stream = Terminal()
    logs.configure("json", stream=stream)
    log.info("event")
    assert json.loads(only_line(stream))["level"] == "INFO"


def test_what_a_handler_logs_tells_its_job(
    configure: Configure, within: Callable[[Execution | None], object]
) -> None:
    stream = configure("json")
    within(a_job(b'{"request_id":"r-1","tenant":"never shown"}'))
    logging.getLogger("shop").info("%d mails", 2, extra={"attempt": "its own", "n": 1})
    line = json.loads(only_line(stream))
    assert list(line.items())[1:] == [
        ("level", "INFO"),
        ("event", "2 mails"),
        ("logger", "shop"),
        *(("job", "mail:a1"), ("queue", "mail"), ("type", "email")),
        *(("attempt", "its own"), ("request_id", "r-1"), ("n", 1)),
    ]
    within(None)
    stream = configure("text")
    log.info("outside")
    assert only_line(stream).endswith("outside")


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b'{"request_id":"two words"}',
        b'{"request_id":["r"]}',
        b'{"request_id":null}',
        b'{"request_id":"r',
        b'["request_id","r"]',
        b'{"a":{"request_id":"r"}}',
        b'{"request_id":"%s"}' % (b"r" * 129),
        b'{"traceparent":"00-1-2-01"}',
        b'{"traceparent":7}',
        b'{"traceparent":"00-00000000000000000000000000000000-b7ad6b7169203331-01"}',
    ],
)
def test_an_id_of_a_request_or_a_trace_is_shown_only_where_it_is_one(headers: bytes) -> None:
    assert list(logs.of_job(a_job(headers))) == ["job", "queue", "type", "attempt"]


def test_a_line_of_a_job_names_the_trace_that_it_came_with_or_that_its_handler_is_in() -> None:
    job = a_job(b'{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}')
    assert logs.of_job(job)["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    job.trace_id = "1bf7651916cd43dd8448eb211c80319c"
    assert logs.of_job(job)["trace_id"] == "1bf7651916cd43dd8448eb211c80319c"


def test_the_first_four_of_a_json_line_are_ours(configure: Configure) -> None:
    stream = configure("json")
    log.info("event", extra={"time": "never", "level": "high", "event": 1, "logger": 2})
    line = json.loads(only_line(stream))
    assert line["time"].startswith("20")
    assert (line["level"], line["event"], line["logger"]) == ("INFO", "event", "boltq.worker")
    assert (line["time_"], line["level_"], line["event_"], line["logger_"]) == (
        "never",
        "high",
        1,
        2,
    )


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_is_never_lost_for_what_it_holds(configure: Configure, form: str) -> None:
    stream = configure(form)
    log.info("%d of them", "many")
    assert "%d of them" in only_line(stream)
    stream = configure(form)
    log.info("event", extra={"odd": Unwritable(), "job": "a1"})
    line = only_line(stream)
    assert "Unwritable that cannot be written" in line
    assert "a1" in line


HUGE = {
    "message": ("m" * 100_000, {}),
    "no letters of ASCII": ("\U0001f600" * 30_000, {"a": "\u2028" * 30_000}),
    "fields": ("event", {f"{'k' * 900}{n}": "v" * 900 for n in range(900)}),
    "quotes": ("event", {"a": '"' * 40_000, "b": "\x00" * 40_000}),
    "objects": ("event", {"a": list(range(20_000)), "b": {"c": "d" * 20_000}}),
    "a number": ("event", {"a": 10**4000, "b": 10**20_000}),
}


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("which", HUGE)
def test_a_line_has_at_most_16_kib(configure: Configure, form: str, which: str) -> None:
    stream = configure(form)
    message, extra = HUGE[which]
    logging.getLogger("x" * 20_000).info(message, extra=extra)
    line = only_line(stream)
    assert len(line.encode()) <= 16 * 1024
    assert len(line) > 200
    if form == "json":
        assert json.loads(line)["level"] == "INFO"


@pytest.mark.parametrize("form", ["json", "text"])
def test_of_a_long_traceback_the_end_is_kept(configure: Configure, form: str) -> None:
    stream = configure(form)
    try:
        int("x" * 50_000 + " the end of it", 99)
    except ValueError:
        log.exception("handler failed", extra={"job": "a1"})
    line = only_line(stream)
    assert "Traceback" in line
    assert "the end of it" in line
    assert "a1" in line


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_cut_goes_through_an_address(configure: Configure, form: str) -> None:
    secret = " redis://me:s3cret@h "
    for near in range(1960, 2020):  # 2000 letters of each end are kept
        stream = configure(form)
        log.info("event", extra={"a": "x" * near + secret + "y" * 50_000})
        log.info("event", extra={"a": "x" * 50_000 + secret + "y" * near})
        assert not re.search("s3|cret", stream.getvalue())
