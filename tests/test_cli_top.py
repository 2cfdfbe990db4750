"""`boltq top` and --watch at a terminal of 80 columns and 24 rows."""

import json
import os
import pty
import re
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import bury
from programs import BIN, environment
from servers import TestServer, until
from terminals import ANSI, AtTerminal, at_terminal

from boltq import BoltQ, NewJob, ids, presence
from boltq.cli.exits import Exit
from boltq.cli.top import board, picture
from boltq.cli.top.keys import pressed
from boltq.scripts import Stats

COLUMNS, ROWS = 80, 24


@pytest.fixture
def client(shared_servers: Callable[[str], TestServer]) -> Iterator[BoltQ]:
    """A prefix of its own, so that all queues are those of one test."""
    connected = BoltQ(shared_servers("valkey").address, prefix=f"top-{ids.new_token()[:8]}")
    yield connected
    connected.close()


@contextmanager
def top(client: BoltQ, folder: Path, *arguments: str) -> Iterator["Screen"]:
    place = ("--redis-addr", client.server.address.shown, "--prefix", client.server.prefix)
    command = ("boltq", "top", "--every", "0.5", *place, *arguments)
    with at_terminal(folder, *command, columns=COLUMNS, rows=ROWS) as seen:
        yield Screen(seen)


class Screen:
    """What stands on the screen: each picture in its turn, also one that soon gives way."""

    def __init__(self, seen: AtTerminal) -> None:
        self.seen = seen
        self._at = 0

    @property
    def lines(self) -> list[str]:
        return self._pictures()[self._at]

    def _pictures(self) -> list[list[str]]:
        drawn = self.seen.shown.replace("\r", "").split("\x1b[H")
        whole = [one for one in drawn if one.count("\n") == ROWS - 1]
        return [[ANSI.sub("", line).rstrip() for line in one.split("\n")] for one in whole] or [[]]

    def until(self, pattern: str) -> list[str]:
        """The first screen from the last one on of which a line matches."""

        def holds() -> bool:
            for n, lines in enumerate(self._pictures()[self._at :]):
                if any(re.search(pattern, line) for line in lines):
                    self._at += n
                    return True
            assert self.seen._read(), self.lines
            return False

        until(holds, 20)
        return self.lines

    def line(self, pattern: str) -> str:
        (found,) = [line for line in self.until(pattern) if re.search(pattern, line)]
        return found


def test_it_fits_and_shows_the_longest_wait_first_with_workers_and_running_jobs(
    client: BoltQ, tmp_path: Path
) -> None:
    client.enqueue("echo", queue="old")
    key = f"{client.server.prefix}1:{{old}}:queued"
    client.server._redis.zincrby(
        key, -160_000 * 512, client.list("queued", queue="old").jobs[0].id.partition(":")[2]
    )
    client.enqueue("echo", queue="new")
    bury(client, "new", b"oh")
    now_ms = client.server.now_ms()
    job = presence.ReportedJob("old:a-job", "email", now_ms - 160_000)
    report = presence.Report("web1", "h", 7, "1", {"old": 1}, 8, now_ms, 3, 1234, jobs=[job])
    client.server.registry.note_worker("web1", report.to_bytes(), now_ms)
    with top(client, tmp_path) as screen:
        screen.until("old")
        lines = screen.until("quit$")  # its last line, too
        assert len(lines) == ROWS
        assert max(map(len, lines)) <= COLUMNS
        assert re.match(r"BoltQ \S+  \d\d:\d\d:\d\d UTC  1 worker, 3 jobs, 8 threads  ", lines[0])
        assert lines[1] == "scheduled 0  queued 1  running 0  retrying 0  dead 1"
        assert lines[3].split() == [
            *("queue", "wait", "queued", "running", "retrying", "dead", "in/s", "done/s", "fail/s"),
        ]  # fmt: skip
        assert re.fullmatch(r"old +3m +1 +0 +0 +0 +0 +0 +0", lines[4])
        assert re.fullmatch(r"new +- +0 +0 +0 +1 +0 +0 +0", lines[5])
        assert re.search(r"^ +3m  email\(old:a-job\)  web1$", "\n".join(lines), re.MULTILINE)
        assert lines[-1].endswith("q quit")
        screen.seen.type("\t")
        screen.until(r"^ +3 +8 +1234 +\d+s  web1$")
        screen.seen.type("q")
        assert screen.seen.end() == 0
    # The screen of before is back, and so is the cursor.
    assert screen.seen.shown.rstrip().endswith("\x1b[?25h\x1b[?1049l")


def test_rates_are_what_came_and_went_since_the_look_before(client: BoltQ, tmp_path: Path) -> None:
    client.enqueue("echo", queue="mail")
    with top(client, tmp_path) as screen:
        screen.until("mail")
        client.enqueue_many((NewJob("echo") for _ in range(500)), queue="mail")
        cells = screen.line(r"^mail .* [1-9]\d* +0 +0$").split()
        assert 10 < int(cells[6]) <= 99_999  # 500 in as long as it took from one look to the next
        screen.until(r"^mail +\w+ +501 +0 +0 +0 +0 +0 +0$")


def test_p_pauses_the_queue_that_was_chosen_and_resumes_it(client: BoltQ, tmp_path: Path) -> None:
    for queue in ("a", "b"):
        client.enqueue("echo", queue=queue)
    with top(client, tmp_path) as screen:
        screen.until("^b ")
        screen.seen.type("\x1b[Bp")
        screen.until("^b +paused")
        assert screen.lines[-2] == "b is paused: running jobs go on"
        assert (client.stats("a").paused, client.stats("b").paused) == (0, 1)
        assert client.stats("b").paused_by
        screen.seen.type("p")
        screen.until("^b is resumed")
        until(lambda: not client.stats("b").paused)
        screen.seen.type("kp")
        screen.until("^a +paused")


def test_r_replays_the_dead_of_the_queue_once_it_is_asked_twice(
    client: BoltQ, tmp_path: Path
) -> None:
    for _ in range(3):
        client.enqueue("echo", queue="mail")
    bury(client, "mail", b"oh", limit=3)
    with top(client, tmp_path) as screen:
        screen.until("^mail")
        screen.seen.type("r")
        screen.until(r"^Replay the 3 dead jobs of mail\? y or n$")
        screen.seen.type("n")
        screen.until("^nothing was replayed$")
        assert client.stats("mail").dead == 3
        screen.seen.type("ry")
        screen.until("^3 jobs are queued again$")
        assert client.stats("mail").queued == 3
        screen.until(r"^mail +\w+ +3 ")
        screen.seen.type("r")
        screen.until("^mail has no dead jobs$")


def test_a_long_replay_is_stopped_by_a_key(client: BoltQ, tmp_path: Path) -> None:
    client.enqueue_many((NewJob("echo") for _ in range(5000)), queue="mail")
    for _ in range(10):
        bury(client, "mail", b"oh", limit=500)
    with top(client, tmp_path) as screen:
        screen.until("^mail")
        screen.seen.type("ry\x1b")
        line = screen.line("stopped: .* are queued again")
    queued = int(line.split()[1])
    assert queued < 5000
    assert client.stats("mail").queued == queued


def test_many_queues_are_scrolled_through_and_space_holds_the_picture(
    client: BoltQ, tmp_path: Path
) -> None:
    for n in range(40):
        client.enqueue("echo", queue=f"q{n:02}", delay_seconds=3600)
    with top(client, tmp_path) as screen:
        screen.until("^q00")
        assert not any(line.startswith("q39") for line in screen.lines)
        screen.seen.type("j" * 39)
        lines = screen.until("^q39")
        assert len(lines) == ROWS
        screen.seen.type(" ")
        screen.until("held: space goes on")
        client.enqueue("echo", queue="q39")
        screen.seen.type("p")  # draws again, and yet is no new look
        assert any(re.search("^q39 +- ", line) for line in screen.until("^q39 is paused"))


def test_while_redis_is_away_it_says_so_and_goes_on_when_it_is_back(
    private_server: Callable[..., TestServer], tmp_path: Path
) -> None:
    server = private_server("valkey")
    boltq = BoltQ(server.address)
    boltq.enqueue("echo", queue="mail")
    with at_terminal(
        *(tmp_path, "boltq", "top", "--every", "0.5", "--redis-addr", server.address),
        columns=COLUMNS,
        rows=ROWS,
    ) as seen:
        screen = Screen(seen)
        screen.until("^mail")
        assert server.embedded
        server.embedded.kill()
        screen.until("does not answer")
        server.embedded.start()
        boltq.enqueue("echo", queue="again")
        assert not any("does not answer" in line for line in screen.until("^again"))
        seen.type("q")
        assert seen.end() == 0
    boltq.close()


def test_ctrl_c_ends_it_and_gives_the_terminal_back(client: BoltQ, tmp_path: Path) -> None:
    client.enqueue("echo", queue="mail")
    with top(client, tmp_path) as screen:
        screen.until("^mail")
        screen.seen.interrupt()
        assert screen.seen.end() == Exit.INTERRUPTED
        assert "Traceback" not in screen.seen.shown
    assert screen.seen.shown.rpartition("\x1b[?1049l")[1]


def test_a_name_or_a_text_cannot_move_the_cursor(client: BoltQ, tmp_path: Path) -> None:
    client.enqueue("echo", queue="mail")
    now_ms = client.server.now_ms()
    report = presence.Report("\x1b[2J[red]w", "h", 7, "1", {}, 8, now_ms).to_bytes()
    client.server.registry.note_worker("w", report, now_ms)
    with top(client, tmp_path) as screen:
        screen.until("^mail")
        screen.seen.type("\t")
        assert r"\x1b[2J[red]w" in screen.line("red")


def test_where_there_is_no_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    ran = subprocess.run(
        [BIN / "boltq", "top"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ran.returncode == Exit.USAGE
    assert "top needs a terminal; for programs there are" in ran.stderr


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("rows", [10, 24, 60])
@pytest.mark.parametrize("queues", [0, 1, 100])
def test_whatever_there_is_the_picture_fits(columns: int, rows: int, queues: int) -> None:
    stats = Stats(*([1_800_000_000_000] + [10**7] * (len(Stats._fields) - 1)))._replace(paused=0)
    each = [board.Queue("long-" * 20 + str(n), stats, (1e6, 0.1, 99_999.0)) for n in range(queues)]
    running = [board.Running(1e6, "type" * 20, "id" * 40, "w" * 100)] * 50
    shown = picture.Shown(each[0].name if each else "", "jobs", "m" * 300, "", is_held=True)
    drawn = picture.draw(
        board.Board(0, each, [], running), "unix://" + "x" * 100, shown, columns, rows
    )
    lines: list[Any] = list(drawn.renderables)
    assert len(lines) == rows
    assert max(line.cell_len for line in lines) <= columns


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0, "0"), (0.25, "0.2"), (9.96, "10.0"), (12.6, "13"), (99_999, "99999")),
        *((100_000, "100k"), (999_400, "999k"), (1_234_567, "1.235M"), (2e9, "2000M")),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert picture.number(value) == text
    assert len(text) <= 6


def test_keys_that_come_at_once_are_taken_one_after_the_other() -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    with pressed(slave) as read:
        os.write(master, b"\x1b[A\x1bOBj\t \x1bq")
        assert [read(1) for _ in range(7)] == ["up", "down", "j", "tab", "space", "escape", "q"]
        assert read(0) == ""
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("noun", ["queues", "workers", "jobs", "stats", "dead"])
def test_a_list_is_shown_again_and_again_until_ctrl_c(
    client: BoltQ, tmp_path: Path, noun: str
) -> None:
    client.enqueue("echo", queue="mail", id="a")
    place = ("--redis-addr", client.server.address.shown, "--prefix", client.server.prefix)
    command = ("boltq", noun, *place, "--watch", "0.1")
    with at_terminal(tmp_path, *command, columns=COLUMNS) as seen:
        until(lambda: seen._read() and seen.shown.count("\x1b[2J\x1b[H") >= 3)
        if noun not in {"workers", "dead"}:
            client.enqueue("echo", queue="later", id="b")
            seen.shown_until("later")
        seen.interrupt()
        assert seen.end() == Exit.INTERRUPTED
    assert "Traceback" not in seen.shown


def test_watched_as_json_each_look_is_a_line(client: BoltQ, tmp_path: Path) -> None:
    client.enqueue("echo", queue="mail")
    place = ("--redis-addr", client.server.address.shown, "--prefix", client.server.prefix)
    command = [str(BIN / "boltq"), "queues", *place, "--watch", "0.1", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert [one["queues"][0]["queued"] for one in lines] == [1, 1, 1]
