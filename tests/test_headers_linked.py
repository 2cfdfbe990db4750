"""The linked scripts as text, and the manifest that holds them."""

import hashlib
import json
from pathlib import Path

import pytest
from compile import main
from headers_sample import PARTS, changed_settle, compile_sample, sources, write_sample


def test_prose_and_comments_leave_the_linked_script_as_it_is(tmp_path: Path) -> None:
    before = sources(compile_sample(tmp_path / "before"))
    settle = (
        changed_settle("in two lines.", "in other words.")
        .replace(
            "-- A comment of the body.\n", "\n\n-- Another comment.\n--[[ and a long\none ]]\n"
        )
        .replace("behind code", "behind it")
    )
    after = sources(compile_sample(tmp_path / "after", settle=settle))
    assert after == before


def test_a_change_of_code_changes_the_linked_script(tmp_path: Path) -> None:
    before = sources(compile_sample(tmp_path / "before"))
    settle = changed_settle("jobs = 1", "jobs = 2")
    after = sources(compile_sample(tmp_path / "after", settle=settle))
    assert after["settle"] != before["settle"]
    assert after["look"] == before["look"]


def test_a_linked_script_holds_no_comment_but_its_name_and_no_empty_line(tmp_path: Path) -> None:
    lines = sources(compile_sample(tmp_path))["settle"].splitlines()
    assert lines[:3] == ["#!lua flags=allow-oom", "-- boltq settle 1", "local LEVEL = 1"]
    assert [line for line in lines[2:] if "--" in line] == ['local url = "-- no comment -- " .. ""']
    assert "" not in lines


def test_parts_stand_in_order_each_behind_what_it_uses(tmp_path: Path) -> None:
    source = sources(compile_sample(tmp_path))["settle"]
    names = [
        line.split()[2].partition("(")[0]
        for line in source.splitlines()
        if "local function" in line
    ]
    # What the bound block alone needs comes first, then USES as it is written.
    assert names == [
        "bad_argument", "bytes", "kind", "name", "number", "text",
        "integer", "forget", "trim", "set_of",
    ]  # fmt: skip


def test_what_a_rare_part_alone_uses_stands_inside_of_it(tmp_path: Path) -> None:
    rare = PARTS["trim"].replace("-- USES  forget\n", "-- USES  forget\n-- RARE  few do it\n")
    source = sources(compile_sample(tmp_path, parts__trim=rare))["settle"]
    held = """\
local function trim(...)
  local function forget(id)
    redis.call("HDEL", jobs, id)
  end
  local function itself(set, keep)
    redis.call("HLEN", settings)
    for _, id in ipairs(redis.call("ZRANGE", set, 0, -1 - keep)) do forget(id) end
  end
  return itself(...)
end
"""
    assert held in source
    assert source.count("local function forget(") == 1


@pytest.mark.parametrize("user", ["the body", "another part"])
def test_what_others_use_too_stands_where_all_can_call_it(tmp_path: Path, user: str) -> None:
    changed = {"parts__trim": PARTS["trim"].replace("forget\nlocal", "forget\n-- RARE\nlocal")}
    if user == "the body":
        changed["settle"] = changed_settle("local chosen", "forget(id[1])\nlocal chosen")
    else:
        text = PARTS["set_of"].replace(
            "-- KEYS  done dead\n", "-- KEYS  done dead\n-- USES  forget\n"
        )
        changed["parts__set_of"] = text.replace("(state)\n", '(state)\n  forget("a")\n')
    source = sources(compile_sample(tmp_path, **changed))["settle"]
    assert "\nlocal function forget(id)\n" in source
    assert "\nlocal function trim(set, keep)\n" in source


def test_a_default_is_put_in_as_a_literal_and_every_default_as_a_table(tmp_path: Path) -> None:
    body = "local every, text = default.every, ' default.keep '\nlocal three = x.default.keep\n"
    settle = changed_settle("-- A comment of the body.\n", body)
    source = sources(compile_sample(tmp_path, settle=settle))["settle"]
    assert 'redis.call("ZADD", state == "dead" and dead or done, 10, id[1])' in source
    assert '{ "factor", "number", 1, 1000, "2.5" },\n  { "reason", "text", 0, 200, "" },' in source
    assert "' default.keep '" in source
    assert "x.default.keep" in source


def test_the_manifest_holds_each_script_whole(tmp_path: Path) -> None:
    compile_sample(tmp_path)
    manifest = json.loads((tmp_path / "boltq" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == 1
    assert manifest["settings"][2]["default"] == 2.5
    entry = manifest["scripts"]["settle"]
    assert entry["source"].startswith("#!lua flags=allow-oom\n-- boltq settle 1\n")
    assert entry["sha1"] == hashlib.sha1(entry["source"].encode()).hexdigest()
    assert entry["about"] == "What it guarantees,\nin two lines."
    assert entry["arguments"][2] == {
        "name": "state",
        "type": "word",
        "optional": False,
        "choices": ["done", "dead"],
        "about": "which set, in words",
    }
    assert entry["replies"][0]["items"][1]["fields"] == [
        {"name": "at_ms", "type": "integer"},
        {"name": "share", "type": "number"},
    ]


def test_linked_sources_alone_are_written_when_asked_for(tmp_path: Path) -> None:
    lua = write_sample(tmp_path)
    linked = tmp_path / "linked"
    assert main(["--lua", str(lua), "--root", str(tmp_path), "--linked", str(linked)]) == 0
    assert sorted(path.name for path in linked.iterdir()) == ["look.lua", "settle.lua"]
    assert not (tmp_path / "boltq").exists()
