"""Every screen, full of what people write who mean harm: inert, accessible, without an error."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_served import Api
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer
from touched import on_a_phone

import boltq
from boltq.presence import Report, ReportedJob

EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>${alert(3)}{{4}}\u202e&lt;b&gt;"
"""What would show itself, were it taken for markup, an attribute or a template."""

SHORT = "<img src=x onerror=alert(1)>"
TOKEN = "t1"
QUEUE, LEFT = "odd.queue_-1", "nobody-works-here"
SCREENS = Path(boltq.__file__).parent / "page/screens"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def filled(page: Page, shared_servers: Callable[[str], TestServer]) -> Iterator[Site]:
    with browsed(page, shared_servers("redis")) as site:
        fill(site)
        yield site


@pytest.fixture
def site(filled: Site) -> Site:
    """A worker that tells nothing for ten minutes leaves the screens: it tells again."""
    worker_tells(filled)
    return filled


def fill(site: Site) -> None:
    """Put something into every field that a screen shows."""
    app = site.boltq
    payload = {EVIL: [EVIL, 9007199254740993, 1e400, None, True], "list": list(range(50))}
    written = json.dumps(payload).replace("Infinity", "1e400").encode()
    for n in range(30):
        app.enqueue("read:it", raw=written, queue=QUEUE, id=f"job-{n}", headers={"by": EVIL})
    app.enqueue("later", raw=written, queue=QUEUE, id="later", delay_seconds=3600)
    app.enqueue("left", raw=b"null", queue=LEFT)
    app.enqueue("bytes", raw=b"\xff\xfe<img>", queue=QUEUE, id="bytes", priority=0)
    app.configure(QUEUE, job_max_attempts=4)
    error = {"type": SHORT, "message": EVIL, "stack": f'  File "{SHORT}"\n{EVIL}'}
    for n, id in enumerate(claimed(site.api, 9)):
        report(site.api, id, error, n)
    app.cancel(f"{QUEUE}:job-20")
    app.pause(QUEUE, reason=EVIL[:100], by=SHORT)
    app.start_operation("purge", "completed", queue=QUEUE, by=SHORT, dry_run=True)
    worker_tells(site)


def worker_tells(site: Site) -> None:
    app = site.boltq
    report_of = Report(
        *(SHORT, SHORT, 4711, SHORT, {QUEUE: 3, "other": 1}, 8),
        started_ms=app.server.now_ms() - 60_000,
        in_hand=2,
        worked=12_345,
        stuck=1,
        jobs=[ReportedJob(f"{QUEUE}:job-7", "read:it", app.server.now_ms() - 5000)],
    )
    app.server.registry.note_worker(SHORT, report_of.to_bytes(), app.server.now_ms())


def claimed(api: Api, count: int) -> list[str]:
    asked = {"queues": [QUEUE], "worker_id": EVIL[:100], "lease_seconds": 3600, "max_jobs": count}
    came = api.ask("POST", "/api/claims", {**asked, "token": TOKEN})
    return [job["id"] for job in came.json["jobs"]]


def report(api: Api, id: str, error: dict[str, str], n: int) -> None:
    if n < 3:
        told: dict[str, object] = {"token": TOKEN, "result": {"done": EVIL}}
        assert api.ask("POST", f"/api/jobs/{id}/ack", told).status == 200
    elif n < 7:
        told = {"token": TOKEN, "error": error, "final": n > 3}
        told |= {} if n > 3 else {"delay_seconds": 3600}
        assert api.ask("POST", f"/api/jobs/{id}/fail", told).status == 200


PLACES = {
    "overview": "",
    "playground": f"playground?queue={QUEUE}",
    "queues": "queues",
    "queue": f"queues/{QUEUE}",
    "jobs": "jobs",
    "a filter of jobs": f"jobs?queue={QUEUE}&state=retrying&type=read%3Ait&error={SHORT}",
    "a job that is dead": f"jobs/{QUEUE}%3Ajob-4",
    "a job that is retried": f"jobs/{QUEUE}%3Ajob-3",
    "a job that is done": f"jobs/{QUEUE}%3Ajob-0",
    "a job that runs": f"jobs/{QUEUE}%3Ajob-7",
    "a job that is later": f"jobs/{QUEUE}%3Alater",
    "a job of bytes": f"jobs/{QUEUE}%3Abytes",
    "a job that is not": "jobs/nothing",
    "dead": "dead",
    "workers": "workers",
    "operations": "operations?counts=yes",
    "settings": "settings",
    "no screen": f"{SHORT}/{SHORT}",
}
SHOWN = {  # where the harm must be to be seen, as text
    "overview": SHORT,
    "queue": EVIL[:40],
    "a filter of jobs": SHORT,
    "a job that is dead": EVIL[:60],
    "a job that is done": "script>alert(2)",
    "a job that runs": "onerror",
    "dead": SHORT,
    "workers": SHORT,
    "operations": SHORT,
}


def test_every_screen_of_the_table_is_looked_at() -> None:
    looked_at = {place.partition("?")[0].partition("/")[0] for place in PLACES.values()}
    table = (SCREENS.parent / "screens.js").read_text()
    assert set(re.findall(r'\{ name: "(\w*)".*show:', table)) <= looked_at


@pytest.mark.parametrize("name", PLACES)
def test_a_screen_shows_harm_as_text_and_is_there_for_everybody(site: Site, name: str) -> None:
    site.page.prefers(color_scheme="light", reduced_motion="reduce")
    site.opens(PLACES[name])
    site.page.until("!document.body.innerText.includes('Looking')")
    if name in SHOWN:
        site.sees(SHOWN[name])
    marks = "document.querySelectorAll('main img, main script, main iframe, [onerror]').length"
    assert site.page.run(marks) == 0
    assert site.breaches() == []
    site.page.prefers(color_scheme="dark", reduced_motion="reduce")
    assert site.breaches() == []
    site.page.sized(390, 844)
    assert site.page.run("innerWidth") == 390, "it is too wide: a phone shows it smaller"
    assert site.breaches() == []
    allowed = ["404"] if name == "a job that is not" else []
    assert [one for one in site.page.complaints if not any(a in one for a in allowed)] == []


def test_a_finger_finds_every_control_of_a_phone_and_no_table_goes_on_beside_it(site: Site) -> None:
    site.page.prefers(color_scheme="light", reduced_motion="reduce")
    site.opens(width=390, height=844)
    trouble = {}
    for name, place in PLACES.items():
        site.goes(place)
        site.page.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
        site.page.until("!document.body.innerText.includes('Looking')")
        if found := on_a_phone(site.page):
            trouble[name] = found
    site.clicks("Menu")
    site.page.until("document.querySelector('.side.open') !== null")
    trouble |= {"the menu": found} if (found := on_a_phone(site.page)) else {}
    site.opens(f"jobs?queue={QUEUE}&state=dead", width=390, height=844)
    site.page.until("document.querySelector('label.mark') !== null")
    site.page.run("document.querySelector('td label.mark').click()")
    site.clicks("The same elsewhere")
    site.page.until("document.querySelector('dialog .snippets') !== null")
    trouble |= {"a dialog": found} if (found := on_a_phone(site.page)) else {}
    assert trouble == {}


def test_a_dialog_is_there_for_everybody_and_shows_harm_as_text(site: Site) -> None:
    for theme in ("light", "dark"):
        site.page.prefers(color_scheme=theme, reduced_motion="reduce")
        site.opens(f"jobs/{QUEUE}%3Ajob-4")
        site.clicks("Edit and enqueue again")
        site.sees("A new job with an id of its own")
        assert site.breaches() == []
        site.page.key("Escape")
        site.opens(f"dead?queue={QUEUE}")
        site.clicks("Replay")
        site.sees("will be queued again")
        assert site.breaches() == []
        assert site.page.complaints == []


def test_who_cannot_see_colours_reads_the_state_and_who_uses_keys_skips_to_the_content(
    site: Site,
) -> None:
    site.opens("jobs")
    site.page.until("document.querySelector('.state.dead') !== null")
    words = site.page.run("[...document.querySelectorAll('.state')].map((one) => one.textContent)")
    assert set(words) >= {"queued", "running", "completed", "dead"}
    site.page.run("document.activeElement.blur()")
    site.page.key("Tab")
    assert site.page.run("document.activeElement.textContent") == "Skip to the content"
    site.page.key("Enter")
    assert site.page.run("document.activeElement.id") == "main"
