"""OPTIONS of a header: many values that most calls leave out, in one argument."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from compile import RefusedError, compile_folder
from headers_sample import compile_sample, sources, write_sample
from servers import TestServer

PART = Path(__file__).parents[1] / "lua" / "parts" / "options.lua"
WEIGH = """\
#!lua
-- weigh 1: weigh jobs.
--
-- KEYS  jobs settings
-- ARGV
--   state  word  done|dead  which
-- OPTIONS  words such as `least=3`
--   least  integer  0..90        at least
--   share  number   0.5..300000  how much
-- EACH  1..2
--   id  name  1..8  the job
-- REPLIES
--   WEIGHED  least:text share:text ids:integer
-- ERRORS  BAD_ARGUMENT BAD_KEYS UPGRADE
-- COST    O(1)

return { "WEIGHED", tostring(least), tostring(share), #id }
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sample was compiled, with a script that has options."""
    changed = {"weigh": WEIGH, "parts__options": PART.read_text("utf-8")}
    return compile_sample(tmp_path_factory.mktemp("options"), **changed)


@pytest.fixture
def weigh(sample: Path, server: TestServer, queue: str) -> Any:
    keys = [f"boltq1:{{{queue}}}:{part}" for part in ("jobs", "settings")]
    source = sources(sample)["weigh"]
    return lambda *argv: server.raw().eval(source, len(keys), *keys, *argv)


@pytest.fixture(scope="module")
def scripts(sample: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("weighed", sample / "boltq" / "scripts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("words", "least", "share"),
    [
        ("", b"nil", b"nil"),
        (" ", b"nil", b"nil"),
        ("least=3", b"3", b"nil"),
        ("share=0.5 least=0", b"0", b"0.5"),
        ("  least=90  ", b"90", b"nil"),
    ],
)
def test_an_option_reaches_the_body_by_its_name_and_is_nil_where_it_is_left_out(
    weigh: Any, words: str, least: bytes, share: bytes
) -> None:
    assert weigh("done", words, "a") == [b"WEIGHED", least, share, 1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("least=91", "least must be an integer 0..90, not 91"),
        ("least=1.5", "least must be an integer 0..90, not 1.5"),
        ("least=", "least must be an integer 0..90, not "),
        ("share=0.4", "share must be a number 0.5..300000, not 0.4"),
        ("share=300001 least=1", "share must be a number 0.5..300000, not 300001"),
        *(
            (words, f"options must be words name=value, each name once, of least share, not {word}")
            for words, word in [
                ("least=1 most=2", "most=2"),
                ("least=1 least=1", "least=1"),
                ("least", "least"),
                ("3", "3"),
                ("least =1", "least"),
                ("Least=1", "Least=1"),
                ("least\t=1", "least\t=1"),
            ]
        ),
    ],
)
def test_a_bad_word_is_refused_with_what_it_may_be(weigh: Any, words: str, said: str) -> None:
    assert weigh("done", words, "a") == [b"BAD_ARGUMENT", said.encode()]


def test_options_are_one_argument_before_the_items(weigh: Any) -> None:
    said = b"weigh takes 2 arguments and then 1 for each of 1..2 items, not 2"
    assert weigh("done", "a") == [b"BAD_ARGUMENT", said]
    assert weigh("done", "", "a", "b") == [b"WEIGHED", b"nil", b"nil", 2]


def test_a_builder_sends_those_that_were_chosen(scripts: ModuleType, weigh: Any) -> None:
    item = scripts.WeighItem("a")
    for chosen, words in [
        ({}, ""),
        ({"least": None}, ""),
        ({"least": 0}, "least=0"),
        ({"share": 2.0, "least": 7}, "share=2 least=7"),
        ({"share": 2 / 3}, "share=0.666667"),
    ]:
        call = scripts.weigh("q", [item], state="done", **chosen)
        assert call.argv == ["done", words, "a"]
        assert weigh(*call.argv)[0] == b"WEIGHED"


def test_the_manifest_tells_of_each_option_as_of_an_argument(sample: Path) -> None:
    manifest = json.loads((sample / "boltq" / "manifest.json").read_text("utf-8"))
    assert manifest["scripts"]["weigh"]["arguments"][1] == {
        "name": "options",
        "type": "options",
        "optional": True,
        "options": [
            {
                "name": "least",
                "type": "integer",
                "optional": False,
                "range": [0, 90],
                "about": "at least",
            },
            {
                "name": "share",
                "type": "number",
                "optional": False,
                "range": [0.5, 300000],
                "about": "how much",
            },
        ],
        "about": "words such as `least=3`",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("integer  0..90", "integer?  0..90", "8: expected an integer or a number; any option may"),
        ("integer  0..90", "name  1..90", "8: expected an integer or a number; any option may"),
        ("--   least  integer", "--   id  integer", "11: expected another name: 'id' is an arg"),
        ("--   least  integer", "--   count  integer", "8: expected another name than 'count'"),
        ("--   state  word  done|dead  which\n", "--   share  word  done|dead  w\n", "9: expected"),
    ],
)
def test_what_is_no_option_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert WEIGH.count(old) == 1
    changed = {"weigh": WEIGH.replace(old, new), "parts__options": PART.read_text("utf-8")}
    with pytest.raises(RefusedError) as refused:
        compile_folder(write_sample(tmp_path, **changed), tmp_path)
    assert str(refused.value).startswith(f"lua/weigh.lua:{said}")
