"""The playground end to end: the guided scenes, and all that can be done to a job by hand."""

import json
from collections.abc import Callable, Iterator

import pytest
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer, until

QUEUE = "playground"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def site(page: Page, server: TestServer) -> Iterator[Site]:
    with browsed(page, server, queues=(QUEUE, "default")) as site:
        yield site


def is_over(site: Site) -> bool:
    steps = "document.querySelectorAll('.story li').length"
    return bool(
        site.page.run(
            f"{steps} > 0 && {steps} === document.querySelectorAll('.story li.done').length"
        )
    )


def begins(site: Site, title: str) -> None:
    all = "[...document.querySelectorAll('.scene')]"
    find = f"{all}.find((one) => one.textContent.includes('{title}'))"
    site.page.until(f"{find} !== undefined && !{find}.disabled")
    site.page.run(f"{find}.click()")


def plays(site: Site, title: str) -> dict[str, object]:
    """Play a scene to its end; returns the job that it was of."""
    site.opens("playground")
    begins(site, title)
    until(lambda: is_over(site), 45)
    href = site.page.run(
        "[...document.querySelectorAll('a')].find((one) => one.textContent === 'its page').href"
    )
    site.clicks("its page")
    site.sees("It is done.")
    assert site.page.complaints == []
    id = str(href).rpartition("/")[2].replace("%3A", ":")
    return dict(site.api.ask("GET", f"/api/jobs/{id}").json)


def test_a_job_is_tried_again_with_backoff_until_it_completes(site: Site) -> None:
    job = plays(site, "Retry with backoff")
    assert (job["state"], job["attempt"], job["failures"]) == ("completed", 3, 2)
    assert site.shows("attempt 1 failed")
    assert site.shows("failure 2 of 2, as was asked for")


LATE = (
    "{ const asks = fetch; const late = new Promise((done) => { window.arrive = done; });"
    " window.fetch = async (path, ...told) => {"
    " if (/api.jobs.[^?]+$/.test(path)) await late; return asks(path, ...told); }; }"
)
"""How the job stands is heard of once `arrive()` is called, as by a tab that was in the back."""


def test_a_scene_goes_on_to_its_end_where_the_job_was_faster_than_the_page(site: Site) -> None:
    site.opens("playground")
    site.page.run(LATE)
    before = site.boltq.stats(QUEUE).completed_total
    begins(site, "Retry with backoff")
    until(lambda: site.boltq.stats(QUEUE).completed_total > before)
    site.page.run("arrive()")
    until(lambda: is_over(site))
    assert not site.shows("within three minutes")


def test_a_job_dies_and_is_replayed_without_a_word_being_read(site: Site) -> None:
    job = plays(site, "Die, and be replayed")
    assert (job["state"], job["failures"]) == ("completed", 3)
    assert site.boltq.stats(QUEUE).replayed_total >= 1
    assert site.shows("the other side is down")


def test_a_worker_crashes_and_its_job_goes_to_another(site: Site) -> None:
    job = plays(site, "A worker crashes")
    assert (job["state"], job["lost"], job["attempt"]) == ("completed", 1, 2)
    assert job["result"] == {"by": "worker B"}
    assert site.shows("attempt 1 lost its worker")


def test_a_stranger_on_an_empty_server_is_led_to_the_playground(
    page: Page, shared_servers: Callable[[str], TestServer]
) -> None:
    with browsed(page, shared_servers("valkey")) as empty:
        empty.opens("jobs")
        empty.clicks("Enqueue a job")
        empty.sees("A job that")
        empty.sees("start one with boltq-worker --queues playground")
        empty.goes("jobs?state=dead")
        empty.sees("No such jobs")
        empty.clicks("Look at all jobs")
        empty.page.until("location.hash === '#/jobs'")
        empty.goes("dead")
        empty.sees("Nothing is dead")
        empty.page.until("!document.body.innerText.includes('Dead jobs')")
        empty.goes("")
        empty.sees("Nothing has happened here yet.")
        empty.clicks("Open the playground")
        empty.sees("A job that")


def test_jobs_are_enqueued_moved_held_and_let_go_by_hand(site: Site) -> None:
    site.opens("playground?queue=default")
    before = site.boltq.stats("default").enqueued_total
    site.clicks("Pause")
    site.sees("is paused: what is queued waits")
    assert site.boltq.stats("default").paused
    site.clicks("completes")
    site.writes("How many", "3")
    site.clicks("Enqueue 3")
    site.sees("3 jobs enqueued.")
    site.page.until("document.querySelectorAll('.lane.queued .chip').length === 3")
    site.page.run("document.querySelector('.lane.queued .chip').click()")
    site.chooses("Priority", "9")
    site.sees("Priority 9.")
    ids = [job.id for job in site.boltq.list("queued", queue="default").jobs]
    assert sorted(site.boltq.get(id).priority for id in ids) == [4, 4, 9]
    assert site.shows('"priority":9')
    site.clicks("Delay 10 s")
    site.sees("It waits 10 s.")
    site.page.until("document.querySelectorAll('.lane.scheduled .chip').length === 1")
    site.clicks("Run now")
    site.page.until("document.querySelectorAll('.lane.queued .chip').length === 3")
    site.clicks("Cancel")
    site.sees("Cancelled.")
    site.clicks("Resume")
    until(lambda: site.boltq.stats("default").queued == 0)
    stats = site.boltq.stats("default")
    assert (stats.enqueued_total - before, stats.cancelled, stats.paused) == (3, 1, 0)
    site.page.until("document.querySelectorAll('.lane.completed .chip').length >= 2")
    assert site.page.complaints == []


def test_the_dead_of_the_queue_are_replayed_together(site: Site) -> None:
    site.opens("playground")
    site.clicks("always fails")
    site.clicks("Enqueue")
    site.page.until("document.querySelectorAll('.lane.dead .chip').length > 0")
    before = site.boltq.stats(QUEUE).replayed_total
    dead = site.boltq.stats(QUEUE).dead
    button = (
        "[...document.querySelectorAll('button')]"
        ".find((one) => one.textContent.startsWith('Replay the dead'))"
    )
    site.page.until(f"{button}?.textContent.endsWith('({dead})')")
    # One more has died since the button was told how many there are.
    site.boltq.enqueue("fail", {"message": "no"}, queue=QUEUE, max_attempts=1)
    until(lambda: site.boltq.stats(QUEUE).dead == dead + 1)
    site.page.run(f"{button}.click()")
    until(lambda: site.boltq.stats(QUEUE).replayed_total == before + dead + 1)


def test_what_is_copied_as_curl_python_and_boltq_does_what_the_page_does(site: Site) -> None:
    site.opens("playground?queue=copied")
    site.clicks("Its type, payload and options")
    site.writes("Payload", '{"big": 9007199254740993, "text": "it\'s \\u00e9 $HOME", "no": null}')
    site.writes("Priority", "7")
    made = []
    for kind in ("curl", "Python", "boltq"):
        site.clicks(kind)
        written = str(site.page.run("document.querySelector('.snippets pre').textContent"))
        if kind == "Python":
            written = written.replace("app.enqueue", "made = app.enqueue") + "\nprint(made.id)"
        came = site.runs(kind, written)
        made.append(str(json.loads(came)["id"]) if kind == "curl" else came.strip())
    payloads = {bytes(site.boltq.get(id).payload or b"") for id in made}
    told = [json.loads(payload) for payload in payloads]
    assert all(one == {"big": 9007199254740993, "text": "it's é $HOME", "no": None} for one in told)
    assert {site.boltq.get(id).priority for id in made} == {7}
    assert {site.boltq.get(id).queue for id in made} == {"copied"}
