"""The page in other languages than English: chosen, kept, whole, for everybody, and inert."""

import gzip
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer
from test_page_screens import EVIL, LEFT, PLACES, QUEUE, SHOWN, fill, worker_tells
from test_page_words import FILES, keys, words

from boltq.api import page as pages

WORDS = FILES[0].parent
LANGUAGES = [path.stem for path in FILES]
BEGINS, ENDS = "⟦", "⟧"
DATA = [
    *(EVIL, QUEUE, LEFT, "read:it", "job-", "later", "left", "bytes", "config", "w1", "other"),
    *("list", "null", "true", "done", "nothing", "purge", "LeaseLost", "playground"),
]
"""What people wrote into the queues that are shown."""

CODE = re.compile(
    r"boltq[\w-]*|BoltQ|curl|Python|JSON|HTTP|UTC|API|KiB|MiB|min|keep_\w+|[a-z]+_[a-z_]+|GET|POST"
    r"|valkey|redis|127\.0\.0\.1|localhost|base64|admin|enqueue|read|work|English|Deutsch|Français"
    r"|Español|type|error|since|worker|queue|state|until"
)
"""What is the same in every language: commands, names of fields, units, and the languages' own."""


SAID = """(() => {
  const all = (found) => [...document.querySelectorAll(found)];
  all('.state').forEach((one) => one.removeAttribute('title'));
  all('pre, code, .mono, [lang=en]').forEach((one) => { one.style.display = 'none'; });
  const names = ['aria-label', 'title', 'placeholder'];
  const told = (one) => names.map((name) => one.getAttribute(name));
  return [document.body.innerText, document.title, ...all('*').flatMap(told)].join(' \\n');
})()"""
"""All that a person sees or hears of the page, but code and names."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def filled(page: Page, shared_servers: Callable[[str], TestServer]) -> Iterator[Site]:
    with browsed(page, shared_servers("valkey")) as site:
        fill(site)
        page.prefers(color_scheme="light", reduced_motion="reduce")
        yield site


@pytest.fixture
def site(filled: Site) -> Site:
    """A worker that tells nothing for ten minutes leaves the screens: it tells again."""
    worker_tells(filled)
    return filled


def chooses(site: Site, language: str) -> None:
    """Choose a language as a person does, and wait until the page is in it."""
    site.page.until("document.querySelector('main select[data-language]') !== null")
    site.page.run(
        "{ const one = document.querySelector('main select[data-language]');"
        f" one.value = {json.dumps(language)};"
        " one.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    site.page.until(
        f"document.documentElement?.lang === {json.dumps(language or 'en')}"
        " && document.readyState === 'complete' && document.querySelector('main h1') !== null"
    )


def speaks(site: Site, language: str, place: str = "", width: int = 1440) -> None:
    """Open the page anew where a language is chosen already."""
    site.page.goes_to(f"{site.url}healthz", width, 844)
    site.page.until("document.readyState === 'complete' && location.protocol !== 'about:'")
    kept = f"localStorage.setItem('boltq.language', JSON.stringify({json.dumps(language)}))"
    site.page.run(f"localStorage.clear(); sessionStorage.clear(); {kept}")
    site.page.goes_to(f"{site.url}#/{place}", width, 844)
    site.page.until("document.querySelector('main h1') !== null")


def another(files: Mapping[str, pages.File]) -> pages.Page:
    """The page with other files, under a version that no browser knows."""
    whole, version = pages.the_page(), secrets.token_hex(8)
    front = whole.front.replace(whole.version.encode(), version.encode())
    return whole._replace(version=version, front=front, files=files)


def test_a_language_is_chosen_kept_and_left_again(site: Site) -> None:
    site.opens("settings")
    assert site.page.run("document.documentElement.lang") == "en"
    chooses(site, "de")
    site.sees("Einstellungen")
    assert not site.shows("How this browser shows the page")
    site.goes("")
    site.sees("längste Wartezeit")
    assert site.page.run("document.title") == "Übersicht · BoltQ"
    site.goes("dead")
    site.sees("Woran sie gestorben sind")
    site.goes(f"jobs/{QUEUE}%3Ajob-4")
    site.sees("Was der Job erlebt hat")
    site.sees("Versuch 1 gescheitert")
    site.page.run("window.isOld = true; location.reload()")
    site.page.until("!window.isOld && document.body?.innerText.includes('Er ist tot')")
    assert site.page.run("document.documentElement.lang") == "de"
    assert site.page.run("document.querySelector('.state.dead').textContent") == "tot"
    assert site.page.run("document.querySelector('.state.dead').title") == "dead"
    site.goes("jobs?state=dead")
    site.sees("Alle, die passen")
    assert site.page.run("location.hash") == "#/jobs?state=dead"
    site.goes("settings")
    chooses(site, "en")
    site.sees("How this browser shows the page")
    assert site.page.complaints == []


def test_who_chose_nothing_is_spoken_to_as_the_browser_asks(site: Site) -> None:
    agent = site.page.run("navigator.userAgent")
    for asked, told in (("fr-CH,de;q=0.5", "fr"), ("xx,es-MX", "es"), ("xx-YY", "en")):
        override = {"userAgent": agent, "acceptLanguage": asked}
        site.page.call("Emulation.setUserAgentOverride", **override)
        site.opens("settings")
        assert site.page.run("document.documentElement.lang") == told
        assert site.page.run("document.querySelector('select[data-language]').value") == ""
    site.page.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage="en-US")
    site.opens("settings")
    assert site.page.run("document.documentElement.lang") == "en"


def test_nothing_is_drawn_in_english_before_the_language_has_come(site: Site) -> None:
    """All that was ever drawn is noted, from the first moment on."""
    note = (
        "window.seen = []; new MutationObserver(() => seen.push(document.body?.innerText ?? ''))"
        ".observe(document, {subtree: true, childList: true, characterData: true});"
    )
    speaks(site, "de")
    id = site.page.call("Page.addScriptToEvaluateOnNewDocument", source=note)["identifier"]
    try:
        speaks(site, "de", "settings")
        site.sees("Einstellungen")
        seen = site.page.run("seen.join(' ')")
        assert "Einstellungen" in seen
        assert "Settings" not in seen
        assert "Overview" not in seen
    finally:
        site.page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=id)


def test_without_the_file_of_its_language_the_page_is_english(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: file for name, file in pages.the_page().files.items() if name != "words/de.js"}
    other = another(files)
    monkeypatch.setattr(pages, "the_page", lambda: other)
    speaks(site, "de", "settings")
    site.sees("How this browser shows the page")
    assert site.page.run("document.documentElement.lang") == "en"
    assert site.page.run("document.querySelector('select[data-language]').value") == "de"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_shows_each_screen_whole_and_harm_as_text(site: Site, language: str) -> None:
    trouble: dict[str, Any] = {}
    speaks(site, language, width=390)
    looking = json.dumps(words(WORDS / f"{language}.js")["Looking"])
    for name, place in PLACES.items():
        site.goes(place)
        site.page.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
        opens = "document.querySelectorAll('details.types > summary')"
        site.page.run(f"{opens}.forEach((one) => one.click())")
        site.page.until(f"document.querySelector('main')?.innerText.includes({looking}) === false")
        if name in SHOWN:
            site.sees(SHOWN[name])
        marks = "document.querySelectorAll('main img, main script, [onerror]').length"
        assert site.page.run(marks) == 0, name
        told = site.page.run(
            "(() => { const root = document.documentElement; return [innerWidth,"
            " root.scrollWidth - root.clientWidth, ...[...document.querySelectorAll("
            "'main h1, main h2, main button, main .label, main .tag, main .state, main .scroll,"
            " .side a')]"
            ".filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1"
            " && getComputedStyle(one).overflowX !== 'visible')"
            ".map((one) => one.textContent)]; })()"
        )
        if told != [390, 0]:
            trouble[name] = told
        if language == "de" and (found := site.breaches()):
            trouble[f"axe: {name}"] = found
    assert trouble == {}
    assert site.page.run("document.documentElement.lang") == language


@pytest.fixture
def marked(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The page with a German whose every text stands between brackets."""
    told = {
        key: between(key) if one is None else {"one": between(one), "other": between(key)}
        for key, one in keys().items()
    }
    files = pages.the_page().files
    text = f"export default {json.dumps(told)};".encode()
    file = files["words/de.js"]._replace(content=text, packed=gzip.compress(text))
    other = another({**files, "words/de.js": file})
    monkeypatch.setattr(pages, "the_page", lambda: other)
    return site


def between(text: str) -> str:
    return f"{BEGINS}{text}{ENDS}"


def outside(text: str) -> str:
    """What stands between no brackets."""
    depth, kept = 0, []
    for letter in text:
        depth += (letter == BEGINS) - (letter == ENDS)
        kept.append(letter if depth == 0 and letter != ENDS else " ")
    return "".join(kept)


@pytest.mark.parametrize("name", PLACES)
def test_no_screen_says_something_that_has_no_language(marked: Site, name: str) -> None:
    speaks(marked, "de", PLACES[name])
    marked.page.until(f"!document.body.innerText.includes({json.dumps(between('Looking'))})")
    told = marked.page.run(SAID)
    assert BEGINS in told
    rest = outside(told)
    rest = re.sub(r"\d{14}-[a-z0-9]{13}", " ", rest)
    for data in DATA:
        rest = rest.replace(data, " ")
    rest = re.sub(r"<img src=x onerror=alert\(1\)>|\w*alert\w*|onerror|script|img", " ", rest)
    rest = CODE.sub(" ", rest)
    assert re.findall(r"[^\W\d_]{3,}[^\n]{0,40}", rest) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_the_document_speaks_it_and_what_the_document_says_is_english(
    site: Site, language: str
) -> None:
    speaks(site, language)
    site.page.goes_to(f"{site.url}api/docs#enqueue", 390, 844)
    site.page.until("document.querySelector('#enqueue[open] .try') !== null")
    told = words(WORDS / f"{language}.js")
    shown = site.page.run("document.body.textContent")
    for key in ("Parameters", "Answers", "Refusals", "Try it", "Copy the curl line", "required"):
        assert told[key] in shown
    assert site.page.run("document.documentElement.lang") == language
    assert site.page.run("document.querySelector('#enqueue .what').lang") == "en"
    assert site.page.run("document.querySelector('#enqueue .inside').lang") == language
    assert site.page.run("innerWidth >= document.documentElement.scrollWidth")
    assert site.breaches() == []
    assert site.page.complaints == []
