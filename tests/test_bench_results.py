"""`make bench` and `make field`: what they write, on few jobs and without a registry."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench.field.__main__ import page_of
from bench.report import written
from programs import environment

from boltq.bench import Figure

ROOT = Path(__file__).parents[1]


def run(module: str, *arguments: str) -> str:
    """Run one of them as make does; returns what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(PYTHONPATH="tests"),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("parts", ["memory,scheduled", "processes"])
def test_the_results_have_a_column_for_each_server_and_the_bars_of_each(
    parts: str, tmp_path: Path
) -> None:
    tiny = ("--jobs", "100", "--rounds", "1", "--to", str(tmp_path))
    run("bench", "--only", parts, "--scheduled", "300", "--processes", "2", *tiny)
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


def test_the_field_tells_each_ratio_as_the_median_of_rounds_and_which_bars_are_missed() -> None:
    rates = {
        ("boltq", "drain"): [50.0, 60.0, 10.0],
        ("dramatiq", "drain"): [10.0, 10.0, 10.0],
        ("bullmq", "drain"): [30.0, 30.0, 10.0],
    }
    page = page_of(rates, {"boltq": "1", "dramatiq": "2", "bullmq": "3"}, "redis")
    assert re.search(r"(?m)^\| dramatiq 2 \| 10.0 \(10.0 - 10.0\) \| 5.0 x \|", page)
    assert re.search(r"(?m)^\| boltq 1 \| 50.0 \(10.0 - 60.0\) \|  \|", page)
    assert page.splitlines()[-2:] == [
        "- drain: 5.00 x dramatiq, bar 5 x: reached",
        "- drain: 1.67 x bullmq, bar 2 x: missed",
    ]


def test_the_field_measures_boltq_alone_where_nothing_may_be_fetched(tmp_path: Path) -> None:
    table = tmp_path / "FIELD.md"
    said = run(
        "bench.field",
        *("--only", "boltq", "--jobs", "300", "--rounds", "1"),
        *("--folder", str(tmp_path / "field"), "--to", str(table)),
    )
    assert table.read_text() == said
    (row,) = re.findall(r"(?m)^\| boltq .*$", said)
    rates = re.findall(r"([\d,]+(?:\.\d+)?) \(", row)
    assert len(rates) == 3  # drained, enqueued one by one, in bulk
    assert all(float(rate.replace(",", "")) > 0 for rate in rates)
