"""The pages are served with a policy, ask nobody else, and hold no markup but what they are."""

import gzip
import json
import re
import sys
from pathlib import Path

import pytest
from falcon.testing import Result, TestClient
from rig import vendored

import boltq
from boltq.api import page
from boltq.api.app import create_app
from boltq.client import BoltQ

FOLDER = Path(boltq.__file__).parent / "page"
OURS = sorted(path for path in FOLDER.rglob("*") if path.is_file() and "vendor" not in path.parts)


@pytest.fixture(scope="module")
def http() -> TestClient:
    return TestClient(create_app(BoltQ("localhost:1")))


def asked(http: TestClient, name: str, version: str = "", **headers: str) -> Result:
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    return http.simulate_get(f"/page/{version or page.the_page().version}/{name}", headers=told)


def is_guarded(result: Result) -> bool:
    policy = set(result.headers["content-security-policy"].split("; "))
    assert "unsafe" not in str(policy)
    assert result.headers["x-content-type-options"] == "nosniff"
    return {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= policy


@pytest.mark.parametrize(("path", "below", "least"), [("/", "", 6), ("/api/docs", "../", 4)])
def test_a_browser_is_given_the_page_and_what_it_names_is_there(
    http: TestClient, path: str, below: str, least: int
) -> None:
    result = http.simulate_get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert result.headers["content-type"] == "text/html; charset=utf-8"
    assert is_guarded(result)
    named = re.findall(rf'(?:href|src)="{below}(page/[^"]+)"', result.text)
    assert len(named) >= least
    for name in named:
        file = http.simulate_get(f"/{name}")
        assert file.status_code == 200, name
        assert is_guarded(file)


def test_a_file_is_kept_for_ever_under_its_version_and_asked_for_again_under_another(
    http: TestClient,
) -> None:
    result = asked(http, "main.js")
    assert result.headers["cache-control"] == page.FOR_EVER
    other = asked(http, "main.js", version="0123456789abcdef")
    assert other.headers["cache-control"] == "private, no-cache"
    assert other.content == result.content == (FOLDER / "main.js").read_bytes()
    again = asked(http, "main.js", If_None_Match=result.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_is_compressed_for_who_takes_that(http: TestClient) -> None:
    plain = asked(http, "vendor/uplot.js")
    packed = asked(http, "vendor/uplot.js", Accept_Encoding="br, gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 2


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "index.html", "vendor/versions.json", "vendor/../main.js", "%2e%2e/api.py"],
)
def test_nothing_but_files_of_the_page_is_had_by_its_path(http: TestClient, name: str) -> None:
    assert asked(http, name).status_code == 404


@pytest.mark.parametrize("path", sorted(FOLDER.glob("words/*.js")), ids=lambda path: path.stem)
def test_the_words_of_a_language_are_had_by_who_chose_it(http: TestClient, path: Path) -> None:
    result = asked(http, f"words/{path.name}")
    assert (result.status_code, result.content) == (200, path.read_bytes())
    assert result.headers["cache-control"] == page.FOR_EVER


def test_the_version_is_another_when_a_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = page.the_page()
    page.the_page.cache_clear()
    read = page._file
    monkeypatch.setattr(page, "_file", lambda file: read(file)._replace(content=b"other"))
    try:
        assert page.the_page().version != before.version
    finally:
        page.the_page.cache_clear()


def test_only_a_page_may_load_something(http: TestClient) -> None:
    for path in ("/", "/healthz", "/api/openapi.json", "/nowhere"):
        policy = http.simulate_get(path).headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_page_asks_nobody_else_and_puts_in_text_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|\burl\(|@import", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|dangerously|document\.write", text)
    assert not re.search(r"\beval\(|new Function|document\.cookie|srcdoc", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|<script(?! src=)| style=| on[a-z]+=", text)


def test_a_module_imports_what_is_there() -> None:
    for path in FOLDER.rglob("*.js"):
        for named in re.findall(r"""(?:from|import)\s*\(?"([^"]+)\"""", path.read_text("utf-8")):
            assert named.startswith("."), f"{path}: {named} is no file"
            assert (path.parent / named).resolve().is_file(), f"{path}: {named}"


def test_what_is_of_others_is_as_it_was_written_down() -> None:
    packages = vendored.listed()
    assert vendored.differing(packages) == []
    named = {str(vendored.ROOT / path) for told in packages.values() for path in told["files"]}
    there = {str(path) for path in (FOLDER / "vendor").iterdir()} - {str(vendored.LISTED)}
    assert {one for one in named if "/vendor/" in one} == there
    for name, told in packages.items():
        assert told["licence"] in ("MIT", "Apache-2.0", "MPL-2.0"), name
        assert any("LICENSE" in path for path in told["files"]), f"{name} is without its licence"
        assert told["integrity"].startswith("sha512-")


def test_a_file_of_others_that_was_changed_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = {"htm": {"files": {"htm.js": {"sha256": vendored.digest(b"as it was")}}}}
    (tmp_path / "htm.js").write_bytes(b"as it is now")
    (tmp_path / "versions.json").write_text(json.dumps(packages))
    monkeypatch.setattr(vendored, "ROOT", tmp_path)
    monkeypatch.setattr(vendored, "LISTED", tmp_path / "versions.json")
    monkeypatch.setattr(sys, "argv", ["vendored", "--check"])
    assert vendored.main() == 1
    assert "htm.js is not as it was written down" in capsys.readouterr().out
