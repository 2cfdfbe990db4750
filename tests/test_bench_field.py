"""`make field`: what it counts and writes, on few jobs and without a registry."""

import re
import time
from pathlib import Path
from typing import Any

from bench.field.page import page_of
from bench.field.served import commands_us, direct_shares, used
from programs import run_module
from servers import TestServer

WRITES = """#!lua
for n = 1, 20000 do redis.call('INCR', KEYS[1]) end
return redis.call('GET', KEYS[1])
"""


def test_the_field_tells_each_ratio_as_the_median_of_rounds_and_which_bars_are_missed() -> None:
    found = {
        ("boltq", "drain"): [50.0, 60.0, 10.0],
        ("dramatiq", "drain"): [10.0, 10.0, 10.0],
        ("bullmq", "drain"): [30.0, 30.0, 10.0],
        ("boltq_hundreds", "a life, in commands"): [15.0, 10.0, 12.0],
        ("bullmq", "a life, in commands"): [30.0, 50.0, 40.0],
        ("dramatiq", "a life, in commands"): [100.0, 50.0, 80.0],
        ("boltq", "pick-up, p50"): [1.8, 1.9, 5.0],
        ("boltq", "pick-up, p99"): [5.0, 3.0, 1.0],
        ("sidekiq", "pick-up, p50"): [1.0, 1.0, 1.0],
        ("huey", "pick-up, p99"): [1.0, 1.0, 1.0],
    }
    names = ("boltq", "boltq_hundreds", "dramatiq", "bullmq")
    page = page_of(found, dict.fromkeys(names, "1"), "redis")
    assert re.search(r"(?m)^\| dramatiq 1 \| 10.0 \(10.0 - 10.0\) \| 5.0 x \|", page)
    assert re.search(r"(?m)^\| boltq 1 \| 50.0 \(10.0 - 60.0\) \|  \|", page)
    assert [line for line in page.splitlines() if line.startswith("- ")] == [
        "- drain: 5.00 x dramatiq, bar 5 x: reached",
        "- drain: 1.67 x bullmq, bar 2 x: missed",
        "- a life, in commands: in hundreds 0.30 x bullmq, bar 0.34 x (14 us of 41): reached",
        "- a life, in commands: in hundreds 0.15 x dramatiq, bar 0.26 x (14 us of 54): reached",
        "- a life, in commands: in hundreds 12.0 us here, bar 14 us on another machine: reached",
        "- pick-up, p50: 1.90 x sidekiq, bar 1.88 x (1.50 ms of 0.80): missed",
        "- pick-up, p99: 3.00 x huey, bar 2.50 x (3.00 ms of 1.20): missed",
    ]


def test_the_time_of_what_a_script_calls_is_counted_once(server: TestServer) -> None:
    raw = server.raw()
    keys = ("field-scripted", "field-direct")

    def live() -> None:
        raw.eval(WRITES, 1, keys[0])
        for _ in range(10_000):
            raw.execute_command("GET", keys[1])

    shares = direct_shares(raw, live)
    assert (shares["eval"], shares["incr"]) == (1, 0)
    assert 0.99 < shares["get"] < 1
    beside = []
    for _ in range(5):  # in any of them the server may be away for a while
        before = used(raw)
        raw.eval(WRITES, 1, keys[0])
        after = used(raw)
        took = {name: us - before.commands.get(name, 0) for name, us in after.commands.items()}
        assert took["incr"] > 100
        beside.append(commands_us(before, after, shares) - took["eval"])
        assert after.cpu > before.cpu
    raw.delete(*keys)
    assert min(beside) < 100


def test_a_client_that_waits_costs_no_time(server: TestServer) -> None:
    raw: Any = server.raw()
    took = []
    for _ in range(5):  # in any of them the server may be away for a while
        before = used(raw)
        began = time.monotonic()
        raw.blpop("field-nothing", 0.05)
        assert time.monotonic() - began > 0.04
        took.append(commands_us(before, used(raw), {}))
    assert min(took) < 20_000


def test_the_field_measures_boltq_alone_where_nothing_may_be_fetched(tmp_path: Path) -> None:
    table = tmp_path / "FIELD.md"
    said = run_module(
        "bench.field",
        *("--only", "boltq,boltq_hundreds", "--jobs", "300", "--rounds", "1", "--pickups", "20"),
        *("--folder", str(tmp_path / "field"), "--to", str(table)),
    )
    assert table.read_text() == said
    rows = re.findall(r"(?m)^\| boltq \d.*$", said)
    # Drained, one by one, in bulk; commands, CPU; picked up, p50 and p99.
    for row, count in zip(rows, (3, 2, 2), strict=True):
        figures = re.findall(r"([\d,]+(?:\.\d+)?) \(", row)
        assert len(figures) == count
        assert all(float(figure.replace(",", "")) > 0 for figure in figures)
    assert re.search(r"(?m)^- a life, in commands: in hundreds [\d.]+ us here", said)
