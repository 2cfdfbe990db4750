"""What happened in a queue: the operations, their parameters, and what they are answered."""

from collections.abc import Mapping

from boltq import ids
from boltq.api.openapi.operation import Answer, Operation, Parameter, Schema
from boltq.api.openapi.shapes import FLAG, MOMENT, NUMBER, TEXT, WHOLE, by_name, listed
from boltq.api.openapi.shapes import members as has
from boltq.api.parking import LONGEST_WAIT_SECONDS
from boltq.happened import MOST_EVENTS, MOST_MINUTES, Minute

AREA = "History"
ABOUT = "See what happened in a queue, by the minute and by the call."

PARAMETERS: Mapping[str, Parameter] = {
    "one_queue": Parameter(
        *("queue", "query"),
        "Of which queue; empty is `default`.",
        {"type": "string", "pattern": f"^({ids.NAME_PATTERN})?$"},
    ),
    "minutes": Parameter(
        *("minutes", "query"),
        "How many, with the present one.",
        {"type": "integer", "minimum": 1, "maximum": MOST_MINUTES, "default": 60},
    ),
    "after": Parameter(
        *("after", "query"),
        "The id of the last event that you know; empty: from the oldest that is kept on. To begin "
        "with what comes next, take the `last` of an answer.",
        {"type": "string", "pattern": "^([0-9]{1,15}-[0-9]{1,15})?$"},
    ),
    "most_events": Parameter(
        *("limit", "query"),
        "How many at most; fewer come where they are large.",
        {"type": "integer", "minimum": 1, "maximum": MOST_EVENTS, "default": 100},
    ),
    "prefer_events": Parameter(
        *("Prefer", "header"),
        "`wait=N` (RFC 7240): answer once there is an event after the one known, or after N "
        f"seconds, {LONGEST_WAIT_SECONDS} at most.",
    ),
}

OPERATIONS: Mapping[str, Operation] = {
    "GET /api/series": Operation(
        "series",
        AREA,
        "Count by the minute",
        "What happened in each of the last minutes, the oldest first; one in which no job moved is "
        "left out. It costs no job anything: the first call of a minute writes down the totals.",
        {200: Answer("The minutes.", "Series")},
        parameters=("one_queue", "minutes"),
    ),
    "GET /api/events": Operation(
        "events",
        AREA,
        "Follow what calls do",
        "The feed of a queue whose setting `keep_events` is not 0: an event a call, with the ids "
        "of the jobs by the state that they came into, as many as 4096 bytes hold. With `gap` some "
        "were let go before you came. To keep events costs a call of one job 11 to 18 % more of "
        "the server, one of a hundred 5 to 8 %. A request that waits holds no thread; all who "
        "wait for a queue cost one call every 0.1 s.",
        {200: Answer("The events.", "Events", headers=("Preference-Applied", "Retry-After"))},
        parameters=("one_queue", "after", "most_events", "prefer_events"),
    ),
}

_TIMES: Mapping[str, Schema] = {"at": MOMENT, "oldest_queued_seconds": NUMBER}

_FEED: Mapping[str, Schema] = {
    "queue": TEXT,
    "events": listed(
        has(
            "id at verb jobs",
            id=TEXT,
            at=MOMENT,
            verb=TEXT,
            jobs=by_name(has("count ids", count=WHOLE, ids=listed(TEXT))),
        )
    ),
    "last": {**TEXT, "description": "the id of the last that is kept; empty: none is"},
    "more": FLAG,
    "gap": {**FLAG, "description": "some after the one known may have been let go"},
    "keep_events": {**WHOLE, "description": "about how many the queue keeps; 0: none"},
}

SHAPES: Mapping[str, Schema] = {
    "Series": has(
        "queue minutes",
        queue=TEXT,
        minutes=listed(
            has("", Minute._fields, **{name: _TIMES.get(name, WHOLE) for name in Minute._fields})
        ),
    ),
    "Events": {
        "type": "object",
        "properties": _FEED,
        "required": list(_FEED),
    },
}
