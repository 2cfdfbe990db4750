"""The Python that calls the scripts: what it sends, and how it reads replies."""

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from compile import main
from headers_sample import Settle, changed_settle, compile_sample, settle_on, sources, write_sample
from servers import TestServer

from boltq.errors import BadArgument, Corrupt, UpgradeNeeded


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sample was compiled."""
    return compile_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def settle(sample: Path, server: TestServer, queue: str) -> Settle:
    return settle_on(server.raw(), queue, sources(sample)["settle"])


@pytest.fixture(scope="module")
def scripts(sample: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample", sample / "boltq" / "scripts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_builder_sends_what_the_script_takes(scripts: ModuleType, settle: Settle) -> None:
    item = scripts.SettleItem("j", scripts.LEFT_OUT, "now", b"", 0.5)
    call = scripts.settle("q", [item, item], lease_ms=1000, state="done", share=1 / 3)
    assert call.argv == [1000, "0.333333", "done", *["j", "", "now", b"", "0.5"] * 2]
    assert (call.script, call.queue) == ("settle", "q")
    assert call.parse(settle(*call.argv)) == scripts.Settled(
        now_ms=0, answers=[scripts.SettleDone(), scripts.SettleLater(2, 0.333333)]
    )
    left_out = scripts.settle("q", [item], lease_ms=1000, state="dead")
    assert left_out.argv[1] == ""


@pytest.mark.parametrize("share", [math.nan, math.inf, 1e-9, 1e300])
def test_a_number_is_sent_in_plain_digits_or_refused(
    share: float, scripts: ModuleType, settle: Settle
) -> None:
    item = scripts.SettleItem("j", "", "now", b"", 1.0)
    call = scripts.settle("q", [item], lease_ms=1000, state="done", share=share)
    assert "e" not in call.argv[1]
    reply = settle(*call.argv)
    assert reply[0] == (b"SETTLED" if share < 1 else b"BAD_ARGUMENT")


def test_replies_become_classes_also_where_numbers_come_as_text(scripts: ModuleType) -> None:
    parse = scripts.settle("q", [], lease_ms=1, state="done").parse
    reply = parse([b"NOTHING", b"7", b"0.5", "grün".encode() + b"\xff", b"\xff"])
    assert reply == scripts.Nothing(keep=7, factor=0.5, reason="grün\ufffd", result=b"\xff")
    assert parse([b"QUIET"]) == scripts.Quiet()
    assert scripts.look("q").parse([b"EMPTY"]) != scripts.Quiet()


def test_refusals_become_exceptions(scripts: ModuleType) -> None:
    parse = scripts.settle("q", [], lease_ms=1, state="done").parse
    with pytest.raises(BadArgument, match=r"^id must be short$"):
        parse([b"BAD_ARGUMENT", b"id must be short"])
    with pytest.raises(UpgradeNeeded, match=r"^queue q needs level 2"):
        parse([b"UPGRADE", b"queue q needs level 2"])


@pytest.mark.parametrize(
    "reply",
    [
        [],
        None,
        b"OK",
        [b"SEEN"],
        [b"TOO"],
        [b"UPGRADE"],
        [b"NOTHING", 1],
        [b"NOTHING", b"x", b"1", b"", b""],
        [b"NOTHING", 1, b"1", 5, b""],
        [b"SETTLED", 1, b"GONE", b"", b""],
        [b"SETTLED", 1, b"LATER", 1],
        [b"SETTLED", 1, b"DONE"],
        [b"SETTLED", 1, None],
    ],
)
def test_a_reply_that_the_header_does_not_list_is_corrupt(reply: Any, scripts: ModuleType) -> None:
    with pytest.raises(Corrupt, match=r"^settle answered .*, which its header does not list$"):
        scripts.settle("q", [], lease_ms=1, state="done").parse(reply)


def test_the_error_of_a_corrupt_reply_shows_no_payload(scripts: ModuleType) -> None:
    with pytest.raises(Corrupt) as refused:
        scripts.settle("q", [], lease_ms=1, state="done").parse([b"WHAT", b"secret"])
    assert "secret" not in str(refused.value)


def test_a_word_of_two_scripts_makes_two_classes(tmp_path: Path) -> None:
    compile_sample(tmp_path, settle=changed_settle("--   QUIET\n", "--   SEEN  jobs:integer\n"))
    text = (tmp_path / "boltq" / "scripts.py").read_text(encoding="utf-8")
    assert "LookReply = LookSeen | Empty" in text
    assert "SettleReply = Settled | Nothing | SettleSeen" in text
    assert "class Seen(" not in text


def test_a_verb_named_like_a_builtin_gets_a_line_behind_it(tmp_path: Path) -> None:
    lua = write_sample(tmp_path)
    text = (lua / "look.lua").read_text(encoding="utf-8")
    (lua / "list.lua").write_text(text.replace("look 3", "list 1").replace("EMPTY", "NONE"))
    main(["--lua", str(lua), "--root", str(tmp_path)])
    assert "def list_(\n" in (tmp_path / "boltq" / "scripts.py").read_text(encoding="utf-8")
