"""The command boltq-worker: what it serves, and what it refuses in a sentence."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from queue_state import QueueState
from servers import until
from workers import command, state, wait_for

from boltq.errors import BadSetting
from boltq.worker.load import load_app
from boltq.worker.main import main

APP = """
from boltq import BoltQ

app = BoltQ({address!r}, prefix={prefix!r})
number = 7

@app.job("double")
def double(x):
    return 2 * x

@app.job("echo")
def echo():
    return "my own"
"""


def written(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_the_help_shows_an_example() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert "boltq-worker mail.jobs:app --queues mail:3,default:1 --threads 16" in shown
    for option in ("queues", "threads", "lease-seconds", "worker-id", "redis-addr", "prefix"):
        assert f"--{option}" in shown
    for option in ("strict", "burst", "processes", "recycle-jobs", "recycle-mb"):
        assert f"--{option}" in shown
    assert "--life-fd" not in shown


def test_without_a_module_the_built_in_types_are_served(q: QueueState, tmp_path: Path) -> None:
    q.enqueue("a", payload=b'{"x": [1.5, null]}', type="echo")
    with command(q, "--worker-id", "me", "--threads", "1", folder=tmp_path):
        wait_for(q, "completed", "a")
    outcome = q.outcome("a")
    assert outcome is not None
    assert (outcome.result, outcome.worker) == (b'{"x":[1.5,null]}', "me")


def test_what_was_imported_is_left_out_of_each_collection_of_garbage_and_the_app_may_set_more(
    q: QueueState, tmp_path: Path
) -> None:
    app = """
import gc
from boltq import BoltQ

app = BoltQ()

@app.on_start
def set_own():
    gc.set_threshold(gc.get_threshold()[0], 7, 8)

@app.job("gc")
def told():
    return [gc.get_freeze_count() > 1000, *gc.get_threshold()]
"""
    written(tmp_path, "mine", app)
    q.enqueue("a", type="gc")
    with command(q, "mine:app", folder=tmp_path):
        wait_for(q, "completed", "a")
    outcome = q.outcome("a")
    assert outcome is not None
    assert outcome.result == b"[true,10000,7,8]"


def test_with_a_module_its_handlers_count_before_the_built_in_ones_and_its_server_is_used(
    q: QueueState, tmp_path: Path
) -> None:
    address = q.server.address.shown
    written(tmp_path, "mine", APP.format(address=address, prefix="boltq"))
    q.enqueue("a", payload=b'{"x": 21}', type="double")
    q.enqueue("b", type="echo")
    q.enqueue("c", payload=b'{"seconds": 0}', type="sleep")
    with command(q, "mine:app", folder=tmp_path, REDIS_ADDR="127.0.0.1:1"):
        wait_for(q, "completed", "a", "b", "c")
    results = [outcome.result for id in "abc" if (outcome := q.outcome(id))]
    assert results == [b"42", b'"my own"', b'{"slept_seconds":0.0}']


def test_a_server_named_by_a_flag_wins_over_that_of_the_app(q: QueueState, tmp_path: Path) -> None:
    written(tmp_path, "mine", APP.format(address="127.0.0.1:1", prefix="other"))
    q.enqueue("a", payload=b'{"x": 21}', type="double")
    flags = ("--redis-addr", q.server.address.shown, "--prefix", "boltq")
    with command(q, "mine:app", *flags, folder=tmp_path):
        wait_for(q, "completed", "a")


def test_it_says_which_server_it_found_where_none_is_named(tmp_path: Path, q: QueueState) -> None:
    with command(q, folder=tmp_path, REDIS_ADDR="") as process:
        until(lambda: "worker started" in (tmp_path / "log.txt").read_text())
        assert process.poll() is None
    log = (tmp_path / "log.txt").read_text()
    assert "no REDIS_ADDR is given: a server was looked for server=redis://localhost:6379" in log


REFUSED = {
    "mine": "mine is not of the form module:app, as in `mail.jobs:app`",
    "mine:": "mine: is not of the form module:app",
    "nowhere:app": "there is no module nowhere, seen from ",
    "nowhere.deep:app": "there is no module nowhere.deep, seen from ",
    "needy:app": "module needy cannot be imported: No module named 'not_there'",
    "broken:app": "module broken cannot be imported: ZeroDivisionError: division by zero",
    "mine:nothing": "module mine has no nothing",
    "mine:number": "mine:number is a int, not a BoltQ",
}


@pytest.mark.parametrize("named", REFUSED)
def test_an_app_that_cannot_be_had_is_refused_in_a_sentence(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "mine", APP.format(address="127.0.0.1:1", prefix="boltq"))
    written(tmp_path, "needy", "import not_there")
    written(tmp_path, "broken", "1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("mine", "needy", "broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(BadSetting) as refusal:
        load_app(named)
    assert str(refusal.value).startswith(REFUSED[named])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--threads", "0"], "BOLTQ_THREADS must be an integer, 1 to 500; a flag says '0'"),
        (["--lease-seconds", "nan"], "BOLTQ_LEASE_SECONDS must be seconds, 1 to 86400"),
        (["--queues", "a{b}"], "BOLTQ_QUEUES must be queue names with commas between"),
        (["--queues", "a:0"], "BOLTQ_QUEUES must be queue names with commas between"),
        (["--queues", "a:3,b", "--strict"], "leave one of the two out"),
        (["--processes", "65"], "BOLTQ_PROCESSES must be an integer, 1 to 64; a flag says '65'"),
        (["--recycle-jobs", "-1"], "BOLTQ_RECYCLE_JOBS must be an integer"),
        (["--redis-addr", "http://x"], "http"),
        (["nowhere:app"], "there is no module nowhere"),
    ],
)
def test_what_it_cannot_do_ends_it_with_status_2_and_a_sentence(
    arguments: list[str], sentence: str
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_wrong_password_ends_it_at_once(q: QueueState) -> None:
    address = q.server.address.shown.replace("://", "://nobody:secret@")
    result = CliRunner().invoke(main, ["--redis-addr", address])
    assert result.exit_code == 1
    assert "secret" not in result.output
    assert state(q, "a") == "unknown"
