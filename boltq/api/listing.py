"""GET /api/jobs and GET /api/dead: jobs by state, queue, type, error, worker and time."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import falcon
import msgspec

from boltq.api import merged, queries, redaction, requests, searched
from boltq.api.answers import array, encode, etag, send
from boltq.api.merged import Source, Wanted
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.filters import State, asked

STATES: tuple[State, ...] = get_args(State)
PARAMETERS = (
    *("state", "queue", "type", "error", "worker", "text", "since", "until"),
    *("limit", "cursor", "order"),
)

_ABOUT = "#"
"""What a cursor holds beside those of the lists: the filter, and how much was looked at before."""


@dataclass(frozen=True, slots=True)
class Dead:
    """GET /api/dead: as GET /api/jobs?state=dead, but what it does not know is passed over."""

    boltq: BoltQ

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show a page of dead jobs, without payloads; an empty cursor says it is the last."""
        show(self.boltq, req, resp, ["dead"])


def show(
    boltq: BoltQ, req: falcon.Request, resp: falcon.Response, states: Sequence[State] = ()
) -> None:
    """Show a page of jobs, without payloads; an empty cursor says it is the last.

    `scanned` of `total` jobs of these states were looked at until here. With a filter a page may be
    empty and not the last. Without `states` they are those that the query names, else all.
    """
    if not states:
        queries.refuse_others(req, PARAMETERS)
        states = _states(req.get_param("state"))
    limit = requests.read_limit(req.get_param("limit"))
    queue, cursor = req.get_param("queue"), req.get_param("cursor")
    wanted = Wanted(
        limit,
        queries.one_of("order", req.get_param("order"), ("newest", "oldest")),
        queries.text("worker", req.get_param("worker"), 128),
        asked(queries.narrowed(req)),
    )
    text = queries.text("text", req.get_param("text"), 200)
    about = (queue, states, wanted.order, wanted.worker, wanted.narrowed, text)
    mark = etag(repr(about).encode())[1:9]
    before = _Before(0, 0)
    if cursor:
        starts, before = _unpack(cursor, states, mark)
        if queue and any(source.queue != requests.read_queue(queue) for source in starts):
            raise BadField("cursor", f"cursor must be one that the list of {queue} gave")
    else:
        queues = [requests.read_queue(queue)] if queue else boltq.queues()
        starts = {Source(name, state): "" for name in queues for state in states}
    if text:
        found = searched.page(boltq.server, starts, wanted, text, req.context.redaction.searched)
    else:
        found = merged.page(boltq.server, starts, wanted)
    scanned, total = before.scanned + found.scanned, before.total + found.total
    rest = _pack(found.rest, states, f"{mark} {scanned} {total - found.left}")
    shown = array(redaction.shown(req, job) for job in found.jobs)
    bounds = b'"scanned":%d,"total":%d' % (scanned, total)
    # A cursor tells when its list was begun: by itself it changes each time.
    send(
        resp, b'{"jobs":%b,"cursor":%b,%b}' % (shown, encode(rest), bounds), lasting=shown + bounds
    )


def _states(text: str | None) -> list[State]:
    if not text:
        return list(STATES)
    named = text.split(",")
    chosen: list[State] = [state for state in STATES if state in named]
    if len(chosen) != len(named):
        rule = f"one or several, with commas between, of {', '.join(STATES)}"
        raise BadField("state", f"state must be {rule}")
    return chosen


@dataclass(frozen=True, slots=True)
class _Before:
    """What earlier pages have looked at, and how many jobs the lists held that are through."""

    scanned: int
    total: int


def _pack(rest: Mapping[Source, str], states: Sequence[State], about: str) -> str:
    if not rest:
        return ""
    cursors = {_name(source, states): start for source, start in rest.items()}
    # A queue's own cursor has blanks and plus signs, which a query string would change.
    return urlsafe_b64encode(encode({_ABOUT: about, **cursors})).decode()


def _name(source: Source, states: Sequence[State]) -> str:
    return source.queue if len(states) == 1 else f"{source.state} {source.queue}"


def _unpack(cursor: str, states: Sequence[State], mark: str) -> tuple[dict[Source, str], _Before]:
    try:
        cursors = msgspec.json.decode(urlsafe_b64decode(cursor), type=dict[str, str])
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadField("cursor", "cursor must be one that this list gave") from error
    about = re.fullmatch(r"(\w{8}) ([0-9]{1,15}) ([0-9]{1,15})", cursors.pop(_ABOUT, f"{mark} 0 0"))
    if about is None or about[1] != mark:
        raise BadField("cursor", "cursor must be one that this list gave, with the same filter")
    starts: dict[Source, str] = {}
    for name, start in cursors.items():
        state, _, queue = name.rpartition(" ")
        known = [one for one in states if one == state or (len(states) == 1 and not state)]
        if not known:
            raise BadField("cursor", "cursor must be one that this list gave")
        starts[Source(requests.read_queue(queue), known[0])] = start
    return starts, _Before(int(about[2]), int(about[3]))
