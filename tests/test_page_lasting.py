"""What other pages got wrong: ghosts, lost history, names in links, large payloads, plain HTTP."""

import json
import secrets
from collections.abc import Callable, Iterator

import pytest
from api_served import served
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer, until

from boltq import ids
from boltq.presence import Report

QUEUE = "odd.queue_-1"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def site(page: Page, shared_servers: Callable[[str], TestServer]) -> Iterator[Site]:
    with browsed(page, shared_servers("redis")) as site:
        yield site


def heard_of(site: Site, worker: str, seconds_ago: float) -> None:
    """Let a worker have told of itself, and then no more."""
    now = site.boltq.server.now_ms()
    report = Report(worker, "host", 4711, "1", {QUEUE: 1}, 8, started_ms=now - 900_000)
    at_ms = now - round(seconds_ago * 1000)
    site.boltq.server.registry.note_worker(worker, report.to_bytes(), at_ms)


def workers_of_metrics(site: Site) -> int:
    lines = site.api.ask("GET", "/metrics").body.decode().splitlines()
    (count,) = [line for line in lines if line.startswith("boltq_workers ")]
    return int(float(count.split()[1]))


def test_a_worker_that_was_killed_leaves_the_page_and_the_metrics_in_its_time(site: Site) -> None:
    site.boltq.enqueue("send", queue=QUEUE)
    heard_of(site, "lives", 1)
    heard_of(site, "killed", 1)
    site.opens("workers")
    site.sees("2 workers, 0 of 16 threads busy")
    assert workers_of_metrics(site) == 2
    heard_of(site, "lives", 1)  # anew, for 30 s may be over soon
    heard_of(site, "killed", 31)
    site.sees("1 worker, 0 of 8 threads busy")
    row = "[...document.querySelectorAll('tr')].find((one) => one.innerText.includes('killed'))"
    site.page.until(f"{row}?.innerText.includes('gone')")
    assert not site.page.run(f"{row}.querySelector('button')")
    until(lambda: workers_of_metrics(site) == 1)
    heard_of(site, "killed", 601)  # and nobody tells of itself later, who would take it out
    site.page.until(f"{row} === undefined")
    assert site.shows("lives")


def failed(site: Site, id: str) -> None:
    site.boltq.enqueue("send", queue=QUEUE, id=id, max_attempts=1)
    token = ids.new_token()
    claim = {"queues": [QUEUE], "token": token, "worker_id": "web-1"}
    (job,) = site.api.ask("POST", "/api/claims", claim).json["jobs"]
    told = {"token": token, "error": {"type": "Timeout", "message": "too late"}}
    assert site.api.ask("POST", f"/api/jobs/{job['id']}/fail", told).status == 200


def test_an_api_that_starts_anew_has_lost_no_history(page: Page, site: Site) -> None:
    failed(site, "first")
    site.boltq.replay(f"{QUEUE}:first")
    begun = site.boltq.start_operation("cancel", "queued", queue=QUEUE)
    assert list(site.boltq.run_operation(begun.id))[-1].done == 1
    failed(site, "second")
    registry = site.boltq.server.registry
    # As if it was heard of later: both looks may take longer than the 30 s until it is gone.
    written = registry.report_of("web-1")
    assert written
    registry.note_worker("web-1", written, site.boltq.server.now_ms() + 60_000)

    def seen(at: Site) -> list[str]:
        told = []
        for place, *texts in (
            (f"jobs/{QUEUE}%3Asecond", "attempt 1 failed"),
            (f"jobs/{QUEUE}%3Afirst", "attempt 1 failed"),
            ("dead", "too late"),
            ("operations", "Cancel"),
            (f"queues/{QUEUE}", "Since its beginning", "web-1"),
        ):
            at.opens(place)
            for text in texts:
                at.sees(text)
            at.page.key("u")
            at.page.until("!document.body.innerText.includes('Looking')")
            marks = "td, dd, .what, .error, .operation b, .operation .tag"
            told += at.page.run(
                f"[...document.querySelectorAll('main :is({marks})')].map((e) => e.textContent)"
                ".filter((one) => !/ago|\\\\bin |second/.test(one))"
            )
        at.clicks("hour")
        label = "document.querySelector('.plot').getAttribute('aria-label')"
        at.page.until(f"{label}.startsWith('came 3, ')")
        return [*map(str, told), str(at.page.run(label))]

    before = seen(site)
    page.call("Page.navigate", url="about:blank")
    with served(site.boltq.server, threads=4, callers=1) as anew:
        assert anew.serving.port != site.api.serving.port
        assert seen(Site(page, anew, site.boltq)) == before
        page.call("Page.navigate", url="about:blank")
    assert len(before) > 30


PLACES = ("", "queues", "jobs", "dead", "workers", "operations", f"jobs/{QUEUE}%3Aa.b-_")


def test_a_name_of_dots_and_dashes_is_whole_in_every_link(site: Site) -> None:
    failed(site, "a.b-_")
    site.boltq.start_operation("replay", "dead", queue=QUEUE, dry_run=True)
    site.boltq.start_operation("cancel", "queued", queue=QUEUE)
    heard_of(site, "w.1-_", 1)
    links: set[str] = set()
    for place in PLACES:
        site.opens(place)
        site.page.until("!document.body.innerText.includes('Looking')")
        site.sees(QUEUE)
        links |= set(site.page.run("[...document.querySelectorAll('main a')].map((e) => e.hash)"))
    ours = {link for link in links if QUEUE in link}
    assert {f"#/queues/{QUEUE}", f"#/dead?queue={QUEUE}", f"#/jobs/{QUEUE}%3Aa.b-_"} <= ours
    for link in ours:
        site.goes(link.removeprefix("#/"))
        site.page.until(f"location.hash === {json.dumps(link)}")
        site.page.until("!document.body.innerText.includes('Looking')")
        site.sees(QUEUE)
        assert not site.shows("Nobody has used such a queue")
        assert not site.shows("Nothing is kept of such a job")
    assert site.page.complaints == []


@pytest.mark.parametrize("name", ["a/b.c d?%", "../../api", "<img src=x onerror=alert(1)>", "%"])
def test_an_address_with_a_name_that_no_queue_has_is_told_so(site: Site, name: str) -> None:
    for screen in ("queues", "jobs"):
        site.opens()
        site.page.run(f"location.hash = '#/{screen}/' + encodeURIComponent({json.dumps(name)})")
        said = "document.querySelector('main .empty, main .problem')?.innerText ?? 'Looking'"
        site.page.until(f"!({said}).includes('Looking')")
        assert name in site.page.run("document.querySelector('main').innerText")
        assert site.page.run("document.querySelectorAll('main img').length") == 0
    assert [one for one in site.page.complaints if "status of 4" not in one] == []


def test_what_is_copied_over_plain_http_from_another_name_is_copied(page: Page, site: Site) -> None:
    site.boltq.enqueue("exact", raw=b"null", queue=QUEUE, id="copied")
    port = site.api.serving.port
    page.goes_to(f"http://boltq.test:{port}/#/jobs/{QUEUE}%3Acopied")
    button = "document.querySelector('[aria-label=\"Copy the id\"]')"
    page.until(f"{button} !== null")
    assert page.run("[isSecureContext, typeof navigator.clipboard]") == [False, "undefined"]
    page.run(
        "document.addEventListener('copy', () => { window.copied = getSelection().toString()"
        " || document.activeElement.value; })"
    )
    page.run(f"{button}.focus()")
    page.key("Enter")
    page.until("window.copied !== undefined")
    assert page.run("window.copied") == f"{QUEUE}:copied"


def test_five_megabytes_of_payload_are_in_no_list_and_the_tab_stays_small(site: Site) -> None:
    site.boltq.configure(QUEUE, payload_bytes=6_000_000)
    rows = [{"id": n, "name": secrets.token_hex(20)} for n in range(80_000)]
    written = json.dumps(rows).encode()
    assert 5_000_000 < len(written) < 6_000_000
    site.boltq.enqueue("huge", raw=written, queue=QUEUE, id="huge")
    for n in range(5):
        site.boltq.enqueue("large", raw=json.dumps("x" * 2**20).encode(), queue=QUEUE, id=f"l{n}")
    answer = site.api.ask("GET", f"/api/jobs?queue={QUEUE}")
    assert len(answer.json["jobs"]) == 6
    assert len(answer.body) < 2000 * 6
    site.opens("jobs")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 6")
    in_list = site.page.heap_bytes()
    site.goes(f"jobs/{QUEUE}%3Ahuge")
    site.sees("The first 11.7 KiB of")
    in_job = site.page.heap_bytes()
    site.goes("jobs")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 6")
    after = site.page.heap_bytes()
    assert in_list < 20_000_000
    assert in_job < 100_000_000
    assert after < in_list + 10_000_000
