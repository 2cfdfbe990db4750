"""What operators ask of queues: what they hold, how they behave, and who works on them."""

from collections.abc import Mapping

from boltq.api.openapi.operation import Answer, Operation
from boltq.api.operator_requests import AskRequest, PurgeRequest
from boltq.api.requests import PauseRequest

AREA = "Queues"
ABOUT = "See what queues hold and who works on them; set, pause, empty and delete them."


def _ask(id: str, summary: str, description: str) -> Operation:
    return Operation(
        id,
        AREA,
        summary,
        f"{description} It hears of it within 10 s. The body may be left out.",
        {202: Answer("It is asked.", "Asked")},
        refusals=(404, 409),
        parameters=("of_worker",),
        body=AskRequest,
        body_required=False,
    )


OPERATIONS: Mapping[str, Operation] = {
    "GET /api/overview": Operation(
        "overview",
        AREA,
        "What a dashboard shows first",
        "The counts of all queues, the longest waits first, the workers and the server; made once "
        "a second, however many ask.",
        {200: Answer("The snapshot.", "Overview")},
    ),
    "GET /api/stats": Operation(
        "stats",
        AREA,
        "Count the jobs of all queues",
        "By state, and in total since the beginning; of all queues together, then of each.",
        {200: Answer("The counts.", "Stats")},
    ),
    "GET /api/queues": Operation(
        "queues",
        AREA,
        "List the queues",
        "Each with its counts, and whether it is paused.",
        {200: Answer("The queues.", "Queues")},
    ),
    "GET /api/queues/{queue}": Operation(
        "queue",
        AREA,
        "Look at a queue",
        "Its counts and its settings.",
        {200: Answer("The queue.", "OneQueue")},
        refusals=(404,),
        parameters=("queue",),
    ),
    "PATCH /api/queues/{queue}": Operation(
        "configure",
        AREA,
        "Set how a queue behaves",
        "What the body names, all or nothing; null is the default again.",
        {200: Answer("The queue as it is then.", "OneQueue")},
        parameters=("queue",),
        body="SettingsRequest",
    ),
    "DELETE /api/queues/{queue}": Operation(
        "drop",
        AREA,
        "Delete a queue",
        "With its settings, totals and operations, if it has no jobs.",
        {204: Answer("It is deleted.")},
        refusals=(404, 409),
        parameters=("queue",),
    ),
    "POST /api/queues/{queue}/purge": Operation(
        "purge",
        AREA,
        "Delete the jobs of a state",
        "By an operation, which goes on when this request has been answered.",
        {202: Answer("It is begun.", "Operation", headers=("Location", "Idempotent-Replayed"))},
        refusals=(409, 422),
        parameters=("queue", "idempotency_key"),
        body=PurgeRequest,
    ),
    "POST /api/queues/{queue}/pause": Operation(
        "pause",
        AREA,
        "Pause a queue",
        "No more of its jobs are handed out; what runs goes on. The body may be left out.",
        {200: Answer("The queue, paused.", "Queue")},
        parameters=("queue",),
        body=PauseRequest,
        body_required=False,
    ),
    "POST /api/queues/{queue}/resume": Operation(
        "resume",
        AREA,
        "Resume a queue",
        "Its jobs are handed out again.",
        {200: Answer("The queue.", "Queue")},
        parameters=("queue",),
    ),
    "GET /api/workers": Operation(
        "workers",
        AREA,
        "List the workers",
        "Those that were heard of within the last 10 minutes, with the jobs that they run; and "
        "what became of workers, the last 100 events.",
        {200: Answer("The workers.", "Workers")},
    ),
    "POST /api/workers/{id}/quiet": _ask(
        "quietWorker",
        "Let a worker claim nothing more",
        "It finishes what it holds and stays, until it is resumed or ends.",
    ),
    "POST /api/workers/{id}/stop": _ask(
        "stopWorker",
        "Let a worker end",
        "As at SIGTERM: it finishes what it runs and gives back the rest. The parent of its "
        "process, if it has one, starts another.",
    ),
    "POST /api/workers/{id}/resume": _ask(
        "resumeWorker",
        "Let a quiet worker claim again",
        "What else was asked of it and not heard yet is taken back.",
    ),
}
