"""What workers ask: to lease jobs, and to report on them."""

from collections.abc import Mapping

from boltq.api import work_requests
from boltq.api.openapi.operation import Answer, Link, Operation
from boltq.api.parking import LONGEST_WAIT_SECONDS

AREA = "Work"
ABOUT = "Lease jobs to a worker, and report on them under the token of the claim."

_LOST = "A 409 says what became of a lease that is lost. It is safe to send again."


def _report(verb: str, summary: str, description: str, became: str) -> Operation:
    return Operation(
        verb,
        AREA,
        summary,
        f"{description} {_LOST}",
        {200: Answer(became, "Reported", links=(Link("job", {"id": "$response.body#/id"}),))},
        refusals=(404, 409),
        parameters=("id",),
        body=work_requests.VERBS[verb],
    )


OPERATIONS: Mapping[str, Operation] = {
    "POST /api/claims": Operation(
        "claim",
        AREA,
        "Lease jobs",
        "Jobs of the first of `queues` that has some, or, `fair`, of one drawn by lot. With none "
        f"it is waited for some, {LONGEST_WAIT_SECONDS} s at most, and then answered with an empty "
        "list. A `token` of your own makes it safe to send again: the same jobs are answered. "
        "Without a body all is as it is by default.",
        {200: Answer("The leased jobs, if any.", "Claimed", headers=("Retry-After",))},
        body=work_requests.ClaimRequest,
        body_required=False,
    ),
    "POST /api/jobs/{id}/ack": _report(
        "ack",
        "It is done",
        "The job is completed; its `result`, any JSON, is kept byte for byte.",
        "It is completed.",
    ),
    "POST /api/jobs/{id}/fail": _report(
        "fail",
        "It failed",
        "The job is tried again after its backoff, or after `delay_seconds`; after its last "
        "attempt, or where `final`, it is dead.",
        "It is retrying, dead, or cancelled if that was asked for.",
    ),
    "POST /api/jobs/{id}/extend": _report(
        "extend",
        "It takes longer",
        "The lease lasts `lease_seconds` from now on; `cancel_asked` tells to stop.",
        "Until when the lease lasts.",
    ),
    "POST /api/jobs/{id}/release": _report(
        "release",
        "Another may do it",
        "The job is given back without a failure being counted, after `delay_seconds` if any.",
        "It is queued, scheduled, or cancelled if that was asked for.",
    ),
    "POST /api/acks": Operation(
        "report",
        AREA,
        "Report on many jobs",
        f"Up to {work_requests.MAX_REPORTS:,} reports in lists of acks, fails, releases and "
        "extends, each answered in its place; what was refused has a `word`.",
        {200: Answer("What became of each.", "Reports")},
        body=work_requests.ReportsRequest,
    ),
}
