"""`boltq bench`: what it tells is so, it touches nobody's queues, and leaves nothing behind."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from command_line import Shell
from servers import TestServer, until
from terminals import at_terminal

from boltq import BoltQ, ids, scripts
from boltq.bench import PARTS, Figure, Plan, bars, measure, process, site_on
from boltq.bench.figure import Taken, figures_of, number
from boltq.bench.moves import fill
from boltq.bench.site import Site
from boltq.cli.commands import bench as command
from boltq.cli.exits import Exit
from boltq.errors import Unavailable, WrongState
from boltq.worker import main, pace

TINY = Plan(
    rounds=1,
    jobs=200,
    threads=(8,),
    processes=(2,),
    waiting=(10, 300),
    scheduled=300,
    pickups=5,
    idle_seconds=2.0,
    idle_queues=(3,),
    against_redis=True,
)

UNITS = {
    "enqueue": {"jobs/s", "calls/s", "x"},
    "drain": {"jobs/s", "us a job", "x"},
    "processes": {"jobs/s"},
    "pickup": {"ms"},
    "fair": {"ms", "times"},
    "life": {"us a job"},
    "verbs": {"us a job"},
    "memory": {"bytes a job"},
    "backlog": {"us a job", "ms", "times"},
    "scheduled": {"us a job", "ms", "times"},
    "http": {"jobs/s"},
    "idle": {"calls/s", "% of a core"},
}


@pytest.fixture
def stem() -> str:
    return f"b-{ids.new_token()[:8]}"


@contextmanager
def site_of(server: TestServer, stem: str) -> Iterator[Site]:
    client = BoltQ(server.address)
    try:
        with site_on(client, server.address, stem) as site:
            yield site
    finally:
        client.close()


@pytest.fixture
def site(server: TestServer, stem: str) -> Iterator[Site]:
    with site_of(server, stem) as made:
        yield made


def left_of(server: TestServer, stem: str) -> list[str]:
    """What a run has left on the server: keys, and what tells people of its queues and workers."""
    raw = server.raw()
    told = (*raw.zrange("boltq1:queues", 0, -1), *raw.zrange("boltq1:workers", 0, -1))
    told += (*raw.hkeys("boltq1:worker_reports"), *raw.lrange("boltq1:worker_history", 0, -1))
    found = (*raw.scan_iter(f"*{stem}*"), *told)
    return [name.decode() for name in found if stem in name.decode()]


def processes_of(stem: str) -> str:
    listed = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True)
    return "\n".join(line for line in listed.stdout.splitlines() if stem in line)


@contextmanager
def unseen(_what: str, _steps: int) -> Iterator[Any]:
    yield lambda _more: None


def measured(site: Site, *parts: str, plan: Plan = TINY) -> dict[str, Figure]:
    return {f"{one.what}, {one.unit}": one for one in measure(site, plan, parts, unseen)}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_plausible_figures_and_leaves_nothing(
    part: str, server: TestServer, stem: str
) -> None:
    with site_of(server, stem) as site:
        figures = list(measure(site, TINY, [part], unseen))
        assert left_of(server, stem) == []  # before the end, too: the parts are alone on the server
    assert processes_of(stem) == ""
    assert {one.unit for one in figures} == UNITS[part]
    assert len({(one.what, one.unit) for one in figures}) == len(figures)
    for one in figures:
        assert (one.part, one.rounds) == (part, 1)
        assert one.least <= one.median <= one.most
        # Only a processor that was not used for a tick of its clock counts nothing, and a worker
        # that rests calls once a second, unless it is away.
        assert one.most > 0 or "CPU" in one.what or part == "idle"


def test_a_pick_up_is_beside_that_of_a_process_which_only_pops_from_a_list(site: Site) -> None:
    figures = measured(site, "pickup", plan=replace(TINY, pickups=3))
    assert len(figures) == 2
    for one in figures.values():
        assert one.floor
        assert one.ratio == one.median / one.floor


@pytest.mark.cluster
def test_a_cluster_is_measured_at_the_node_of_each_queue(cluster: TestServer, stem: str) -> None:
    with site_of(cluster, stem) as site:
        figures = measured(site, "enqueue", "life", "memory")
        assert not [one for node in cluster.nodes for one in node.raw.scan_iter(f"*{stem}*")]
    assert figures["enqueue_many, jobs/s"].ratio
    by_ones = figures["a life, one by one, us a job"]
    assert by_ones.median > 0
    assert by_ones.ratio
    queued = figures["queued, bytes a job"].median
    assert queued > 300
    by_part = [figures[f"queued: in {part}, bytes a job"].median for part in ("jobs", "queued")]
    assert sum(by_part) <= queued <= sum(by_part) + 5  # the bell, and the totals of a queue


def test_the_commands_of_a_verb_are_counted_and_none_else(site: Site) -> None:
    for _ in range(3):
        minute = time.time() // 60
        once, again = measured(site, "verbs"), measured(site, "verbs")
        # The first call of a minute writes a line of the series besides.
        if time.time() // 60 == minute:
            break
    named = {one.what.partition(",")[0] for one in once.values()}
    assert named == {
        *("enqueue", "claim", "ack", "fail", "extend", "release", "promote", "reap", "cancel"),
        *("replay", "purge", "inspect", "list", "stats", "alter"),
    }
    for what, figure in once.items():
        assert figure.commands == again[what].commands, what
    server, queue = site.server, site.queue("counted")
    server.call(scripts.stats(queue))
    before = server.counters(queue)
    server.call(scripts.stats(queue))
    server.plain(queue, [("HGET", server.key(queue, "jobs"), "a"), ("TIME",)])
    done = server.counters(queue).since(before)
    (of_stats,) = (one.commands for what, one in once.items() if what.startswith("stats"))
    assert (done.calls["evalsha"], done.reads) == (1, 2)
    assert done.in_scripts - 2 == of_stats


def test_a_queue_that_exists_is_refused_and_left_as_it_was(
    server: TestServer, stem: str, tmp_path: Path
) -> None:
    client = BoltQ(server.address)
    theirs = f"{stem}-enqueue-1"
    client.enqueue("echo", queue=theirs)
    status, out, err = Shell(server).all("bench", "--only", "enqueue", "--queue", stem)
    assert (status, out) == (Exit.CONFLICT, "")
    assert f"queue {theirs} exists: bench touches no queue that it has not made" in err
    assert client.stats(theirs).queued == 1
    with site_of(server, stem) as site, pytest.raises(WrongState, match=theirs):
        site.queue("enqueue")
    assert client.stats(theirs).queued == 1
    client.purge("queued", theirs)
    client.drop_queue(theirs)
    client.close()
    assert not tmp_path.joinpath("any").exists()


@pytest.mark.parametrize(
    ("part", "number"), [("drain", signal.SIGINT), ("backlog", signal.SIGTERM)]
)
def test_ctrl_c_or_its_end_leaves_no_key_and_no_process(
    part: str, number: signal.Signals, server: TestServer, stem: str, tmp_path: Path
) -> None:
    arguments = ("--only", part, "--queue", stem, "--waiting", "1000000", "--threads", "2")
    with at_terminal(
        tmp_path, "boltq", "bench", *arguments, "--jobs", "1000000", REDIS_ADDR=server.address
    ) as seen:
        raw = server.raw()
        until(lambda: raw.hlen(f"boltq1:{{{stem}-{part}-1}}:jobs") > 1000)
        seen.process.send_signal(number)
        assert seen.end() == Exit.INTERRUPTED
    assert "stopped by Ctrl-C" in seen.plain
    assert left_of(server, stem) == []
    assert processes_of(stem) == ""


@pytest.mark.parametrize("forbidden", ["-info", "-memory", "-script", "-unlink", "-exists"])
def test_what_the_user_may_not_do_is_a_sentence_and_status_5(
    forbidden: str, server: TestServer, stem: str
) -> None:
    user = ids.new_token()
    raw = server.raw()
    raw.execute_command("ACL", "SETUSER", user, "on", ">secret", "~*", "&*", "+@all", forbidden)
    address = server.address.replace("://", f"://{user}:secret@")
    arguments = ("--only", "enqueue,memory", "--jobs", "100", "--rounds", "1", "--queue", stem)
    status, out, err = Shell(server, REDIS_ADDR=address).all("bench", *arguments)
    raw.execute_command("ACL", "DELUSER", user)
    assert (status, out) == (Exit.SERVER, "")
    assert left_of(server, stem) == []
    assert re.search("refused: .*no permissions|refused: .*NOPERM", err)
    assert "secret" not in err


def test_json_holds_where_it_was_measured_and_all_figures(server: TestServer, stem: str) -> None:
    shell = Shell(server)
    tiny = ("--jobs", "100", "--rounds", "1", "--queue", stem)
    told = shell.out("bench", "--only", "memory,enqueue", "--json", *tiny)
    shown = json.loads(told)
    assert re.fullmatch(r"(Redis|Valkey) \d+\.\d+\.\d+", shown["server"])
    assert shown["plan"]["jobs"] == 100
    assert {one["part"] for one in shown["figures"]} == {"enqueue", "memory"}
    queued = next(one for one in shown["figures"] if one["what"] == "queued")
    assert 300 < queued["median"] < 1000
    assert left_of(server, stem) == []


def test_a_table_shows_the_bars_and_what_plain_commands_do(server: TestServer, stem: str) -> None:
    arguments = ("--only", "enqueue", "--jobs", "100", "--rounds", "1", "--against", "redis")
    status, out, err = Shell(server).all("bench", *arguments, "--queue", stem)
    heading, *rows = out.splitlines()
    assert status == 0
    assert heading.split() == [
        *("part", "what", "median", "unit", "least", "most", "commands", "bar", "goal"),
        *("to", "plain"),
    ]
    bulk = next(row for row in rows if "enqueue_many" in row)
    assert re.search(r"103,000 +200,000 +\d\.\d\d$", bulk)
    assert re.search(r"^boltq: (Redis|Valkey) .* on \d+ x ", err)


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_plot_is_an_svg_with_a_bar_for_each_figure(
    private_server: Callable[..., TestServer], kind: str, stem: str, tmp_path: Path
) -> None:
    # A server that others used gives memory back meanwhile; so does a new one, some 15 KB.
    server = private_server(kind)
    plot = tmp_path / "it.svg"
    arguments = ("--only", "memory", "--jobs", "1000", "--rounds", "1", "--plot", str(plot))
    figures = json.loads(Shell(server).out("bench", *arguments, "--json", "--queue", stem))
    drawn = ET.fromstring(plot.read_text())
    bars = [one for one in drawn.iter() if one.get("class") == "bar"]
    assert len(bars) == len(figures["figures"]) >= 8
    assert all(float(str(one.get("width"))) > 0 for one in bars)
    words = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "memory, bytes a job" in words
    assert "retrying" in words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "speed"), "'speed' is no part: there are enqueue, drain"),
        (("--threads", "1,600"), "whole numbers from 1 to 500"),
        (("--threads", "a"), "'a' is no list of whole numbers"),
        (("--queue", "a{b}"), "queue must be 1 to 128 of"),
        (("--queue", "x" * 120), "it has 120 characters, and may have 100"),
        (("--jobs", "10"), "100<=x<=10000000"),
    ],
)
def test_a_wrong_flag_is_a_sentence_and_status_2(
    arguments: tuple[str, ...], said: str, server: TestServer
) -> None:
    status, out, err = Shell(server).all("bench", *arguments)
    assert (status, out) == (Exit.USAGE, "")
    assert said in " ".join(err.split())


def test_a_plot_that_cannot_be_written_is_refused_before_anything_is_measured(
    server: TestServer, tmp_path: Path
) -> None:
    status, out, err = Shell(server).all("bench", "--plot", str(tmp_path / "no" / "it.svg"))
    assert (status, out) == (Exit.FAILURE, "")
    assert "cannot be written" in err


def test_a_worker_that_ends_is_told_with_what_it_said(site: Site) -> None:
    queue = site.queue("drain")
    site.address = "redis://127.0.0.1:9/99999999"
    with pytest.raises(Unavailable, match=r"a worker is there: its process has ended.*REDIS_ADDR"):
        measured(site, "drain")
    assert processes_of(site.stem) == ""
    assert queue.startswith(site.stem)


def test_the_worker_without_jobs_ahead_has_room_for_those_of_its_threads_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "MOST_AHEAD", pace.MOST_AHEAD)  # as it was, afterwards
    monkeypatch.setattr(main, "main", lambda: None)
    rooms = []
    for program in ("pass", process.WORK_ALONE[1]):
        exec(program)
        fast = pace.Pace(threads=2)
        fast.worked(100_000, 0.0)
        time.sleep(2 * pace.WINDOW_SECONDS)
        rooms.append(fast.room(held=0))
    assert rooms[0] > 1000
    assert rooms[1] == 2


def test_the_command_names_the_parts_that_there_are() -> None:
    assert list(PARTS) == list(command.PARTS)


def test_a_figure_is_the_median_and_its_ratio_is_of_pairs() -> None:
    rounds = [
        [Taken("a", "jobs/s", ours), Taken("a", "jobs/s", plain, floor=True)]
        for ours, plain in ((10, 100), (30, 60), (20, 80))
    ]
    (figure,) = figures_of("enqueue", rounds)
    assert (figure.median, figure.least, figure.most, figure.rounds) == (20, 10, 30, 3)
    assert (figure.floor, figure.ratio) == (80, 0.25)


@pytest.mark.parametrize(("count", "bar"), [("200,000", 1.1), ("1,000,000", None)])
def test_the_bar_of_what_many_jobs_cost_is_of_200000(count: str, bar: float | None) -> None:
    figure = Figure("backlog", f"{count} waiting to 10 waiting", "times", 1, 1, 1, 1)
    assert bars.with_bar(figure, "redis").bar == bar


def test_the_bar_of_bytes_is_that_of_the_kind_of_server() -> None:
    (weighed,) = (Figure("memory", bars.memory.QUEUED, "bytes a job", 1, 1, 1, 1),)
    assert bars.with_bar(weighed, "redis").bar == 260
    assert bars.with_bar(weighed, "valkey").bar == 190
    other = weighed._replace(what="dead")
    assert bars.with_bar(other, "redis").bar is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0.123, "0.12"), (9.99, "9.99"), (12.34, "12.3"), (123456.7, "123,457")],
)
def test_a_number_has_three_digits_or_all_before_the_point(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_jobs_of_others_are_not_in_the_way(site: Site, server: TestServer) -> None:
    client = BoltQ(server.address)
    theirs = f"theirs-{ids.new_token()[:8]}"
    client.enqueue("echo", queue=theirs)
    queue = site.queue("mine")
    fill(site, queue, 10)
    assert site.client.stats(queue).queued == 10
    site.tidy()
    assert not site.server.holds(queue)
    assert client.stats(theirs).queued == 1
    client.purge("queued", theirs)
    client.drop_queue(theirs)
    client.close()
