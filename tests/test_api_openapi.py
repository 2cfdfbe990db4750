"""The OpenAPI document says what the API does: every route, every example, every shape.

TEST_EXAMPLES=write takes what is answered now into the examples: look at the difference.
"""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_examples as shown
import pytest
from api_served import Api, served
from falcon.testing import TestClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from servers import TestServer

import boltq
from boltq.address import parse
from boltq.api import problems, requests, routes, strict, work_requests
from boltq.api.app import create_app
from boltq.api.openapi import document
from boltq.client import BoltQ
from boltq.evalsha import Server

FILE = Path(boltq.__file__).parent / "api/openapi/examples.json"
WRITES = os.environ.get("TEST_EXAMPLES") == "write"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    result = TestClient(create_app(BoltQ("localhost:1"))).simulate_get("/api/openapi.json")
    assert result.headers["content-type"] == "application/json"
    return dict(result.json)


@pytest.fixture(scope="module")
def own(server: TestServer) -> Iterator[Server]:
    """A server of which all queues are those of these tests."""
    mine = Server(parse(server.address), prefix=f"openapi-{secrets.token_hex(6)}")
    yield mine
    mine.close()


@pytest.fixture(scope="module")
def serving(own: Server) -> Iterator[Api]:
    with served(own, threads=2, callers=1) as api:
        yield api


@pytest.fixture
def api(serving: Api, own: Server, server: TestServer) -> Api:
    """The API, of which nothing was asked before."""
    raw = server.raw()
    for key in raw.scan_iter(f"{own.prefix}*"):
        raw.delete(key)
    own.registry._noted.clear()
    return serving


def operations(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, each in told["paths"].items()
        for method, operation in each.items()
    }


def test_every_route_is_described_and_nothing_else_is(told: dict[str, Any]) -> None:
    table = routes.table(BoltQ("localhost:1"))
    routed = {f"{method} {route.path}" for route in table for method in route.scopes}
    described = set(document.OPERATIONS)
    assert routed - described == set(), "describe these in boltq/api/openapi/"
    assert described - routed == set(), "these are described in boltq/api/openapi/, but no route"
    assert set(operations(told)) == routed


def test_every_operation_has_an_example_and_every_example_an_operation() -> None:
    shown_keys = {key for key, each in document.examples().items() if each}
    assert set(document.OPERATIONS) - shown_keys == set(), f"show these in {FILE.name}"
    assert shown_keys - set(document.OPERATIONS) == set()


def test_the_document_is_one_of_openapi(told: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(told).validate()
    named = [one["operationId"] for one in operations(told).values()]
    assert len(set(named)) == len(named)


def test_a_key_is_asked_for_with_the_scope_of_the_route(told: dict[str, Any]) -> None:
    for route in routes.table(BoltQ("localhost:1")):
        for method, scope in route.scopes.items():
            asked = operations(told)[f"{method} {route.path}"]["security"]
            assert asked == ([] if scope == "open" else [{"key": [scope]}])


def test_the_parameters_of_a_path_are_those_in_its_braces(told: dict[str, Any]) -> None:
    components = told["components"]["parameters"]
    for path, each in told["paths"].items():
        for operation in each.values():
            found = [
                components[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                for one in operation["parameters"]
            ]
            in_path = {one["name"] for one in found if one["in"] == "path"}
            assert in_path == set(re.findall("{(.+?)}", path)), path


def test_every_member_of_a_body_has_its_rule_in_the_document(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]
    kinds = [one.body for one in document.OPERATIONS.values() if isinstance(one.body, type)]
    for kind in {*kinds, *work_requests.KINDS.values(), requests.BackoffRequest}:
        schema = schemas[document.name_of(kind)]
        assert list(schema["properties"]) == list(kind.__struct_fields__)
        for name, rule in strict.rules(kind).items():
            inner = schema["properties"][name.partition(".")[0]]
            is_name = "{0,127}" in repr(inner)  # its rule is that of boltq.ids
            assert "." in name or is_name or rule == inner["description"], (kind, name)


def test_the_document_names_no_place_that_it_has_not(told: dict[str, Any]) -> None:
    for each in shown.objects(told):
        if "$ref" in each:
            _, area, kind, name = each["$ref"].split("/")
            assert name in told[area][kind], each["$ref"]


@pytest.mark.parametrize(("key", "name"), shown.example_names())
def test_an_example_is_answered_as_it_is_shown(
    api: Api, own: Server, told: dict[str, Any], key: str, name: str
) -> None:
    each = shown.example(key, name)
    shown.prepare(each.get("given", ""), api, own)
    answer = shown.send(api, key, each)
    if WRITES:
        shown.recorded(each, answer)
        FILE.write_text(shown.written(document.examples()))
    assert answer.status == each["status"]
    documented = operations(told)[key]["responses"][str(answer.status)]
    if "$ref" in documented:
        documented = told["components"]["responses"][documented["$ref"].rpartition("/")[2]]
    if answer.status in (204, 304):
        assert (answer.body, "content" in documented) == (b"", False)
        return
    plain = answer.headers.get_content_type()
    content = documented["content"][plain]
    for header in ("Location", "Idempotent-Replayed", "Preference-Applied", "ETag", "Script-SHA1"):
        assert header not in answer.headers or header in documented["headers"], header
    if "json" in plain:
        assert plain in ("application/json", problems.MEDIA_TYPE)
        schema = {**content["schema"], "components": told["components"]}
        Draft202012Validator(shown.closed(schema)).validate(answer.json)
        if "answer" in each:
            assert shown.shape(answer.json) == shown.shape(each["answer"])
            return
    assert len(answer.body) > 500 or not each.get("answer")


def test_a_request_that_an_example_shows_is_one_by_its_schema(told: dict[str, Any]) -> None:
    """Except those that show a refusal: of these at least one must break it."""
    broken = []
    for key, found in document.examples().items():
        for each in found:
            if "body" not in each:
                continue
            content = operations(told)[key]["requestBody"]["content"]["application/json"]
            schema = {**content["schema"], "components": told["components"]}
            if not Draft202012Validator(schema).is_valid(each["body"]):
                broken.append((each["status"], key, each["name"]))
    allowed = {("POST /api/jobs/batch", "each")}
    assert {(key, name) for status, key, name in broken if status < 400} == allowed
    assert any(status == 400 for status, _, _ in broken)
