"""The queue from Python: one method a verb, over the scripts."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeVar, Unpack

from boltq import ids, locate, newjob, scripts
from boltq.errors import Unavailable, UnknownJob, WrongState
from boltq.evalsha import Server
from boltq.job import Job, described
from boltq.newjob import NewJob, Options
from boltq.settings import Settings

Handler = TypeVar("Handler", bound=Callable[..., Any])
State = Literal["scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead"]

# Inside the class `list` is the verb.
Names = list[str]

SWEEP_LIMIT = 500
"""How many jobs one step of a sweep takes."""


class Enqueued(NamedTuple):
    """What became of a job that was handed in; `created` is False if its id was known already."""

    id: str
    created: bool


Answers = list[Enqueued]
Batch = list[scripts.EnqueueItem]


class Page(NamedTuple):
    """Some jobs of a state; the cursor leads to the next page and is empty on the last."""

    jobs: list[Job]
    cursor: str


class BoltQ:
    """A client of the queues on one server. Safe for threads; make one and keep it."""

    def __init__(
        self,
        address: str | None = None,
        *,
        prefix: str | None = None,
        patience_seconds: float = 10.0,
        settings: Settings | None = None,
    ) -> None:
        """Prepare a client; nothing is sent before the first call.

        address: host:port or a URL, see REDIS_ADDR; None: as the settings say, else the embedded
        server of the data folder, else localhost:6379.
        prefix: what the keys begin with; None: as the settings say.
        patience_seconds: for how long a call that finds no server is repeated.
        settings: read from the environment and `.env` unless given.
        """
        settings = settings or Settings.load()
        self.server = Server(
            locate.server_address(settings, address),
            prefix=prefix or settings.prefix,
            patience_seconds=patience_seconds,
        )
        self.handlers: dict[str, Callable[..., Any]] = {}

    def job(self, type: str) -> Callable[[Handler], Handler]:
        """Declare that a function does the jobs of a type, for workers that are given this app."""

        def declare(handler: Handler) -> Handler:
            self.handlers[ids.checked_type(type)] = handler
            return handler

        return declare

    def enqueue(
        self,
        type: str,
        payload: object = None,
        *,
        queue: str = "default",
        id: str | None = None,
        headers: dict[str, object] | None = None,
        raw: bytes | None = None,
        **options: Unpack[Options],
    ) -> Enqueued:
        """Add one job; returns its id, and whether it is new. A known id adds nothing.

        type, payload, id, headers, raw: see NewJob. queue: where to. options: see Options.
        Raises BadArgument, TooLarge, ServerFull, Unavailable (its `unknown_ids` names the job:
        repeating with this id is safe). Costs O(log n), n = jobs waiting.
        """
        new = newjob.item(queue, NewJob(type, payload, id, headers, raw))
        return self._send(queue, [new], newjob.common(options, self.server.now_ms))[0]

    def enqueue_many(
        self, jobs: Iterable[NewJob], *, queue: str = "default", **options: Unpack[Options]
    ) -> Answers:
        """Add many jobs with the same options, 500 a round trip; returns one answer each, in order.

        Raises as `enqueue`; the batches that were answered before stay.
        """
        chosen = newjob.common(options, self.server.now_ms)
        items = (newjob.item(queue, new) for new in jobs)
        return [one for batch in newjob.batches(items) for one in self._send(queue, batch, chosen)]

    def _send(self, queue: str, batch: Batch, options: newjob.Common) -> Answers:
        try:
            reply = self.server.call(scripts.enqueue(queue, batch, **options))
        except Unavailable as problem:
            unknown = tuple(ids.join(queue, str(one.id)) for one in batch)
            raise Unavailable(str(problem), unknown) from problem
        self.server.note_queue(queue, reply.now_ms)
        return [
            Enqueued(ids.join(queue, answer.id), isinstance(answer, scripts.EnqueueCreated))
            for answer in reply.answers
        ]

    def get(self, id: str, *, payload: bool = True) -> Job:
        """Show one job whole; `payload` False leaves a payload above 4096 bytes unread.

        Raises UnknownJob if nothing is kept of it. Costs O(bytes of the job).
        """
        queue, inside = ids.split(id)
        call = scripts.inspect(queue, [scripts.InspectItem(inside)], with_payload=int(payload))
        answer = self.server.call(call).answers[0]
        if isinstance(answer, scripts.InspectJob):
            return described(queue, answer)
        raise _unknown(id)

    def cancel(self, id: str) -> Literal["cancelled", "asked", "already"]:
        """Take a job out before it runs, or ask it to stop if it runs; says which it was.

        Raises UnknownJob; WrongState if the job is completed or dead.
        """
        queue, inside = ids.split(id)
        answer = self.server.call(scripts.cancel(queue, [scripts.CancelItem(inside)])).answers[0]
        if isinstance(answer, scripts.CancelUnknown):
            raise _unknown(id)
        if isinstance(answer, scripts.CancelFinished):
            message = f"job {id} is {answer.state}: only a job that has not ended can be cancelled"
            raise WrongState(message)
        if isinstance(answer, scripts.CancelAsked):
            return "asked"
        return "cancelled" if isinstance(answer, scripts.CancelGone) else "already"

    def replay(self, id: str) -> None:
        """Queue a dead job again with fresh attempts. Raises UnknownJob; WrongState if not dead."""
        queue, inside = ids.split(id)
        call = scripts.replay(queue, [scripts.ReplayItem(inside)], limit=1, cursor="")
        answer = self.server.call(call).answers[0]
        if isinstance(answer, scripts.ReplayUnknown):
            raise _unknown(id)
        if isinstance(answer, scripts.ReplayNotDead):
            message = f"job {id} is {answer.state}: only a dead job can be replayed"
            raise WrongState(message)

    def replay_all(self, queue: str = "default") -> int:
        """Queue again all jobs of a queue that are dead now; returns how many."""
        replayed, cursor = 0, None
        while cursor != "":
            call = scripts.replay(queue, [], limit=SWEEP_LIMIT, cursor=cursor or "")
            reply = self.server.call(call)
            replayed, cursor = replayed + reply.replayed, reply.cursor
        return replayed

    def purge(self, state: State, queue: str = "default") -> int:
        """Delete all jobs of a state, not running, that were made until now; returns how many."""
        purged, cursor = 0, None
        while cursor != "":
            call = scripts.purge(queue, [], state=state, limit=SWEEP_LIMIT, cursor=cursor or "")
            reply = self.server.call(call)
            purged, cursor = purged + reply.purged, reply.cursor
        return purged

    def list(
        self,
        state: State,
        *,
        queue: str = "default",
        limit: int = 100,
        newest: bool = True,
        cursor: str = "",
    ) -> Page:
        """Show jobs of one state, without payloads and results, each with its last error alone.

        limit: 1 to 200. newest: from the newest end. cursor: as the page before told.
        """
        order = "newest" if newest else "oldest"
        call = scripts.list_(queue, state=state, order=order, limit=limit, cursor=cursor)
        reply = self.server.call(call)
        return Page([described(queue, item) for item in reply.answers], reply.cursor)

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

    def pause(self, queue: str = "default", *, reason: str = "", by: str = "") -> None:
        """Hand out nothing of a queue until `resume`; running jobs go on."""
        self.configure(queue, paused=1, pause_reason=reason, paused_by=by)

    def resume(self, queue: str = "default") -> None:
        """Hand out jobs again."""
        self.configure(queue, paused=0)

    def ping(self) -> None:
        """Return if the server answers now; raise Unavailable or NotAllowed otherwise."""
        self.server.ping()

    def close(self) -> None:
        """Close the connections."""
        self.server.close()


def _unknown(job: str) -> UnknownJob:
    return UnknownJob(f"job {job} is not known: it never was, or is no longer kept")
