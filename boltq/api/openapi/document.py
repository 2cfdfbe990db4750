"""The OpenAPI document: operations, schemas and examples, with the scopes of the routes."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Protocol

import msgspec

from boltq import __version__
from boltq.api import problems
from boltq.api.openapi import about, history, operators, producers, upkeep, upkeep_shapes, work
from boltq.api.openapi.operation import (
    HEADERS,
    JSON,
    PARAMETERS,
    Answer,
    Operation,
    Schema,
)
from boltq.api.openapi.refusals import MEANINGS
from boltq.api.openapi.schemas import name_of, of_bodies, reference
from boltq.api.openapi.shapes import SHAPES

AREAS = (producers, work, upkeep, operators, history, about)
OPERATIONS: Mapping[str, Operation] = {
    key: operation for area in AREAS for key, operation in area.OPERATIONS.items()
}
"""By method and path."""

_PARAMETERS = {**PARAMETERS, **history.PARAMETERS}

_ALWAYS = (400, 406, 408, 421, 429, 431, 500, 503)
_WITH_KEYS = (401, 403)
_CHANGES = (403,)  # asked for by a page of another site
_WITH_BODY = (413, 415)
_SAME = Answer("It is still as you have it.")

_ABOUT = """\
A job queue on Redis and Valkey. Bodies are JSON in UTF-8, times RFC 3339 in UTC, durations \
`*_seconds`; payloads, results and headers come out as they were handed in, byte for byte. A \
refusal is a problem (RFC 9457) with a `word` for programs and a sentence for people. If the API \
has keys, send one as `Authorization: Bearer SECRET`; the scope that an operation needs stands \
beside it, and `admin` is all of them. Each GET has HEAD with it, and each path OPTIONS."""


class Served(Protocol):
    """A path of the table of routes."""

    @property
    def path(self) -> str:
        """The path, its parameters in braces."""
        ...

    @property
    def scopes(self) -> Mapping[str, str]:
        """What a caller needs, by method."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether what is read there may be given to several who ask alike."""
        ...


def written(served: Iterable[Served]) -> Schema:
    """Return the document of what is served; a route that nothing describes is not in it."""
    paths: dict[str, Schema] = {}
    for route in served:
        for method, scope in route.scopes.items():
            key = f"{method} {route.path}"
            if key in OPERATIONS:
                more = ["if_none_match"] if method == "GET" else []
                more += ["max_age"] if method == "GET" and route.is_shared else []
                told = _operation(method, OPERATIONS[key], examples().get(key, []), scope, more)
                paths.setdefault(route.path, {})[method.lower()] = told
    bodies = {one.body for one in OPERATIONS.values() if isinstance(one.body, type)}
    schemas = {**of_bodies(*bodies), **SHAPES, **upkeep_shapes.SHAPES, **history.SHAPES}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "BoltQ",
            "version": __version__,
            "summary": "A job queue on Redis and Valkey",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "where this document came from"}],
        "tags": [{"name": area.AREA, "description": area.ABOUT} for area in AREAS],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "headers": dict(HEADERS),
            "parameters": {name: one.written() for name, one in _PARAMETERS.items()},
            "responses": {str(status): _refusal(status) for status in _statuses()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


@cache
def examples() -> Mapping[str, list[dict[str, Any]]]:
    """Return the requests that show each operation, with what was answered, by method and path."""
    read = files("boltq.api.openapi").joinpath("examples.json").read_bytes()
    found: dict[str, list[dict[str, Any]]] = msgspec.json.decode(read)
    return found


def _operation(
    method: str, one: Operation, shown: list[dict[str, Any]], scope: str, parameters: list[str]
) -> Schema:
    answers = {**one.answers, **({304: _SAME} if method == "GET" else {})}
    more = ("ETag",) if method == "GET" else ()
    told: Schema = {
        "operationId": one.id,
        "tags": [one.area],
        "summary": one.summary,
        "description": one.description,
        "security": [] if scope == "open" else [{"key": [scope]}],
        "parameters": [*_parameters(one, shown, parameters)],
        "responses": {
            str(status): _answer(status, answer, more, shown) for status, answer in answers.items()
        },
    }
    for status in refusals(method, one, scope):
        told["responses"][str(status)] = _refused(status, shown)
    if one.body:
        told["requestBody"] = {"required": one.body_required, "content": _content(one, shown)}
    return told


def refusals(method: str, one: Operation, scope: str) -> list[int]:
    """Return with which statuses an operation may be refused."""
    found = {*_ALWAYS, *one.refusals, *(_WITH_BODY if one.body else ())}
    found.update(() if scope == "open" else _WITH_KEYS, () if method == "GET" else _CHANGES)
    return sorted(found)


def _parameters(one: Operation, shown: list[dict[str, Any]], more: list[str]) -> Iterator[Schema]:
    for name in (*one.parameters, *more, "request_id"):
        parameter = _PARAMETERS[name]
        place = {"path": "path", "query": "query", "header": "headers"}[parameter.place]
        found = {
            each["name"]: {"summary": each["summary"], "value": each[place][parameter.name]}
            for each in shown
            if parameter.name in each.get(place, {})
        }
        if found:
            yield {**parameter.written(), "examples": found}
        else:
            yield {"$ref": f"#/components/parameters/{name}"}


def _content(one: Operation, shown: list[dict[str, Any]]) -> Schema:
    assert one.body
    schema = reference(one.body if isinstance(one.body, str) else name_of(one.body))
    if one.many:
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": 1000}
    found = {each["name"]: each for each in shown if "body" in each}
    content: Schema = {
        JSON: {
            "schema": schema,
            "examples": {name: _example(each, "body") for name, each in found.items()},
        }
    }
    texts = {each["name"]: _example(each, "lines") for each in shown if "lines" in each}
    for media in one.lines:
        content[media] = {"schema": {"type": "string"}, "examples": texts}
    return content


def _answer(
    status: int, answer: Answer, more: tuple[str, ...], shown: list[dict[str, Any]]
) -> Schema:
    told: Schema = {
        "description": answer.description,
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"}
            for name in ("X-Request-Id", *answer.headers, *more)
        },
    }
    found = {
        each["name"]: _example(each, "answer")
        for each in shown
        if each["status"] == status and "answer" in each
    }
    if answer.links:
        told["links"] = {link.operation: link.written() for link in answer.links}
    if answer.schema:
        told["content"] = {
            media: {
                "schema": reference(answer.schema if media == JSON else "Text"),
                **({"examples": found} if found and media == JSON else {}),
            }
            for media in answer.media
        }
    return told


def _example(each: Mapping[str, Any], part: str) -> Schema:
    given = f"Given {each['given']}." if each.get("given") else ""
    told = {"summary": each["summary"], "value": each[part]}
    return {**told, "description": given} if given else told


def _statuses() -> list[int]:
    found = {*_ALWAYS, *_WITH_KEYS, *_WITH_BODY}
    return sorted(found.union(*(one.refusals for one in OPERATIONS.values())))


def _refused(status: int, shown: list[dict[str, Any]]) -> Schema:
    found = {
        each["name"]: _example(each, "answer")
        for each in shown
        if each["status"] == status and "answer" in each
    }
    if not found:
        return {"$ref": f"#/components/responses/{status}"}
    told = _refusal(status)
    told["content"][problems.MEDIA_TYPE]["examples"] = found
    return told


def _refusal(status: int) -> Schema:
    names = ["X-Request-Id", *(["Retry-After"] if status in (409, 429, 503) else [])]
    names += ["WWW-Authenticate"] if status in _WITH_KEYS else []
    names += ["ETag"] if status == HTTPStatus.PRECONDITION_FAILED else []
    return {
        "description": MEANINGS[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {problems.MEDIA_TYPE: {"schema": reference("Problem")}},
    }
