"""Jobs that a filter asks for, looked for page by page within a bound."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

import msgspec

from boltq.cli.listing import ORDER, Listing, Looked
from boltq.errors import BadArgument

if TYPE_CHECKING:
    from boltq.api.merged import Source
    from boltq.cli.listing import States
    from boltq.cli.wanted import Wanted
    from boltq.client import BoltQ
    from boltq.job import Job

MOST_LOOKED = 10_000
"""How many jobs one command looks at, and a page more; some 40 ms of the server's time."""


def search(
    boltq: "BoltQ",
    queue: str | None,
    states: "States | None",
    wanted: "Wanted",
    *,
    oldest: bool,
    limit: int,
    cursor: str,
) -> Listing:
    """Look for jobs of one queue or, without one, of all in use; of all states the newest first.

    cursor: as the page before told, whose other arguments were the same. Looks at MOST_LOOKED jobs,
    with a text for one second, and tells how many that were.
    """
    from boltq.api import merged, searched
    from boltq.api.merged import Source
    from boltq.filters import asked

    if cursor:
        rest = _unpacked(cursor)
    else:
        queues = [queue] if queue else boltq.queues()
        rest = {Source(name, state): "" for name in queues for state in states or ORDER}
    order = "oldest" if oldest else "newest"
    filter = merged.Wanted(limit, order, wanted.worker, asked(wanted.narrowed(boltq)))
    jobs: list[Job] = []
    scanned = total = done = 0
    while rest and len(jobs) < limit and scanned < MOST_LOOKED:
        page = filter.at_most(limit - len(jobs))
        if wanted.text:
            found = searched.page(boltq.server, rest, page, wanted.text)
        else:
            found = merged.page(boltq.server, rest, page)
        jobs += found.jobs
        scanned, rest = scanned + found.scanned, found.rest
        total, done = done + found.total, done + found.total - found.left
        if wanted.text:
            break
    return Listing(boltq, jobs, _packed(rest), Looked(scanned, total))


def _packed(rest: "dict[Source, str]") -> str:
    if not rest:
        return ""
    rows = [[source.queue, source.state, start] for source, start in rest.items()]
    return urlsafe_b64encode(msgspec.json.encode(rows)).decode()


def _unpacked(cursor: str) -> "dict[Source, str]":
    from boltq.api.merged import Source
    from boltq.filters import State

    try:
        rows = msgspec.json.decode(
            urlsafe_b64decode(cursor.encode()), type=list[tuple[str, State, str]]
        )
    except (msgspec.DecodeError, binascii.Error, UnicodeError) as problem:
        message = "--cursor must be one that this list gave, with the same flags"
        raise BadArgument(message) from problem
    return {Source(queue, state): start for queue, state, start in rows}
