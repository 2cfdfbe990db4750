"""What operators ask of jobs: to find and alter them, one by one or many at once."""

from collections.abc import Mapping

from boltq.api.openapi.operation import Answer, Operation
from boltq.api.operator_requests import AlterRequest, OperationRequest

AREA = "Upkeep"
ABOUT = "Find jobs, alter and delete them, and do the same to many at once."

_PAGE = Answer("A page of them; with a filter it may be empty and not the last.", "JobPage")
_MATCH = (
    "With `If-Match` only if nothing of the job has changed since; else a 412 with its tag now."
)

OPERATIONS: Mapping[str, Operation] = {
    "GET /api/jobs": Operation(
        "jobs",
        AREA,
        "List jobs",
        "By state, queue, type, error, worker and time, the newest first, without payloads. "
        "`scanned` of `total` jobs of these states were looked at until here. A parameter that is "
        "not known is refused.",
        {200: _PAGE},
        parameters=(
            *("state", "of_queue", "type", "error", "worker", "text", "since", "until"),
            *("limit", "cursor", "order"),
        ),
    ),
    "GET /api/dead": Operation(
        "dead",
        AREA,
        "List dead jobs",
        "As `GET /api/jobs?state=dead`, but a parameter that is not known is passed over.",
        {200: _PAGE},
        parameters=(
            *("of_queue", "type", "error", "worker", "text", "since", "until"),
            *("limit", "cursor", "order"),
        ),
    ),
    "GET /api/dead/groups": Operation(
        "deadGroups",
        AREA,
        "Count dead jobs by type and error",
        "Those of the same type whose last errors are alike are a group, the largest first. "
        "`scanned` of `total` jobs were looked at, the newest of each queue.",
        {200: Answer("The groups.", "Groups")},
        parameters=("one_state", "of_queue", "most", "groups"),
    ),
    "GET /api/jobs/{id}/attempts": Operation(
        "attempts",
        AREA,
        "What a job has been through",
        "In the order of time, as far as it is kept; without payload and result.",
        {200: Answer("Its timeline.", "Attempts")},
        refusals=(404,),
        parameters=("id",),
    ),
    "PATCH /api/jobs/{id}": Operation(
        "alter",
        AREA,
        "Alter a job",
        f"The priority of a job that rests, or when it is due. {_MATCH}",
        {200: Answer("The job as it is then.", "Altered", headers=("ETag",))},
        refusals=(404, 405, 409, 412, 428),
        parameters=("id", "if_match"),
        body=AlterRequest,
    ),
    "POST /api/jobs/{id}/run": Operation(
        "run",
        AREA,
        "Run a delayed job now",
        f"As if its time had come. {_MATCH}",
        {200: Answer("The job as it is then.", "Altered", headers=("ETag",))},
        refusals=(404, 409, 412, 415),
        parameters=("id", "if_match"),
    ),
    "DELETE /api/jobs/{id}": Operation(
        "delete",
        AREA,
        "Delete a job",
        f"One that rests or has ended, with all that is kept of it. {_MATCH}",
        {204: Answer("It is deleted.")},
        refusals=(404, 405, 409, 412, 428),
        parameters=("id", "if_match"),
    ),
    "GET /api/operations": Operation(
        "operations",
        AREA,
        "List operations",
        "Those that are kept, of a queue or of all, the newest first.",
        {200: Answer("The operations.", "Operations")},
        parameters=("of_queue",),
    ),
    "POST /api/operations": Operation(
        "begin",
        AREA,
        "Do something to many jobs",
        "Replays, cancels, purges or runs now what the filter means, in steps, at `rate_per_second`"
        " if you like. It goes on when this request has been answered, and after a restart. A dry "
        "run only counts. With an `expected_count` nothing is begun where it is another. With an "
        "`id` of your own, or an `Idempotency-Key`, it is safe to send again.",
        {
            202: Answer("It is begun.", "Operation", headers=("Location", "Idempotent-Replayed")),
            200: Answer(
                "A dry run, counted, with a sample.",
                "DryRun",
                headers=("Location", "Idempotent-Replayed"),
            ),
        },
        refusals=(404, 409, 422),
        parameters=("idempotency_key",),
        body=OperationRequest,
    ),
    "GET /api/operations/{id}": Operation(
        "operation",
        AREA,
        "How far an operation is",
        "How many jobs it has looked at, and to how many it has done something.",
        {200: Answer("The operation.", "Operation")},
        refusals=(404,),
        parameters=("operation",),
    ),
    "POST /api/operations/{id}/stop": Operation(
        "stop",
        AREA,
        "Stop an operation",
        "What it has done stays. One that has ended is shown as it is.",
        {200: Answer("The operation.", "Operation")},
        refusals=(404, 415),
        parameters=("operation",),
    ),
}
