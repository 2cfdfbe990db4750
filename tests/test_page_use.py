"""The page in use: by keys alone, with exact numbers, large payloads, and many jobs at once."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer, until

from boltq import ids
from boltq.newjob import NewJob
from boltq.settings import Settings

QUEUE = "mail"
BIG = 9007199254740993


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def site(
    page: Page, shared_servers: Callable[[str], TestServer], request: pytest.FixtureRequest
) -> Iterator[Site]:
    with browsed(page, shared_servers(getattr(request, "param", "valkey"))) as site:
        yield site


both = pytest.mark.parametrize("site", ["redis", "valkey"], indirect=True)
"""The lists, and what is done to all that they show, on each server."""


def sends(site: Site, count: int) -> None:
    site.boltq.enqueue_many((NewJob("send", {"n": n}) for n in range(count)), queue=QUEUE)


def dead(site: Site, count: int, error: str = "Timeout") -> list[str]:
    """Let that many jobs die."""
    sends(site, count)
    token = ids.new_token()
    asked = {"queues": [QUEUE], "max_jobs": count, "token": token}
    jobs = site.api.ask("POST", "/api/claims", asked).json["jobs"]
    told = {"error": {"type": error, "message": f"{error} it was"}, "final": True, "token": token}
    fails = [{"id": job["id"], **told} for job in jobs]
    assert site.api.ask("POST", "/api/acks", {"fails": fails}).status == 200
    return [job["id"] for job in jobs]


def at(site: Site) -> str:
    return str(site.page.run("location.hash"))


def goes_by(site: Site, key: str, place: str) -> bool:
    """Press g and a key; the second must come within a second, which a busy machine may miss."""
    site.page.key("g")
    site.page.key(key)
    return at(site) == place


def test_keys_alone_lead_everywhere_and_through_a_list(site: Site) -> None:
    dead(site, 3)
    site.opens()
    until(lambda: goes_by(site, "q", "#/queues"))
    until(lambda: goes_by(site, "j", "#/jobs"))
    until(lambda: goes_by(site, "d", "#/dead"))
    until(lambda: goes_by(site, "w", "#/workers"))
    site.goes("jobs")
    site.page.until("document.querySelector('main h1')?.innerText === 'Jobs'")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 3")
    rows = site.page.run("[...document.querySelectorAll('tr[data-row]')].map((e) => e.dataset.row)")
    for key in ("j", "j", "k", "j"):
        site.page.key(key)
    site.page.until(f"document.querySelector('tr.at')?.dataset.row === {json.dumps(rows[1])}")
    site.page.key("x")
    site.sees("1 job marked")
    site.page.key("x")
    site.page.key("Enter")
    site.sees("It is dead")
    assert at(site) == f"#/jobs/{QUEUE}%3A{rows[1].partition(':')[2]}"


def test_a_key_brings_back_the_job_of_the_row_and_says_why_not(site: Site) -> None:
    dead(site, 2)
    site.boltq.enqueue("late", queue=QUEUE, id="late", delay_seconds=3600)
    site.opens(f"jobs?queue={QUEUE}")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 3")
    site.page.key("r")  # nowhere yet, and so nothing
    rows = site.page.run("[...document.querySelectorAll('tr[data-row]')].map((e) => e.dataset.row)")
    for row in rows:
        site.page.key("j")
        site.page.until(f"document.querySelector('tr.at')?.dataset.row === {json.dumps(row)}")
        site.page.key("r")
        until(lambda row=row: site.boltq.get(row).state == "queued")  # type: ignore[misc]
        # Each is told for some seconds alone.
        is_late = row.endswith(":late")
        site.sees("late is queued now." if is_late else "send is queued again, with fresh attempts")
    at_last = f"document.querySelector('tr[data-row=\"{rows[-1]}\"]')"
    site.page.until(f"{at_last}.innerText.includes('queued')")
    site.page.key("r")
    site.sees("comes back by this key: this job is queued.")
    assert site.boltq.stats(QUEUE).replayed_total == 2
    site.page.key("?")
    site.sees("replay the row's job, or run it now")


def test_a_key_that_is_written_into_a_field_does_nothing_else(site: Site) -> None:
    site.opens("jobs")
    site.page.key("/")
    site.page.until("document.activeElement.type === 'search'")
    for key in "gqt.?":
        site.page.key(key)
    assert site.page.run("document.activeElement.value") == "gqt.?"
    assert (at(site), site.page.run("document.querySelector('dialog')")) == ("#/jobs", None)
    site.page.key("Escape")
    site.page.key("?")
    site.sees("the next row, the one before")
    site.page.key("Escape")
    site.page.until("document.querySelector('dialog') === null")
    site.page.key("t")
    site.page.until("document.documentElement.dataset.theme !== 'system'")


@both
def test_a_filter_stands_in_the_address_and_can_be_gone_back_to(site: Site) -> None:
    dead(site, 2, "Timeout")
    dead(site, 3, "Refused")
    site.opens(f"jobs?state=dead&error=Refused&queue={QUEUE}")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 3")
    site.clicks("error Refused")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 5")
    assert at(site) == f"#/jobs?state=dead&queue={QUEUE}"
    site.writes("Find jobs", "error:Timeout type:send")
    site.page.key("Enter")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 2")
    assert "error=Timeout" in at(site)
    assert "type=send" in at(site)


@both
def test_a_text_of_payloads_is_looked_for_and_how_many_were_looked_at_is_said(site: Site) -> None:
    sends(site, 30)
    site.boltq.enqueue("send", {"to": "Ada Lovelace"}, queue=QUEUE, id="hers")
    site.opens("jobs")
    site.writes("Find jobs", '"ada love"')
    site.page.key("Enter")
    site.sees("1 job shown; 31 of 31 looked at")
    assert at(site) == "#/jobs?text=ada+love"
    assert site.page.run("document.querySelector('tr[data-row]').dataset.row") == f"{QUEUE}:hers"


def test_a_filter_is_kept_under_a_name_and_gone_back_to(site: Site) -> None:
    dead(site, 2, "Refused")
    site.opens("jobs?state=dead&error=Refused")
    site.clicks("Keep this filter")
    site.writes("Name of the filter", "refused <b>ones</b>")
    site.clicks("Keep")
    site.goes("jobs")
    site.clicks("refused <b>ones</b>")
    until(lambda: at(site) == "#/jobs?state=dead&error=Refused")
    site.clicks("Forget refused <b>ones</b>")
    site.page.until("document.querySelector('.view') === null")


@pytest.mark.parametrize("kind", ["curl", "Python", "boltq"])
def test_an_operation_is_copied_and_does_the_same_elsewhere(site: Site, kind: str) -> None:
    dead(site, 4)
    site.opens("dead")
    site.clicks("Replay all")
    site.sees("4 jobs will be queued again")
    site.clicks("The same elsewhere")
    site.clicks(kind)
    written = str(site.page.run("document.querySelector('dialog .snippets pre').textContent"))
    assert "until" in written
    dead(site, 2)  # later, and so not meant
    site.runs(kind, f"{written} --yes" if kind == "boltq" else written)
    until(lambda: site.boltq.stats(QUEUE).queued == 4)
    assert site.boltq.stats(QUEUE).dead == 2


def test_an_operation_in_several_queues_is_copied_for_each(site: Site) -> None:
    for queue, count in ((QUEUE, 2), ("other", 3)):
        site.boltq.enqueue_many([NewJob("send")] * count, queue=queue)
    site.opens("jobs?state=queued")
    site.clicks("Delete all")
    site.sees("They are in 2 queues.")
    site.clicks("The same elsewhere")
    snippets = "[...document.querySelectorAll('dialog .snippets')]"
    python = "[...one.querySelectorAll('button')].find((each) => each.textContent === 'Python')"
    site.page.run(f"{snippets}.forEach((one) => {python}.click())")
    texts = f"{snippets}.map((one) => one.querySelector('pre').textContent)"
    site.page.until(f"{texts}.every((one) => one.startsWith('from'))")
    for written in site.page.run(texts):
        site.runs("Python", str(written))
    until(lambda: [site.boltq.stats(one).queued for one in (QUEUE, "other")] == [0, 0])


def test_who_marks_what_has_nothing_in_common_is_told_and_can_unmark(site: Site) -> None:
    dead(site, 1)
    sends(site, 1)
    site.api.ask("POST", "/api/claims", {"queues": [QUEUE], "max_jobs": 1})
    site.opens("jobs")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 2")
    site.page.run("document.querySelectorAll('td label.mark').forEach((one) => one.click())")
    site.sees("Nothing can be done to all of them")
    assert not site.shows("The same elsewhere")
    site.clicks("Unmark")
    site.page.until("document.querySelector('.bulk') === null")


def test_an_integer_that_no_double_holds_is_shown_copied_and_enqueued_again_as_it_is(
    site: Site,
) -> None:
    written = b'{"n":%d,"one":1.0,"e":1e400,"same":1,"same":2}' % BIG
    site.boltq.enqueue("exact", raw=written, queue=QUEUE, id="exact")
    site.opens(f"jobs/{QUEUE}%3Aexact")
    site.sees(str(BIG))
    shown = site.page.run("document.querySelector('pre.json').textContent")
    assert "".join(shown.split()) == written.decode()
    site.clicks("Edit and enqueue again")
    site.clicks("Enqueue")
    site.page.until("document.querySelector('dialog') === null && !location.hash.includes('exact')")
    site.sees(str(BIG))
    again = site.page.run("decodeURIComponent(location.hash.split('/')[2])")
    came = bytes(site.boltq.get(again).payload or b"")
    assert b"".join(came.split()) == written


def test_what_is_copied_is_copied_without_tls_too(site: Site) -> None:
    site.boltq.enqueue("exact", raw=b"null", queue=QUEUE, id="copied")
    site.opens(f"jobs/{QUEUE}%3Acopied")
    site.page.run(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.addEventListener('copy', () => { window.copied = getSelection().toString()"
        " || document.activeElement.value; })"
    )
    button = "document.querySelector('[aria-label=\"Copy the id\"]')"
    site.page.until(f"{button} !== null")
    site.page.run(f"{button}.focus()")
    site.page.key("Enter")
    site.page.until("window.copied !== undefined")
    assert site.page.run("window.copied") == f"{QUEUE}:copied"


def test_a_payload_of_a_mebibyte_is_cut_and_shown_whole_when_asked_for(site: Site) -> None:
    rows = [{"id": n, "name": "x" * 22} for n in range(23_000)]
    written = json.dumps(rows, separators=(",", ":")).encode()
    assert 1_000_000 < len(written) < 1_048_576
    site.boltq.enqueue("large", raw=written, queue=QUEUE, id="large")
    site.opens(f"jobs/{QUEUE}%3Alarge")
    site.sees("The first 11.7 KiB of")
    assert site.page.run("document.querySelectorAll('pre.json span').length") < 5000
    heap = site.page.heap_bytes()
    site.clicks("Show all")
    site.sees("All ")
    shown = str(site.page.run("document.querySelector('pre.json').textContent"))
    assert "".join(shown.split()) == written.decode()
    assert site.page.heap_bytes() - heap < 60_000_000
    assert heap < 30_000_000


@both
def test_a_group_of_the_dead_is_replayed_and_who_dies_meanwhile_is_not_touched(site: Site) -> None:
    dead(site, 4, "Timeout")
    dead(site, 2, "Refused")
    site.opens("dead")
    site.page.until("document.querySelectorAll('main section')[0].innerText.includes('Timeout it')")
    row = "[...document.querySelectorAll('tr')].find((e) => e.innerText.includes('Timeout it was'))"
    site.page.run(f"{row}.querySelector('button.button').click()")
    site.sees("4 jobs will be queued again")
    later = dead(site, 3, "Timeout")
    site.clicks("Replay 4")
    site.sees("4 jobs done")
    stats = site.boltq.stats(QUEUE)
    assert (stats.queued, stats.dead, stats.replayed_total) == (4, 5, 4)
    assert {site.boltq.get(id).state for id in later} == {"dead"}


def test_where_the_count_is_another_by_then_nothing_is_done(site: Site) -> None:
    gone = dead(site, 4)
    site.opens("dead")
    site.clicks("Replay all")
    site.sees("4 jobs will be queued again")
    site.boltq.purge_job(gone[0])
    site.clicks("Replay 4")
    site.page.until("document.querySelector('dialog .problem, dialog .tag') !== null")
    until(lambda: all(one.ended for one in site.boltq.operations(QUEUE)))
    assert site.boltq.stats(QUEUE).queued == 0


@both
def test_what_cannot_be_undone_is_typed_before_it_is_done(site: Site) -> None:
    dead(site, 5)
    site.opens("dead")
    site.clicks("Delete all")
    site.sees("5 jobs will be deleted")
    assert site.page.run("document.querySelector('dialog button[type=submit]').disabled")
    site.writes("Type 5", "5")
    site.clicks("Delete 5")
    until(lambda: site.boltq.stats(QUEUE).dead == 0)


@both
def test_rows_do_not_jump_while_others_come(site: Site) -> None:
    first_ones = dead(site, 3)
    site.opens("jobs")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 3")
    first = site.page.run("document.querySelector('tr[data-row]').dataset.row")
    dead(site, 2)
    site.sees("2 newer jobs: show")
    assert site.page.run("document.querySelector('tr[data-row]').dataset.row") == first
    site.boltq.replay(first_ones[0])
    row = f"document.querySelector('tr[data-row=\"{first_ones[0]}\"]')"
    site.page.until(f"{row}.innerText.includes('queued')")
    assert site.page.run("document.querySelectorAll('tr[data-row]').length") == 3
    site.clicks("2 newer jobs: show")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 5")


@both
def test_a_list_goes_on_as_far_as_there_are_jobs(site: Site) -> None:
    sends(site, 120)
    site.opens("jobs?state=queued")
    site.sees("50 of 120 looked at")
    site.clicks("Look further")
    site.sees("100 jobs shown")
    site.clicks("Look further")
    site.sees("120 jobs shown; 120 of 120 looked at")
    rows = site.page.run("[...document.querySelectorAll('tr[data-row]')].map((e) => e.dataset.row)")
    assert len(rows) == len(set(rows)) == 120


@both
def test_a_queue_is_set_paused_with_a_reason_and_deleted(site: Site) -> None:
    site.boltq.enqueue("send", queue=QUEUE, id="only")
    site.opens(f"queues/{QUEUE}")
    site.writes("max attempts", "7")
    site.clicks("Set 1 value")
    until(lambda: site.boltq.settings(QUEUE)["job_max_attempts"] == "7")
    site.clicks("Pause")
    site.writes("Why, for people", "the mail server is down")
    site.page.run("document.querySelector('dialog button[type=submit]').click()")
    site.sees("the mail server is down")
    assert site.boltq.stats(QUEUE).pause_reason == "the mail server is down"
    site.clicks("Resume")
    until(lambda: not site.boltq.stats(QUEUE).paused)
    site.boltq.purge_job(f"{QUEUE}:only")
    site.clicks("Delete")
    site.writes(f"Type {QUEUE}", QUEUE)
    site.page.run("document.querySelector('dialog button[type=submit]').click()")
    until(lambda: QUEUE not in site.boltq.queues())


@both
def test_what_a_queue_tells_of_itself_is_followed(site: Site) -> None:
    site.opens(f"playground?queue={QUEUE}")
    site.sees("as this page saw it")
    site.clicks("Let the queue tell")
    site.sees("as the queue tells it")
    assert site.boltq.settings(QUEUE)["keep_events"] == "1000"
    sends(site, 5)
    told = "document.querySelector('.ticker')?.innerText ?? ''"
    until(lambda: "enqueue 5 jobs:" in site.page.run(told))
    site.boltq.pause(QUEUE)
    until(lambda: "paused" in site.page.run(told))
    site.clicks("Keep no events")
    site.sees("as this page saw it")
    assert site.page.complaints == []


def test_a_chart_tells_its_figures_in_words_now_and_for_the_hour(site: Site) -> None:
    dead(site, 7)
    site.opens(f"queues/{QUEUE}")
    site.page.until("document.querySelector('.plot canvas') !== null")
    site.clicks("hour")
    label = "document.querySelector('.plot')?.getAttribute('aria-label')"
    site.page.until(f"{label}?.startsWith('came 7, done 0, failed 7, in all of the last hour')")
    site.goes("")
    site.page.until(f"{label}?.startsWith('came 7, done 0, failed 7')")


def test_a_chart_of_which_nothing_is_known_yet_has_the_times_of_the_last_minutes(
    site: Site,
) -> None:
    noted = (
        "window.drawn = []; { const draws = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {"
        "window.drawn.push(text); return draws.call(this, text, ...place); }; }"
    )
    script = site.page.call("Page.addScriptToEvaluateOnNewDocument", source=noted)
    site.page.call("Emulation.setTimezoneOverride", timezoneId="UTC")
    try:
        sends(site, 1)
        site.opens()
        site.page.until("window.drawn.length > 0")
        drawn = [str(one) for one in site.page.run("window.drawn") if ":" in str(one)]
        now = datetime.now(UTC)
        moments = {f"{now - timedelta(seconds=n):%H:%M:%S}" for n in range(-90, 420)}
        assert drawn
        assert set(drawn) <= moments
    finally:
        site.page.call("Emulation.setTimezoneOverride", timezoneId="")
        site.page.call("Page.removeScriptToEvaluateOnNewDocument", **script)


ASKED_FOR_TYPES = (
    "performance.getEntriesByType('resource').filter((one) => one.name.includes('/groups')).length"
)


def ends(site: Site, types: dict[str, int], failed: int = 0) -> None:
    """Complete so many jobs of each type; that many of the first one fail before."""
    jobs = [NewJob(type) for type, count in types.items() for _ in range(count)]
    site.boltq.enqueue_many(jobs, queue=QUEUE)
    asked = {"queues": [QUEUE], "max_jobs": 500}
    for _ in range(2 if failed else 1):
        came = site.api.ask("POST", "/api/claims", asked).json
        told = [{"id": job["id"], "token": came["token"]} for job in came["jobs"]]
        fails = [{**one, "error": {"type": "Timeout"}, "delay_seconds": 0} for one in told[:failed]]
        settled = {"acks": told[failed:], "fails": fails}
        assert site.api.ask("POST", "/api/acks", settled).status == 200
        failed = 0


def by_type(site: Site) -> list[list[str]]:
    rows = "[...document.querySelectorAll('table.types tbody tr')]"
    cells = f"{rows}.map((row) => [...row.cells].map((one) => one.innerText))"
    return [list(row) for row in site.page.run(cells)]


@both
def test_the_newest_of_a_queue_are_counted_by_type_while_somebody_looks_and_never_else(
    site: Site,
) -> None:
    ends(site, {"send": 6, "resize": 2}, failed=3)
    dead(site, 2)
    site.opens(f"queues/{QUEUE}")
    site.page.until("document.querySelectorAll('tr[data-row]').length === 10")
    assert site.page.run(ASKED_FOR_TYPES) == 0
    site.clicks("By typecompleted")
    site.sees("8 of 8 looked at, the newest; ended between")
    told = [(row[0], row[1], row[-1]) for row in by_type(site)]
    assert told == [("send", "6", "3"), ("resize", "2", "0")]
    site.goes(f"queues/{QUEUE}?state=dead")
    site.sees("2 of 2 looked at, the newest; ended between")
    assert [row[:2] for row in by_type(site)] == [["send", "2"]]
    site.clicks("send")
    until(lambda: at(site) == f"#/jobs?queue={QUEUE}&state=dead&type=send")
    assert site.page.complaints == []


def test_a_rate_by_type_is_of_the_time_between_the_first_and_the_last_that_were_looked_at(
    site: Site,
) -> None:
    ends(site, {"old": 150})
    for _ in range(2):
        time.sleep(0.02)  # or they all end in the same millisecond
        ends(site, {"send": 300, "resize": 200})
    site.opens(f"queues/{QUEUE}")
    site.clicks("By typecompleted")
    site.sees("1,000 of 1,150 looked at, the newest; ended between")
    asked = f"/api/dead/groups?queue={QUEUE}&state=completed&most=1000"
    groups = site.api.ask("GET", asked).json["groups"]
    first, *_, last = sorted(one[end] for one in groups for end in ("oldest_at", "newest_at"))
    passed = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    a_minute = 999 / (passed / timedelta(minutes=1))
    rates = [(row[0], float(row[3].replace(",", ""))) for row in by_type(site)]
    assert rates == [
        ("send", pytest.approx(0.6 * a_minute, abs=0.5)),
        ("resize", pytest.approx(0.4 * a_minute, abs=0.5)),
    ]


def test_times_are_those_of_the_person_or_of_utc_as_chosen(site: Site) -> None:
    site.page.call("Emulation.setTimezoneOverride", timezoneId="Asia/Singapore")
    try:
        due = datetime(2030, 1, 31, 23, 30, tzinfo=UTC)
        site.boltq.enqueue("late", queue=QUEUE, id="late", run_at=due)
        site.opens(f"jobs/{QUEUE}%3Alate")
        site.sees("It is due in")
        site.page.key("u")
        site.sees("2030-01-31 23:30:00")
        site.page.key("u")
        site.sees("2030-02-01 07:30:00")
        title = "document.querySelector('time[datetime^=\"2030-01-31T23:30\"]').title"
        assert "2030-01-31 23:30:00" in site.page.run(title)
    finally:
        site.page.call("Emulation.setTimezoneOverride", timezoneId="")


def test_what_a_handler_says_of_its_job_is_shown_while_it_runs(site: Site) -> None:
    site.boltq.enqueue("resize", queue=QUEUE, id="resized")
    claim = {"queues": [QUEUE], "token": "t1", "lease_seconds": 60}
    assert site.api.ask("POST", "/api/claims", claim).json["jobs"]
    site.opens(f"jobs/{QUEUE}%3Aresized")
    site.sees("It runs on")
    path = f"/api/jobs/{QUEUE}:resized/extend"
    for share, line in ((0.4, "the first <b>picture</b>"), (0.75, "the second")):
        told = {"token": "t1", "progress": {"share": share, "text": "resizing"}, "log": [line]}
        assert site.api.ask("POST", path, told).status == 200
        site.sees(f"{share * 100:.0f}%")
        site.sees(line)
    assert site.shows("the first <b>picture</b>")
    assert site.breaches() == []


def test_a_worker_is_let_rest_and_go_on_and_one_over_http_is_only_seen(
    page: Page, shared_servers: Callable[[str], TestServer]
) -> None:
    with browsed(page, shared_servers("valkey"), queues=(QUEUE,)) as site:
        claim = {"queues": ["other"], "worker_id": "web-1", "max_jobs": 1}
        assert site.api.ask("POST", "/api/claims", claim).status == 200
        site.opens("workers")
        site.sees("over HTTP, from 127.0.0.1")
        site.sees("w1")  # it tells of itself when it has started
        assert site.page.run("document.querySelectorAll('tbody .row.right').length") == 1
        site.clicks("Quiet")
        site.clicks("Be quiet")
        site.sees("asked to be quiet")
        (worker,) = [one for one in site.boltq.workers() if one.id == "w1"]
        assert worker.order is not None
        assert worker.order.word == "quiet"
        site.clicks("Resume")
        site.page.until("document.querySelector('dialog[open]') !== null")
        site.clicks("Resume")
        until(lambda: all(one.order is None for one in site.boltq.workers()))


def test_where_a_change_needs_if_match_the_page_says_it(
    page: Page, shared_servers: Callable[[str], TestServer]
) -> None:
    strict = Settings(api_if_match="yes")
    with browsed(page, shared_servers("valkey"), settings=strict) as site:
        site.boltq.enqueue("send", queue=QUEUE, id="one")
        site.opens(f"jobs/{QUEUE}:one")
        site.chooses("Priority", "9")
        until(lambda: site.boltq.get(f"{QUEUE}:one").priority == 9)
        site.clicks("Delete")
        site.page.until("document.querySelector('dialog[open] button') !== null")
        site.page.run("[...document.querySelectorAll('dialog button')].at(-1).click()")
        until(lambda: site.boltq.stats(QUEUE).queued == 0)
