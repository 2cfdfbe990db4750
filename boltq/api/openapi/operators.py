"""What operators ask: what is dead, what waits, who works, and to hold a queue."""

from collections.abc import Mapping

from boltq.api.openapi.operation import Answer, Operation
from boltq.api.requests import PauseRequest

AREA = "Queues"
ABOUT = "See what queues hold and who works on them, and pause them."

OPERATIONS: Mapping[str, Operation] = {
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
    "GET /api/dead": Operation(
        "dead",
        AREA,
        "List dead jobs",
        "The newest first, without payloads, of one queue or of all.",
        {200: Answer("A page of them.", "DeadPage")},
        parameters=("of_queue", "limit", "cursor"),
    ),
    "GET /api/workers": Operation(
        "workers",
        AREA,
        "List the workers",
        "Those that were heard of within the last 10 minutes, with the jobs that they run.",
        {200: Answer("The workers.", "Workers")},
    ),
}
