"""`boltq up` as people use it: real processes, the curl of its own announcement, and every end."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import Program, Start, children, lives, run, started_in
from servers import TestServer, missing, until

from boltq import Backoff, BoltQ
from boltq.embedded import running_socket


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


def up(start: Start, *arguments: str, **told: str) -> Program:
    """`boltq up` whose API answers, on any free port, and that has said all that it has to say."""
    return announced(start("boltq", "up", "--no-demo", *arguments, **{"API_PORT": "0", **told}))


def announced(program: Program) -> Program:
    """Wait for the last line: the API answers when the first is out, and even before."""
    program.find_api().wait_for("/api/stats\n")
    return program


SOON_OVER = {"BOLTQ_LEASE_SECONDS": "1"}
"""For leases that are to be lost: a machine that stands still for a second loses any of them."""


def server_pid(folder: Path) -> int:
    return int((folder / ".boltq/server.lock").read_text())


def is_in(program: Program, id: str, state: str) -> bool:
    return bool(program.job(id)["state"] == state)


def test_the_curl_that_is_announced_sends_a_mail(tmp_path: Path, start: Start) -> None:
    if shutil.which("curl") is None:
        missing("curl")
    program = up(start)
    post, status, stats = re.findall(r"^  (curl .*)$", program.said, re.MULTILINE)

    def curl(command: str) -> Any:
        return json.loads(subprocess.check_output(["sh", "-c", f"{command} -s"], timeout=10))

    id = curl(post)["id"]
    until(lambda: curl(status.replace("ID", id))["state"] == "completed")
    mail = (tmp_path / f".boltq/outbox/{id}.eml").read_text()
    assert "To: user@example.com" in mail
    assert "Subject: Hello from BoltQ" in mail
    assert "This is a test email from BoltQ" in mail
    assert curl(stats)["completed"] == 1
    assert f"an embedded Valkey in {tmp_path}/.boltq" in program.said
    assert f"Mails are written to {tmp_path}/.boltq/outbox" in program.said
    assert program.end() == 0


def test_a_first_run_has_jobs_to_look_at_of_which_one_dies_and_one_may_kill_the_worker(
    tmp_path: Path, start: Start
) -> None:
    told = {"API_PORT": "0", **SOON_OVER}
    program = announced(start("boltq", "up", **told))
    assert f"See it in a browser: http://localhost:{program.port}/" in program.said
    assert "Some jobs to look at are in the queue playground." in program.said
    boltq = BoltQ(f"unix://{tmp_path}/.boltq/server.sock")
    crash = boltq.enqueue("crash", queue="playground", max_attempts=3, backoff=Backoff(0.1))
    attempt = crash.result(timeout=30)["attempt"]
    assert attempt >= 2
    assert crash.get().lost == attempt - 1  # once, unless the machine has stood still
    until(lambda: boltq.stats("playground").dead, 30)
    (dead,) = boltq.list("dead", queue="playground").jobs
    assert (dead.type, dead.failures) == ("fail", 3)
    boltq.replay(dead.id)
    assert boltq.follow(dead.id).result(timeout=30) == {"failures": 3}
    assert program.end() == 0
    again = announced(start("boltq", "up", **told))
    assert "Some jobs to look at" not in again.said
    assert again.end() == 0


def test_a_second_one_on_the_same_folder_or_port_says_so(tmp_path: Path, start: Start) -> None:
    program = up(start)
    same_folder = run(tmp_path, "boltq", "up", "--port", "0")
    assert same_folder.returncode == 4
    assert f"is already run by process {program.process.pid}" in same_folder.stderr
    port = str(program.port)
    same_port = run(tmp_path, "boltq", "up", "--port", port, "--data-dir", "other")
    assert same_port.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in same_port.stderr
    assert running_socket(tmp_path / "other") is None
    assert program.job(program.enqueue("echo"))


def test_two_folders_side_by_side_do_not_meet(tmp_path: Path, start: Start) -> None:
    (tmp_path / "other").mkdir()
    first = up(start, "--no-worker")
    with started_in(tmp_path / "other") as start_other:
        second = up(start_other, "--no-worker")
        id = first.enqueue("echo")
        assert second.ask("GET", f"/api/jobs/{id}")[0] == 404


HANGS = """\
import time
from pathlib import Path

from boltq import BoltQ

app = BoltQ()

@app.job("hang")
def hang():
    with open("begun.txt", "a") as begun:
        begun.write("one\\n")
    while not Path("go.txt").exists():
        time.sleep(0.02)
"""


def wait_until_begun(folder: Path, count: int) -> None:
    """A job that is claimed is not in work yet: a stop would give it back."""
    begun = folder / "begun.txt"
    until(lambda: begun.exists() and len(begun.read_text().splitlines()) == count)


def test_killed_it_leaves_no_process_and_its_jobs_run_again(tmp_path: Path, start: Start) -> None:
    (tmp_path / "shop.py").write_text(HANGS)
    first = up(start, "shop:app", BOLTQ_THREADS="2", **SOON_OVER)
    backoff = {"base_seconds": 0}
    ids = [first.enqueue("hang", {}, backoff=backoff) for _ in range(4)]
    wait_until_begun(tmp_path, 2)
    left = children(first.process.pid)
    assert server_pid(tmp_path) in left
    assert len(left) == 2
    first.end(signal.SIGKILL)
    until(lambda: not any(lives(pid) for pid in left))

    (tmp_path / "go.txt").touch()
    second = up(start, "shop:app", BOLTQ_THREADS="2", **SOON_OVER)
    until(lambda: all(is_in(second, id, "completed") for id in ids))
    jobs = [second.job(id) for id in ids]
    lost = [job for job in jobs if job.get("lost")]
    assert lost
    assert all(job["errors"][0]["type"] == "LeaseLost" for job in lost)
    assert all(job["failures"] == 0 for job in jobs)


def test_a_signal_lets_running_jobs_finish_and_leaves_the_rest(
    tmp_path: Path, start: Start
) -> None:
    (tmp_path / "shop.py").write_text(HANGS)
    first = up(start, "shop:app", BOLTQ_THREADS="1")
    running = first.enqueue("hang", {})
    wait_until_begun(tmp_path, 1)
    waiting = [first.enqueue("echo", n) for n in range(3)]
    left = children(first.process.pid)
    first.process.send_signal(signal.SIGTERM)
    first.wait_for("stopping: running jobs are waited for")
    (tmp_path / "go.txt").touch()
    assert first.process.wait(30) == 0
    assert not any(lives(pid) for pid in left)

    second = up(start, "--no-worker")
    assert second.job(running)["state"] == "completed"
    assert second.job(running)["errors"] == []
    for job in map(second.job, waiting):
        assert (job["state"], job["failures"], job.get("lost", 0)) == ("queued", 0, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_gives_running_jobs_back_at_once(
    start: Start, number: signal.Signals
) -> None:
    first = up(start)
    id = first.enqueue("sleep", {"seconds": 60})
    until(lambda: is_in(first, id, "running"))
    # A job behind it is through: so a thread has it in hand, else it would be given back at once.
    behind = first.enqueue("echo")
    until(lambda: is_in(first, behind, "completed"))
    first.process.send_signal(number)
    first.wait_for("stopping")
    begun = time.monotonic()
    assert first.end(number) == 1
    assert time.monotonic() - begun < 10

    second = up(start, "--no-worker")
    job = second.job(id)
    assert (job["state"], job["failures"], job.get("lost", 0)) == ("queued", 0, 0)


def test_its_workers_are_as_many_processes_as_the_settings_say(start: Start) -> None:
    program = up(start, BOLTQ_PROCESSES="2")

    def pids() -> set[int]:
        return {worker["pid"] for worker in program.ask("GET", "/api/workers")[1]["workers"]}

    until(lambda: len(pids()) == 2)
    left = children(program.process.pid)
    assert pids() == set(left) - {server_pid(program.folder)}
    assert program.end() == 0
    assert not any(lives(pid) for pid in left)


def test_without_a_worker_jobs_wait(start: Start) -> None:
    program = up(start, "--no-worker")
    id = program.enqueue("echo")
    assert children(program.process.pid) == [server_pid(program.folder)]
    assert "No worker runs here" in program.said
    assert is_in(program, id, "queued")


def test_a_server_that_dies_is_back_within_5_s_for_the_same_api_and_worker(start: Start) -> None:
    program = up(start)
    before = program.enqueue("echo", "before")
    until(lambda: is_in(program, before, "completed"))
    took: list[float] = []
    while len(took) < 3 and min(took, default=9.0) >= 5:  # what else runs here slows it, too
        pid = server_pid(program.folder)
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        until(lambda: not lives(pid))  # noqa: B023 - it is called in this turn
        until(lambda: program.ask("GET", "/readyz")[0] == 200)
        took.append(time.monotonic() - killed)
    assert min(took) < 5, took
    assert is_in(program, before, "completed")
    after = program.enqueue("echo", "after")
    until(lambda: is_in(program, after, "completed"))
    assert program.told.count("worker started") == 1
    assert "ended, starting it again" in program.told


APP = """\
import os
from boltq import BoltQ

app = BoltQ()

@app.job("die")
def die(_payload):
    os._exit(3)

@app.job("hello")
def hello(name):
    return f"hello {name}"
"""


def test_a_job_that_kills_its_worker_harms_neither_the_api_nor_other_jobs(
    tmp_path: Path, start: Start
) -> None:
    (tmp_path / "shop.py").write_text(APP)
    program = up(start, "shop:app", **SOON_OVER)
    boltq = BoltQ(f"unix://{tmp_path}/.boltq/server.sock")
    deadly = boltq.enqueue("die", max_lost=0).id
    boltq.close()
    program.wait_for("the worker ended, starting another exit_status=3 pause_seconds=0.5")
    id = program.enqueue("hello", {"name": "you"})
    until(lambda: is_in(program, id, "completed"))
    assert program.job(id)["result"] == "hello you"
    until(lambda: is_in(program, deadly, "dead"))
    assert "the jobs of shop:app and the built-in ones" in program.said


def test_a_worker_that_refuses_its_app_ends_it_all(tmp_path: Path) -> None:
    ended = run(tmp_path, "boltq", "up", "nowhere:app", "--port", "0")
    assert ended.returncode == 2
    assert "there is no module nowhere" in ended.stderr
    assert running_socket(tmp_path / ".boltq") is None


def test_it_uses_the_server_that_a_file_names(
    server: TestServer, queue: str, tmp_path: Path, start: Start
) -> None:
    (tmp_path / ".env").write_text(
        f"REDIS_ADDR={server.address}\nAPI_PORT=0\nBOLTQ_PREFIX={queue}\nBOLTQ_QUEUES={queue}\n"
    )
    program = announced(start("boltq", "up"))
    id = program.enqueue("echo", [1], queue=queue)
    assert id.startswith(f"{queue}:")
    until(lambda: is_in(program, id, "completed"))
    assert f"The server is {server.address}." in program.said
    assert server.raw().exists(f"{queue}1:{{{queue}}}:jobs")
    assert not (tmp_path / ".boltq").exists()


def test_the_flags_hold_for_the_worker_too(tmp_path: Path, start: Start) -> None:
    program = up(start, "--prefix", "mine", "--data-dir", "there", "--log", "json")
    program.enqueue("email", {"recipient": "a@example.com", "subject": "Hi", "body": ""})
    until(lambda: list((tmp_path / "there/outbox").glob("*.eml")))
    events = [json.loads(line)["event"] for line in program.told.splitlines()]
    assert "worker started" in events
    boltq = BoltQ(f"unix://{tmp_path}/there/server.sock", prefix="mine")
    assert boltq.stats().enqueued_total == 1
    boltq.close()


def test_embedded_wins_over_the_server_that_the_environment_names(start: Start) -> None:
    program = up(start, "--embedded", REDIS_ADDR="127.0.0.1:9")
    id = program.enqueue("echo")
    until(lambda: is_in(program, id, "completed"))
    assert "an embedded Valkey" in program.said


def test_it_starts_before_its_server_and_serves_once_that_is_there(
    start: Start, private_server: Any
) -> None:
    server = private_server("valkey")
    server.embedded.kill()
    program = up(start, REDIS_ADDR=server.address)
    assert program.ask("GET", "/readyz")[0] == 503
    assert "does not answer" in program.told
    server.embedded.start()
    until(lambda: program.ask("GET", "/readyz")[0] == 200)
    id = program.enqueue("echo")
    until(lambda: is_in(program, id, "completed"))
