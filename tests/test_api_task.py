"""The head of an answer: written by us where it is a usual one, and the same as by waitress."""

from typing import Any

import pytest
from waitress.task import WSGITask

from boltq.api.task import ApplicationTask

GIVEN = [
    ("content-type", "application/json"),
    ("x-request-id", "r-1"),
    ("content-length", "2"),
    ("x-content-type-options", "nosniff"),
    ("location", "/api/jobs/caf\u00e9"),
]


class Stop:
    """Whether the API is to end."""

    def __init__(self, *, is_set: bool) -> None:
        self._is_set = is_set

    def is_set(self) -> bool:
        return self._is_set


def stand_in(**members: object) -> Any:
    """Return an object with these members, as deep as a task looks."""
    return type("StandIn", (), members)()


def head(
    kind: type[WSGITask],
    *,
    version: str = "1.1",
    sent: dict[str, str] | None = None,
    status: str = "202 Accepted",
    headers: list[tuple[str, str]] = GIVEN,
    is_ending: bool = False,
) -> tuple[bytes, list[bytes], bool]:
    """Return the first line, the headers in the order of the alphabet, and whether it closes."""
    server = stand_in(adj=stand_in(ident=None), stop=Stop(is_set=is_ending))
    task = kind(stand_in(server=server), stand_in(version=version, headers=sent or {}))
    task.status, task.response_headers = status, list(headers)
    task.start_time = 1_800_000_000.7  # type: ignore[assignment]
    task.content_length = next((int(v) for n, v in headers if n == "content-length"), None)
    first, *lines = task.build_response_header().removesuffix(b"\r\n\r\n").split(b"\r\n")
    return first, sorted(lines), task.close_on_finish


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"sent": {"CONNECTION": "close"}},
        {"sent": {"CONNECTION": "keep-alive"}},
        {"version": "1.0"},
        {"version": "1.0", "sent": {"CONNECTION": "keep-alive"}},
        {"status": "204 No Content"},
        {"status": "304 Not Modified", "headers": [("etag", '"a"')]},
        {"headers": [("content-type", "text/plain")]},
        {"headers": [*GIVEN, ("date", "yesterday")]},
        {"headers": [*GIVEN, ("server", "another")]},
        {"headers": [*GIVEN, ("set-cookie", "a=1"), ("set-cookie", "b=2")]},
    ],
    ids=str,
)
def test_a_head_is_what_waitress_would_write(case: dict[str, Any]) -> None:
    assert head(ApplicationTask, **case) == head(WSGITask, **case)


def test_once_the_api_is_to_end_the_connection_ends_with_the_answer() -> None:
    _, lines, closes = head(ApplicationTask, is_ending=True)
    assert b"Connection: close" in lines
    assert closes
