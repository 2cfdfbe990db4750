"""What the page does can be copied, and done by a shell, by Python and by boltq."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from subprocess import CalledProcessError

import pytest
from browsed import Site, browsed, browser
from chromium import Page
from servers import TestServer, until

from boltq import NewJob, ids

QUEUE = "copied"
KINDS = ("curl", "Python", "boltq")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def site(page: Page, shared_servers: Callable[[str], TestServer]) -> Iterator[Site]:
    with browsed(page, shared_servers("redis")) as site:
        yield site


def copied(site: Site, kind: str, within: str = "", curl: str = "curl ") -> str:
    """Choose a kind of the snippets that are open, and return what its button would copy."""
    site.page.until(f"document.querySelector('{within} .snippets pre')?.checkVisibility()")
    site.clicks(kind)
    shown = f"document.querySelector('{within} .snippets pre').textContent"
    words = {"curl": curl, "Python": "from boltq", "boltq": "boltq "}
    site.page.until(f"{shown}.startsWith({json.dumps(words[kind])})")
    return str(site.page.run(shown))


def rests(site: Site, name: str) -> str:
    return site.boltq.enqueue("send", queue=QUEUE, id=name).id


def waits(site: Site, name: str) -> str:
    return site.boltq.enqueue("send", queue=QUEUE, id=name, delay_seconds=3600).id


def died(site: Site, name: str) -> str:
    made = rests(site, name)
    token = ids.new_token()
    claim = {"queues": [QUEUE], "max_jobs": 9, "token": token}
    assert made in [job["id"] for job in site.api.ask("POST", "/api/claims", claim).json["jobs"]]
    told = {"id": made, "error": {"type": "Timeout"}, "final": True, "token": token}
    assert site.api.ask("POST", "/api/acks", {"fails": [told]}).status == 200
    return made


def marks(site: Site, id: str) -> None:
    """Put a mark on a job of the list."""
    find = f"document.querySelector('input[aria-label=\"Mark {id}\"]')"
    site.page.until(f"{find} !== null")
    site.page.run(f"{find}.click()")


def refused_by(kind: str) -> AbstractContextManager[object]:
    """What the one job that is gone makes of a run: the command line ends with it."""
    return pytest.raises(CalledProcessError) if kind == "boltq" else nullcontext()


ACTIONS: dict[str, tuple[Callable[[Site, str], str], str]] = {
    "replay": (died, "queued"),
    "run": (waits, "queued"),
    "cancel": (rests, "cancelled"),
    "alter": (rests, "queued"),
    "show": (rests, "queued"),
    "drop": (rests, "gone"),
}


def state(site: Site, id: str) -> str:
    came = site.api.ask("GET", f"/api/jobs/{id}")
    return "gone" if came.status == 404 else str(came.json["state"])


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_done_to_a_job_is_copied_and_does_the_same_elsewhere(
    site: Site, action: str
) -> None:
    begin, after = ACTIONS[action]
    first = begin(site, f"{action}-0")
    if action == "alter":
        site.boltq.alter(first, priority=8)
    site.opens(f"jobs/{QUEUE}%3A{action}-0")
    site.chooses("What is done", action)
    written = {kind: copied(site, kind) for kind in KINDS}
    for n, kind in enumerate(KINDS):
        id = begin(site, f"{action}-{n}") if n else first
        own = written[kind].replace(first.partition(":")[2], id.partition(":")[2])
        came = site.runs(kind, own)
        assert state(site, id) == after, own
        if action == "alter":
            assert site.boltq.get(id).priority == 8
        if action == "show":
            assert id in came
    assert site.page.complaints == []


def test_what_is_offered_to_be_copied_is_what_can_be_done_to_the_job(site: Site) -> None:
    offered = "[...document.querySelector('[aria-label=\"What is done\"]').options]"
    for begin, names in (
        (died, ["replay", "show", "drop"]),
        (waits, ["run", "cancel", "show", "alter", "drop"]),
    ):
        id = begin(site, begin.__name__)
        site.opens(f"jobs/{id.replace(':', '%3A')}")
        site.page.until("document.querySelector('[aria-label=\"What is done\"]') !== null")
        assert site.page.run(f"{offered}.map((one) => one.value)") == names


SAID = {"replay": "Replay", "run": "Run now", "cancel": "Cancel", "drop": "Delete"}


@pytest.mark.parametrize("action", SAID)
def test_what_is_done_to_marked_jobs_is_copied_and_one_refused_keeps_no_other_from_it(
    site: Site, action: str
) -> None:
    begin, after = ACTIONS[action]
    for kind in KINDS:
        gone, *marked, other = [begin(site, f"{kind}-{n}") for n in range(4)]
        before = state(site, other)
        site.opens(f"jobs?queue={QUEUE}")
        for id in (gone, *marked):
            marks(site, id)
        site.clicks("The same elsewhere")
        # Until it is open a click would be one on the page behind it.
        site.page.until("document.querySelector('dialog[open] .snippets') !== null")
        site.clicks(SAID[action])
        written = copied(site, kind, "dialog", curl="for id in ")
        site.boltq.purge_job(gone)
        with refused_by(kind):
            site.runs(kind, written)
        assert [state(site, id) for id in (*marked, other)] == [after, after, before], written
        for id in (*marked, other):
            if state(site, id) != "gone":
                site.boltq.purge_job(id)
    assert site.page.complaints == []


def test_a_job_is_deleted_by_what_the_dialog_offers(site: Site) -> None:
    id = rests(site, "one")
    site.opens(f"jobs/{QUEUE}%3Aone")
    site.clicks("Delete")
    site.clicks("The same elsewhere")
    site.runs("boltq", copied(site, "boltq", "dialog"))
    assert state(site, id) == "gone"


@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_is_set_paused_let_go_and_deleted_by_what_is_copied(site: Site, kind: str) -> None:
    id = rests(site, "only")
    site.opens(f"queues/{QUEUE}")
    site.writes("max attempts", "7")
    site.writes("max lost", "")
    site.clicks("The same elsewhere")
    site.boltq.configure(QUEUE, job_max_lost=9)
    site.runs(kind, copied(site, kind, "form"))
    told = site.boltq.settings(QUEUE)
    assert (told["job_max_attempts"], told["job_max_lost"]) == ("7", "5")
    site.clicks("As it was")
    site.clicks("Pause")
    site.writes("Why, for people", "it's <down> $HOME")
    site.clicks("The same elsewhere")
    site.runs(kind, copied(site, kind, "dialog"))
    assert site.boltq.stats(QUEUE).pause_reason == "it's <down> $HOME"
    site.clicks("Leave it")
    site.page.until("document.querySelector('option[value=resume]') !== null")
    site.runs(kind, copied(site, kind))
    assert not site.boltq.stats(QUEUE).paused
    site.boltq.purge_job(id)
    site.clicks("Delete")
    site.clicks("The same elsewhere")
    site.runs(kind, copied(site, kind, "dialog"))
    assert QUEUE not in site.boltq.queues()


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_is_stopped_by_what_is_copied(site: Site, kind: str) -> None:
    # One a second: it must not have ended before the page is open and what was copied runs.
    site.boltq.enqueue_many((NewJob("send") for _ in range(200)), queue=QUEUE)
    begun = site.boltq.start_operation("cancel", "queued", queue=QUEUE, rate=1)
    site.opens("operations")
    site.clicks("The same elsewhere")
    site.runs(kind, copied(site, kind))
    until(lambda: site.boltq.operation(begun.id).ended)
    assert site.boltq.operation(begun.id).status == "stopped"


def test_a_job_is_enqueued_again_by_what_the_dialog_offers(site: Site) -> None:
    written = b'{"n":9007199254740993,"text":"it\'s"}'
    site.boltq.enqueue("exact", raw=written, queue=QUEUE, id="exact", priority=2)
    site.opens(f"jobs/{QUEUE}%3Aexact")
    site.clicks("Edit and enqueue again")
    site.clicks("The same elsewhere")
    for kind in KINDS:
        site.runs(kind, copied(site, kind, "dialog"))
    jobs = [site.boltq.get(job.id) for job in site.boltq.list("queued", queue=QUEUE).jobs]
    assert len(jobs) == 4
    assert {b"".join((job.payload or b"").split()) for job in jobs} == {written}
    assert {job.priority for job in jobs} == {2}
