"""Images of each screen of the page, light and dark, wide and narrow, over queues that live.

python -m rig.screenshots [FOLDER] [--readme] [--language de]

is run from tests/, with the repository in PYTHONPATH.

--readme takes those of README.md anew, into tests/screenshots.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from browsed import Site, browsed, browser
from servers import shared_server

from boltq.newjob import Backoff, NewJob

FILLING_SECONDS = 25.0
ROOT = Path(__file__).parents[2]
FOR_README = ROOT / "tests/screenshots"
TYPES = ("invoice.send", "thumbnail", "search:index", "webhook")
ERRORS = (
    ("ConnectionError", "smtp.example.com refused the connection"),
    ("TimeoutError", "no answer within 30 s"),
)
STACK = '  File "shop/mail.py", line 42, in send\n    smtp.connect(host, 25)\n'
WIDE, NARROW = (1440, 1000), (390, 844)


def lives(site: Site, draw: random.Random) -> None:
    """Let half a second pass in a shop: jobs come, most are done, some fail, a few die."""
    for queue, most in (("mail", 4), ("images", 3), ("reports", 2)):
        count = draw.randrange(most) + 1
        jobs = (
            NewJob(draw.choice(TYPES), {"order": draw.randrange(10**6), "copies": 1})
            for _ in range(count)
        )
        site.boltq.enqueue_many(jobs, queue=queue, backoff=Backoff(base_seconds=3))
    for queue, most in (("mail", 5), ("images", 3)):
        claim = {"queues": [queue], "max_jobs": most, "worker_id": "web-2-4711-k3j9"}
        came = site.api.ask("POST", "/api/claims", claim).json
        token, acks, fails = came["token"], [], []
        for job in came["jobs"]:
            if draw.random() < 0.85:
                acks.append({"id": job["id"], "token": token, "result": {"sent": True}})
                continue
            type, message = draw.choice(ERRORS)
            error = {"type": type, "message": message, "stack": STACK}
            final = draw.random() < 0.3
            fails.append({"id": job["id"], "token": token, "error": error, "final": final})
        if came["jobs"]:
            site.api.ask("POST", "/api/acks", {"acks": acks, "fails": fails})
    site.boltq.enqueue("sleep", {"seconds": draw.random() * 4}, queue="default")
    if draw.random() < 0.4:
        times = draw.choice([1, 2, 9])
        site.boltq.enqueue("fail", {"times": times}, queue="playground", backoff=Backoff(2))


def filled(site: Site, language: str) -> dict[str, str]:
    """Live for a while with the page open; returns the screens by name."""
    draw = random.Random(7)
    site.opens()
    site.page.run(f"localStorage.setItem('boltq.language', '{json.dumps(language)}')")
    site.page.run("location.reload()")
    site.page.until("document.querySelector('main h1') !== null")
    end = time.monotonic() + FILLING_SECONDS
    site.boltq.enqueue("nightly.report", {"day": "2026-11-26"}, queue="reports", delay_seconds=3600)
    while time.monotonic() < end:
        lives(site, draw)
        time.sleep(0.05)
        site.page.run("new Promise((done) => setTimeout(done, 450))")
    payload = {
        "order": 9007199254740993,
        "to": "ada@example.com",
        "lines": [{"sku": "A-7", "n": 2}],
    }
    site.boltq.enqueue("invoice.send", payload, queue="mail", id="order-1207", max_attempts=3)
    for _ in range(3):
        claim = {"queues": ["mail"], "max_jobs": 100, "worker_id": "web-2-4711-k3j9"}
        came = site.api.ask("POST", "/api/claims", claim).json
        for job in came["jobs"]:
            error = {"type": ERRORS[0][0], "message": ERRORS[0][1], "stack": STACK}
            told = {"token": came["token"], "error": error, "delay_seconds": 0}
            site.api.ask("POST", f"/api/jobs/{job['id']}/fail", told)
    site.boltq.pause("reports", reason="the warehouse is being moved", by="Ada")
    site.boltq.start_operation("replay", "dead", queue="images", rate=1, by="Ada")
    site.boltq.start_operation("purge", "completed", queue="mail", by="Ada", type="webhook")
    return {
        "overview": "",
        "playground": "playground?queue=playground",
        "queues": "queues",
        "queue": "queues/mail",
        "jobs": "jobs",
        "job": "jobs/mail%3Aorder-1207",
        "dead": "dead",
        "workers": "workers",
        "operations": "operations?counts=yes",
        "settings": "settings",
    }


def takes(site: Site, path: Path, place: str, size: tuple[int, int], theme: str) -> None:
    """Go to a screen, let it settle and take its image."""
    site.page.prefers(color_scheme=theme)
    site.page.sized(*size)
    site.goes(place)
    site.page.run("new Promise((done) => setTimeout(done, 1600))")
    site.page.until("document.querySelector('main .card, main .tile') !== null")
    site.page.shot(path)
    print(path, f"{path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Take them all, or those of the README."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build/screenshots")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--language", default="en", help="a code of boltq/page/words")
    asked = parser.parse_args()
    folder = FOR_README if asked.readme else asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    queues = ("default", "playground")
    with (
        tempfile.TemporaryDirectory() as own,
        shared_server("valkey") as server,
        browser(Path(own)) as page,
        browsed(page, server, queues=queues) as site,
    ):
        places = filled(site, asked.language)
        if asked.readme:
            size = (1200, 760)
            takes(site, folder / "overview.png", places["overview"], size, "light")
            takes(site, folder / "job.png", places["job"], size, "dark")
            site.goes(places["playground"])
            site.page.until("document.querySelectorAll('.scene').length === 3")
            site.page.run("document.querySelectorAll('.scene')[2].click()")
            site.page.until("document.querySelectorAll('.story li.done').length === 3")
            size = (1320, 860)
            crash = "playground?queue=playground-crash"
            takes(site, folder / "playground.png", crash, size, "light")
            return
        for theme in ("light", "dark"):
            for size in (WIDE, NARROW):
                for name, place in places.items():
                    takes(site, folder / f"{name}-{theme}-{size[0]}.png", place, size, theme)


if __name__ == "__main__":
    main()
