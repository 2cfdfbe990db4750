"""What schemathesis is told of this API: lines of JSON, texts, and rules that no schema can say."""

import json
import os
import re
import secrets
from typing import Any
from urllib.request import Request, urlopen

import schemathesis
from schemathesis.specs.openapi import checks
from schemathesis.transport.requests import REQUESTS_TRANSPORT

TOLD_IN_WORDS = [
    re.compile(sentence)
    for sentence in (
        r"names the queue \S+, but the job is for ",
        r"cannot stand beside ",
        r"state must be one or several, with commas between",  # but none of them twice
        r"must be at most ten years ahead",
        r"cursor must be one that (this list|the list of \S+) gave",
        r"(differs from that of item 1|the jobs share it)",
        r"must be a text of (1 to|at most) [0-9]+ bytes",
        r"must be a whole number.*, not [0-9]+\.0$",
        r"(Idempotency-Key .* came with another body|was begun by another request)",
        r"(the body must have|filter\.state must be given|filter\.state )",
    )
]
"""Rules between members, of what was asked before, or of bytes: a request may be refused for them
although its schema allows it. JSON Schema takes 8.0 for a whole number, the API does not."""

PATIENCE_SECONDS = 0.05


LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Wait for next to nothing where a case would wait, and report on jobs that there are."""
    waits = case.body.get("wait_seconds") if isinstance(case.body, dict) else None
    if isinstance(waits, int | float) and not isinstance(waits, bool) and 0 < waits <= 20:
        case.body["wait_seconds"] = PATIENCE_SECONDS
    if "Prefer" in (case.headers or {}):
        case.headers["Prefer"] = re.sub("wait=[0-9]+", "wait=0", str(case.headers["Prefer"]))
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    verb = case.path.rpartition("/")[2]
    if verb in ("jobs", "batch"):
        for job in case.body if isinstance(case.body, list) else [case.body]:
            agree(job)
    if verb in ("ack", "fail", "extend", "release") and isinstance(case.body, dict):
        case.path_parameters["id"], case.body["token"] = leased(case.operation.base_url)
    if verb == "replay":
        id, token = leased(case.operation.base_url)
        ask(case.operation.base_url, f"/api/jobs/{id}/fail", token=token, final=True)
        case.path_parameters["id"] = id


def agree(job: Any) -> None:
    """Let the members of a job agree with each other, which no schema says."""
    if isinstance(job, dict) and ":" in str(job.get("id")):
        job["queue"] = job["id"].partition(":")[0]
    if isinstance(job, dict) and job.get("run_at"):
        job.pop("delay_seconds", None)


def leased(url: str) -> tuple[str, str]:
    """A job of its own, and the token of its lease."""
    queue = f"leased-{secrets.token_hex(4)}"
    job = ask(url, "/api/jobs", type="echo", queue=queue)
    return job["id"], ask(url, "/api/claims", queues=[queue])["token"]


def ask(url: str, path: str, **body: object) -> Any:
    told = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {os.environ['TEST_SECRET']}",
    }
    request = Request(url.rstrip("/") + path, json.dumps(body).encode(), told, method="POST")
    with urlopen(request, timeout=10) as response:
        return json.load(response)


@REQUESTS_TRANSPORT.serializer(*LINES)
def lines(_context: Any, value: Any) -> dict[str, Any]:
    return {"data": value.encode() if isinstance(value, str) else json.dumps(value).encode()}


@schemathesis.deserializer("text/css", "text/html", "text/javascript")
def text(_context: Any, response: Any) -> str:
    return str(response.text)


def in_words(detail: str) -> bool:
    return any(sentence.search(detail) for sentence in TOLD_IN_WORDS)


@schemathesis.check
def what_is_allowed_is_accepted(context: Any, response: Any, case: Any) -> bool | None:
    """The check of schemathesis itself, but for rules that are told in words."""
    if response.status_code == 412:
        return None  # nobody can guess how a job stands
    if response.status_code in (400, 422) and in_words(response.json()["detail"]):
        return None
    if case.media_type in LINES:
        return None  # its schema knows texts, not what stands in their lines
    return bool(checks.positive_data_acceptance(context, response, case))
