"""What handlers tell of their jobs: bounded in the worker, carried by the calls that go anyway."""

import json
import threading
from collections.abc import Iterator
from unittest.mock import patch

import pytest
import workers
from queue_state import QueueState
from servers import TestServer, until

from boltq import current_job, notes
from boltq.client import BoltQ
from boltq.notes import Notes, news_of, told
from boltq.worker import turns


def written(noted: Notes) -> bytes:
    return told([news_of(noted)]) or b""


def test_what_tells_nothing_costs_nothing_of_a_call() -> None:
    assert told([None, news_of(Notes()), None]) is None


def test_progress_is_told_once_until_it_changes() -> None:
    noted = Notes()
    noted.set_progress(0.25, "resizing\nimages")
    assert written(noted) == b"1 0 0 0.250000 resizing images\n"
    assert written(noted) == b"1 0 0 0.250000 resizing images\n"  # nobody has heard it yet
    noted.carried(noted.news())
    assert not noted.has_news
    noted.set_progress(1, "")
    assert written(noted) == b"1 0 0 1.000000 \n"


def test_lines_are_told_until_it_is_known_that_they_were_carried() -> None:
    noted = Notes()
    noted.add_lines("one\ntwo")
    news = noted.news()
    noted.add_lines("three")
    assert written(noted) == b"1 3 0 - \none\ntwo\nthree\n"
    noted.carried(news)
    assert written(noted) == b"1 1 2 - \nthree\n"
    noted.carried(news)  # a late answer to a call before
    assert written(noted) == b"1 1 2 - \nthree\n"


def test_of_several_jobs_each_is_told_by_its_number() -> None:
    one, other = Notes(), Notes()
    one.set_progress(0.5, "")
    other.add_lines("line")
    told_of = told([None, news_of(one), None, news_of(other)])
    assert told_of == b"2 0 0 0.500000 \n4 1 0 - \nline\n"


def test_a_log_that_runs_away_is_bounded_and_its_end_is_carried() -> None:
    noted, long = Notes(), "\u00e9" * 2000
    for n in range(100_000):
        noted.add_lines(f"{n} {long}")
    news = noted.news()
    assert len(news.lines) == notes.CALL_BYTES // notes.LINE_BYTES
    assert news.before == 100_000 - len(news.lines)
    assert all(len(line) <= notes.LINE_BYTES for line in news.lines)
    assert news.lines[-1].decode().startswith("99999 ")
    noted.carried(news)
    assert not noted.has_news


def test_of_short_lines_no_more_are_held_than_a_job_keeps() -> None:
    noted = Notes()
    noted.add_lines("x\n" * 5000)
    assert (len(noted.news().lines), noted.news().before) == (notes.LINES_KEPT, 4901)


def test_lines_from_many_threads_all_count() -> None:
    noted = Notes()
    threads = [
        threading.Thread(target=lambda: [noted.add_lines("x") for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    news = noted.news()
    assert news.before + len(news.lines) == 2000


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_progress_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="must be 0 to 1"):
        Notes().set_progress(share, "")


@pytest.fixture
def boltq(server: TestServer) -> Iterator[BoltQ]:
    boltq = BoltQ(server.address)
    yield boltq
    boltq.close()


def test_a_handler_that_runs_is_seen_to_go_on_and_what_it_told_last_comes_with_its_end(
    q: QueueState, boltq: BoltQ
) -> None:
    gate = workers.Gate()

    def handler() -> None:
        job = current_job()
        job.progress(0.4, "resizing")
        job.log("began")
        gate()
        job.progress(1)
        job.log("ended")

    q.enqueue("a")
    with workers.working(q, {"echo": handler}, lease_seconds=workers.KEPT):
        until(lambda: boltq.get(f"{q.name}:a").log)
        job = boltq.get(f"{q.name}:a")
        assert job.progress
        assert (job.state, job.progress.progress, job.progress.text) == ("running", 0.4, "resizing")
        gate.open.set()
        until(lambda: workers.state(q, "a") == "completed")
    job = boltq.get(f"{q.name}:a")
    assert [line.line for line in job.log] == ["began", "ended"]
    assert job.progress
    assert job.progress.progress == 1
    shown = json.loads(job.to_json())
    assert shown["progress"]["share"] == 1
    assert [line["line"] for line in shown["log"]] == ["began", "ended"]


def test_a_failure_and_a_retry_that_does_not_count_carry_it_too(
    q: QueueState, boltq: BoltQ
) -> None:
    def handler(again: bool) -> None:  # noqa: FBT001 - a payload's member
        current_job().log("tried")
        if again:
            current_job().retry(after=3600, count=False)
        raise ValueError("no")

    q.enqueue("fails", payload=b'{"again":false}', max_attempts=1)
    q.enqueue("waits", payload=b'{"again":true}')
    with workers.working(q, {"echo": handler}):
        until(lambda: workers.state(q, "fails") == "dead")
        until(lambda: workers.state(q, "waits") == "scheduled")
    for id in ("fails", "waits"):
        assert [line.line for line in boltq.get(f"{q.name}:{id}").log] == ["tried"]


def test_a_job_that_tells_nothing_sends_nothing_more(q: QueueState, boltq: BoltQ) -> None:
    q.enqueue("a")
    with workers.working(q, {"echo": lambda: None}):
        until(lambda: workers.state(q, "a") == "completed")
    job = boltq.get(f"{q.name}:a")
    assert (job.progress, job.log) == (None, [])
    assert "progress" not in json.loads(job.to_json())
    assert "notes" not in q.dump()


def test_no_call_is_made_for_what_is_told(q: QueueState) -> None:
    """What a handler tells in one go is carried by the ack that ends it."""

    def handler() -> None:
        for n in range(1000):
            current_job().progress(n / 1000)
            current_job().log(str(n))

    def calls() -> int:
        asked: int = q.raw.info("commandstats")["cmdstat_evalsha"]["calls"]
        return asked

    counts = []
    for work in (lambda: None, handler):
        q.enqueue("a", type="echo", retention_ms=0)
        before = calls()
        # Under a short lease no claim waits at the server: these are made anew all the time.
        with (
            patch.object(turns, "LOOK_SECONDS", 60),
            workers.working(q, {"echo": work}, lease_seconds=workers.ALONE),
        ):
            until(lambda: not q.read("jobs"))
        counts.append(calls() - before)
    assert abs(counts[1] - counts[0]) <= 4  # the worker's own looks


NASTY = [
    "",
    "\n",
    "\n\n",
    "a\n",
    " ",
    "\0\x01\r\x7f",
    "\ud800",
    "\u00e9" * 3000,
    "1 5 0 0 x",
    "x" * 999,
]


def test_whatever_a_handler_tells_its_job_is_acked_and_the_log_holds_it(
    q: QueueState, boltq: BoltQ
) -> None:
    def handler(text: str) -> None:
        current_job().progress(0.1, text)
        current_job().log(text)
        current_job().log(text)

    for n, text in enumerate(NASTY):
        q.enqueue(f"j{n}", payload=json.dumps({"text": text}).encode())
    with workers.working(q, {"echo": handler}):
        until(lambda: len(q.order("completed")) == len(NASTY))
    for n, text in enumerate(NASTY):
        job = boltq.get(f"{q.name}:j{n}")
        assert len(job.log) == 2 * len(text.split("\n")), text
        assert job.progress


def test_a_job_whose_notes_are_refused_is_acked_without_them(
    q: QueueState, boltq: BoltQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes.News, "written", lambda _news, _item: b"nonsense")
    q.enqueue("a", "b")
    with workers.working(q, {"echo": lambda: current_job().log("x")}):
        workers.wait_for(q, "completed", "a", "b")
    assert boltq.get(f"{q.name}:a").log == []
