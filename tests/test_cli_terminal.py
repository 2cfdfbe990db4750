"""At a terminal: colours, what fits its width, questions, progress, and what must not reach it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from command_line import bury
from line import line_to
from servers import TestServer, until
from terminals import at_terminal

from boltq import BoltQ, NewJob
from boltq.cli.exits import Exit

MANY = 40_000


@pytest.fixture(scope="module")
def valkey(shared_servers: Callable[[str], TestServer]) -> TestServer:
    return shared_servers("valkey")


@pytest.fixture
def client(valkey: TestServer) -> Iterator[BoltQ]:
    connected = BoltQ(valkey.address)
    yield connected
    connected.close()


@pytest.fixture
def settings(valkey: TestServer) -> dict[str, str]:
    return {"REDIS_ADDR": valkey.address}


def test_a_list_has_colours_and_fits_the_width(
    client: BoltQ, queue: str, settings: dict[str, str], tmp_path: Path
) -> None:
    id = client.enqueue("echo", queue=queue, id="order-1").id
    bury(client, queue, b"a long message " * 20)
    columns = len(id) + 60
    with at_terminal(
        tmp_path, "boltq", "jobs", "--queue", queue, columns=columns, **settings
    ) as seen:
        assert seen.end() == 0
    assert "\x1b[1;31mdead" in seen.shown
    assert all(len(line) <= columns for line in seen.plain.splitlines())
    heading, row = (line for line in seen.plain.splitlines() if line)
    assert heading.split() == ["id", "type", "state", "attempt", "age"]
    assert row.startswith(f"{id}  echo  dead  ")
    assert row.rstrip().endswith("…")


def test_an_id_and_a_state_stay_whole_on_a_narrow_terminal(
    client: BoltQ, queue: str, settings: dict[str, str], tmp_path: Path
) -> None:
    id = client.enqueue("echo", queue=queue).id
    columns = len(id) - 10
    with at_terminal(
        tmp_path, "boltq", "jobs", "--queue", queue, columns=columns, **settings
    ) as seen:
        assert seen.end() == 0
    # The terminal itself goes on in the next line.
    assert re.search(rf"^{id} +echo +queued +0/3 +\d+s", seen.plain, re.MULTILINE)


def test_there_are_no_colours_where_nobody_wants_them_nor_beside_a_terminal(
    client: BoltQ, queue: str, settings: dict[str, str], tmp_path: Path
) -> None:
    client.enqueue("echo", queue=queue)
    command = ("boltq", "jobs", "--queue", queue)
    with at_terminal(tmp_path, *command, columns=200, NO_COLOR="1", **settings) as seen:
        assert seen.end() == 0
    assert "queued" in seen.shown
    assert not re.search(r"\x1b\[[0-9;]*[3-9][0-9]", seen.shown)
    with at_terminal(tmp_path, *command, out=tmp_path / "out", **settings) as seen:
        assert seen.end() == 0
    assert (seen.shown, "\x1b" in (tmp_path / "out").read_text()) == ("", False)


def test_what_moves_a_cursor_does_not_reach_the_terminal(
    client: BoltQ, queue: str, settings: dict[str, str], tmp_path: Path
) -> None:
    payload = '"\x9b2J\u202e"'.encode()
    id = client.enqueue("echo", raw=payload, queue=queue).id
    bury(client, queue, b"\x1b[2J[bold]x[/bold]")
    for command in (("get", id), ("get", id, "--json"), ("dead", "--queue", queue)):
        with at_terminal(tmp_path, "boltq", *command, columns=200, **settings) as seen:
            assert seen.end() == 0
        assert not {"\x9b", "\u202e"} & set(seen.plain)
        assert "\x1b" not in seen.plain
        assert "[bold]x" in seen.plain
        if "--json" in command:
            shown = json.loads(seen.plain)
            assert json.dumps(shown["payload"]) == json.dumps(json.loads(payload))
    with at_terminal(
        tmp_path, "boltq", "get", id, "--json", out=tmp_path / "out", **settings
    ) as seen:
        assert seen.end() == 0
    assert payload in (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_who_deletes_is_asked_with_the_count_and_a_sample(
    answer: str, client: BoltQ, queue: str, settings: dict[str, str], tmp_path: Path
) -> None:
    ids = [client.enqueue("echo", queue=queue).id for _ in range(2)]
    bury(client, queue, b"no such user\nhere", limit=2)
    command = ("boltq", "dead", "purge", "--queue", queue)
    with at_terminal(tmp_path, *command, columns=200, **settings) as seen:
        shown = seen.shown_until(r"\[y/N\]")
        assert f"Delete 2 dead jobs of {queue}?" in shown
        assert f"{ids[0]}  echo  ValueError: no such user\n" in shown
        seen.type(f"{answer}\n")
        agreed = answer == "y"
        assert seen.end() == (Exit.OK if agreed else Exit.FAILURE)
    assert client.stats(queue).dead == (0 if agreed else 2)
    assert ("nothing was deleted" in seen.shown) == (not agreed)


def test_a_long_sweep_shows_how_far_it_is_and_stops_at_ctrl_c_with_the_count(
    client: BoltQ, queue: str, valkey: TestServer, tmp_path: Path
) -> None:
    client.enqueue_many((NewJob("echo") for _ in range(MANY)), queue=queue)
    command = ("boltq", "jobs", "purge", "queued", "--queue", queue, "--yes")
    assert valkey.embedded
    with ExitStack() as stack:
        line = stack.enter_context(line_to(valkey.embedded.socket_path))
        line.slow(0.25)  # all its steps take 20 s: whoever looks late sees it under way, too
        seen = stack.enter_context(
            at_terminal(
                *(tmp_path, *command), out=tmp_path / "out", columns=200, REDIS_ADDR=line.address
            )
        )
        seen.shown_until(rf"[1-9][0-9]*/{MANY}")
        seen.interrupt()
        assert seen.end() == Exit.INTERRUPTED
    printed = (tmp_path / "out").read_text()
    (purged,) = re.findall(rf"^(\d+) queued jobs of {queue} purged$", printed)
    assert 0 < int(purged) < MANY
    # To the job: the step that was under way was not broken off.
    assert client.stats(queue).queued == MANY - int(purged)
    assert "stopped by Ctrl-C" in seen.plain
    client.purge("queued", queue)


def test_a_benchmark_shows_how_far_it_is_beside_its_figures(
    settings: dict[str, str], tmp_path: Path
) -> None:
    command = ("boltq", "bench", "--only", "memory,life", "--jobs", "200", "--json")
    with at_terminal(tmp_path, *command, out=tmp_path / "out", **settings) as seen:
        assert seen.end() == 0
    assert re.search(r"measuring life, 1 of 2.*18", seen.plain)
    assert re.search(r"measuring memory, 2 of 2.*21", seen.plain)
    assert json.loads((tmp_path / "out").read_text())["figures"]


def test_ctrl_c_while_waiting_is_a_word_and_status_130(
    client: BoltQ, queue: str, settings: dict[str, str], tmp_path: Path
) -> None:
    command = ("boltq", "enqueue", "echo", "--queue", queue, "--wait")
    with at_terminal(tmp_path, *command, columns=200, **settings) as seen:
        seen.shown_until("boltq: job ")
        until(lambda: client.stats(queue).queued == 1)
        seen.interrupt()
        assert seen.end() == Exit.INTERRUPTED
    assert "stopped by Ctrl-C" in seen.shown
    assert "Traceback" not in seen.shown
