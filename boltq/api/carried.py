"""What a request hands on to the jobs that it makes: its id, and the trace that it is part of."""

import falcon

from boltq.logs import TRACEPARENT
from boltq.newjob import as_json

MOST_BYTES = 4096
"""As many as the headers of a job may have."""


def carried(req: falcon.Request) -> dict[str, object]:
    """Return the headers that each job of a request has, where its own say nothing else.

    `request_id` is what the answer and the log call the request; `traceparent` is there if the
    request has one, in the form of W3C's Trace Context.
    """
    headers: dict[str, object] = {"request_id": req.context.request_id}
    traceparent = req.get_header("traceparent")
    if traceparent and (found := TRACEPARENT.fullmatch(traceparent)):
        headers["traceparent"] = traceparent
        req.context.concerns["trace_id"] = found[1]
    return headers


def with_carried(own: dict[str, object] | None, carried: dict[str, object]) -> dict[str, object]:
    """Return the headers of a job with those carried to it, which give way if there is no room."""
    if not own:
        return carried
    both = {**carried, **own}
    return both if len(as_json("headers", both)) <= MOST_BYTES else own
