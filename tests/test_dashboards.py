"""The rig that tells what open pages cost a server, for a moment; `make dashboards` is longer."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from rig import dashboards
from rig.viewers import Poll, Viewer
from servers import until

TAG = 'W/"same"'


def test_the_rig_tells_what_reading_takes_beside_a_load(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboards, "SETTLE_SECONDS", 0.3)
    # Longer than a process of it may be away.
    tiny = ("--seconds", "2.4", "--pairs", "1", "--viewers", "9", "--rate", "1000")
    dashboards.main([*tiny, "--queues", "2", "--screens", "all", "--servers", "valkey"])
    about, heading, row, verdict = capsys.readouterr().out.splitlines()
    assert about.startswith("valkey, 9 viewers, 2 queues")
    assert heading.split()[:4] == ["screen", "jobs/s", "CPU", "reads/s"]
    name, jobs, _cpu, reads, took, *_ = row.split()
    assert (name, int(jobs) > 0) == ("all", True)
    assert int(reads) > 0
    assert float(took.rstrip("%")) > 0
    assert verdict.startswith(("HOLDS", "MISSED"))


class Same(BaseHTTPRequestHandler):
    """Answers that nothing has changed to whoever tells the tag."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(304 if self.headers.get("If-None-Match") == TAG else 200)
        self.send_header("ETag", TAG)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_told: object) -> None:
        pass


def test_a_viewer_asks_with_the_tag_and_ever_less_often_where_nothing_changes() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Same) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        viewer = Viewer(server.server_port, [Poll("/", 0.001, 0.002)], "1")
        viewer.open()
        until(lambda: viewer.statuses[304] > 5)
        viewer.close()
        slow = Viewer(server.server_port, [Poll("/", 0.1, 9.0)], "1")
        pauses = [slow._asked(0) for _ in range(4)]
        slow._connection.close()
        rare = Viewer(server.server_port, [Poll("/", 30.0, 10.0)], "1")
        assert [rare._asked(0) for _ in range(3)] == [30.0, 30.0, 30.0]
        rare._connection.close()
        server.shutdown()
    assert viewer.statuses[200] == 1
    assert pauses == pytest.approx([0.1, 0.15, 0.225, 0.3375])
