"""What happened in a queue, by the minute and by the call."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from boltq import ids, scripts
from boltq.evalsha import Server
from boltq.job import moment_of

MOST_MINUTES = 1440
MOST_EVENTS = 1000


class Minute(NamedTuple):
    """One minute in which jobs moved.

    at: when it began. queued, oldest_queued_seconds: how many jobs were queued at its first call,
    and for how long the oldest of them had been. The others count what happened in it: leases that
    ran out are `lost`, jobs that came into `dead` are `died`.
    """

    at: datetime
    queued: int
    oldest_queued_seconds: float
    enqueued: int
    completed: int
    failed: int
    lost: int
    died: int
    cancelled: int
    replayed: int
    purged: int


@dataclass(frozen=True, slots=True)
class Came:
    """How many jobs came into a state by one call, and the ids of the first of them."""

    count: int
    ids: tuple[str, ...]


class Event(NamedTuple):
    """What one call did.

    id: grows, and names the event to who goes on after it. at: when. verb: which script. jobs: by
    the state that they came into; beside the states there are `lost` (leases that ran out), `asked`
    (running jobs that are to stop), `purged`, and of the queue itself `paused` and `resumed`.
    """

    id: str
    at: datetime
    verb: str
    jobs: Mapping[str, Came]


class Feed(NamedTuple):
    """Some events in their order.

    last: the id of the last that is kept, empty for none. more: whether there are more behind
    these. gap: whether some after the one known may have been let go. keeps: about how many are
    kept; 0: the queue keeps none.
    """

    events: list[Event]
    last: str
    more: bool
    gap: bool
    keeps: int


class Happened(ABC):
    """The verbs that tell what happened in a queue."""

    @property
    @abstractmethod
    def server(self) -> Server:
        """The server they are on."""

    def series(self, queue: str = "default", *, minutes: int = 60) -> list[Minute]:
        """Tell what happened in each of the last minutes, the oldest first.

        minutes: 1 to 1440, with the present one. A minute in which no job moved is left out.
        Raises BadArgument. Costs O(minutes), some 5 us of the server each.
        """
        reply = self.server.call(scripts.series(queue, minutes=minutes))
        return [
            Minute(moment_of(at_ms), queued, oldest_ms / 1000, *counts)
            for at_ms, queued, oldest_ms, *counts in reply.answers
        ]

    def events(self, queue: str = "default", *, after: str = "", limit: int = 100) -> Feed:
        """Tell what calls did in a queue that keeps events, which is its setting `keep_events`.

        after: the id of the last event known; empty: from the oldest that is kept on. limit: 1 to
        1000; fewer come where they are large. Raises BadArgument. Costs O(limit).
        """
        return fed(queue, self.server.call(scripts.events(queue, after=after, limit=limit)))


def fed(queue: str, reply: scripts.Events) -> Feed:
    """Read what the script tells."""
    events = [_event(queue, one) for one in reply.answers]
    return Feed(events, reply.last, bool(reply.more), bool(reply.gap), reply.keep_events)


def _event(queue: str, one: scripts.EventsEvent) -> Event:
    at_ms, _, _ = one.id.partition("-")
    jobs = {}
    for line in one.jobs.decode("utf-8", "replace").split("\n"):
        state, count, *names = line.split(" ")
        jobs[state] = Came(int(count), tuple(ids.join(queue, name) for name in names))
    return Event(one.id, moment_of(int(at_ms)), one.verb, jobs)
