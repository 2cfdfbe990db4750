"""Logging: one event, one line, as text for people or JSON for machines.

Events are logged through the standard library. The message is a fixed phrase, by which people
search; what varies is a field, given as `extra`, and boltq.fields names each. What may never be an
event or a field: a payload, a result, a header beside `request_id`, a secret.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any, Literal, TextIO

import msgspec
import ujson

from boltq import execution
from boltq.execution import Execution

REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What the id of a request may be; any other is not taken over from those who send it."""

TRACEPARENT = re.compile(r"00-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""The trace that a request or a job is part of, and its id as a group (W3C Trace Context)."""

MOST_BYTES = 16 * 1024
"""The longest line, without its end; collectors cut longer ones, and then JSON is JSON no more."""

_MOST_FIELDS = 30
_CUTS = (4000, 1000, 250, 50, 10)
_LOGGER_LETTERS = 100

# What every record has; anything beside it was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_HEAD = frozenset({"time", "level", "event", "logger"})
_PASSWORD = re.compile(r"((?:rediss?(?:\+[a-z]+)?|unix)://)(?!/)[^\s\"']*@")
_PLAIN = re.compile(r"[^\s\"'=]+")
_COLOURS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def configure(
    form: Literal["text", "json"], level: str = "INFO", stream: TextIO | None = None
) -> None:
    """Send everything that is logged in this process to one stream, in one form.

    Args:
        form: "text" for people, with colours if the stream is a terminal and NO_COLOR is not set;
            "json" for a collector of logs.
        level: the least that is written, DEBUG INFO WARNING ERROR or CRITICAL.
        stream: where to; standard error if None. Calling again replaces what was set before.
    """
    to = sys.stderr if stream is None else stream
    coloured = to.isatty() and not os.environ.get("NO_COLOR")
    handler = logging.StreamHandler(to)
    handler.setFormatter(JsonLines() if form == "json" else TextLines(coloured=coloured))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It warns of each request that has to wait for a thread: hundreds of lines in a busy second.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def of_job(job: Execution) -> dict[str, object]:
    """Return the fields that tell which job a line is of; costs about 3 us."""
    fields: dict[str, object] = {
        "job": job.id,
        "queue": job.queue,
        "type": job.type,
        "attempt": job.attempt,
    }
    if b'"request_id"' in job.raw_headers or b'"traceparent"' in job.raw_headers:
        fields |= _carried(job.raw_headers)
    if job.trace_id:
        fields["trace_id"] = job.trace_id
    return fields


def _carried(headers: bytes) -> dict[str, str]:
    """Return the ids of the request and the trace that a job came with."""
    try:
        told = msgspec.json.decode(headers, type=_Carried)
    except msgspec.DecodeError:
        return {}
    fields = {}
    if isinstance(told.request_id, str) and REQUEST_ID.fullmatch(told.request_id):
        fields["request_id"] = told.request_id
    if isinstance(told.traceparent, str) and (found := TRACEPARENT.fullmatch(told.traceparent)):
        fields["trace_id"] = found[1]
    return fields


class _Carried(msgspec.Struct):
    request_id: Any = None
    traceparent: Any = None


class _Lines(logging.Formatter):
    """What both forms share: the fields, those of the job too, and that a line has an end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of at most MOST_BYTES; costs 10 to 20 us."""
        event, fields = _event(record), _fields(record)
        line = self._line(record, event, fields)
        for letters in _CUTS:
            if len(line if line.isascii() else line.encode()) <= MOST_BYTES:
                break
            kept = islice(fields.items(), _MOST_FIELDS)
            shorter = {_shorter(name, letters): _cut(value, letters) for name, value in kept}
            line = self._line(record, _shorter(event, letters), shorter)
        return _without_passwords(line)

    def _line(self, record: logging.LogRecord, event: str, fields: Mapping[str, object]) -> str:
        raise NotImplementedError


class JsonLines(_Lines):
    """JSON lines: time (UTC), level, event, logger, then the fields; `exception` last."""

    def __init__(self) -> None:
        super().__init__()
        self._second = (-1, "")

    def _line(self, record: logging.LogRecord, event: str, fields: Mapping[str, object]) -> str:
        whole: dict[str, object] = {
            "time": self._time(record),
            "level": record.levelname,
            "event": event,
            "logger": record.name[:_LOGGER_LETTERS],
            **fields,
        }
        try:
            return ujson.dumps(whole, escape_forward_slashes=False, allow_nan=False, default=str)
        except Exception:  # noqa: BLE001 - bytes, not-a-number, a cycle, a __str__ that raises
            return ujson.dumps({name: _text(value) for name, value in whole.items()})

    def _time(self, record: logging.LogRecord) -> str:
        whole = int(record.created)
        second, text = self._second
        if second != whole:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
            self._second = (whole, text)
        return f"{text}.{int(record.msecs):03d}Z"


class TextLines(_Lines):
    """Lines for people: `12:00:01 INFO worker: event key=value`, the time being local.

    coloured: whether the level has a colour, by its escape codes.
    """

    def __init__(self, *, coloured: bool = False) -> None:
        super().__init__()
        self._coloured = coloured
        self._second = (-1, "")

    def _line(self, record: logging.LogRecord, event: str, fields: Mapping[str, object]) -> str:
        whole = int(record.created)
        second, when = self._second
        if second != whole:
            when = time.strftime("%H:%M:%S", time.localtime(whole))
            self._second = (whole, when)
        name = printable(record.name.removeprefix("boltq.")[:_LOGGER_LETTERS])
        level = record.levelname
        if self._coloured and level in _COLOURS:
            level = f"\x1b[{_COLOURS[level]}m{level}\x1b[0m"
        parts = [f"{when} {level} {name}: {printable(event)}"]
        for key, value in fields.items():
            text = _text(value)
            plain = _PLAIN.fullmatch(text) and text.isprintable()
            parts.append(f"{printable(key)}={text if plain else _quoted(text)}")
        return " ".join(parts)


def _event(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments of others: a line is better than none
        return _text(record.msg)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    job = execution.running()
    fields = {} if job is None else of_job(job)
    for name, value in vars(record).items():
        if name not in _STANDARD:
            fields[f"{name}_" if name in _HEAD else name] = value
    if record.exc_info:
        fields["exception"] = logging.Formatter().formatException(record.exc_info)
    if record.stack_info:
        fields["stack"] = record.stack_info
    return fields


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - an object's own __str__ may raise anything
        return f"({type(value).__name__} that cannot be written)"


def _cut(value: object, letters: int) -> object:
    text = _text(value)
    return value if len(text) <= letters else _shorter(text, letters)


def _shorter(text: str, letters: int) -> str:
    """Leave out the middle: what a traceback is about stands at its end."""
    # Before it is cut: of half an address nobody could tell what the password is.
    text = _without_passwords(text)
    half = letters // 2
    return text if len(text) <= letters else f"{text[:half]}...{text[-half:]}"


def printable(text: str) -> str:
    """Escape what would break the line, move a cursor, or be no character at all."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def _without_passwords(line: str) -> str:
    return _PASSWORD.sub(r"\1***@", line) if "://" in line and "@" in line else line
