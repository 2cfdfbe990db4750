"""The built-in types echo, sleep, fail and email, through a worker on real servers."""

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from queue_state import QueueState
from servers import until
from workers import KEPT, errors, wait_for, working

from boltq import demo, scripts
from boltq.settings import Settings
from boltq.worker import builtin

MAIL = {"recipient": "user@example.com", "subject": "Hello", "body": "Text\n.\nand dots"}


@pytest.fixture
def handlers(tmp_path: Path) -> dict[str, Any]:
    return builtin.handlers(Settings(data_dir=tmp_path / "data"))


def result(q: QueueState, id: str) -> bytes:
    outcome = q.outcome(id)
    assert outcome is not None
    return outcome.result


PAYLOADS = [b'{"self":1,"payload":[2]}', b"{}", b"[]", b"1.0", b"9007199254740993", b'"\xc3\xa9"']


def test_echo_returns_its_payload_whatever_it_is(q: QueueState, handlers: dict[str, Any]) -> None:
    for n, payload in enumerate(PAYLOADS):
        q.enqueue(f"a{n}", payload=payload, type="echo")
    q.enqueue("null", payload=b"null", type="echo")
    with working(q, handlers):
        wait_for(q, "completed", "null", *(f"a{n}" for n in range(len(PAYLOADS))))
    assert [result(q, f"a{n}") for n in range(len(PAYLOADS))] == PAYLOADS
    assert result(q, "null") == b""


def test_sleep_sleeps_and_stops_when_its_job_is_cancelled(
    q: QueueState, handlers: dict[str, Any]
) -> None:
    q.enqueue("short", payload=b'{"seconds": 0.05}', type="sleep")
    q.enqueue("long", payload=b'{"seconds": 3600}', type="sleep")
    with working(q, handlers, lease_seconds=KEPT):
        wait_for(q, "completed", "short")
        q.cancel("long")
        wait_for(q, "cancelled", "long")
    assert result(q, "short") == b'{"slept_seconds":0.05}'


def test_crash_kills_no_worker_but_in_the_queue_that_may_be_played_with(
    q: QueueState, handlers: dict[str, Any]
) -> None:
    assert builtin.PLAYGROUND == demo.QUEUE
    assert q.name != demo.QUEUE
    q.enqueue("here", payload=b"null", type="crash", max_attempts=5)
    with working(q, handlers):
        wait_for(q, "dead", "here")
    assert errors(q, "here")[0]["message"].endswith("for the queue playground alone")


def test_fail_fails_over_the_whole_life_so_that_a_replay_can_succeed(
    q: QueueState, handlers: dict[str, Any]
) -> None:
    payload = b'{"times": 3, "message": "on purpose"}'
    q.enqueue("a", payload=payload, type="fail", max_attempts=2, base_ms=1)
    with working(q, handlers):
        wait_for(q, "dead", "a")
        assert [error["message"] for error in errors(q, "a")] == ["on purpose"] * 2
        q.call(scripts.replay(q.name, [scripts.ReplayItem("a")], limit=1, cursor=""))
        wait_for(q, "completed", "a")
    assert result(q, "a") == b'{"failures":3}'
    assert len(errors(q, "a")) == 3


BAD = [
    ("sleep", b"{}", 'sleep takes {"seconds": s}, a number from 0'),
    ("sleep", b'{"seconds": -1}', 'sleep takes {"seconds": s}, a number from 0'),
    ("sleep", b'{"seconds": true}', 'sleep takes {"seconds": s}, a number from 0'),
    ("sleep", b"5", 'sleep takes {"seconds": s}, a number from 0'),
    ("fail", b"[3]", 'fail takes {"times": n}, an integer from 0'),
    ("fail", b'{"times": 1.5}', 'fail takes {"times": n}, an integer from 0'),
    ("email", b'"user@example.com"', "the payload makes no email: Expected `object`, got `str`"),
    ("email", b"{}", "the payload makes no email: Object missing required field `recipient`"),
]
BAD += [
    ("email", json.dumps({**MAIL, **wrong}).encode(), f"the payload makes no email: {rule}")
    for wrong, rule in (
        ({"recipient": ""}, "To must be an address"),
        ({"recipient": "nobody"}, "To must be an address"),
        ({"recipient": "a@b.c\nBcc: x@y.z"}, ""),
        ({"cc": "a@b.c\r\nBcc: x@y.z"}, ""),
        ({"subject": "Hello\nBcc: x@y.z"}, ""),
        ({"sender": "me@x.y\r\n\r\nnew body"}, ""),
        ({"sender": ""}, "From must be an address"),
        ({"body": "\ud800"}, ""),
        ({"bcc": "x@y.z"}, "Object contains unknown field `bcc`"),
        ({"subject": 5}, "Expected `str`, got `int` - at `$.subject`"),
    )
]


def test_a_payload_that_will_never_do_fails_for_good_and_says_why(
    q: QueueState, handlers: dict[str, Any], tmp_path: Path
) -> None:
    for n, (type, payload, _) in enumerate(BAD):
        q.enqueue(f"a{n}", payload=payload, type=type, max_attempts=5)
    with working(q, handlers):
        wait_for(q, "dead", *(f"a{n}" for n in range(len(BAD))))
    for n, (type, payload, rule) in enumerate(BAD):
        assert errors(q, f"a{n}")[0]["message"].startswith(rule), (type, payload)
    assert not (tmp_path / "data" / "outbox").exists()


def test_an_email_is_written_whole_into_the_outbox_where_there_is_no_mail_server(
    q: QueueState, handlers: dict[str, Any], tmp_path: Path
) -> None:
    payload = {**MAIL, "subject": "Grüße", "body": "Zeile ü\n", "cc": "b@x.y, C <c@x.y>"}
    q.enqueue("a", payload=json.dumps(payload).encode(), type="email")
    with working(q, handlers):
        wait_for(q, "completed", "a")
    files = list((tmp_path / "data" / "outbox").iterdir())
    assert [file.name for file in files] == [f"{q.name}:a.eml"]
    assert json.loads(result(q, "a")) == {"file": str(files[0])}
    message = email.message_from_bytes(files[0].read_bytes(), policy=email.policy.default)
    assert message["To"] == "user@example.com"
    assert message["Cc"] == "b@x.y, C <c@x.y>"
    assert message["Subject"] == "Grüße"
    assert message["From"] == "boltq@localhost"
    assert message.get_content() == "Zeile ü\n"


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as one message takes; refuses the recipients it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.taken: list[bytes] = []
        self.refuse: dict[bytes, bytes] = {}


class Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            answer = b"250 fine"
            if verb == b"RCPT":
                named = line.partition(b"<")[2].partition(b">")[0]
                answer = self.server.refuse.get(named, answer)
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                self.server.taken.append(text)
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(answer + b"\r\n")


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_email_is_sent_where_there_is_a_mail_server(
    q: QueueState, mail_server: MailServer, tmp_path: Path
) -> None:
    mail_server.refuse = {
        b"never@x.y": b"550 no such user",
        b"later@x.y": b"451 come back",
    }
    port = mail_server.server_address[1]
    settings = Settings(data_dir=tmp_path / "data", smtp_host="127.0.0.1", smtp_port=port)
    q.enqueue("a", payload=json.dumps(MAIL).encode(), type="email")
    for name in ("never", "later"):
        payload = json.dumps({**MAIL, "recipient": f"{name}@x.y"}).encode()
        q.enqueue(name, payload=payload, type="email", max_attempts=5)
    with working(q, builtin.handlers(settings)):
        wait_for(q, "completed", "a")
        wait_for(q, "dead", "never")
        wait_for(q, "retrying", "later")
    until(lambda: mail_server.taken)
    assert len(mail_server.taken) == 1
    assert b"Subject: Hello\r\n" in mail_server.taken[0]
    assert mail_server.taken[0].endswith(b"\r\n\r\nText\r\n..\r\nand dots\r\n")
    assert result(q, "a") == b'{"sent":"smtp"}'
    assert not (tmp_path / "data").exists()
