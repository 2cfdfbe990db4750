"""The metrics of a worker: what became of jobs and how long they took, at a port of its own."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pages
import pytest
from metrics_read import OPEN, Metrics, labels_by_metric, read, value
from pages import GUIDES
from queue_state import QueueState
from servers import _free_ports, until
from workers import command, wait_for, working

from boltq import exposition
from boltq.errors import BadSetting
from boltq.execution import FailForGood, Retry
from boltq.parent import Parent
from boltq.settings import Settings
from boltq.worker.measures import Measured, Measures
from boltq.worker.metrics_port import MetricsPort
from boltq.worker.report import Report


def told(measures: Measures) -> Metrics:
    return read(exposition.written(measures.families(), exposition.OPEN_METRICS).decode())


def asked(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers=headers or OPEN)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def ask(port: int) -> Metrics:
    status, _, text = asked(port)
    assert status == 200
    return read(text)


def free_port(count: int = 1) -> int:
    """The first of so many ports, one after the other, that nobody has."""
    while True:
        (port,) = _free_ports(1)
        try:
            for n in range(1, count):
                socket.create_server(("127.0.0.1", port + n)).close()
        except OSError:
            continue
        return port


def again() -> None:
    raise Retry("not yet", after_seconds=3600, count=False)


def bad() -> None:
    raise FailForGood("never")


def broken() -> None:
    raise ValueError("no")


HANDLERS: dict[str, Callable[..., object]] = {
    "good": lambda **_members: time.sleep(0.02),
    "again": lambda **_: again(),
    "bad": lambda **_: bad(),
    "broken": lambda **_: broken(),
}


def test_each_end_of_a_job_is_counted_by_queue_type_and_outcome(q: QueueState) -> None:
    for type, count in (("good", 3), ("again", 1), ("bad", 1), ("broken", 1), ("strange", 1)):
        for n in range(count):
            q.enqueue(f"{type}-{n}", type=type, payload=b"{}", base_ms=3_600_000)
    measures = Measures(HANDLERS)
    with working(q, HANDLERS, measures=measures):
        wait_for(q, "completed", "good-0", "good-1", "good-2")
        wait_for(q, "scheduled", "again-0", "strange-0")
        wait_for(q, "retrying", "broken-0")
        wait_for(q, "dead", "bad-0")
        # Told of a moment after it is so.
        until(lambda: sum(told(measures)["boltq_worker_jobs_total"].values()) == 7)
        found = told(measures)
    counted = {
        (dict(labels)["type"], dict(labels)["outcome"]): count
        for labels, count in found["boltq_worker_jobs_total"].items()
    }
    assert counted == {
        ("good", "completed"): 3,
        ("again", "released"): 1,
        ("bad", "dead"): 1,
        ("broken", "failed"): 1,
        ("other", "released"): 1,
    }
    run = "boltq_job_run_seconds"
    assert value(found, f"{run}_count", queue=q.name, type="good") == 3
    assert value(found, f"{run}_sum", queue=q.name, type="good") >= 0.06
    assert value(found, f"{run}_bucket", queue=q.name, type="good", le="0.01") == 0
    # What no handler has run took no time.
    assert {dict(labels)["type"] for labels in found[f"{run}_count"]} == set(HANDLERS)
    state = {name: value(found, f"boltq_worker_{name}") for name in ("threads", "redis_up")}
    assert state == {"threads": 2, "redis_up": 1}


def test_a_type_that_no_handler_knows_is_no_label(q: QueueState) -> None:
    names = [f"t{n}" for n in range(20)]
    for name in names:
        q.enqueue(name, type=name)
    measures = Measures(["known"])
    with working(q, {}, measures=measures):
        wait_for(q, "scheduled", *names)
        until(lambda: sum(told(measures)["boltq_worker_jobs_total"].values()) == 20)
    (labels,) = told(measures)["boltq_worker_jobs_total"]
    assert dict(labels)["type"] == "other"


def test_a_report_that_counts_is_told_all_that_a_report_is_told() -> None:
    public = {name for name in vars(Report) if not name.startswith("_")}
    assert public - set(vars(Measured)) == {"flush", "flush_seconds"}


@pytest.fixture
def port() -> Iterator[MetricsPort]:
    port = MetricsPort("127.0.0.1", 0, Measures([]).families)
    yield port
    port.close()


def test_the_port_tells_metrics_in_both_forms_and_nothing_else(port: MetricsPort) -> None:
    status, kind, text = asked(port.port)
    assert (status, kind.partition(";")[0]) == (200, exposition.OPEN_METRICS)
    assert "process_cpu_seconds_total" in read(text)
    status, kind, text = asked(port.port, Accept="text/html")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    status, _, text = asked(port.port, "/")
    assert (status, text) == (404, "A worker of BoltQ: its metrics are at /metrics.\n")


def test_a_client_that_says_nothing_keeps_the_others_waiting_for_a_moment_only(
    port: MetricsPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_connection(("127.0.0.1", port.port)) as silent:
        name = silent.getsockname()
        # The other's own patience: he may stand still before he asks.
        seconds = property(lambda handler: 0.05 if handler.client_address == name else 30.0)
        monkeypatch.setattr(port._server.RequestHandlerClass, "timeout", seconds)
        assert asked(port.port)[0] == 200


def test_a_port_that_another_has_is_refused_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(BadSetting, match=f"port {taken} on 127.0.0.1 cannot .* another"):
            MetricsPort("127.0.0.1", taken, Measures([]).families)
    with pytest.raises(BadSetting, match=r"port 0 on 192.0.2.1 cannot be listened on"):
        MetricsPort("192.0.2.1", 0, Measures([]).families)


def test_several_processes_have_ports_one_after_the_other(q: QueueState, tmp_path: Path) -> None:
    first = free_port(2)
    options = ("--processes", "2", "--metrics-port", str(first), "--threads", "1")
    with command(q, *options, folder=tmp_path):

        def both() -> list[Metrics] | None:
            try:
                return [ask(first), ask(first + 1)]
            except OSError:
                return None

        until(both)
        for n in range(20):
            q.enqueue(str(n), payload=b'{"seconds": 0.02}', type="sleep")
        wait_for(q, "completed", *map(str, range(20)))

        def done() -> float:
            each = [found.get("boltq_worker_jobs_total", {}) for found in both() or []]
            # A job that one gave back, unbegun, since the other was free, is counted there, too.
            return sum(
                count
                for counted in each
                for labels, count in counted.items()
                if dict(labels)["outcome"] == "completed"
            )

        until(lambda: done() == 20)
        starts = {value(found, "process_start_time_seconds") for found in both() or []}
        assert len(starts) == 2


def test_a_worker_whose_port_is_taken_ends_with_status_2(q: QueueState, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        with command(q, "--metrics-port", taken, folder=tmp_path) as process:
            assert process.wait(20) == 2
    assert "BOLTQ_METRICS_PORT: port" in (tmp_path / "log.txt").read_text()


def test_more_processes_than_there_are_ports_are_refused() -> None:
    most = Settings(processes=4, metrics_port=65532)
    Parent(most, [])
    with pytest.raises(BadSetting, match=r"65533, and 4 processes .* none above 65535"):
        Parent(Settings(processes=4, metrics_port=65533), [])


def test_a_worker_that_nobody_measures_counts_nothing_and_listens_nowhere(q: QueueState) -> None:
    with working(q, {}) as worker:
        assert type(worker._settler._report) is Report


def test_the_guide_tells_each_metric_of_a_worker_with_its_labels(q: QueueState) -> None:
    q.enqueue("a", type="good", payload=b"{}")
    measures = Measures(HANDLERS)
    with working(q, HANDLERS, measures=measures):
        wait_for(q, "completed", "a")
        until(lambda: "boltq_worker_jobs_total" in told(measures))
        found = labels_by_metric(told(measures))
    rows = pages.rows(GUIDES[2], "metric of a worker")
    shown = {name: set(pages.codes(row[1])) for row in rows for name in pages.codes(row[0])}
    assert shown == found


def test_a_wait_is_counted_from_when_a_job_was_due_not_from_when_it_was_enqueued(
    q: QueueState,
) -> None:
    q.enqueue("waited", type="good", payload=b"{}")
    q.enqueue("delayed", type="good", payload=b"{}", delay_ms=60_000)
    measures = Measures(HANDLERS)
    back = 100_000 * 512
    q.raw.zincrby(q.key("queued"), -back, "waited")
    q.raw.zincrby(q.key("scheduled"), -back, "delayed")
    with working(q, HANDLERS, measures=measures):
        wait_for(q, "completed", "waited", "delayed")
        until(lambda: sum(told(measures).get("boltq_worker_jobs_total", {}).values()) == 2)
        found = told(measures)
    wait = "boltq_job_wait_seconds"
    labels = {"queue": q.name, "type": "good"}
    assert value(found, f"{wait}_count", **labels) == 2
    # One of 100 s, one of 100 s less its delay of 60.
    assert 140 <= value(found, f"{wait}_sum", **labels) < 160
    assert value(found, f"{wait}_bucket", le="60.0", **labels) == 1
    assert value(found, f"{wait}_bucket", le="30.0", **labels) == 0
