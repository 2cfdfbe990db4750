"""What producers ask: to enqueue jobs, and to look at them."""

from collections.abc import Mapping

from boltq.api.batch import MOST_JOBS
from boltq.api.bodies import LINES
from boltq.api.openapi.operation import Answer, Link, Operation
from boltq.api.requests import JobRequest

AREA = "Jobs"
ABOUT = "Enqueue jobs, and look at them."

_WAITS = (
    "With `Prefer: wait=N` it is answered once the job has ended, or after N seconds; "
    "`Preference-Applied` says that it was waited."
)
_SHOWN = Answer("The job as it stands.", "Job", headers=("Preference-Applied", "Retry-After"))
_LINKS = tuple(Link(one, {"id": "$response.body#/id"}) for one in ("job", "cancel"))

OPERATIONS: Mapping[str, Operation] = {
    "POST /api/jobs": Operation(
        "enqueue",
        AREA,
        "Enqueue a job",
        "A job has a `type`, which chooses its handler, and a `payload`, any JSON, kept byte for "
        "byte. An `id` of your own, or an `Idempotency-Key`, makes it safe to send again: what is "
        f"there already is not enqueued twice. {_WAITS}",
        {
            202: Answer(
                "It is enqueued, or was by this very key.",
                "Enqueued",
                headers=("Location", "Idempotent-Replayed", "Preference-Applied", "Retry-After"),
                links=_LINKS,
            ),
            200: Answer(
                "A job of this id was there before (`duplicate`), or it has ended within the wait.",
                "Enqueued",
                headers=("Location", "Idempotent-Replayed", "Preference-Applied"),
                links=_LINKS,
            ),
        },
        refusals=(409, 422),
        parameters=("idempotency_key", "prefer", "traceparent", "tracestate"),
        body=JobRequest,
    ),
    "POST /api/jobs/batch": Operation(
        "enqueueBatch",
        AREA,
        "Enqueue many jobs",
        f"Up to {MOST_JOBS:,} jobs and 16 MiB, as an array or as a line of JSON each. With "
        "`mode=each` every job is taken or refused for itself, and told so in its place. With "
        "`mode=all` up to 500 share queue and options, and all of them are enqueued, or none.",
        {
            200: Answer(
                "What became of each (`mode=each`).", "Batch", headers=("Idempotent-Replayed",)
            ),
            202: Answer(
                "All are enqueued (`mode=all`).", "Batch", headers=("Idempotent-Replayed",)
            ),
        },
        refusals=(409, 422),
        parameters=("mode", "idempotency_key", "traceparent", "tracestate"),
        body=JobRequest,
        many=True,
        lines=LINES,
    ),
    "GET /api/jobs/status": Operation(
        "jobStatus",
        AREA,
        "Look at a job, by query",
        f"The same as `GET /api/jobs/{{id}}`. {_WAITS}",
        {200: _SHOWN},
        refusals=(404,),
        parameters=("which", "prefer"),
    ),
    "GET /api/jobs/{id}": Operation(
        "job",
        AREA,
        "Look at a job",
        f"Its state, its payload and result, and the errors of its attempts. {_WAITS}",
        {200: _SHOWN},
        refusals=(404, 405),  # 405: `batch` is a path of its own
        parameters=("id", "prefer"),
    ),
    "POST /api/jobs/{id}/cancel": Operation(
        "cancel",
        AREA,
        "Cancel a job",
        "Takes it out before it runs; where it runs already, its worker is asked to stop.",
        {
            200: Answer("It is cancelled.", "Cancelled"),
            202: Answer("It runs, and its worker is asked to stop.", "Cancelled"),
        },
        refusals=(404, 409),
        parameters=("id",),
    ),
    "POST /api/jobs/{id}/replay": Operation(
        "replay",
        AREA,
        "Queue a dead job again",
        "With fresh attempts; the errors of the former ones are kept.",
        {202: Answer("It is queued again.", "Replayed")},
        refusals=(404, 409),
        parameters=("id",),
    ),
}
