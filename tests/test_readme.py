"""README.md and the guides, taken at their word: their commands run, their tables are true."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import click
import pages
import pytest
from pages import GUIDES, PAGES, README, ROOT
from programs import Program, Start, run, started_in
from servers import missing, until

from boltq import rules, settings
from boltq.api import front
from boltq.cli import exits, group
from boltq.fields import FIELDS
from boltq.worker.main import main as worker_command

FIRST = "A first job"
PLACE = "http://localhost:8080"
EMAIL = {
    "type": "email",
    "payload": {
        "recipient": "user@example.com",
        "subject": "Hello from BoltQ",
        "body": "This is a test email from BoltQ",
    },
    "max_attempts": 3,
}
SCRIPT_LINES = 15


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with started_in(tmp_path) as starting:
        yield starting


def up(start: Start, *arguments: str, **told: str) -> Program:
    return start("boltq", "up", *arguments, API_PORT="0", **told).find_api()


def curl(program: Program, command: str, id: str = "ID") -> Any:
    """What a command of the README prints, in bash as it stands but for the port and the id."""
    if shutil.which("curl") is None:
        missing("curl")
    assert command.startswith("curl ")
    assert PLACE in command
    placed = command.replace(PLACE, f"http://localhost:{program.port}").replace("ID", id)
    return json.loads(subprocess.check_output(["bash", "-c", f"{placed} -s"], timeout=30))


def mail_is_there(program: Program, id: str) -> None:
    mail = (program.folder / f".boltq/outbox/{id}.eml").read_text()
    assert "To: user@example.com" in mail
    assert "Subject: Hello from BoltQ" in mail
    assert "This is a test email from BoltQ" in mail


def test_the_three_curl_commands_send_a_mail_and_show_it(start: Start) -> None:
    program = up(start)
    written = pages.commands(README, "sh", FIRST)
    post, status, stats = [line for line in written if line.startswith("curl")]
    sent = curl(program, post)
    assert (sent["type"], sent["payload"], sent["max_attempts"]) == tuple(EMAIL.values())
    until(lambda: curl(program, status, sent["id"])["state"] == "completed")
    assert curl(program, stats)["queues"]["default"]["completed"] == 1
    mail_is_there(program, sent["id"])


class Request(NamedTuple):
    """What a line of PowerShell sends."""

    method: str
    path: str
    body: str | None


_IRM = re.compile(
    r"Invoke-RestMethod(?P<post> -Method Post)?"
    rf" -Uri '{PLACE}(?P<path>/[!-&(-~]+)'"
    r"(?(post) -ContentType 'application/json' -Body '(?P<body>[ -&(-~]+)')"
)


def read_powershell(command: str) -> Request:
    """Read a command of one form: each value in single quotes, where PowerShell expands nothing."""
    found = _IRM.fullmatch(command)
    assert found, f"not the form in which PowerShell 5.1 and 7 mean the same: {command}"
    return Request("POST" if found["post"] else "GET", found["path"], found["body"])


def send(program: Program, request: Request, id: str = "ID") -> Any:
    """Send what PowerShell 5.1 sends; 7 leaves out the Expect, to which 5.1 waits for an answer."""
    connection = HTTPConnection("localhost", program.port, timeout=30)
    headers = {"User-Agent": "Mozilla/5.0 (Windows NT; en-US) WindowsPowerShell/5.1.19041.1"}
    if request.body is not None:
        headers |= {"Content-Type": "application/json", "Expect": "100-continue"}
    try:
        path = request.path.replace("ID", id)
        connection.request(request.method, path, request.body, headers)
        response = connection.getresponse()
        assert response.status in {200, 202}
        assert response.headers.get_content_type() == "application/json"
        return json.loads(response.read())
    finally:
        connection.close()


def test_the_three_commands_for_powershell_do_the_same(start: Start) -> None:
    program = up(start)
    post, status, stats = map(read_powershell, pages.commands(README, "powershell", FIRST))
    assert post.body is not None
    assert (post.method, json.loads(post.body)) == ("POST", EMAIL)
    sent = send(program, post)
    until(lambda: send(program, status, sent["id"])["state"] == "completed")
    assert send(program, stats)["queues"]["default"]["completed"] == 1
    mail_is_there(program, sent["id"])


def test_curl_and_powershell_send_the_same() -> None:
    sent = [line for line in pages.commands(README, "sh", FIRST) if line.startswith("curl")]
    for curled, line in zip(sent, pages.commands(README, "powershell", FIRST), strict=True):
        request = read_powershell(line)
        assert f"{PLACE}{request.path}" in curled
        assert ("-X POST" in curled) == (request.method == "POST")
        assert request.body is None or f"-d '{request.body}'" in curled


@pytest.mark.parametrize(
    "wrong",
    [
        f"Invoke-RestMethod -Uri {PLACE}/api/stats",
        f"Invoke-RestMethod -Method Post -Uri '{PLACE}/api/jobs' -Body '{{}}'",
        f"Invoke-RestMethod -Uri '{PLACE}/api/jobs' -ContentType 'application/json' -Body '{{}}'",
        f"Invoke-RestMetod -Uri '{PLACE}/api/stats'",
        f"""Invoke-RestMethod -Uri "{PLACE}/api/stats" """,
    ],
)
def test_a_slip_in_a_command_for_powershell_is_seen(wrong: str) -> None:
    with pytest.raises(AssertionError):
        read_powershell(wrong)


def test_a_job_fails_dies_and_comes_back_as_told(start: Start) -> None:
    program = up(start)
    post, status, dead, replay = pages.commands(README, "sh", "See a job fail, die and come back")
    # But for the pauses between its tries, which are 3 s together.
    quick = post.replace('"max_attempts"', '"backoff": {"base_seconds": 0}, "max_attempts"')
    id = curl(program, quick)["id"]
    until(lambda: curl(program, dead)["jobs"])
    assert [job["id"] for job in curl(program, dead)["jobs"]] == [id]
    assert curl(program, status, id)["failures"] == 3
    assert curl(program, replay, id)["answer"] == "replayed"
    until(lambda: curl(program, status, id)["state"] == "completed")
    assert curl(program, status, id)["failures"] == 4


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "python", *arguments)


def test_a_stranger_declares_enqueues_1000_waits_and_prints(tmp_path: Path, start: Start) -> None:
    pages.write_files(README, tmp_path)
    script = (tmp_path / "app.py").read_text()
    assert len(script.splitlines()) <= SCRIPT_LINES
    # The programs of this environment are run, as they are once it is activated.
    activate, serve, ask = pages.commands(README, "sh", "Your first own job")
    assert activate == ". .venv/bin/activate"
    assert (serve, ask) == ("boltq up app:app", "python app.py")
    up(start, *serve.split()[2:])
    asked = python(tmp_path, *ask.split()[1:])
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == f"{sum(n * n for n in range(1000))}\n"
    assert f"prints {asked.stdout.strip()}" in README.read_text()


def test_the_tour_of_the_client_runs(tmp_path: Path, start: Start) -> None:
    pages.write_files(README, tmp_path)
    (flag,) = set(re.findall(r"`boltq-worker shop:app --queues ([\w,]+)`", README.read_text()))
    up(start, "shop:app", BOLTQ_QUEUES=flag)
    toured = python(tmp_path, "tour.py")
    assert (toured.returncode, toured.stderr) == (0, "")
    said = toured.stdout.splitlines()
    assert said[0] == "1 x 7"
    assert said[1].startswith("mail:2")
    assert said[1].endswith(" 2 x 7")
    assert said[2] == "may, at attempt 2"
    assert said[3].endswith("is dead after attempt 2: FailForGood: there is no such month")
    assert said[4].endswith("copys is unknown: did you mean copies?")
    assert said[5:] == ["True False", "cancelled", "5000"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_tests_that_a_page_shows_pass(tmp_path: Path, page: Path) -> None:
    shown = [name for name in pages.write_files(page, tmp_path) if name.startswith("test_")]
    if not shown:
        assert page not in {README, GUIDES[0]}
        return
    ran = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:valkey", *shown)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"(?m)^[1-9]\d* passed", ran.stdout)


def test_each_python_block_is_python() -> None:
    for page in PAGES:
        for block in pages.blocks(page, "python"):
            where = f"{page.relative_to(ROOT)}:{block.line}"
            compile(block.text, where, "exec", dont_inherit=True)


def test_each_block_for_a_shell_is_one() -> None:
    for page in PAGES:
        for block in pages.blocks(page, "sh"):
            text = re.sub("<[a-z ]+>", "it", block.text)
            checked = subprocess.run(
                ["bash", "-n"], input=text, capture_output=True, text=True, check=False
            )
            where = f"{page.relative_to(ROOT)}:{block.line}"
            assert checked.returncode == 0, f"{where}: {checked.stderr}"


def test_each_link_leads_somewhere() -> None:
    for page in PAGES:
        for link in pages.links(page):
            path, _, anchor = link.partition("#")
            assert "://" not in path, f"{page}: {link} is not ours to keep"
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page}: {link}"
            assert ROOT in target.parents
            if anchor:
                assert anchor in pages.anchors(target), f"{page}: {link}"


def test_the_readme_leads_to_each_guide() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in pages.links(README)}
    assert set(GUIDES) <= linked


def test_each_target_of_make_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert {"init", "deps", "run", "run-api", "run-worker", "test", "check"} <= named
    assert named <= targets


def test_the_table_of_settings_is_that_of_the_program() -> None:
    told = {name: (cells[1], cells[2]) for cells in pages.rows(README, "variable")
            for name in pages.codes(cells[0])}  # fmt: skip
    assert list(told) == [rule.variable for rule in rules.RULES.values()]
    usual = settings.Settings()
    for one in fields(usual):
        if one.name == "sources":
            continue
        default = getattr(usual, one.name)
        if one.name == "queues":
            default = ",".join(default)
        if isinstance(default, tuple):
            default = ",".join(default)
        if isinstance(default, float):
            default = f"{default:g}"
        shown, _ = told[rules.RULES[one.name].variable]
        assert pages.codes(shown) == ([] if default in {None, ""} else [str(default)]), one.name


def test_the_tables_of_commands_and_their_statuses_are_those_of_the_program() -> None:
    rows = pages.rows(README, "command")
    named = [code.split()[1] for row in rows for code in pages.codes(row[0]) if "boltq " in code]
    assert set(named) == set(group.COMMANDS)
    text = " ".join(README.read_text().split())
    said = "; ".join(f"{status.value} {meaning}" for status, meaning in exits.MEANINGS.items())
    assert f"Exit status: {said}." in text


def test_each_command_of_ours_that_is_shown_is_one() -> None:
    for page in PAGES:
        text = page.read_text()
        lines = [line for block in pages.blocks(page, "sh") for line in block.text.splitlines()]
        spans = [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", pages.prose(page))]
        shown = [line.partition("  ")[0].removesuffix(" &") for line in lines + spans]
        ours = [line for line in shown if re.match(r"boltq(-worker)? [a-z-]", line)]
        assert ours or "boltq" not in text
        for line in ours:
            understood(line, page)


def understood(line: str, page: Path) -> None:
    """Let our own command line read a command, which names a verb at least, and not run it."""
    program, *words = shlex.split(line.replace("STATE", "dead"))
    command: Any = worker_command if program == "boltq-worker" else group.main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        context = click.Context(command)
        name, command, words = command.resolve_command(context, words)
        assert command is not None, f"{page}: {line}: there is no {name}"
    if command.name == "worker":
        command = worker_command
    if isinstance(command, click.Group) and words:
        command = command.commands["list"]
    if words:
        with command.make_context("shown", words):
            pass


def test_the_table_of_paths_is_that_of_the_api() -> None:
    rows = pages.rows(GUIDES[3], "method and path")
    assert {row[0] for row in pages.rows(README, "method and path")} <= {
        f"`{code}`" for row in rows for code in pages.codes(row[0])
    }
    named = {code.partition("?")[0] for row in rows for code in pages.codes(row[0])}
    served = (line.split()[:2] for line in front._PATHS.splitlines())
    assert named == {f"{method} {path.partition('?')[0]}" for method, path in served}


def test_each_field_of_the_log_that_is_told_exists() -> None:
    told = [name for row in pages.rows(README, "field") for name in pages.codes(row[0])]
    assert set(told) <= set(FIELDS)
    (line,) = [block.text for block in pages.blocks(README, "json") if block.heading == "Logs"]
    assert set(json.loads(line)) <= set(FIELDS)
