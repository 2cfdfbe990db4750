"""The dead jobs, newest first, of one queue or of all."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice

import falcon
import msgspec

from boltq.api import requests
from boltq.api.answers import array, encode, send
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.job import Job


@dataclass(frozen=True, slots=True)
class Dead:
    """GET /api/dead?queue=&limit=&cursor=."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show a page of dead jobs, without payloads; an empty cursor says it is the last."""
        limit = requests.read_limit(req.get_param("limit"))
        queue, cursor = req.get_param("queue"), req.get_param("cursor")
        queues = [requests.read_queue(queue)] if queue else self.boltq.queues()
        starts = _unpack(cursor) if cursor else dict.fromkeys(queues, "")
        if queue and queue not in starts:
            raise BadField("cursor", f"cursor must be one that the list of {queue} gave")
        jobs, rest = newest(self.boltq, starts, limit)
        shown = array(job.to_json() for job in jobs)
        send(resp, b'{"jobs":%b,"cursor":%b}' % (shown, encode(_pack(rest))))


def newest(boltq: BoltQ, starts: Mapping[str, str], limit: int) -> tuple[list[Job], dict[str, str]]:
    """Return the `limit` newest dead jobs of some queues, and where each queue is to be read on.

    `starts` holds the cursor of each queue, empty to begin with. What is returned lacks the queues
    that have nothing left. A job that dies while pages are turned may be seen twice, none is passed
    over. Costs one list a queue, and a second for each of which only a part is shown.
    """
    pages = {
        queue: boltq.list("dead", queue=queue, limit=limit, cursor=start)
        for queue, start in starts.items()
    }
    # A merge, not a sort: what is shown of a queue must be the head of its page.
    newest_first = merge(*(page.jobs for page in pages.values()), key=_died_at, reverse=True)
    jobs = list(islice(newest_first, limit))
    shown = Counter(job.queue for job in jobs)
    rest: dict[str, str] = {}
    for queue, page in pages.items():
        if shown[queue] == 0 and page.jobs:
            rest[queue] = starts[queue]
        elif shown[queue] < len(page.jobs):
            head = boltq.list("dead", queue=queue, limit=shown[queue], cursor=starts[queue])
            rest[queue] = head.cursor
        elif page.cursor:
            rest[queue] = page.cursor
    return jobs, rest


def _died_at(job: Job) -> float:
    return job.finished_at.timestamp() if job.finished_at else 0.0


def _pack(cursors: Mapping[str, str]) -> str:
    # A queue's own cursor has blanks and plus signs, which a query string would change.
    return urlsafe_b64encode(encode(cursors)).decode() if cursors else ""


def _unpack(cursor: str) -> dict[str, str]:
    try:
        cursors = msgspec.json.decode(urlsafe_b64decode(cursor), type=dict[str, str])
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadField("cursor", "cursor must be one that this list gave") from error
    return {requests.read_queue(queue): start for queue, start in cursors.items()}
