"""The scripts over HTTP: the manifest and each source, as a client of Redis needs them."""

import hashlib
import json
from importlib.resources import files

import pytest
from falcon.testing import TestClient

from boltq.api.app import create_app
from boltq.client import BoltQ

MANIFEST = files("boltq").joinpath("manifest.json").read_bytes()


@pytest.fixture
def http() -> TestClient:
    return TestClient(create_app(BoltQ("localhost:1")))


def test_the_manifest_is_answered_as_it_is_shipped(http: TestClient) -> None:
    result = http.simulate_get("/api/scripts")
    assert result.content == MANIFEST
    assert result.headers["content-type"] == "application/json"
    again = http.simulate_get("/api/scripts", headers={"If-None-Match": result.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", sorted(json.loads(MANIFEST)["scripts"]))
def test_each_script_is_answered_with_the_sha_by_which_redis_knows_it(
    http: TestClient, name: str
) -> None:
    result = http.simulate_get(f"/api/scripts/{name}")
    sha = hashlib.sha1(result.content, usedforsecurity=False).hexdigest()
    assert sha == json.loads(MANIFEST)["scripts"][name]["sha1"]
    assert result.headers["script-sha1"] == sha
    assert result.headers["etag"] == f'"{sha}"'
    assert result.headers["content-type"].startswith("text/plain")
    again = http.simulate_get(f"/api/scripts/{name}", headers={"If-None-Match": f'W/"1", "{sha}"'})
    assert (again.status_code, again.content) == (304, b"")
    other = http.simulate_get(f"/api/scripts/{name}", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_a_script_that_is_none_is_a_404_that_names_those_there_are(http: TestClient) -> None:
    result = http.simulate_get("/api/scripts/delete")
    assert (result.status_code, result.json["word"]) == (404, "UNKNOWN")
    assert "claim" in result.json["detail"]
