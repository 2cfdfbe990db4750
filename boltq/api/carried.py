"""What a request hands on to the jobs that it makes: its id, and the trace that it is part of."""

import re

import falcon

from boltq.logs import TRACEPARENT
from boltq.newjob import as_json

MOST_BYTES = 4096
"""As many as the headers of a job may have."""

MOST_STATE_BYTES, MOST_STATES = 512, 32
"""Of a tracestate, and of the entries in it."""

# One entry of a tracestate, which may be empty: a key, with its tenant if it has one, and a value.
_STATE = re.compile(
    r"[ \t]*([a-z0-9][a-z0-9_*/-]{0,255}(@[a-z][a-z0-9_*/-]{0,13})?"
    r"=[ -+\--<>-~]{0,255}[!-+\--<>-~])?[ \t]*"
)


def carried(req: falcon.Request) -> dict[str, object]:
    """Return the headers that each job of a request has, where its own say nothing else.

    `request_id` is what the answer and the log call the request; `traceparent` is there if the
    request has one, in the form of W3C's Trace Context, and beside it `tracestate`, of whose
    entries the last give way above 512 bytes. One that breaks its form is left out.
    """
    headers: dict[str, object] = {"request_id": req.context.request_id}
    traceparent = req.get_header("traceparent")
    if traceparent and (found := TRACEPARENT.fullmatch(traceparent)):
        headers["traceparent"] = traceparent
        req.context.concerns["trace_id"] = found[1]
        if state := _state(req.get_header("tracestate") or ""):
            headers["tracestate"] = state
    return headers


def with_carried(own: dict[str, object] | None, carried: dict[str, object]) -> dict[str, object]:
    """Return the headers of a job with those carried to it, which give way if there is no room.

    The state of one trace is never put beside the parent of another.
    """
    if not own:
        return carried
    stateless = {name: value for name, value in carried.items() if name != "tracestate"}
    for told in (stateless,) if "traceparent" in own else (carried, stateless):
        both = {**told, **own}
        if len(as_json("headers", both)) <= MOST_BYTES:
            return both
    return own


def _state(written: str) -> str:
    entries = [entry.strip(" \t") for entry in written.split(",")]
    if len(entries) > MOST_STATES or not all(map(_STATE.fullmatch, entries)):
        return ""
    entries = [entry for entry in entries if entry]
    while len(",".join(entries)) > MOST_STATE_BYTES:
        entries.pop()
    return ",".join(entries)
