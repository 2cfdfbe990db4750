"""How the page looks at the server: one at a time, never unseen, and on again after trouble."""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer, process_server, until

from boltq.api import page as pages
from boltq.newjob import NewJob
from boltq.settings import Settings

QUEUE = "mail"
SECRET = "a-secret-that-nobody-guesses"
MINUTES = float(os.environ.get("TEST_PAGE_MINUTES", "0"))
"""How long a tab is kept open, to see whether it grows; 0 is a quarter of a minute."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def site(page: Page, shared_servers: Callable[[str], TestServer]) -> Iterator[Site]:
    with browsed(page, shared_servers("valkey")) as site:
        site.boltq.enqueue("send", queue=QUEUE)
        yield site


class Broken(dict[str, pages.File]):
    """The files of the page, of which one is not had so many times."""

    def __init__(self, name: str, times: int) -> None:
        super().__init__(pages.the_page().files)
        self.name, self.left = name, times

    def get(self, name: str, otherwise: Any = None) -> Any:
        if name == self.name and self.left > 0:
            self.left -= 1
            return otherwise
        return super().get(name, otherwise)


@pytest.mark.parametrize(
    ("place", "name", "there"),
    [
        ("#/jobs", "poll.js", "main h1"),
        ("#/jobs", "page.css", "main h1"),
        ("api/docs", "words.js", ".operation"),
    ],
)
def test_a_page_of_which_a_part_does_not_come_is_loaded_anew_until_it_is_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch, place: str, name: str, there: str
) -> None:
    page = site.page
    files = Broken(name, 2)
    # Under a version of its own: the browser keeps what has come before.
    whole = pages.the_page()
    version = secrets.token_hex(8)
    front, docs = (
        text.replace(whole.version.encode(), version.encode()) for text in (whole.front, whole.docs)
    )
    broken = pages.Page(version, front, docs, files)
    monkeypatch.setattr(pages, "the_page", lambda: broken)
    page.goes_to(f"{site.url}{place}")
    until(lambda: files.left == 0)
    page.until(f"document.querySelector('{there}') !== null")
    page.until("sessionStorage.getItem('boltq.loaded') === null")
    styles = "[...document.querySelectorAll('link[rel=stylesheet]')]"
    assert page.run(f"{styles}.every((one) => one.sheet !== null)")


class Between:
    """A proxy before the API that is as slow as told, and notes when each request came and went."""

    def __init__(self, site: Site) -> None:
        self.delay_seconds = 0.0
        self.spans: list[tuple[str, float, float]] = []
        self.now = 0
        self.most = 0
        lock = threading.Lock()
        between = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                began = time.monotonic()
                is_counted = "/api/overview" in self.path
                with lock:
                    between.now += is_counted
                    between.most = max(between.most, between.now)
                if is_counted:
                    between.waits()
                told = {
                    name: self.headers[name]
                    for name in ("Accept", "If-None-Match")
                    if self.headers[name]
                }
                request = Request(site.url.rstrip("/") + self.path, headers=told)
                try:
                    with urlopen(request, timeout=10) as came:
                        status, headers, body = came.status, came.headers, came.read()
                except HTTPError as refused:  # a 304, too, is one to urllib
                    status, headers, body = refused.code, refused.headers, b""
                with lock:
                    between.now -= is_counted
                    between.spans.append((self.path, began, time.monotonic()))
                self.send_response(status)
                for name in ("Content-Type", "ETag"):
                    if headers[name]:
                        self.send_header(name, headers[name])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def waits(self) -> None:
        self._over.wait(self.delay_seconds)

    def overviews(self) -> list[tuple[float, float]]:
        return [(began, ended) for path, began, ended in self.spans if "overview" in path]

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def between(site: Site) -> Iterator[Between]:
    one = Between(site)
    yield one
    site.page.call("Page.navigate", url="about:blank")
    one.close()


COUNTS = (
    "window.looks = 0; { const asks = fetch; window.fetch = (path, ...told) => {"
    " looks += path.endsWith('/api/overview'); return asks(path, ...told); }; }"
)


def looks(page: Page) -> int:
    """How often the page has asked: what is on its way to a slow server is counted, too."""
    return int(page.run("looks"))


def quickened(page: Page, between: Between) -> None:
    """Open the page, which looks ten times a second."""
    page.goes_to(f"{between.url}healthz")
    page.until("document.readyState === 'complete' && location.protocol !== 'about:'")
    page.run("localStorage.setItem('boltq.every', '0.1')")
    page.goes_to(f"{between.url}#/")
    page.until("document.body?.innerText.includes('live')")
    page.run(COUNTS)
    until(lambda: looks(page) >= 2)


def lasts(page: Page) -> None:
    """Let so much time go by that a page which looks has looked."""
    page.run("new Promise((done) => setTimeout(done, 700))")


def test_a_slow_server_never_has_two_looks_of_one_tab_at_a_time(
    page: Page, between: Between
) -> None:
    between.delay_seconds = 1.2
    page.goes_to(f"{between.url}#/")
    until(lambda: len(between.overviews()) >= 2)
    for _ in range(20):  # as who comes back to a tab again and again
        page.run("document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: len(between.overviews()) >= 4)
    assert between.most == 1
    assert all(ended <= began for (_, ended), (began, _) in pairwise(between.overviews()))


def test_a_tab_that_nobody_sees_does_not_look_and_looks_at_once_when_it_is_seen(
    page: Page, between: Between
) -> None:
    quickened(page, between)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    page.run(f"{hide % 'true'}; document.dispatchEvent(new Event('visibilitychange'))")
    seen = looks(page)
    lasts(page)
    assert looks(page) == seen
    page.run(f"{hide % 'false'}; document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: looks(page) > seen)


def test_a_page_that_stands_still_does_not_look_even_when_it_is_come_back_to(
    page: Page, between: Between
) -> None:
    quickened(page, between)
    page.key(".")
    page.until("document.body.innerText.includes('stands still')")
    seen = looks(page)
    page.run("document.dispatchEvent(new Event('visibilitychange'))")
    lasts(page)
    assert looks(page) == seen
    page.key(".")
    until(lambda: looks(page) > seen)


def test_when_the_server_is_away_the_page_says_why_and_goes_on_by_itself(page: Page) -> None:
    with process_server("valkey", persistent=True) as server, browsed(page, server) as site:
        site.boltq.enqueue("send", queue=QUEUE)
        site.opens()
        site.sees("longest wait")
        assert server.embedded
        server.embedded.kill()
        site.sees("it goes on by itself", 25)
        assert site.shows(QUEUE)
        server.embedded.start()
        until(lambda: not site.shows("it goes on by itself"), 25)


@pytest.fixture
def guarded(page: Page, shared_servers: Callable[[str], TestServer]) -> Iterator[Site]:
    keys = f"reader:read:{SECRET}-read,ops:admin:{SECRET}-admin"
    with browsed(page, shared_servers("valkey"), settings=Settings(api_keys=keys)) as site:
        site.boltq.enqueue("send", queue=QUEUE, id="one", delay_seconds=3600)
        yield site


def test_a_key_is_asked_for_and_what_it_may_not_do_is_not_offered_nor_done(guarded: Site) -> None:
    guarded.page.goes_to(f"{guarded.url}#/")
    guarded.sees("This BoltQ asks for a key")
    assert not guarded.shows(QUEUE)
    guarded.writes("Secret", "not-a-key-of-this-api")
    guarded.clicks("Use it")
    guarded.sees("The key that you gave is not known here")
    guarded.writes("Secret", f"{SECRET}-read")
    guarded.clicks("Use it")
    guarded.sees("read only")
    guarded.goes(f"jobs/{QUEUE}%3Aone")
    guarded.sees("It is due in")
    offered = (
        "[...document.querySelectorAll('main .actions button')].filter((one) => !one.disabled)"
    )
    assert guarded.page.run(f"{offered}.length") == 0
    # Whoever takes the bars off the button is refused by the server.
    guarded.page.run(
        "(() => { const one = [...document.querySelectorAll('main .actions button')]"
        ".find((each) => each.textContent === 'Run now'); one.disabled = false; one.click(); })()"
    )
    guarded.sees("it needs the scope admin")
    assert guarded.boltq.get(f"{QUEUE}:one").state == "scheduled"
    assert guarded.page.run("localStorage.length && JSON.stringify(localStorage)").find(SECRET) < 0
    assert SECRET not in guarded.page.run("document.body.innerHTML")


@pytest.mark.parametrize("name", ["production", "Prüfstand <b>of</b> the third floor, West 1"])
def test_what_runs_here_is_named_on_the_page_and_in_its_tab(
    page: Page, shared_servers: Callable[[str], TestServer], name: str
) -> None:
    settings = Settings(environment=name)
    with browsed(page, shared_servers("valkey"), settings=settings) as site:
        for width, place in ((1440, ".side .place"), (390, ".top .place")):
            site.opens("queues", width)
            page.until(f"document.querySelector('{place}')?.checkVisibility()")
            shown = page.run(f"document.querySelector('{place}').textContent")
            assert shown == f"environment {name}"
            assert page.run("document.title") == f"[{name}] Queues · BoltQ"
            assert page.run("innerWidth") == width
            assert site.breaches() == []
        page.prefers(color_scheme="dark")
        assert site.breaches() == []
        page.prefers(color_scheme="light")


AWAY_AT_FIRST = (
    "{ const asks = fetch; let left = 1; window.fetch = (path, told) =>"
    " (told?.headers?.Accept === 'application/json' && left-- > 0"
    " ? Promise.reject(new TypeError('away')) : asks(path, told)); }"
)


def test_what_runs_here_is_named_also_where_it_was_not_heard_at_first(
    page: Page, shared_servers: Callable[[str], TestServer]
) -> None:
    settings = Settings(environment="production")
    with browsed(page, shared_servers("valkey"), settings=settings) as site:
        script = page.call("Page.addScriptToEvaluateOnNewDocument", source=AWAY_AT_FIRST)
        try:
            site.opens("queues")
            page.until("document.querySelector('.place')?.textContent.endsWith('production')")
        finally:
            page.call("Page.removeScriptToEvaluateOnNewDocument", **script)


def test_what_nobody_is_to_see_is_not_on_the_page_and_such_a_job_is_not_edited(
    page: Page, shared_servers: Callable[[str], TestServer]
) -> None:
    settings = Settings(redact=("password",))
    with browsed(page, shared_servers("valkey"), settings=settings) as site:
        for name, payload in (("hers", {"to": "Ada", "Password": SECRET}), ("his", {"to": "Bo"})):
            site.boltq.enqueue("send", payload, queue=QUEUE, id=name)
        edit = (
            "[...document.querySelectorAll('button')]"
            ".find((one) => one.textContent === 'Edit and enqueue again').disabled"
        )
        site.opens(f"jobs/{QUEUE}%3Ahers")
        site.sees("Parts of it are shown to nobody")
        assert site.shows('"Password": "[redacted]"')
        assert page.run(edit)
        assert SECRET not in page.run("document.documentElement.outerHTML")
        assert site.breaches() == []
        site.opens(f"jobs/{QUEUE}%3Ahis")
        site.sees('"to": "Bo"')
        assert not page.run(edit)
        assert not site.shows("Parts of it are shown to nobody")
        site.opens(f"jobs?text={SECRET[:4]}")
        site.sees("No such jobs")


def test_where_nothing_says_what_runs_here_nothing_is_named(page: Page, site: Site) -> None:
    site.opens("queues")
    site.sees("live")
    assert page.run("document.querySelector('.place')") is None
    assert page.run("document.title") == "Queues · BoltQ"


def test_the_key_of_who_may_everything_is_kept_for_the_tab(guarded: Site) -> None:
    guarded.page.goes_to(f"{guarded.url}#/")
    guarded.writes("Secret", f"{SECRET}-admin")
    guarded.clicks("Use it")
    guarded.sees("longest wait")
    guarded.page.goes_to(f"{guarded.url}#/jobs/{QUEUE}%3Aone")
    guarded.clicks("Run now")
    until(lambda: guarded.boltq.get(f"{QUEUE}:one").state == "queued")


@pytest.mark.timeout(90 + 60 * MINUTES)
def test_a_tab_that_stays_open_does_not_grow(
    page: Page, shared_servers: Callable[[str], TestServer]
) -> None:
    """TEST_PAGE_MINUTES=10 keeps it open for so long."""
    with browsed(page, shared_servers("valkey"), queues=("playground",)) as site:
        site.opens("playground?queue=playground")
        site.page.run("localStorage.setItem('boltq.every', '1')")
        site.page.goes_to(f"{site.url}#/playground?queue=playground")
        site.sees("A job that")
        places = ("", "playground?queue=playground", "jobs", "queues/playground", "dead", "workers")
        end = time.monotonic() + max(15.0, 60 * MINUTES)
        heaps, nodes = [], []
        while time.monotonic() < end or len(heaps) < 3:
            for place in places:
                site.boltq.enqueue_many((NewJob("echo", n) for n in range(5)), queue="playground")
                site.boltq.enqueue("fail", {"times": 9}, queue="playground", max_attempts=1)
                site.goes(place)
                site.page.run("new Promise((done) => setTimeout(done, 400))")
            heaps.append(site.page.heap_bytes())
            nodes.append(int(site.page.run("document.querySelectorAll('*').length")))
        print(f"heap of the page, each round: {[f'{one / 1e6:.1f} MB' for one in heaps]}")
        # What it keeps of the past is bounded: some 1 KB a look, 900 of them.
        assert heaps[-1] < heaps[1] + 3_000_000
        assert nodes[-1] < 3000
        assert site.page.complaints == []
