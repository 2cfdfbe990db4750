"""The page of the OpenAPI document, in a browser."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from api_served import Api, served
from chromium import PROGRAM, Page, opened
from servers import TestServer
from touched import on_a_phone

from boltq.address import parse
from boltq.evalsha import Server


@pytest.fixture(scope="module")
def api(shared_servers: Callable[[str], TestServer]) -> Iterator[Api]:
    address = parse(shared_servers("valkey").address)
    own = Server(address, prefix=f"page-{secrets.token_hex(6)}")
    with served(own, threads=2, callers=1) as api:
        yield api
    own.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if PROGRAM is None:
        pytest.skip("Chromium is not here, so nobody looks at the page (Debian: chromium)")
    with opened(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(params=[1440, 390])
def shown(api: Api, browser: Page, request: pytest.FixtureRequest) -> Page:
    url = f"http://127.0.0.1:{api.serving.port}/api/docs#enqueue"
    browser.goes_to(url, request.param)
    browser.until("document.querySelector('#enqueue[open] .send') !== null")
    return browser


def test_an_example_is_sent_from_the_page_and_its_answer_shown(shown: Page, api: Api) -> None:
    described = shown.run("document.querySelectorAll('.operation').length")
    document = api.ask("GET", "/api/openapi.json").json
    assert described == sum(len(each) for each in document["paths"].values())
    secret = "a key <b>of</b> the page"
    shown.run("document.getElementById('key').focus()")
    shown.call("Input.insertText", text=secret)
    assert "$BOLTQ_KEY" in shown.run("document.querySelector('#enqueue .try > pre').textContent")
    assert secret not in shown.run("document.body.innerText")
    shown.run("document.querySelector('#enqueue .send').focus()")
    shown.key("Enter")
    shown.until("document.querySelector('#enqueue .came')?.children.length > 1")
    came = shown.run("document.querySelector('#enqueue .came').innerText")
    assert came.startswith(("202", "200"))
    assert "location: /api/jobs/mail:welcome-8" in came
    assert api.ask("GET", "/api/jobs/mail:welcome-8").json["type"] == "email"
    assert shown.run("document.documentElement.scrollWidth <= innerWidth")
    assert shown.complaints == []


def test_an_answer_is_shown_in_the_letters_in_which_it_came(shown: Page, api: Api) -> None:
    payload = b'{"a":1.0,"b":[90071992547409931,[],{}],"c":"{\\"x\\": [1,2]}","d":1e400,"e":""}'
    body = b'{"type":"exact","id":"exact","payload":%b}' % payload
    assert api.ask("POST", "/api/jobs", body).status in (200, 202)
    shown.run("location.hash = '#job'")
    shown.until("document.querySelector('#job[open] form') !== null")
    shown.run("document.querySelector('#job .try input').value = 'exact'")
    shown.run("document.querySelector('#job .send').click()")
    shown.until("document.querySelector('#job .came')?.children.length > 1")
    came = str(shown.run("document.querySelector('#job .came').lastChild.textContent"))
    whole = api.ask("GET", "/api/jobs/exact").body.decode()
    assert "".join(came.split()) == "".join(whole.split())
    assert '  "a": 1.0,' in came


def test_the_keyboard_alone_opens_an_operation(shown: Page) -> None:
    shown.run("document.querySelector('#job > summary').focus()")
    shown.key("Enter")
    shown.until("document.querySelector('#job[open] form') !== null")
    for _ in range(40):
        shown.key("Tab")
        if shown.run("document.activeElement.textContent === 'Send'"):
            break
    shown.key("Enter")
    shown.until("document.querySelector('#job .came')?.children.length > 1")
    assert shown.run("document.querySelector('#job .came').innerText").startswith("404")


def test_a_finger_finds_every_control_of_a_phone(shown: Page) -> None:
    shown.sized(390, 844)
    shown.run(
        "document.querySelectorAll('#enqueue details').forEach((one) => { one.open = true; })"
    )
    shown.until("document.querySelector('#enqueue .try details input')?.checkVisibility()")
    assert on_a_phone(shown) == []


def test_every_operation_opens_with_a_request_that_is_whole(shown: Page) -> None:
    shown.run("document.querySelectorAll('.operation').forEach((each) => { each.open = true; })")
    shown.until("document.querySelectorAll('.operation .try').length > 20")
    shown.until(
        "document.querySelectorAll('.operation').length === "
        "document.querySelectorAll('.operation .try').length"
    )
    lines = shown.run("[...document.querySelectorAll('.try > pre')].map((e) => e.textContent)")
    assert not [line for line in lines if "{id}" in line or "undefined" in line]
    assert shown.run("document.documentElement.scrollWidth <= innerWidth")
    assert shown.complaints == []
