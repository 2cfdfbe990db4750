"""The dashboard and the alerts that are shipped: whole, and of metrics that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
import yaml
from falcon.testing import TestClient
from pages import GUIDES
from programs import run
from servers import TestServer, missing

import boltq
from boltq.api.app import create_app
from boltq.api.openapi import shapes
from boltq.client import BoltQ
from boltq.ids import new_token

OPS = Path(boltq.__file__).parent / "ops"
ALERTS, DASHBOARD = OPS / "alerts.yml", OPS / "grafana.json"
TESTS = Path(__file__).parent / "prometheus" / "alerts_test.yml"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and what it is without the variables of Grafana."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel.get("targets", []):
            plain = re.sub(r"\[\$__\w+\]", "[5m]", target["expr"]).replace("$queue", ".*")
            assert "$" not in plain
            yield panel["title"], plain


def known() -> dict[str, set[str]]:
    """Each metric, by the names of its samples, with its labels, as the guide tells them.

    That these are what is exposed, other tests see to.
    """
    found: dict[str, set[str]] = {}
    for title in ("metric", "metric of a worker"):
        for row in pages.rows(GUIDES[2], title):
            for name in pages.codes(row[0]):
                labels = set(pages.codes(row[1]))
                if "a histogram" in row[2]:
                    found[f"{name}_bucket"] = {*labels, "le"}
                    found[f"{name}_sum"] = found[f"{name}_count"] = labels
                else:
                    found[name] = found.get(name, set()) | labels
    return found


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_each_metric_and_label_that_is_asked_for_exists(where: str, expression: str) -> None:
    metrics = known()
    named = set(re.findall(r"\b(?:boltq|process)_\w+", expression))
    assert named, where
    assert named <= set(metrics), where
    labels = {"instance"}.union(*(metrics[name] for name in named))
    used = set(re.findall(r'(\w+)(?:=~|!=|!~|=)"', expression))
    for grouped in re.findall(r"\b(?:by|on) \(([\w, ]+)\)", expression):
        used |= set(grouped.split(", "))
    assert used <= labels, where


def test_each_metric_of_queues_and_workers_is_shown_or_alerted_on() -> None:
    text = " ".join(expression for _, expression in expressions())
    of_interest = {
        re.sub("_(bucket|sum|count)$", "", name)
        for name in known()
        if name.startswith(("boltq_queue", "boltq_job", "boltq_dead", "boltq_worker"))
    }
    quiet = {name for name in of_interest if name not in text}
    assert quiet == {
        "boltq_jobs_purged_total",
        "boltq_jobs_trimmed_total",
        "boltq_queue_lapsed_leases",
        "boltq_worker_jobs_held",
        "boltq_worker_redis_up",
        "boltq_worker_stuck",
    }


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    told = json.loads(DASHBOARD.read_text())
    assert told["schemaVersion"] >= 36
    assert {one["name"] for one in told["templating"]["list"]} == {"source", "queue"}
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        assert panel["type"] in {"row", "stat", "timeseries", "table"}
        assert panel["type"] == "row" or (panel["targets"] and panel["description"])
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": "prometheus", "uid": "${source}"}


def test_each_alert_says_what_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
        labels = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert labels <= {"queue"}
        assert ("by (queue)" in rule["expr"]) == bool(labels), rule["alert"]


def test_each_alert_is_tried_both_ways() -> None:
    fires = set(re.findall(r'alertname="(\w+)"', TESTS.read_text()))
    assert fires == {rule["alert"] for rule in rules()}


@pytest.fixture
def promtool(tmp_path: Path) -> Callable[..., str]:
    """Run promtool in a folder that has the rules and their tests."""
    if shutil.which("promtool") is None:
        missing("promtool (Debian: apt install prometheus)")
    shutil.copy(ALERTS, tmp_path)
    shutil.copy(TESTS, tmp_path)

    def run(*arguments: str, text: str | None = None) -> str:
        ran = subprocess.run(
            ["promtool", *arguments],
            cwd=tmp_path,
            input=text,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


def test_promtool_takes_the_alerts_and_they_fire_when_they_should(
    promtool: Callable[..., str],
) -> None:
    assert "SUCCESS" in promtool("check", "rules", ALERTS.name)
    assert "SUCCESS" in promtool("test", "rules", TESTS.name)


def test_promtool_takes_each_expression_of_the_dashboard(
    promtool: Callable[..., str], tmp_path: Path
) -> None:
    recorded = [
        {"record": f"tried:{n}", "expr": expression}
        for n, (_, expression) in enumerate(expressions())
    ]
    written = {"groups": [{"name": "tried", "rules": recorded}]}
    (tmp_path / "tried.yml").write_text(yaml.safe_dump(written))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", "tried.yml")


def test_promtool_finds_nothing_to_complain_of_in_what_is_exposed(
    promtool: Callable[..., str], shared_servers: Callable[[str], TestServer]
) -> None:
    client = BoltQ(shared_servers("valkey").address, prefix=f"m-{new_token()}")
    client.enqueue("echo", queue="mail")
    text = TestClient(create_app(client)).simulate_get("/metrics").text
    client.close()
    assert "boltq_queue_jobs{" in text
    assert promtool("check", "metrics", text=text) == ""


def test_both_are_written_where_somebody_wants_them(tmp_path: Path) -> None:
    ran = run(tmp_path, "boltq", "export", "monitoring", "here")
    assert (ran.returncode, ran.stdout) == (0, "here/alerts.yml\nhere/grafana.json\n")
    for shipped in (ALERTS, DASHBOARD):
        assert (tmp_path / "here" / shipped.name).read_bytes() == shipped.read_bytes()


def test_each_yaml_that_the_guide_shows_is_yaml() -> None:
    shown = [yaml.safe_load(block.text) for block in pages.blocks(GUIDES[2], "yaml")]
    assert len(shown) >= 3
    (scaled,) = [one for one in shown if isinstance(one, dict) and "kind" in one]
    (trigger,) = scaled["spec"]["triggers"]
    # What KEDA is told to read, the API answers.
    assert trigger["metadata"]["url"].endswith("/api/queues/mail")
    assert trigger["metadata"]["valueLocation"] in shapes.QUEUE_HAS.split()
