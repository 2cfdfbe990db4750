"""`make bench`: what it writes, on few jobs."""

import re
from pathlib import Path

import pytest
from bench.report import written
from programs import run_module

from boltq.bench import Figure


@pytest.mark.parametrize("parts", ["memory,scheduled", "processes"])
def test_the_results_have_a_column_for_each_server_and_the_bars_of_each(
    parts: str, tmp_path: Path
) -> None:
    tiny = ("--jobs", "100", "--rounds", "1", "--to", str(tmp_path))
    run_module("bench", "--only", parts, "--scheduled", "300", "--processes", "2", *tiny)
    page = (tmp_path / "RESULTS.md").read_text()
    assert re.findall("(?m)^## (.*)$", page) == [*parts.split(","), "Bars"]
    heading = next(line for line in page.splitlines() if line.startswith("| what"))
    assert re.search(r"Redis \d\S* \| Valkey \d\S* \|", heading)
    assert "jobs 100, " in page
    if "memory" not in parts:
        return
    beyond = next(line for line in page.splitlines() if "beyond the record" in line)
    assert beyond.endswith("| 260 / 190 | 235 / 160 |")
    assert (tmp_path / "redis.svg").read_text().startswith("<svg")
    assert (tmp_path / "valkey.svg").exists()


def test_the_results_tell_which_bars_are_missed_whichever_side_of_them_is_good() -> None:
    asked = [
        ("drain", "drained", "jobs/s", 9, 10),
        ("drain", "drained well", "jobs/s", 11, 10),
        ("pickup", "late", "ms", 3.1, 3),
        ("pickup", "in time", "ms", 3, 3),
        ("idle", "busy", "calls/s", 2.5, 2),
        ("idle", "at rest", "calls/s", 1.5, 2),
        ("memory", "anything", "bytes a job", 900, None),
    ]
    figures = [
        Figure(part, what, unit, median, median, median, 3, bar=bar)._asdict()
        for part, what, unit, median, bar in asked
    ]
    where = {"server": "Redis 7.0.15", "boltq": "1", "python": "3.11", "machine": "1 x a"}
    page = written([{**where, "load": 0.1, "plan": {"rounds": 3}, "figures": figures}], "abc")
    assert re.findall("(?m)^- missed on (.*)$", page) == [
        "Redis 7.0.15: drained: 9.00 jobs/s, bar 10.0",
        "Redis 7.0.15: late: 3.10 ms, bar 3.00",
        "Redis 7.0.15: busy: 2.50 calls/s, bar 2.00",
    ]
