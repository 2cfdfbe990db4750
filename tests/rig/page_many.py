"""The page over a million jobs and payloads of 1 MiB: how soon rows are seen, and what it takes.

python -m rig.page_many [--jobs N] [--servers redis,valkey]     from tests/, with the repository in
PYTHONPATH

Each screen is opened, and stayed at for three seconds. Told of each: how long until its first rows
stood there, the heap of the tab, how much of a core the server used, and the longest script, by the
server's own log, or all of the core that was used, if that is less: the kernel puts scripts off.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api_served import served
from browsed import Site, browser
from chromium import Page
from queue_state import QueueState
from rig.bounds_load import load
from servers import process_server

from boltq.client import BoltQ

STAY_SECONDS = 3.0
QUEUE = "large"
SCREENS = {
    "overview": ("", "longest wait first"),
    "playground": (f"playground?queue={QUEUE}", "others"),
    "queues": ("queues", "1 queue"),
    "queue": (f"queues/{QUEUE}", "looked at"),
    "jobs, all": ("jobs", "looked at"),
    "jobs, queued": ("jobs?state=queued", "looked at"),
    "jobs, by error": (f"jobs?queue={QUEUE}&error=E", "looked at"),
    "jobs, by payload": (f"jobs?queue={QUEUE}&text=nowhere", "looked at"),
    "dead": ("dead", "What they died of"),
    "a job of 1 MiB": (f"jobs/{QUEUE}%3Ashown", "The first 11.7 KiB of"),
    "workers": ("workers", "What became of workers"),
    "operations": ("operations", "Replay"),
}


def told_of(kind: str, jobs: int, page: Page) -> list[str]:
    """Load a server of a kind and open each screen; returns a line for each."""
    with process_server(kind, "--slowlog-log-slower-than", "0", "--slowlog-max-len", "20000") as at:
        q = QueueState(at, QUEUE)
        began = time.monotonic()
        load(q, jobs, jobs // 10)
        lines = [f"{kind}: {jobs} jobs wait, loaded in {time.monotonic() - began:.0f} s"]
        boltq = BoltQ(q.server.address.shown, prefix=q.server.prefix)
        boltq.server = q.server
        boltq.enqueue("send", "x" * (2**20 - 2), queue=QUEUE, id="shown")
        boltq.start_operation("replay", "dead", queue=QUEUE, rate=1)
        # The operation waits: whoever drives it would be measured, too.
        with served(q.server, threads=8, callers=1) as api:
            site = Site(page, api, boltq)
            for name, (place, text) in SCREENS.items():
                lines.append(_looked(site, q.raw, name, place, text))
            page.call("Page.navigate", url="about:blank")
        boltq.close()
        return lines


def _looked(site: Site, raw: Any, name: str, place: str, text: str) -> str:
    raw.slowlog_reset()
    before = _core_ms(raw)
    began = time.monotonic()
    site.page.goes_to(f"{site.url}#/{place}")
    shown = (
        f"document.querySelector('main')?.innerText.includes({json.dumps(text)})"
        " && !document.querySelector('main').innerText.includes('Looking')"
    )
    site.page.until(shown)
    seconds = time.monotonic() - began
    site.page.run(f"new Promise((done) => setTimeout(done, {STAY_SECONDS * 1000}))")
    used = _core_ms(raw) - before
    longest = max(
        one["duration"] for one in raw.slowlog_get(20_000) if b"EVALSHA" in one["command"]
    )
    heap = site.page.heap_bytes()
    return (
        f"  {name:18}{seconds:6.2f} s to its rows{heap / 1e6:7.1f} MB of heap"
        f"{used:8.0f} ms of the server's core{min(longest / 1000, used):8.1f} ms the longest script"
    )


def _core_ms(raw: Any) -> float:
    told = raw.info("cpu")
    names = ("used_cpu_user_main_thread", "used_cpu_sys_main_thread")
    return sum(float(told[name]) for name in names) * 1000


def main(arguments: Sequence[str]) -> int:
    """Do it on each kind of server."""
    parser = argparse.ArgumentParser(prog="page_many", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--servers", default="redis,valkey")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own, browser(Path(own)) as page:
        for kind in asked.servers.split(","):
            for line in told_of(kind, asked.jobs, page):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
