"""The examples of the OpenAPI document: what must be there before, sending one, and its shape."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from api_served import Answer, Api

from boltq.api.openapi import document
from boltq.evalsha import Server
from boltq.presence import Report, ReportedJob

JOB = {
    "type": "email",
    "queue": "mail",
    "id": "welcome-7",
    "payload": {"to": "ada@example.com"},
}
ID, TOKEN = "mail:welcome-7", "7f3a-claim-1"

VOLATILE = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|[0-9]{14}-[0-9a-z]{13}|(unix|redis)://.*"
    "|(localhost|127.0.0.1):[0-9]+|[0-9]{13}-[0-9]+|\\b([0-9a-f]{16}|[a-z0-9]{26})\\b"
)
"""Times, addresses, and the names that jobs, requests and leases are given."""


def example_names() -> list[tuple[str, str]]:
    return [(key, each["name"]) for key, found in document.examples().items() for each in found]


def example(key: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in document.examples()[key] if each["name"] == name]
    return found


def prepare(given: str, api: Api, server: Server) -> None:
    """Make true what an example takes as given, on an empty server."""
    if given:
        GIVEN[given](api, server)


def queued(api: Api, _server: Server) -> None:
    assert api.ask("POST", "/api/jobs", JOB).status == 202


def leased(api: Api, server: Server) -> None:
    queued(api, server)
    claim = {"queues": ["mail"], "token": TOKEN, "worker_id": "mailer-1"}
    assert len(api.ask("POST", "/api/claims", claim).json["jobs"]) == 1


def dead(api: Api, server: Server) -> None:
    leased(api, server)
    error = {"type": "NoSuchUser", "message": "ada is gone"}
    body = {"token": TOKEN, "error": error, "final": True}
    assert api.ask("POST", f"/api/jobs/{ID}/fail", body).status == 200


def paused(api: Api, server: Server) -> None:
    queued(api, server)
    assert api.ask("POST", "/api/queues/mail/pause").status == 200


def scheduled(api: Api, _server: Server) -> None:
    assert api.ask("POST", "/api/jobs", {**JOB, "delay_seconds": 3600}).status == 202


def begun(api: Api, server: Server) -> None:
    dead(api, server)
    body = {"action": "replay", "queue": "mail", "id": "again-1"}
    assert api.ask("POST", "/api/operations", body).status == 202


def emptied(api: Api, server: Server) -> None:
    dead(api, server)
    assert api.ask("DELETE", f"/api/jobs/{ID}").status == 204


def at_work(_api: Api, server: Server) -> None:
    now = server.now_ms()
    report = Report(
        *("mailer-1", "host-1", 4711, "1.0.0", {"mail": 2, "default": 1}, 4, now - 60_000, 1, 12),
        jobs=[ReportedJob(ID, "email", now - 900)],
    )
    server.registry.note_worker(report.id, report.to_bytes(), now)


def fed(api: Api, server: Server) -> None:
    assert api.ask("PATCH", "/api/queues/mail", {"keep_events": 1000}).status == 200
    leased(api, server)


GIVEN: Mapping[str, Callable[[Api, Server], None]] = {
    "a job that is queued": queued,
    "a job that is leased under this token": leased,
    "a dead job": dead,
    "a queue that is paused": paused,
    "a worker that runs a job": at_work,
    "a job that is scheduled": scheduled,
    "an operation that was begun": begun,
    "a queue without jobs": emptied,
    "a queue that keeps events": fed,
}


def send(api: Api, key: str, each: Mapping[str, Any]) -> Answer:
    method, _, path = key.partition(" ")
    for name, value in each.get("path", {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=":"))
    if "query" in each:
        path += f"?{urlencode(each['query'])}"
    headers = dict(each.get("headers", {}))
    if "lines" in each:
        headers["Content-Type"] = "application/x-ndjson"
    body = each["lines"].encode() if "lines" in each else each.get("body")
    return api.ask(method, path, body, **headers)


def shape(value: object) -> object:
    """What of an answer is the same each time it is given: all but times, made-up names, counts."""
    if isinstance(value, dict) and "address" in value:
        return sorted(value)  # a server's own
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "fence"}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, float):
        return "a number"
    return VOLATILE.sub("*", value) if isinstance(value, str) else value


def closed(schema: Any) -> Any:
    """The schema with what it does not name forbidden, and refused as a finding."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(inner) for name, inner in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def objects(schema: object) -> Iterator[dict[str, Any]]:
    """Every object inside a JSON value, itself first."""
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def recorded(each: dict[str, Any], answer: Answer) -> None:
    """Let the example show what was answered now, if that has another shape."""
    is_json = "json" in answer.headers.get_content_type()
    if is_json and "answer" in each and shape(answer.json) == shape(each["answer"]):
        return
    each.pop("answer", None)
    each["status"] = answer.status
    if is_json and answer.body and len(answer.body) < 4000:
        text = re.sub(
            r"unix://[^\"]*|redis://[^\"]*", "redis://localhost:6379/0", answer.body.decode()
        )
        each["answer"] = json.loads(re.sub("127.0.0.1:[0-9]+", "localhost:8080", text))


def written(examples: object) -> str:
    """The file of examples: short values on one line."""
    return _laid_out(examples, 0) + "\n"


def _laid_out(value: object, depth: int) -> str:
    short = json.dumps(value, ensure_ascii=False)
    if len(short) + depth <= 100 or not isinstance(value, dict | list) or not value:
        return short
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        inner = [f"{json.dumps(name)}: {_laid_out(one, depth + 1)}" for name, one in value.items()]
        begin, end = "{}"
    else:
        inner, (begin, end) = [_laid_out(one, depth + 1) for one in value], "[]"
    return f"{begin}\n{pad}" + f",\n{pad}".join(inner) + f"\n{' ' * depth}{end}"
