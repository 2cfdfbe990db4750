"""Jobs of some lists whose payload holds a text: looked for page by page, for a bounded time."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from boltq import ids, scripts
from boltq.api import merged
from boltq.api.merged import Found, Source, Wanted
from boltq.errors import BoltQError
from boltq.evalsha import Server
from boltq.job import Job

LOOK_SECONDS = 1.0
"""For how long a request looks, once it has begun with a page."""

PAGE_JOBS = 50
"""How many jobs are looked at before the time is."""


def page(
    server: Server,
    starts: Mapping[Source, str],
    wanted: Wanted,
    text: str,
    seen: Callable[[str, bytes], bytes] = lambda _type, payload: payload,
) -> Found:
    """Return the next jobs as `merged.page` does, of which only those that hold `text`.

    Letters of ASCII are the same in both cases, and a text is found as it is or as JSON escapes it.
    Ends with LOOK_SECONDS even where the page is not full. Costs two round trips for each
    PAGE_JOBS, and one for each 2 MB of their payloads. `seen` tells what of a
    payload is looked at, by the job's type and the payload.
    """
    needles = {one.lower().encode() for one in (text, json.dumps(text)[1:-1])}
    deadline = time.monotonic() + LOOK_SECONDS
    jobs: list[Job] = []
    rest = dict(starts)
    scanned, before = 0, 0
    while True:
        most = min(PAGE_JOBS, wanted.limit - len(jobs))
        found = merged.page(server, rest, wanted.at_most(most))
        holding = _holding(server, found.jobs, needles, seen)
        jobs += [job for job in found.jobs if job.id in holding]
        scanned += found.scanned
        total = before + found.total
        before, rest = total - found.left, found.rest
        if not rest or len(jobs) == wanted.limit or time.monotonic() >= deadline:
            return Found(jobs, rest, scanned, total, found.left)


def _holding(
    server: Server, jobs: Sequence[Job], needles: set[bytes], seen: Callable[[str, bytes], bytes]
) -> set[str]:
    by_queue = groupby(sorted(jobs, key=lambda job: job.queue), key=lambda job: job.queue)
    asked = {queue: [ids.split(job.id)[1] for job in some] for queue, some in by_queue}
    types = {job.id: job.type for job in jobs}
    holding: set[str] = set()
    while asked:
        calls = [
            scripts.inspect(queue, [scripts.InspectItem(id) for id in inside], with_payload=1)
            for queue, inside in asked.items()
        ]
        later: dict[str, list[str]] = {}
        for (queue, inside), reply in zip(asked.items(), server.call_all(calls), strict=True):
            if isinstance(reply, BoltQError):
                raise reply
            for id, item in zip(inside, reply.answers, strict=True):
                if isinstance(item, scripts.InspectLater):
                    later.setdefault(queue, []).append(id)
                elif isinstance(item, scripts.InspectJob):
                    whole = ids.join(queue, id)
                    if _holds(seen(types[whole], item.payload), needles):
                        holding.add(whole)
        asked = later
    return holding


def _holds(payload: bytes, needles: set[bytes]) -> bool:
    small = payload.lower()
    return any(needle in small for needle in needles)
