"""Traces: from who sends a job, in Python or over HTTP, to the span around its handler."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pages
import pytest
from falcon.testing import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pages import GUIDES
from programs import run
from servers import TestServer, until

from boltq import BoltQ, Retry, ids, scripts
from boltq.api.app import create_app
from boltq.errors import BadArgument
from boltq.newjob import NewJob
from boltq.traces import trace
from boltq.worker import Worker

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Spans:
    """What was traced, by the names of spans."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def all(self, name: str) -> list[ReadableSpan]:
        return [one for one in self.exporter.get_finished_spans() if one.name == name]

    def one(self, name: str) -> ReadableSpan:
        until(lambda: self.all(name))
        (found,) = self.all(name)
        return found


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, prefix=f"t-{ids.new_token()}")
    yield client
    raw = server.raw()
    for key in raw.scan_iter(f"{client.server.prefix}1:*"):
        raw.delete(key)
    client.close()


def worked(app: BoltQ) -> None:
    """Let a worker of the app do all jobs that there are."""
    worker = Worker(app.server, app.handlers, queues=["mail"], middleware=app.middleware)
    worker.start()
    try:
        until(lambda: is_through(app.stats("mail")))
    finally:
        worker.stop(5)


def is_through(stats: scripts.Stats) -> bool:
    return stats.queued + stats.running == 0


def ids_of(span: ReadableSpan) -> tuple[str, str]:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_the_handlers_span_is_the_child_of_the_senders_which_is_the_callers(
    app: BoltQ, spans: Spans
) -> None:
    trace(app, provider=spans.provider)

    @app.job("t", queue="mail")
    def handler(n: int) -> int:
        return n

    with spans.provider.get_tracer("web").start_as_current_span("request"):
        job = handler.enqueue(7)
    worked(app)
    request, send, process = (spans.one(name) for name in ("request", "send mail", "process mail"))
    assert send.parent is not None
    assert process.parent is not None
    assert len({ids_of(one)[0] for one in (request, send, process)}) == 1
    assert f"{send.parent.span_id:016x}" == ids_of(request)[1]
    assert f"{process.parent.span_id:016x}" == ids_of(send)[1]
    assert [f"{link.context.span_id:016x}" for link in process.links] == [ids_of(send)[1]]
    assert (send.kind, process.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    common = {
        "messaging.system": "boltq",
        "messaging.destination.name": "mail",
        "messaging.message.id": job.id,
        "boltq.job.type": "t",
    }
    operations = ("messaging.operation.name", "messaging.operation.type")
    assert told(send) == {**common, **dict.fromkeys(operations, "send")}
    assert told(process) == {
        **common,
        **dict.fromkeys(operations, "process"),
        "boltq.job.attempt": 1,
    }
    headers = job.get().headers
    assert headers is not None
    assert b'{"traceparent":"00-%s-' % ids_of(send)[0].encode() in headers


def test_linked_only_the_handlers_span_begins_a_trace_of_its_own(app: BoltQ, spans: Spans) -> None:
    trace(app, provider=spans.provider, linked_only=True)
    app.job("t")(lambda: None)
    app.enqueue("t", {}, queue="mail")
    worked(app)
    send, process = spans.one("send mail"), spans.one("process mail")
    assert process.parent is None
    assert ids_of(process)[0] != ids_of(send)[0]
    assert [f"{link.context.span_id:016x}" for link in process.links] == [ids_of(send)[1]]


def test_what_came_over_http_goes_on_in_the_handler(app: BoltQ, spans: Spans) -> None:
    trace(app, provider=spans.provider)
    app.job("t")(lambda: None)
    answer = TestClient(create_app(app)).simulate_post(
        "/api/jobs",
        body='{"type": "t", "queue": "mail", "payload": {}}',
        headers={"Content-Type": "application/json", "traceparent": PARENT},
    )
    assert answer.status_code == 202
    worked(app)
    process = spans.one("process mail")
    assert process.parent is not None
    assert (ids_of(process)[0], f"{process.parent.span_id:016x}") == (TRACE, "b7ad6b7169203331")


def test_a_batch_is_one_span_and_each_job_carries_it_beside_its_own_headers(
    app: BoltQ, spans: Spans
) -> None:
    trace(app, provider=spans.provider)
    app.job("t")(lambda: None)
    full = {"a": "b" * 4080}
    app.enqueue_many(
        (
            NewJob("t", {}, "plain"),
            NewJob("t", {}, "more", {"n": 9007199254740993}),
            NewJob("t", {}, "own", {"traceparent": PARENT}),
            NewJob("t", {}, "full", full),
        ),
        queue="mail",
    )
    send = spans.one("send mail")
    assert told(send)["messaging.batch.message_count"] == 4
    assert "messaging.message.id" not in told(send)
    headers = {id: app.get(f"mail:{id}").headers or b"" for id in ("plain", "more", "own", "full")}
    span = str(msgspec.json.decode(headers["plain"])["traceparent"])
    assert span.split("-")[1:3] == list(ids_of(send))
    mark = b'"traceparent":"%s"' % span.encode()
    assert headers["plain"] == b"{%b}" % mark
    assert headers["more"] == b'{"n":9007199254740993,%b}' % mark
    assert headers["own"] == b'{"traceparent":"%b"}' % PARENT.encode()
    assert b"traceparent" not in headers["full"]
    worked(app)
    traced = [ids_of(one)[0] for one in spans.all("process mail")]
    assert len(traced) == 4
    assert traced.count(ids_of(send)[0]) == 2
    assert traced.count(TRACE) == 1


def test_what_a_handler_raises_is_told_but_not_that_it_wants_to_be_called_again(
    app: BoltQ, spans: Spans
) -> None:
    trace(app, provider=spans.provider)

    @app.job("bad", queue="mail", max_attempts=1)
    def bad() -> None:
        raise ValueError("no")

    @app.job("later", queue="mail")
    def later() -> None:
        raise Retry(after_seconds=3600, count=False)

    bad.enqueue()
    later.enqueue()
    worked(app)
    by_type = {told(one)["boltq.job.type"]: one for one in spans.all("process mail")}
    assert told(by_type["bad"])["error.type"] == "ValueError"
    assert by_type["bad"].status.status_code == StatusCode.ERROR
    assert [event.name for event in by_type["bad"].events] == ["exception"]
    assert by_type["later"].status.status_code == StatusCode.UNSET
    assert "error.type" not in told(by_type["later"])


def test_a_call_that_is_refused_ends_its_span_with_an_error(app: BoltQ, spans: Spans) -> None:
    trace(app, provider=spans.provider)
    with pytest.raises(BadArgument):
        app.enqueue("t", queue="mail", priority=10)
    send = spans.one("send mail")
    assert (send.status.status_code, told(send)["error.type"]) == (StatusCode.ERROR, "BadArgument")


def test_the_logs_of_a_handler_name_its_trace(
    app: BoltQ, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    from boltq.logs import of_job

    trace(app, provider=spans.provider, linked_only=True)
    seen: list[dict[str, object]] = []

    @app.around
    def look(job: Any, call: Any) -> Any:
        seen.append(of_job(job))
        return call()

    app.job("t")(lambda: None)
    app.enqueue("t", {}, queue="mail")
    with caplog.at_level(logging.INFO, "boltq.worker"):
        worked(app)
    own = ids_of(spans.one("process mail"))[0]
    assert [one["trace_id"] for one in seen] == [own]
    done = [vars(line) for line in caplog.records if line.message == "job done"]
    assert [line["trace_id"] for line in done] == [own]


def test_an_app_that_is_not_traced_marks_nothing(app: BoltQ) -> None:
    job = app.enqueue("t", queue="mail")
    assert job.get().headers is None
    assert (app.sending, app.middleware) == (None, [])


def test_without_opentelemetry_all_runs_but_tracing_which_says_what_it_needs() -> None:
    # That nothing but boltq.traces imports it, import-linter sees to; redis-py does where it can.
    code = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "import boltq.api.main, boltq.cli, boltq.client, boltq.up, boltq.worker.main\n"
        "try:\n"
        "    import boltq.traces\n"
        "except Exception as refusal:\n"
        "    print(type(refusal).__name__, refusal)\n"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed == "BadSetting boltq.traces needs OpenTelemetry: pip install 'boltq[otel]'\n"


def test_the_guide_shows_how_to_trace_an_app(tmp_path: Path) -> None:
    pages.write_files(GUIDES[0], tmp_path)
    code = "import traced; assert traced.app.sending; assert len(traced.app.middleware) == 1"
    ran = run(tmp_path, "python", "-c", code)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("headers", [b"{}", b"[]", b"no json", b'{"traceparent":7}'])
def test_headers_without_a_trace_begin_one(app: BoltQ, spans: Spans, headers: bytes) -> None:
    trace(app, provider=spans.provider)
    app.job("t")(lambda: None)
    app.server.call(
        scripts.enqueue("mail", [scripts.EnqueueItem("a", "t", b"{}", headers)], delay_ms=0)
    )
    worked(app)
    assert app.get("mail:a").state == "completed"
    assert spans.one("process mail").parent is None
