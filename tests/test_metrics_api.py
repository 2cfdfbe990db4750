"""GET /metrics: what the queues hold, in forms that Prometheus reads, at a cost that is bounded."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pages
import pytest
from api_served import served
from falcon.testing import TestClient
from metrics_read import OPEN, Metrics, labels_by_metric, read, sampled, value
from operated import Rig, rig
from pages import GUIDES
from prometheus_client import parser
from prometheus_client.openmetrics import parser as open_parser

from boltq import exposition, presence
from boltq.api import snapshot
from boltq.api.app import create_app
from boltq.api.routes import table
from boltq.api.traffic import Traffic
from boltq.client import BoltQ
from boltq.exposition import Family, Histogram, counter, gauge, written
from boltq.newjob import NewJob
from boltq.settings import Settings

__all__ = ["rig"]

KEYS = "prometheus:read:0123456789abcdef,web:enqueue:fedcba9876543210"


def scraped(http: TestClient) -> Metrics:
    answer = http.simulate_get("/metrics", headers=OPEN)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    return read(answer.text)


def test_what_the_queues_hold_is_told_by_state_and_in_totals(rig: Rig) -> None:
    rig.enqueue("mail", "a", "b", "c")
    rig.ack("mail", rig.claim("mail", 1), "a")
    rig.bury("slow", "d", "e")
    rig.enqueue("later", "f", delay_seconds=60)
    rig.boltq.pause("later")
    found = scraped(rig.http)
    jobs = {
        tuple(dict(labels)[name] for name in ("queue", "state")): count
        for labels, count in found["boltq_queue_jobs"].items()
        if count
    }
    assert jobs == {
        ("mail", "queued"): 2,
        ("mail", "completed"): 1,
        ("slow", "dead"): 2,
        ("later", "scheduled"): 1,
    }
    assert value(found, "boltq_jobs_enqueued_total", queue="mail") == 3
    assert value(found, "boltq_attempts_total", queue="mail", outcome="completed") == 1
    assert value(found, "boltq_attempts_total", queue="slow", outcome="failed") == 2
    assert value(found, "boltq_jobs_ended_total", queue="slow", state="dead") == 2
    assert value(found, "boltq_queue_latency_seconds", queue="mail") > 0
    assert value(found, "boltq_queue_latency_seconds", queue="slow") == 0
    paused = {dict(labels)["queue"]: is_paused for labels, is_paused in
              found["boltq_queue_paused"].items()}  # fmt: skip
    assert paused == {"mail": 0, "slow": 0, "later": 1}
    assert value(found, "boltq_redis_up") == 1
    assert value(found, "boltq_redis_memory_bytes") > 0
    (build,) = found["boltq_build_info"]
    assert dict(build)["server"] in {"redis", "valkey"}


def test_the_workers_that_are_alive_are_summed_up(rig: Rig) -> None:
    rig.enqueue("mail", "a")
    rig.enqueue("lonely", "b")
    now_ms = rig.boltq.server.now_ms()
    job = presence.ReportedJob("mail:a", "email", now_ms - 90_000)
    for name, seen_ms in (("w1", now_ms), ("w2", now_ms), ("gone", now_ms - 60_000)):
        report = presence.Report(name, "h", 1, "0", {"mail": 1}, 8, now_ms, 3, 9, 1, jobs=[job])
        rig.boltq.server.registry.note_worker(name, report.to_bytes(), seen_ms)
    found = scraped(rig.http)
    told = {name: value(found, f"boltq_workers{name}") for name in ("", "_threads", "_jobs")}
    assert told == {"": 2, "_threads": 16, "_jobs": 6}
    assert value(found, "boltq_workers_stuck") == 2
    assert value(found, "boltq_queue_workers", queue="mail") == 2
    assert value(found, "boltq_queue_workers", queue="lonely") == 0
    longest = "boltq_queue_longest_running_seconds"
    assert 90 <= value(found, longest, queue="mail") < 120
    assert value(found, longest, queue="lonely") == 0


def test_a_job_that_is_due_and_not_queued_is_told(rig: Rig) -> None:
    rig.enqueue("late", "a", delay_seconds=60)
    key = f"{rig.boltq.server.prefix}1:{{late}}:scheduled"
    rig.boltq.server._redis.zincrby(key, -90_000 * 512, "a")
    assert 30 <= value(scraped(rig.http), "boltq_queue_overdue_seconds", queue="late") < 60


def test_who_does_not_ask_for_openmetrics_gets_the_older_form(rig: Rig) -> None:
    rig.enqueue("mail", "a")
    for headers in ({}, {"Accept": "text/plain"}, {"Accept": "text/html,*/*;q=0.8"}):
        answer = rig.http.simulate_get("/metrics", headers=headers)
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "# TYPE boltq_jobs_enqueued_total counter\n" in answer.text
        assert "# EOF" not in answer.text
        found = sampled(parser.text_string_to_metric_families(answer.text))
        assert value(found, "boltq_jobs_enqueued_total", queue="mail") == 1
    assert rig.http.simulate_get("/metrics", headers={"Accept": "image/png"}).status_code == 406


def calls(rig: Rig) -> dict[str, int]:
    told = rig.boltq.server.info("commandstats")
    return {name: each["calls"] for name, each in told.items()}


def cost(rig: Rig) -> dict[str, int]:
    """What one scrape asks of the server, by command."""
    before = calls(rig)
    scraped(rig.http)
    after = calls(rig)
    return {
        name: count - before.get(name, 0)
        for name, count in after.items()
        if name != "cmdstat_info" and count != before.get(name, 0)
    }


def test_a_scrape_asks_the_same_with_a_thousand_jobs_as_with_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "FRESH_SECONDS", 0.0)
    rig.enqueue("mail", "a")
    scraped(rig.http)
    with_one = cost(rig)
    rig.boltq.enqueue_many((NewJob("echo", n) for n in range(1000)), queue="mail")
    assert cost(rig) == with_one
    assert sum(with_one.values()) < 60
    scripts = with_one.get("cmdstat_evalsha", 0) + with_one.get("cmdstat_evalsha_ro", 0)
    assert scripts == 1


def test_many_who_scrape_and_look_cost_one_look_a_second(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    of_all = BoltQ.stats_of_all

    def counted(boltq: BoltQ) -> Any:
        made.append(1)
        return of_all(boltq)

    monkeypatch.setattr(BoltQ, "stats_of_all", counted)
    monkeypatch.setattr(snapshot, "FRESH_SECONDS", 60.0)
    with served(rig.boltq.server, threads=8) as api, ThreadPoolExecutor(20) as callers:
        paths = ("/metrics", "/api/overview") * 50
        answers = list(callers.map(lambda path: api.ask("GET", path), paths))
    assert {answer.status for answer in answers} == {200}
    assert len(made) == 1


def test_while_redis_is_away_the_scrape_says_so() -> None:
    away = BoltQ("localhost:1", patience_seconds=0.0)
    found = scraped(TestClient(create_app(away)))
    assert value(found, "boltq_redis_up") == 0
    assert "boltq_queue_jobs" not in found
    assert "boltq_build_info" in found


def test_a_scrape_needs_the_scope_read(rig: Rig) -> None:
    http = TestClient(create_app(rig.boltq, Settings(api_keys=KEYS)))

    def status(secret: str) -> int:
        headers = {"Host": "localhost", "Authorization": f"Bearer {secret}"}
        return http.simulate_get("/metrics", headers=headers).status_code

    assert (status("0123456789abcdef"), status("fedcba9876543210"), status("x")) == (200, 403, 401)


def test_requests_are_counted_by_route_whatever_paths_and_methods_are_asked_for(rig: Rig) -> None:
    with served(rig.boltq.server) as api:
        for path in ("/api/jobs/a", "/api/jobs/b", "/nowhere", "/nowhere/else"):
            api.ask("GET", path)
        for method in ("HEAD", "BREW", "TRACE"):
            api.ask(method, "/healthz")
        found = read(api.ask("GET", "/metrics", **OPEN).body.decode())
    counted = found["boltq_http_requests_total"]
    told = {tuple(dict(labels)[n] for n in ("method", "route", "status")): n
            for labels, n in counted.items()}  # fmt: skip
    assert told[("GET", "/api/jobs/{id}", "404")] == 2
    assert told[("GET", "other", "404")] == 2
    assert told[("HEAD", "/healthz", "200")] == 1
    routes = {route.path for route in table(rig.boltq)} | {"other"}
    assert {(method, route) for method, route, _ in told} <= {
        (method, route)
        for method in ("GET", "HEAD", "other")
        for route in routes
    }  # fmt: skip
    count = found["boltq_http_request_seconds_count"]
    assert count[frozenset({"method": "GET", "route": "/api/jobs/{id}"}.items())] == 2


def test_both_forms_are_read_as_they_were_meant() -> None:
    odd = 'a\\b"c\nd'
    durations = Histogram("t_seconds", "Some.", ("queue",), (0.1, 1.0))
    for seconds in (0.1, 0.5, 0.5, 7.0):
        durations.add((odd,), seconds)
    families = [
        gauge("g", "A gauge.", [(1.5, {"name": odd}), (2, {})]),
        counter("c", "A counter.", [(3, {"x": "y"})]),
        gauge("none", "Nothing yet.", []),
        durations.family(),
    ]
    for form, reader in (
        (exposition.OPEN_METRICS, open_parser.text_string_to_metric_families),
        (exposition.TEXT, parser.text_string_to_metric_families),
    ):
        found = sampled(reader(written(families, form).decode()))
        assert value(found, "g", name=odd) == 1.5
        assert value(found, "c_total", x="y") == 3
        buckets = {dict(labels)["le"]: n for labels, n in found["t_seconds_bucket"].items()}
        assert buckets == {"0.1": 1, "1.0": 3, "+Inf": 4}
        assert value(found, "t_seconds_sum", queue=odd) == pytest.approx(8.1)
        assert value(found, "t_seconds_count", queue=odd) == 4


def test_requests_are_counted_whole_by_many_threads() -> None:
    traffic = Traffic()
    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(lambda _: traffic.add("GET", "/", 200, 0.01), range(20_000)):
            pass
    found = read(written(traffic.families(), exposition.OPEN_METRICS).decode())
    assert value(found, "boltq_http_requests_total", method="GET", route="/", status="200") == 2e4
    assert value(found, "boltq_http_request_seconds_count", method="GET", route="/") == 2e4


def test_no_label_is_one_of_which_there_could_be_any_number(rig: Rig) -> None:
    rig.bury("mail", "a", error="Odd")
    scraped(rig.http)  # which the next counts
    found = scraped(rig.http)
    names = {name for samples in found.values() for labels in samples for name, _ in labels}
    build = {"version", "server", "server_version"}
    assert names == {"queue", "state", "outcome", "method", "route", "status", "le"} | build
    assert not re.search("mail:a|Odd", str(found))
    assert all(isinstance(one, Family) for one in Traffic().families())


def test_the_guide_tells_each_metric_with_its_labels(rig: Rig) -> None:
    rig.enqueue("mail", "a")
    scraped(rig.http)
    told = {
        name: set(pages.codes(row[1]))
        for row in pages.rows(GUIDES[2], "metric")
        for name in pages.codes(row[0])
    }
    assert told == labels_by_metric(scraped(rig.http))
