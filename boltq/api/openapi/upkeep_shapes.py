"""Schemas of what operators are answered, and of the settings of a queue."""

import json
from importlib.resources import files
from typing import get_args

from boltq.api import queue_settings
from boltq.api.openapi import shapes
from boltq.api.openapi.operation import Schema
from boltq.api.openapi.schemas import reference
from boltq.api.openapi.shapes import FLAG, MOMENT, NUMBER, STATE, TEXT, WHOLE, by_name, listed
from boltq.api.openapi.shapes import members as has
from boltq.operation import Action, Status

_SCAN = {"scanned": WHOLE, "total": WHOLE}


def _settings(*, to_set: bool) -> Schema:
    """Return the schema of the settings, by the rules in the manifest of the scripts."""
    rules = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["settings"]
    found: dict[str, Schema] = {}
    for rule in rules:
        for outside, name in queue_settings.SETTABLE.items():
            if name != rule["name"]:
                continue
            is_time = name.endswith("_ms")
            share, kind = (1000, "number") if is_time else (1, rule["type"])
            least, most = rule["range"]
            found[outside] = {"type": [kind, "null"] if to_set else kind}
            found[outside] |= {"minimum": least / share, "maximum": most / share}
            found[outside]["description"] = f"{rule['about']}; {rule['default'] / share:g} if unset"
    closed = {"additionalProperties": False, "minProperties": 1} if to_set else {}
    return {"type": "object", "properties": found, "required": [], **closed}


_OPERATION: dict[str, Schema] = {
    "id": TEXT,
    "queue": TEXT,
    "action": {"type": "string", "enum": list(get_args(Action))},
    "filter": has(
        "state", state=STATE, type=TEXT, error=TEXT, worker=TEXT, since=MOMENT, until=MOMENT
    ),
    "status": {"type": "string", "enum": list(get_args(Status))},
    "dry_run": FLAG,
    "expected_count": WHOLE,
    "rate_per_second": WHOLE,
    "by": TEXT,
    "started_at": MOMENT,
    "ended_at": MOMENT,
    **dict.fromkeys(("total", "looked_at", "counted", "done", "skipped"), WHOLE),
}
_OPERATION_HAS = (
    "id queue action filter status dry_run rate_per_second started_at total looked_at counted done "
    "skipped"
)
_ERROR = has("type message stack", **dict.fromkeys(("type", "message", "stack"), TEXT))
_EVENT = has("what at", what=TEXT, at=MOMENT, attempt=WHOLE, worker=TEXT, error=_ERROR)

SHAPES: dict[str, Schema] = {
    "SettingsRequest": _settings(to_set=True),
    "JobPage": has(
        "jobs cursor scanned total",
        jobs=listed(reference("Job")),
        cursor={**TEXT, "description": "for the next page; empty: this is the last"},
        **_SCAN,
    ),
    "Altered": has("id", **shapes.job_members()),
    "Attempts": has(
        "id queue type state attempt max_attempts failures lost timeline not_kept",
        **dict.fromkeys(("id", "queue", "type"), TEXT),
        state=STATE,
        **dict.fromkeys(("attempt", "max_attempts", "failures", "lost", "not_kept"), WHOLE),
        timeline=listed(_EVENT),
    ),
    "Groups": has(
        "state groups scanned total others",
        state=STATE,
        groups=listed(
            has(
                "type error message jobs newest_at oldest_at example queues",
                **dict.fromkeys(("type", "error", "message", "example"), TEXT),
                **dict.fromkeys(("newest_at", "oldest_at"), MOMENT),
                jobs=WHOLE,
                queues=by_name(WHOLE),
            )
        ),
        others=WHOLE,
        **_SCAN,
    ),
    "Operation": has(_OPERATION_HAS, **_OPERATION),
    "DryRun": has(f"{_OPERATION_HAS} sample", **_OPERATION, sample=listed(reference("Job"))),
    "Operations": has("operations", operations=listed(reference("Operation"))),
    "OneQueue": has(
        f"queue settings {shapes.QUEUE_HAS}",
        shapes.counts(),
        queue=TEXT,
        settings=_settings(to_set=False),
        **shapes.queue_members(),
    ),
    "Overview": has(
        "at total queues workers server",
        at=MOMENT,
        total=has("", shapes.counts(), **shapes.counts()),
        queues=listed(reference("Queue")),
        workers=listed(reference("Worker")),
        server=has(
            "address",
            **dict.fromkeys(("address", "name", "version"), TEXT),
            **dict.fromkeys(("uptime_seconds", "used_memory_bytes", "max_memory_bytes"), NUMBER),
        ),
    ),
}
