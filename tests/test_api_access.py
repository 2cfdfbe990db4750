"""Who may do what: each route with each key, each method, each name, and how often."""

import socket
from collections.abc import Iterator

import pytest
from falcon.testing import Result, TestClient

from boltq.api import rate as rates
from boltq.api import routes
from boltq.api.access import Access
from boltq.api.app import create_app
from boltq.api.keys import GRANTS
from boltq.api.problems import MEDIA_TYPE
from boltq.api.rate import Rate
from boltq.client import BoltQ
from boltq.errors import BadSetting
from boltq.settings import Settings

SECRETS = {scope: f"{scope}-0123456789abcdef" for scope in GRANTS}
KEYS = ",".join(f"the-{scope}:{scope}:{secret}" for scope, secret in SECRETS.items())
BOLTQ = BoltQ("127.0.0.1:1", patience_seconds=0.0)
ROUTES = routes.table(BOLTQ)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
LOCAL = {"Host": "localhost"}

pytestmark = pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")


def client(**told: object) -> TestClient:
    return TestClient(create_app(BOLTQ, Settings(**told)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guarded() -> Iterator[TestClient]:
    return client(api_keys=KEYS)


def ask(http: TestClient, method: str, path: str, secret: str | None = None, **more: str) -> Result:
    """Ask as whoever has a secret; Redis is away, so that what is let through is refused later."""
    headers = LOCAL | more
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    return http.simulate_request(method, path.replace("{", "").replace("}", ""), headers=headers)


def needed(route: routes.Route, method: str) -> str | None:
    """The scope of a method; "" where the path has no such method."""
    if method == "OPTIONS":
        return "open"
    return route.scopes.get("GET" if method == "HEAD" else method)


EACH = [(route, method) for route in ROUTES for method in METHODS]


@pytest.mark.parametrize(("route", "method"), EACH, ids=lambda one: getattr(one, "path", one))
def test_each_route_opens_to_the_keys_of_its_scope_alone(
    guarded: TestClient, route: routes.Route, method: str
) -> None:
    scope = needed(route, method)
    for holder, secret in SECRETS.items():
        result = ask(guarded, method, route.path, secret)
        if scope is None:
            assert result.status_code == 405
        elif scope == "open" or scope in GRANTS[holder]:
            assert result.status_code not in (401, 403, 405, 406, 421, 429, 500)
        else:
            assert result.status_code == 403
            challenge = result.headers["www-authenticate"]
            assert challenge.endswith(f'error="insufficient_scope", scope="{scope}"')
            if method != "HEAD":
                assert (result.json["word"], result.json["scope"]) == ("SCOPE_MISSING", scope)


STRANGERS = {
    "no key": (None, "this needs a key"),
    "a wrong key": ("wrong-0123456789abcdef", "no key that is valid"),
    "the beginning of a key": (SECRETS["admin"][:-1], "no key that is valid"),
    "a key and more": (SECRETS["admin"] + "0", "no key that is valid"),
    "an empty key": ("", "no key that is valid"),
    "not ASCII": ("\xff" * 20, "no key that is valid"),
    "as much as a header holds": ("a" * 16_000, "no key that is valid"),
    "two keys": (f"{SECRETS['admin']}, Bearer {SECRETS['admin']}", "no key that is valid"),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_a_stranger_reaches_no_route_but_those_that_are_open(
    guarded: TestClient, case: str
) -> None:
    secret, sentence = STRANGERS[case]
    for route, method in EACH:
        result = ask(guarded, method, route.path, secret)
        scope = needed(route, method)
        if scope is None:
            assert result.status_code == 405
        elif scope == "open":
            assert result.status_code in (200, 204, 404, 503)  # 404: a file that there is not
        else:
            assert result.status_code == 401, (method, route.path)
            assert result.headers["www-authenticate"].startswith('Bearer realm="boltq"')
            if method != "HEAD":
                assert sentence in result.json["detail"]
                assert result.json["word"] == "UNAUTHENTICATED"


def test_without_keys_each_route_is_open() -> None:
    http = client()
    for route, method in EACH:
        assert ask(http, method, route.path).status_code not in (401, 403), route.path


def test_a_body_is_not_even_looked_at_before_the_key(guarded: TestClient) -> None:
    for body in (b"", b"{", b"\xff", b"{}" * 1000):
        result = guarded.simulate_post("/api/jobs", body=body, headers=LOCAL)
        assert result.status_code == 401


def test_the_key_is_named_in_the_log_and_no_secret_is(
    guarded: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ask(guarded, "GET", "/api/queues", SECRETS["work"])
    ask(guarded, "GET", "/api/queues", "wrong-0123456789abcdef")
    assert [vars(record).get("caller") for record in caplog.records] == ["the-work", None]
    told = str([vars(record) for record in caplog.records])
    assert not any(secret in told for secret in (*SECRETS.values(), "wrong-0123456789"))


def test_a_stranger_does_not_learn_where_the_server_is(guarded: TestClient) -> None:
    for path in ("/", "/readyz", "/healthz", "/api/stats", "/nowhere"):
        assert "127.0.0.1:1" not in ask(guarded, "GET", path).text
    assert "127.0.0.1:1" in ask(guarded, "GET", "/", SECRETS["read"]).text
    for path in ("/", "/readyz"):
        assert "127.0.0.1:1" in ask(client(), "GET", path).text


def test_what_runs_here_is_told_to_who_has_a_key_and_where_none_is_needed() -> None:
    guarded = client(api_keys=KEYS, environment="staging")
    as_json = {"Accept": "application/json"}
    assert ask(guarded, "GET", "/", SECRETS["read"], **as_json).json["environment"] == "staging"
    assert "environment" not in ask(guarded, "GET", "/", **as_json).json
    assert ask(client(environment="x"), "GET", "/", **as_json).json["environment"] == "x"
    assert "environment" not in ask(client(), "GET", "/", **as_json).json


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_others_reach_is_refused_without_keys(host: str) -> None:
    with pytest.raises(BadSetting, match=f"API_HOST is {host}, .*BOLTQ_API_OPEN=yes"):
        Access.of(Settings(api_host=host), ROUTES)
    Access.of(Settings(api_host=host, api_open="yes"), ROUTES)
    Access.of(Settings(api_host=host, api_keys=KEYS), ROUTES)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_an_address_of_this_machine_alone_needs_no_keys(host: str) -> None:
    Access.of(Settings(api_host=host), ROUTES)


def test_a_name_counts_as_this_machine_only_if_all_its_addresses_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found(*places: str) -> None:
        each = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, 0)) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: each)

    found("127.0.0.1")
    Access.of(Settings(api_host="mine"), ROUTES)
    found("127.0.0.1", "192.0.2.1")
    with pytest.raises(BadSetting, match="API_HOST is mine"):
        Access.of(Settings(api_host="mine"), ROUTES)


OWN = ["localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1:1", "[::1]:8080", "192.0.2.7", "own"]
FOREIGN = [
    *("evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"),
    *("", "localhost:x", "a b", "localhost:80:80", "user@localhost", "[::1", "localhost/", "\xff"),
]


@pytest.mark.parametrize("host", [*OWN, "Jobs.Example.com:443"])
def test_the_api_answers_to_its_own_names(host: str) -> None:
    http = client(api_hosts=("jobs.example.com",), api_host="own", api_open="yes")
    assert http.simulate_get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_page_whose_name_was_made_to_lead_here_gets_nothing(host: str) -> None:
    http = client()
    for path in ("/", "/api/stats", "/nowhere"):
        result = http.simulate_get(path, headers={"Host": host})
        assert result.status_code == 421
        assert result.json["word"] == "MISDIRECTED"
        assert "evil" not in result.text
    assert http.simulate_get("/healthz", headers={"Host": host}).status_code == 200


def test_any_name_will_do_where_the_settings_say_so() -> None:
    http = client(api_hosts=("*",))
    assert http.simulate_get("/", headers={"Host": "evil.example"}).status_code == 200


def test_each_path_tells_its_methods_and_nothing_of_other_sites(guarded: TestClient) -> None:
    for route in ROUTES:
        asked = ask(guarded, "OPTIONS", route.path, Origin="https://evil.example")
        refused = ask(guarded, "TRACE", route.path)
        for result in (asked, refused):
            listed = result.headers["allow"].split(", ")
            assert listed == list(route.methods)
            assert ("HEAD" in listed) == ("GET" in listed)
            assert not [name for name in result.headers if name.startswith("access-control-")]
        assert (asked.status_code, asked.content, refused.status_code) == (204, b"", 405)
        assert "content-length" not in asked.headers


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/api/stats", "/nowhere"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    http = client()
    get, head = ask(http, "GET", path), ask(http, "HEAD", path)
    assert head.content == b""
    assert head.status_code == get.status_code
    assert {"x-request-id", "content-length"} <= set(head.headers)
    same = {"content-type", "x-content-type-options", "etag", "cache-control"} & set(get.headers)
    assert {name: head.headers[name] for name in same} == {name: get.headers[name] for name in same}


@pytest.mark.parametrize(
    ("accept", "is_served"),
    [
        ("", True),
        ("*/*", True),
        ("application/json", True),
        ("application/*;q=0.1, text/html", True),
        (MEDIA_TYPE, True),
        ("text/html", False),
        ("application/json;q=0", False),
        ("nonsense", False),
    ],
)
def test_who_accepts_no_json_is_told_so_before_anything_is_done(
    accept: str, *, is_served: bool
) -> None:
    http = client()
    for method, path in (("GET", "/api/stats"), ("POST", "/api/queues/a/pause")):
        result = ask(http, method, path, Accept=accept)
        assert result.status_code == (503 if is_served else 406), result.text
        assert result.headers["content-type"] == MEDIA_TYPE
    assert ask(http, "GET", "/healthz", Accept=accept).status_code == 200


class Clock:
    """A clock that stands until it is put on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_a_burst_and_fills_at_its_rate() -> None:
    clock = Clock()
    rate = Rate(2.0, 3, clock)
    assert [rate.take("a") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]
    assert rate.take("b") == 0
    clock.now += 0.25
    assert rate.take("a") == pytest.approx(0.25)
    clock.now += 0.25
    assert [rate.take("a"), rate.take("a")] == [0, pytest.approx(0.5)]
    clock.now += 100
    assert [rate.take("a") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]


def test_the_clients_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_CLIENTS", 10)
    rate = Rate(0.001, 1, Clock())
    for number in range(100):
        assert rate.take(str(number)) == 0
    assert len(rate) == 10
    assert rate.take("99") > 0
    assert Rate(0, 1).take("a") == 0


def test_who_asks_too_often_is_told_when_to_come_back_and_probes_are_not_counted() -> None:
    http = client(api_keys=KEYS, api_rate=0.01, api_burst=2)
    statuses = [ask(http, "GET", "/", SECRETS["read"]).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = ask(http, "GET", "/nowhere", SECRETS["read"])
    assert refused.json["word"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(refused.headers["retry-after"]) <= 100
    assert ask(http, "GET", "/", SECRETS["work"]).status_code == 200
    for _ in range(5):
        assert ask(http, "GET", "/healthz").status_code == 200
        assert ask(http, "GET", "/readyz").status_code == 503


def test_who_guesses_keys_is_counted_by_address() -> None:
    http = client(api_keys=KEYS, api_rate=0.001, api_burst=5)

    def guess(number: int, address: str) -> int:
        headers = LOCAL | {"Authorization": f"Bearer wrong-0123456789-{number}"}
        return http.simulate_get("/api/stats", headers=headers, remote_addr=address).status_code

    assert [guess(n, "192.0.2.1") for n in range(7)] == [401] * 5 + [429] * 2
    assert guess(1, "192.0.2.2") == 401
    home = [f"2001:db8::{part}:1" for part in range(1, 8)]
    assert [guess(n, place) for n, place in enumerate(home)] == [401] * 5 + [429] * 2
    assert guess(1, "2001:db8:0:1::1") == 401
