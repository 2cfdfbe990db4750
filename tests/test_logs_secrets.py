"""Secrets, payloads, results and headers are planted everywhere; no line of any log holds one."""

import io
import json
import logging
import smtplib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from falcon.testing import TestClient
from programs import Program, Start, started_in
from servers import TestServer, until

from boltq import BoltQ, address, current_job, execution, logs
from boltq.api.app import create_app
from boltq.evalsha import Server
from boltq.fields import FIELDS
from boltq.settings import Settings
from boltq.worker import Worker, builtin

# Letters and digits alone, so that no quoting hides them; around them what needs quoting.
PLANTED = ("redis0pw1", "redis2pw3", "smtp4pw5", "payload6", "result7", "header8", "wrong9pw")
PASSWORD = "redis0pw1@:%/ redis2pw3"
PAYLOAD = {"recipient": "payload6 is no address", "subject": "payload6", "body": "payload6"}
HEADERS = {"tenant": "header8", "request_id": "r-1"}
JSON = {"Content-Type": "application/json"}

APP = """
import logging
import os
from pathlib import Path

from boltq import BoltQ

app = BoltQ()
log = logging.getLogger("shop")


@app.job("works")
def works(**members):
    log.info("at it")
    return {"result7": "result7"}


@app.job("breaks")
def breaks(**members):
    log.warning("about to break")
    raise ValueError("words of the handler")


@app.job("unkept")
def unkept(**members):
    return object


@app.job("kills")
def kills(**members):
    if not Path("killed").exists():
        Path("killed").touch()
        os._exit(7)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starter:
        yield starter


@pytest.fixture
def guarded(private_server: Callable[..., TestServer]) -> TestServer:
    """A Redis that asks for a password in which everything needs quoting."""
    return private_server("redis", "--requirepass", PASSWORD)


def with_password(server: TestServer, password: str = PASSWORD) -> str:
    return server.address.replace("unix://", f"unix://:{quote(password, safe='')}@")


def nothing_planted_in(text: str) -> None:
    lines = [line for line in text.splitlines() if any(word in line for word in PLANTED)]
    assert lines == []


def read(form: str, text: str) -> list[dict[str, Any]]:
    """The lines of a log; those of BoltQ hold no other fields than the table has."""
    if form == "text":
        return []
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert not line["logger"].startswith("boltq") or set(line) <= set(FIELDS), line
    return lines


@pytest.fixture
def everything() -> Iterator[Callable[[str], io.StringIO]]:
    """Call it with a form: from then on all that is logged, down to DEBUG, is in a stream."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def into_a_stream(form: str) -> io.StringIO:
        stream = io.StringIO()
        logs.configure(form, "DEBUG", stream)
        return stream

    yield into_a_stream
    root.handlers[:] = handlers
    root.setLevel(level)


def wait_cancelled(**_members: Any) -> None:
    """Work until somebody asks the job to stop."""
    job = current_job()
    until(lambda: job.cancelled, 20)
    raise RuntimeError("stopped as asked")


def fails(**_members: Any) -> None:
    raise ValueError("words of the handler")


def works(**_members: Any) -> dict[str, str]:
    logging.getLogger("shop").info("at it")
    return {"result7": "result7"}


HANDLERS = {"works": works, "fails": fails, "waits": wait_cancelled, "unkept": lambda **_: object}


@pytest.mark.parametrize("form", ["json", "text"])
def test_at_debug_level_a_whole_life_over_the_api_shows_nothing_planted(
    guarded: TestServer,
    everything: Callable[[str], io.StringIO],
    tmp_path: Path,
    form: str,
) -> None:
    stream = everything(form)
    told = {"BOLTQ_DATA_DIR": str(tmp_path), "REDIS_ADDR": with_password(guarded)}
    settings = Settings.load(environ=told, env_file=tmp_path / "none")
    boltq = BoltQ(settings=settings, patience_seconds=0.1)
    http = TestClient(create_app(boltq))
    server = Server(address.parse(with_password(guarded)))
    handlers = builtin.handlers(settings) | HANDLERS
    worker = Worker(server, handlers, threads=2, lease_seconds=3, worker_id="w1")
    worker.start(threading.Event())
    try:
        ask_for_everything(http)
        assert guarded.embedded is not None
        guarded.embedded.kill()
        assert http.simulate_get("/api/stats").status_code == 503
    finally:
        worker.stop(grace_seconds=0)
        server.close()
        boltq.close()
    nothing_planted_in(stream.getvalue())
    check_lines(read(form, stream.getvalue()), stream.getvalue())


def ask_for_everything(http: TestClient) -> None:
    """Send every kind of job and request; wait until each has come to its end."""
    ends = {
        "works": "completed",
        "unkept": "completed",
        "fails": "dead",
        "email": "dead",
        "sleep": "dead",
        "waits": "cancelled",
    }
    ids = {type: enqueue(http, type) for type in ends}
    until(lambda: state(http, ids["waits"]) == "running")
    assert http.simulate_post(f"/api/jobs/{ids['waits']}/cancel").status_code == 202
    until(lambda: {type: state(http, ids[type]) for type in ends} == ends, 20)
    assert http.simulate_post(f"/api/jobs/{ids['fails']}/replay").status_code == 202
    until(lambda: state(http, ids["fails"]) == "dead")
    for broken in ('{"type": "works", "payload6": 1}', '{"payload": "payload6"', '"payload6"'):
        assert http.simulate_post("/api/jobs", body=broken, headers=JSON).status_code == 400
    assert http.simulate_post("/api/jobs", body="payload6").status_code == 415
    assert http.simulate_get("/api/jobs/status?id=a&x=payload6").status_code == 404


def enqueue(http: TestClient, type: str) -> str:
    seconds = {"seconds": "payload6"} if type == "sleep" else {}
    body = {
        "type": type,
        "payload": PAYLOAD | seconds,
        "headers": HEADERS,
        "max_attempts": 2,
        "backoff": {"base_seconds": 0},
    }
    result = http.simulate_post("/api/jobs", body=json.dumps(body), headers=JSON)
    assert result.status_code == 202, result.text
    return str(result.json["id"])


def state(http: TestClient, id: str) -> str:
    return str(http.simulate_get(f"/api/jobs/{id}").json["state"])


def check_lines(lines: list[dict[str, Any]], text: str) -> None:
    """See that the lines are there at all, and tell what they have to."""
    for event in ("request", "job started", "job done", "job failed", "job dead", "job cancelled"):
        assert event in text
    assert "the result is not kept" in text
    assert "words of the handler" in text
    for line in lines:
        if line["event"] in ("job done", "job failed", "job dead", "at it"):
            assert {"job", "queue", "type", "attempt"} <= set(line), line
            assert line["request_id"] == "r-1"


def ends_in(program: Program, *types: str) -> None:
    """Enqueue such jobs, and wait until nothing is to be done any more."""
    payload = {**PAYLOAD, "recipient": "payload6@example.com"}
    for type in types:
        options = {"headers": HEADERS, "max_attempts": 2, "backoff": {"base_seconds": 0}}
        program.enqueue(type, payload, **options)
    busy = ("queued", "running", "retrying", "scheduled")

    def is_idle() -> bool:
        stats = program.ask("GET", "/api/stats")[1]  # at one moment: jobs go from state to state
        return not any(stats[each] for each in busy)

    until(is_idle)


@pytest.mark.parametrize("form", ["json", "text"])
def test_our_programs_log_nothing_planted(
    guarded: TestServer, start: Start, tmp_path: Path, form: str
) -> None:
    (tmp_path / "shop.py").write_text(APP)
    told = {
        "REDIS_ADDR": with_password(guarded),
        "BOLTQ_LOG": form,
        "BOLTQ_LEASE_SECONDS": "1",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "1",
        "SMTP_USER": "me",
        "SMTP_PASSWORD": "smtp4pw5",
        "API_PORT": "0",
    }
    program = start("boltq", "up", "shop:app", **told).find_api()
    ends_in(program, "works", "breaks", "unkept", "kills", "email")
    assert program.end() == 0
    nothing_planted_in(program.told + program.said)
    for event in ("job dead", "the worker ended", "words of the handler", "about to break"):
        assert event in program.told
    read(form, program.told)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_password_that_is_refused_is_not_logged(
    guarded: TestServer, start: Start, form: str
) -> None:
    told = {"REDIS_ADDR": with_password(guarded, "wrong9pw"), "BOLTQ_LOG": form, "API_PORT": "0"}
    program = start("boltq", "up", **told).find_api()
    status, problem = program.ask("GET", "/readyz")
    assert (status, problem["word"]) == (503, "NOT_ALLOWED")
    program.wait_for("WRONGPASS|password")
    program.end()
    nothing_planted_in(program.told + program.said + json.dumps(problem))
    read(form, program.told)


def test_an_email_that_the_server_refuses_shows_no_recipient(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Refusing(smtplib.SMTP):
        def __init__(self, *_arguments: object, **_options: object) -> None:
            pass

        def __exit__(self, *_error: object) -> None:
            pass

        def send_message(self, *_arguments: object, **_options: object) -> dict[str, Any]:
            raise smtplib.SMTPRecipientsRefused({"payload6@example.com": (450, b"later")})

    monkeypatch.setattr(smtplib, "SMTP", Refusing)
    told = {"SMTP_HOST": "mail", "BOLTQ_DATA_DIR": str(tmp_path)}
    settings = Settings.load(environ=told, env_file=tmp_path / "none")
    email = {"recipient": "payload6@example.com", "subject": "", "body": ""}
    execution.enter(execution.Execution("q", "a", "t", "email", b"", b"", 1, 0, 0, 1, 0.0, 0.0))
    try:
        with pytest.raises(Exception, match="450") as raised:
            builtin.handlers(settings)["email"](**email)
    finally:
        execution.enter(None)
    assert "payload6" not in str(raised.value)
