"""The compiler of lua/: what it refuses, what it writes, and when it asks for a new version."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from compile import RefusedError, compile_folder, main
from emit_reference import MARKER
from headers_sample import FILES, write_sample

CASES = Path(__file__).with_name("headers_refusals.txt").read_text(encoding="utf-8")


class Refusal(NamedTuple):
    file: str
    old: str
    new: str
    said: str


def read_cases() -> dict[str, Refusal]:
    cases = {}
    for block in CASES.split("\n\n"):
        lines = block.strip().splitlines()
        if not lines or lines[0].startswith("# "):
            continue
        file, _, wrong = lines[0].partition(": ")
        old = "".join(f"{line[2:]}\n" for line in lines if line.startswith("- "))
        new = "".join(f"{line[2:]}\n" for line in lines if line.startswith("+ "))
        assert f"{file}: {wrong}" not in cases, f"two cases are called {file}: {wrong}"
        cases[f"{file}: {wrong}"] = Refusal(file, old, new, f"lua/{lines[-1]}")
    return cases


REFUSALS = read_cases()


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def lua(tmp_path: Path) -> Path:
    return write_sample(tmp_path)


@pytest.fixture
def run(tmp_path: Path, lua: Path) -> Callable[..., tuple[int, list[str]]]:
    def run_compiler(*options: str) -> tuple[int, list[str]]:
        said: list[str] = []
        status = main(["--lua", str(lua), "--root", str(tmp_path), *options], said.append)
        return status, said

    return run_compiler


def manifest(root: Path) -> Any:
    return json.loads((root / "boltq" / "manifest.json").read_text(encoding="utf-8"))


def snapshot(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.is_file()
    }


def test_the_sample_itself_is_taken(tmp_path: Path, lua: Path) -> None:
    assert set(compile_folder(lua, tmp_path).sources) == {"look", "settle"}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_is_refused_with_its_place_and_what_was_expected(
    case: Refusal, tmp_path: Path, lua: Path
) -> None:
    change(lua / case.file, case.old, case.new)
    with pytest.raises(RefusedError) as refused:
        compile_folder(lua, tmp_path)
    assert str(refused.value) == case.said


def test_the_first_refusal_of_every_file_is_said_at_once(
    lua: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    change(lua / "look.lua", "look 3:", "look:")
    change(lua / "settle.lua", "settle 1:", "settle:")
    status, said = run()
    assert status == 1
    assert "\n".join(said).splitlines() == [
        "lua/look.lua:2: expected `-- look <version>: <purpose>`",
        "lua/settle.lua:2: expected `-- settle <version>: <purpose>`",
    ]


def test_a_refusal_leaves_every_file_as_it_was(
    tmp_path: Path, lua: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    change(lua / "look.lua", "look 3:", "look:")
    before = snapshot(tmp_path)
    assert run()[0] == 1
    assert snapshot(tmp_path) == before


def test_a_second_run_finds_nothing_to_do(
    tmp_path: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    assert run() == (0, [])
    first = snapshot(tmp_path)
    assert run("--check") == (0, [])
    assert run() == (0, [])
    assert snapshot(tmp_path) == first
    assert "-- end of bound\n\n-- A comment of the body." in first["lua/settle.lua"]


def test_a_check_before_the_first_run_names_every_output(
    tmp_path: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    status, said = run("--check")
    assert status == 1
    assert [line.partition(":")[0] for line in said] == [
        "lua/look.lua",
        "lua/settle.lua",
        "boltq/scripts.py",
        "boltq/manifest.json",
        "lua/README.md",
    ]
    assert set(snapshot(tmp_path)) == {f"lua/{name}" for name in FILES}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("lua/settle.lua", "local lease_ms = integer(", "local lease_ms = tonumber("),
        ("lua/settle.lua", "local LEVEL = 1", "local LEVEL = 9"),
        ("boltq/manifest.json", '"level": 1,\n "keys"', '"level": 2,\n "keys"'),
        ("boltq/scripts.py", "class Settled(", "class Settle("),
        ("lua/README.md", "### look 3", "### look 4"),
    ],
)
def test_an_output_edited_by_hand_is_named_by_a_check_and_mended_by_a_run(
    file: str, old: str, new: str, tmp_path: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    run()
    good = snapshot(tmp_path)
    change(tmp_path / file, old, new)
    assert run("--check") == (1, [f"{file}: differs from what `make lua` writes"])
    assert snapshot(tmp_path) != good, "a check writes nothing"
    assert run() == (0, [])
    assert snapshot(tmp_path) == good


def test_what_stands_above_the_marker_of_the_readme_is_kept(
    lua: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    (lua / "README.md").write_text(f"# Ours\n\nWords.\n\n{MARKER}\n\nold reference\n")
    run()
    text = (lua / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# Ours\n\nWords.\n\n{MARKER}\n\n## Reference\n")
    assert "old reference" not in text
    assert "| `state` | word | done&#124;dead | which set, in words |" in text
    assert "  - `LATER at_ms:integer share:number`: it ends then" in text


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("integer   1000..", "integer   2000..", "arguments"),
        ("--   share     number?", "--   portion   number?", "arguments"),
        ("done|dead ", "dead|done ", "arguments"),
        ("EACH  1..3", "EACH  0..3", "each"),
        ("--   QUIET\n", "", "replies"),
        ("at_ms:integer share:number", "share:number at_ms:integer", "replies"),
        ("BAD_KEYS TOO_LARGE", "BAD_KEYS FULL TOO_LARGE", "errors"),
        ("flags=allow-oom", "flags=allow-oom,allow-stale", "flags"),
        ("KEYS  jobs done dead\n--       settings", "KEYS  jobs dead done settings", "keys"),
    ],
)
def test_a_changed_contract_needs_a_new_version(
    old: str, new: str, what: str, lua: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    run()
    change(lua / "settle.lua", old, new)
    sentence = (
        f"lua/settle.lua:2: the contract changed against manifest.json ({what}); raise the version"
        " from 1 to 2; or, if it was never released, say --new-contract"
    )
    assert run() == (1, [sentence])
    assert run("--check") == (1, [sentence])
    change(lua / "settle.lua", "settle 1:", "settle 2:")
    assert run() == (0, [])


def test_a_contract_that_was_never_released_may_change_when_told_so(
    tmp_path: Path, lua: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    run()
    change(lua / "settle.lua", "EACH  1..3", "EACH  1..4")
    assert run("--new-contract") == (0, [])
    assert manifest(tmp_path)["scripts"]["settle"]["each"]["most"] == 4


def test_the_contract_of_a_release_never_changes(
    tmp_path: Path, lua: Path, run: Callable[..., tuple[int, list[str]]]
) -> None:
    run()
    releases = tmp_path / "tests" / "manifests"
    releases.mkdir(parents=True)
    (tmp_path / "boltq" / "manifest.json").rename(releases / "0.1.0.json")
    change(lua / "settle.lua", "EACH  1..3", "EACH  1..4")
    sentence = (
        "lua/settle.lua:2: the contract changed against 0.1.0.json (each); raise the version"
        " from 1 to 2"
    )
    assert run("--new-contract") == (1, [sentence])


def test_a_contract_is_not_its_prose(lua: Path, run: Callable[..., tuple[int, list[str]]]) -> None:
    run()
    change(lua / "settle.lua", "how long the lease lasts", "until when")
    change(lua / "settle.lua", "it ended now", "over")
    change(lua / "settle.lua", "in two lines", "in other words")
    assert run() == (0, [])
