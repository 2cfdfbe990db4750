"""Whole queues from Python: what they hold, how they behave, and sweeps over their jobs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, Unpack

from boltq import orders, presence, scripts
from boltq.errors import NotEmpty
from boltq.evalsha import Server
from boltq.filters import (
    CALL_GROUPED,
    Groups,
    Narrowed,
    State,
    added_up,
    asked,
    call_sizes,
    is_filter,
)
from boltq.job import Job, described

# Inside the class `list` is the verb.
Names = list[str]
Jobs = list[Job]
Events = list[orders.Event]
Workers = list[presence.WorkerReport]

SWEEP_LIMIT = 50
"""How many jobs one step of a sweep takes: some 2 ms of the server's time."""


class Page(NamedTuple):
    """Some jobs of a state; the cursor leads to the next page and is empty on the last.

    With a filter, `scanned` of the `total` jobs of the state were looked at: a page may be empty
    and not the last.
    """

    jobs: list[Job]
    cursor: str
    scanned: int = 0
    total: int = 0


class Queues(ABC):
    """The verbs that concern a queue as a whole."""

    @property
    @abstractmethod
    def server(self) -> Server:
        """The server they are on."""

    def replay_all(self, queue: str = "default") -> int:
        """Queue again all jobs of a queue that are dead now; returns how many."""
        return sum(self.replay_steps(queue))

    def replay_steps(self, queue: str = "default") -> Iterator[int]:
        """Do what `replay_all` does, and yield after each step how many it has queued again."""
        cursor = None
        while cursor != "":
            call = scripts.replay(queue, [], limit=SWEEP_LIMIT, cursor=cursor or "")
            reply = self.server.call(call)
            cursor = reply.cursor
            yield reply.replayed

    def purge(self, state: State, queue: str = "default") -> int:
        """Delete all jobs of a state, not running, that were made until now; returns how many."""
        return sum(self.purge_steps(state, queue))

    def purge_steps(self, state: State, queue: str = "default") -> Iterator[int]:
        """Do what `purge` does, and yield after each step how many it has deleted."""
        cursor = None
        while cursor != "":
            call = scripts.purge(queue, [], state=state, limit=SWEEP_LIMIT, cursor=cursor or "")
            reply = self.server.call(call)
            cursor = reply.cursor
            yield reply.purged

    def list(
        self,
        state: State,
        *,
        queue: str = "default",
        limit: int = 100,
        newest: bool = True,
        cursor: str = "",
        worker: str = "",
        scan: int = 1000,
        **narrowed: Unpack[Narrowed],
    ) -> Page:
        """Show jobs of one state, without payloads and results, each with its last error alone.

        limit: 1 or more. newest: from the newest end. cursor: as the page before told.
        worker: only those that it runs or has ended. scan: how many jobs are looked at for a page
        where there is a filter, 1 or more. narrowed: see Narrowed. Costs a round trip for each 25
        jobs that are shown, or 100 that are looked at: then others have their turn.
        """
        told, jobs, scanned = asked(narrowed), Jobs(), 0
        most = scan if is_filter(told, worker) else limit
        call_jobs, call_scan = call_sizes(state)
        while True:
            call = scripts.list_(
                queue,
                state=state,
                order="newest" if newest else "oldest",
                limit=min(limit - len(jobs), call_jobs),
                cursor=cursor,
                worker=worker or None,
                scan=min(most - scanned, call_scan),
                **told,
            )
            reply = self.server.call(call)
            jobs += [described(queue, item) for item in reply.answers]
            scanned, cursor = scanned + reply.scanned, reply.cursor
            if not cursor or len(jobs) >= limit or scanned >= most:
                return Page(jobs, cursor, scanned, reply.total)

    def groups(
        self, state: State = "dead", queue: str = "default", *, most: int = 10_000
    ) -> Groups:
        """Count jobs of a state by type and last error; looks at the newest `most` of them."""
        return added_up(queue, self._group_pages(state, queue, most))

    def _group_pages(self, state: State, queue: str, most: int) -> Iterator[scripts.Grouped]:
        left, cursor = most, None
        while left > 0 and cursor != "":
            scan = min(left, CALL_GROUPED)
            page = self.server.call(
                scripts.group(queue, state=state, scan=scan, cursor=cursor or "")
            )
            left, cursor = left - max(1, page.scanned), page.cursor
            yield page

    def stats(self, queue: str = "default") -> scripts.Stats:
        """Count a queue's jobs by state; costs the same however many there are."""
        return self.server.call(scripts.stats(queue))

    def stats_of_all(self) -> dict[str, scripts.Stats]:
        """Count the jobs of every queue in use, in one round trip."""
        names = self.queues()
        answers = self.server.call_all([scripts.stats(name) for name in names])
        return {
            name: stats
            for name, stats in zip(names, answers, strict=True)
            if isinstance(stats, scripts.Stats)
        }

    def queues(self) -> Names:
        """Name the queues that clients or workers have used of late."""
        return self.server.queues()

    def workers(self) -> Workers:
        """List the workers that were heard of within the last ten minutes, and what they run."""
        return presence.workers(self.server)

    def quiet_worker(self, worker: str, *, by: str = "") -> None:
        """Ask a worker to claim nothing more and to stay; it hears of it within 10 s.

        by: who asks, for people. Raises UnknownWorker, Unavailable. Costs three round trips.
        """
        orders.give(self.server, worker, "quiet", by=by)

    def stop_worker(self, worker: str, *, by: str = "") -> None:
        """Ask a worker to end as at SIGTERM; a parent starts another. Else as `quiet_worker`."""
        orders.give(self.server, worker, "stop", by=by)

    def resume_worker(self, worker: str) -> None:
        """Ask a quiet worker to claim again. Else as `quiet_worker`."""
        orders.give(self.server, worker, None)

    def worker_history(self, limit: int = 100) -> Events:
        """List what became of workers, the last first. limit: 1 to 1000. Costs a round trip."""
        return orders.history(self.server, limit)

    def configure(self, queue: str = "default", **settings: object) -> dict[str, str]:
        """Set how a queue behaves; None is back to the default. Returns what is in force.

        The settings are listed in lua/README.md. Raises BadArgument for one that breaks its rule.
        """
        items = [
            scripts.ConfigureItem(name, b"" if value is None else str(value).encode())
            for name, value in settings.items()
        ]
        reply = self.server.call(scripts.configure(queue, items))
        self.server.note_queue(queue, reply.now_ms)
        return {answer.name: answer.value for answer in reply.answers}

    def settings(self, queue: str = "default") -> dict[str, str]:
        """Tell which settings of a queue are in force."""
        reply = self.server.call(scripts.configure(queue, []))
        return {answer.name: answer.value for answer in reply.answers}

    def drop_queue(self, queue: str = "default") -> None:
        """Delete a queue that keeps no job, with its settings, totals and operations.

        Raises NotEmpty. Who uses it again makes it anew.
        """
        reply = self.server.call(scripts.drop(queue))
        if isinstance(reply, scripts.NotEmpty):
            raise NotEmpty(f"queue {queue} keeps {reply.jobs} jobs: only an empty one is deleted")
        self.server.registry.forget_queue(queue)

    def pause(self, queue: str = "default", *, reason: str = "", by: str = "") -> None:
        """Hand out nothing of a queue until `resume`; running jobs go on."""
        self.configure(queue, paused=1, pause_reason=reason, paused_by=by)

    def resume(self, queue: str = "default") -> None:
        """Hand out jobs again."""
        self.configure(queue, paused=0)
