"""The bound block on real servers: what it refuses, and what it hands to the body."""

from pathlib import Path
from typing import Any

import pytest
from headers_sample import Settle, changed_settle, compile_sample, settle_on, sources
from servers import TestServer

JOB = ("j1", "mail:new", "hello", b"\x00\xff", "1.5")
KIND = "_ . : - and first a letter or digit"
TAKES = "settle takes 3 arguments and then 5 for each of 1..3 items"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sample was compiled."""
    return compile_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def settle(sample: Path, server: TestServer, queue: str) -> Settle:
    return settle_on(server.raw(), queue, sources(sample)["settle"])


def test_good_arguments_reach_the_body_by_their_names(settle: Settle) -> None:
    assert settle(1000, "", "dead", *JOB) == [
        b"NOTHING", 10, b"2.5", b"-- no comment -- ", b"\x00\xff1.5",
    ]  # fmt: skip
    moved = settle(1000, "0.25", "dead", "j2", "", "now", b"", "9")
    assert moved == [b"SETTLED", 1, b"DONE", b"", b"", b"LATER", 2, b"0.25"]


def test_settings_that_are_set_are_in_force(settle: Settle, server: TestServer, queue: str) -> None:
    values = {"keep": 3, "factor": "1.25", "reason": "holiday", "needs": 1}
    server.raw().hset(f"boltq1:{{{queue}}}:settings", mapping=values)
    assert settle(1000, "", "done", *JOB)[1:4] == [3, b"1.25", b"holiday-- no comment -- "]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), f"{TAKES}, not 0"),
        ((1000, "", "done"), f"{TAKES}, not 3"),
        (
            (1000, "", "done", *JOB, "x"),
            f"{TAKES}, not 9",
        ),
        (
            (1000, "", "done", *JOB * 4),
            f"{TAKES}, not 23",
        ),
        ((999, "", "done", *JOB), "lease_ms must be an integer 1000..86400000, not 999"),
        (("", "", "done", *JOB), "lease_ms must be an integer 1000..86400000, not "),
        ((1000, "1.1", "done", *JOB), "share must be a number 0..1, or empty, not 1.1"),
        ((1000, "", "gone", *JOB), "state must be one of done, dead, not gone"),
        (
            (1000, "", "done", *JOB, "-a", *JOB[1:]),
            "item 2: id must be 1..8 letters, digits or _ . - and first a letter or digit, not -a",
        ),
        (
            (1000, "", "done", "a", "mail new", *JOB[2:]),
            f"item 1: kind_of must be 1..8 letters, digits or {KIND}, or empty, not mail new",
        ),
        (
            (1000, "", "done", "a", "", "a\tb", *JOB[3:]),
            "item 1: note must be a text of 0..9 bytes, none of them a control byte, not a\tb",
        ),
        (
            (1000, "", "done", "a", "", "", "x" * 21, "1"),
            f"item 1: result must be 0..20 bytes long, not {'x' * 21}",
        ),
        ((1000, "", "done", *JOB[:4], "ten"), "item 1: weight must be a number 0..9, not ten"),
    ],
)
def test_a_bad_argument_is_named_with_its_rule_and_its_value(
    argv: tuple[Any, ...], said: str, settle: Settle
) -> None:
    assert settle(*argv) == [b"BAD_ARGUMENT", said.encode()]


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["b1:{q}:jobs", "b1:{q}:done", "b1:{q}:dead"],
        ["b1:{q}:jobs", "b1:{q}:dead", "b1:{q}:done", "b1:{q}:settings"],
        ["b1:{q}:jobs", "b1:{q}:done", "b1:{q}:dead", "b1:{q}:settings", "b1:{q}:more"],
        ["c1:{q}:jobs", "b1:{q}:done", "b1:{q}:dead", "b1:{q}:settings"],
        ["1:{q}:jobs", "1:{q}:done", "1:{q}:dead", "1:{q}:settings"],
        ["b2:{q}:jobs", "b2:{q}:done", "b2:{q}:dead", "b2:{q}:settings"],
        *[
            [f"b1:{{{name}}}:{part}" for part in ("jobs", "done", "dead", "settings")]
            for name in ("", "-q", "a b", "q" * 129, "q}{q")
        ],
    ],
)
def test_keys_that_are_not_those_of_one_queue_are_refused(keys: list[str], settle: Settle) -> None:
    assert settle(1000, "", "done", *JOB, keys=keys) == [
        b"BAD_KEYS",
        b"settle takes these keys of one queue, in this order: jobs done dead settings",
    ]


def test_a_queue_name_of_128_bytes_and_a_long_prefix_are_taken(settle: Settle) -> None:
    base = f"some:prefix-1:1:{{{'q' * 128}}}:"
    keys = [base + part for part in ("jobs", "done", "dead", "settings")]
    assert settle(1000, "", "done", *JOB, keys=keys)[0] == b"NOTHING"


def test_items_that_are_too_large_together_are_refused(tmp_path: Path, settle: Settle) -> None:
    large = compile_sample(tmp_path, settle=changed_settle("0..20 ", "0..8000000 "))
    source = sources(large)["settle"]
    half = b"x" * 4_194_305
    reply = settle(1000, "", "done", *("j", "", "", half, 1) * 2, source=source)
    assert reply == [
        b"TOO_LARGE",
        b"settle takes at most 8388608 bytes in one call, not 8388610",
    ]
    fits = settle(1000, "", "done", *("j", "", "now", half[1:], 1) * 2, source=source)
    assert fits[0] == b"SETTLED"


def test_a_queue_that_needs_newer_scripts_refuses_this_one_and_keeps_what_it_had(
    settle: Settle, server: TestServer, queue: str
) -> None:
    server.raw().hset(f"boltq1:{{{queue}}}:settings", "needs", 2)
    assert settle(1000, "", "done", *JOB) == [
        b"UPGRADE",
        f"queue {queue} needs level 2, this script is 1".encode(),
    ]
    assert server.raw().exists(f"boltq1:{{{queue}}}:done") == 0
