"""The page in a browser, over a real API, a real server and, where asked for, a real worker.

with browsed(browser, server) as site:
    site.opens("jobs?state=dead", width=390)
    site.clicks("Replay")                   the button, link or summary of that text
    site.sees("It is queued again")         until that text is on the page
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from api_served import Api, served
from chromium import PROGRAM, Page, opened
from servers import TestServer, missing, until

from boltq.address import parse
from boltq.client import BoltQ
from boltq.evalsha import Server
from boltq.settings import Settings
from boltq.worker import Worker, builtin

AXE = Path(__file__).parent / "axe/axe.min.js"

_FINDS = """
  (wanted) => [...document.querySelectorAll(
    'dialog[open] button, dialog[open] a, dialog[open] label, dialog[open] summary'
    + (document.querySelector('dialog[open]') ? '' : ', button, a, label, summary')
  )].find((one) => (one.textContent.trim() === wanted || one.getAttribute('aria-label') === wanted)
    && !one.disabled && one.checkVisibility())
"""

_WHOLE = (
    "document.querySelector('main h1') !== null && document.readyState === 'complete'"
    " && sessionStorage.getItem('boltq.loaded') === null"
)
"""A page of which a part did not come loads anew, and tells so until it has all."""


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser, or no test where there is none."""
    if PROGRAM is None:
        missing("chromium, so nobody looks at the page (Debian: chromium)")
    with opened(folder) as page:
        yield page


class Site:
    """The page over one API with queues that nobody else has."""

    def __init__(self, page: Page, api: Api, boltq: BoltQ) -> None:
        self.page, self.api, self.boltq = page, api, boltq
        self.url = f"http://127.0.0.1:{api.serving.port}/"

    def opens(self, place: str = "", width: int = 1440, height: int = 1000) -> None:
        """Load the page anew, with nothing kept from before, at a screen."""
        self.page.goes_to(f"{self.url}healthz", width, height)
        self.page.until("document.readyState === 'complete' && location.protocol !== 'about:'")
        self.page.run("localStorage.clear(); sessionStorage.clear()")
        self.page.goes_to(f"{self.url}#/{place}", width, height)
        self.page.until(_WHOLE)

    def goes(self, place: str) -> None:
        """Go on to another screen of the page that is open."""
        self.page.run(f"location.hash = {json.dumps('#/' + place)}")

    def sees(self, text: str, seconds: float = 20.0) -> None:
        """Wait until a text is to be seen."""
        until(lambda: self.shows(text), seconds)

    def shows(self, text: str) -> bool:
        """Whether a text is to be seen now."""
        return self.page.holds(f"document.body?.innerText.includes({json.dumps(text)})")

    def clicks(self, text: str) -> None:
        """Click what has just this text, once it is there and may be clicked."""
        self.page.until(f"({_FINDS})({json.dumps(text)}) !== undefined")
        self.page.run(f"({_FINDS})({json.dumps(text)}).click()")

    def writes(self, label: str, text: str) -> None:
        """Write into the field of a label, in place of what is there."""
        find = (
            "[...document.querySelectorAll('input, textarea')].find((one) => "
            "(one.getAttribute('aria-label') ?? one.closest('label')?.querySelector('.label')"
            f"?.textContent ?? '').startsWith({json.dumps(label)}) && one.checkVisibility())"
        )
        self.page.until(f"{find} !== undefined")
        self.page.run(f"{find}.focus(); {find}.select()")
        self.page.call("Input.insertText", text=text)

    def chooses(self, label: str, value: str) -> None:
        """Choose of a list, which has a label or stands in one."""
        find = (
            "[...document.querySelectorAll('select')].find((one) => (one.getAttribute('aria-label')"
            f" ?? one.closest('label')?.textContent ?? '').startsWith({json.dumps(label)}))"
        )
        self.page.until(f"{find} !== undefined && !{find}.disabled")
        change = f"value = {json.dumps(value)}"
        event = "new Event('change', {bubbles: true})"
        self.page.run(f"{{ const one = {find}; one.{change}; one.dispatchEvent({event}); }}")

    def runs(self, kind: str, written: str) -> str:
        """Run what was copied as curl, Python or boltq where the server is; returns its output."""
        environ = {
            "PATH": f"{sys.exec_prefix}/bin:/usr/bin:/bin",
            "REDIS_ADDR": self.boltq.server.address.shown,
            "BOLTQ_PREFIX": self.boltq.server.prefix,
        }
        command = [sys.executable, "-c", written]
        if kind != "Python":
            command = ["sh", "-c", written.replace("curl ", "curl -s ", 1)]
        return subprocess.check_output(command, env=environ, timeout=40).decode()

    def breaches(self) -> list[str]:
        """What axe finds wrong with what is shown now."""
        self.page.run(f"window.axe === undefined && (0, eval)({json.dumps(AXE.read_text())})")
        found = self.page.run(
            "axe.run(document, {resultTypes: ['violations']}).then((told) => told.violations.map("
            "(one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 160) + ' '"
            " + (node.any[0]?.message ?? '')).slice(0, 3).join(' | ')))"
        )
        return [str(one) for one in found]


@contextmanager
def browsed(
    page: Page,
    server: TestServer,
    *,
    queues: tuple[str, ...] = (),
    settings: Settings | None = None,
) -> Iterator[Site]:
    """A site over queues of its own; `queues` have a worker of the built-in types."""
    with ExitStack() as stack:
        own = Server(parse(server.address), prefix=f"page-{secrets.token_hex(6)}")
        stack.callback(own.close)
        api = stack.enter_context(served(own, threads=4, callers=1, settings=settings, drives=True))
        boltq = BoltQ(own.address.shown, prefix=own.prefix)
        boltq.server = own
        if queues:
            handlers = builtin.handlers(Settings())
            worker = Worker(own, handlers, queues=list(queues), threads=2, worker_id="w1")
            worker.start()
            stack.callback(worker.stop, grace_seconds=0)
        yield Site(page, api, boltq)
        # What is open goes on asking: an API that ends would wait for it.
        page.call("Page.navigate", url="about:blank")
