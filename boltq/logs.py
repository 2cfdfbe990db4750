"""Logging: one event, one line, as text for people or JSON for machines.

Events are logged through the standard library, fields as `extra`: `log.info("acked", extra={"job":
id, "duration_ms": 3})`. What may never be an event or a field: a payload, a result, a secret.
"""

import logging
import re
import sys
import time
from typing import Literal, TextIO

import ujson

# What every record has; anything beside it was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PASSWORD = re.compile(r"((?:rediss?(?:\+[a-z]+)?|unix)://)(?!/)[^\s\"']*@")
_PLAIN = re.compile(r"[^\s\"'=]+")


def configure(
    form: Literal["text", "json"],
    level: str = "INFO",
    stream: TextIO | None = None,
) -> None:
    """Send everything that is logged in this process to one stream, in one form.

    Args:
        form: "text" for a terminal, "json" for a collector of logs.
        level: the least that is written, DEBUG INFO WARNING ERROR or CRITICAL.
        stream: where to; standard error if None. Calling again replaces what was set before.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It warns of each request that has to wait for a thread: hundreds of lines in a busy second.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class JsonLines(logging.Formatter):
    """JSON lines: time (UTC), level, event, logger, then the fields; `exception` last."""

    def __init__(self) -> None:
        super().__init__()
        self._second = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; about 12 us."""
        fields: dict[str, object] = {
            "time": self._time(record),
            "level": record.levelname,
            "event": record.getMessage(),
            "logger": record.name,
            **_extras(record),
        }
        try:
            line = ujson.dumps(fields, escape_forward_slashes=False, allow_nan=False, default=str)
        except (TypeError, ValueError, OverflowError):  # bytes, not-a-number, a cycle
            line = ujson.dumps({key: str(value) for key, value in fields.items()})
        return _without_passwords(line)

    def _time(self, record: logging.LogRecord) -> str:
        whole = int(record.created)
        second, text = self._second
        if second != whole:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
            self._second = (whole, text)
        return f"{text}.{int(record.msecs):03d}Z"


class TextLines(logging.Formatter):
    """Lines for a terminal: `12:00:01 INFO worker: event key=value`, the time being local."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line without control characters."""
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        name = record.name.removeprefix("boltq.")
        parts = [f"{when} {record.levelname} {name}: {printable(record.getMessage())}"]
        for key, value in _extras(record).items():
            text = str(value)
            plain = _PLAIN.fullmatch(text) and text.isprintable()
            parts.append(f"{key}={text if plain else _quoted(text)}")
        return _without_passwords(" ".join(parts))


def _extras(record: logging.LogRecord) -> dict[str, object]:
    extras = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    if record.exc_info:
        extras["exception"] = logging.Formatter().formatException(record.exc_info)
    if record.stack_info:
        extras["stack"] = record.stack_info
    return extras


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
