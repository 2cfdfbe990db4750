"""The queue from Python: one method a verb, over the scripts."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Literal, Unpack

from boltq import ids, locate, newjob, scripts
from boltq.declare import Declarations
from boltq.durations import in_ms
from boltq.errors import Moved, UnknownJob, WrongState
from boltq.evalsha import Server
from boltq.follow import Enqueued
from boltq.happened import Happened
from boltq.job import Job, described
from boltq.newjob import NewJob, Options
from boltq.operations import Operations
from boltq.queues import Queues
from boltq.sending import Sending, send, send_all
from boltq.settings import Settings


class BoltQ(Declarations, Queues, Operations, Happened):
    """An app and its queues on one server. Safe for threads; make one and keep it."""

    def __init__(
        self,
        address: str | None = None,
        *,
        prefix: str | None = None,
        patience_seconds: float = 10.0,
        settings: Settings | None = None,
    ) -> None:
        """Prepare a client; nothing is looked for or sent before the first call.

        address: host:port or a URL, see REDIS_ADDR; None: as the settings say, else the embedded
        server of the data folder, else localhost:6379.
        prefix: what the keys begin with; None: as the settings say.
        patience_seconds: for how long a call that finds no server is repeated.
        settings: read from the environment and `.env` unless given.
        """
        super().__init__()
        self._address = address
        self._prefix = prefix
        self._patience_seconds = patience_seconds
        self._settings = settings or Settings.load()
        self._server: Server | None = None
        self.sending: Sending | None = None

    @property
    def server(self) -> Server:
        """The server, found when first asked for: it may start after the app was imported."""
        if self._server is None:
            self._server = Server(
                locate.server_address(self._settings, self._address),
                prefix=self._prefix or self._settings.prefix,
                patience_seconds=self._patience_seconds,
            )
        return self._server

    @server.setter
    def server(self, server: Server) -> None:
        """Go to another server from now on; the one before is not closed."""
        self._server = server

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
    ) -> Enqueued[Any]:
        """Add one job, and return what it can be followed by. A known id adds nothing.

        type, payload, id, headers, raw: see NewJob. queue: where to. options: see Options.
        Raises BadArgument, TooLarge, ServerFull, Unavailable (its `unknown_ids` names the job:
        repeating with this id is safe). Costs O(log n), n = jobs waiting.
        """
        new = newjob.item(queue, type, payload, id=id, headers=headers, raw=raw)
        return self._send(queue, [new], newjob.common(options, self.server.now_ms))[0]

    def enqueue_each(
        self, jobs: Iterable[NewJob], *, queue: str = "default", **options: Unpack[Options]
    ) -> Iterator[Enqueued[Any]]:
        """Add many jobs with the same options, and yield each, in order, once it is answered.

        They are read and sent 500 at a time, as they are taken: nothing is sent before the first
        is asked for, and nothing is kept. Raises as `enqueue`; what was yielded stays.
        """
        chosen = newjob.common(options, self.server.now_ms)
        for batch in newjob.batches(newjob.items(queue, jobs)):
            yield from self._send(queue, batch, chosen)

    def enqueue_many(
        self,
        jobs: Iterable[NewJob],
        *,
        queue: str = "default",
        progress: Callable[[int], object] | None = None,
        **options: Unpack[Options],
    ) -> int:
        """Add many jobs with the same options, 500 a round trip; returns how many were new.

        Nothing is kept of them here, so there may be any number; they are read at most 1000 ahead
        of the answers. progress: is called after each round trip with how many were answered so
        far. Raises as `enqueue`; the batches that were answered before stay.
        """
        chosen = newjob.common(options, self.server.now_ms)
        batches = newjob.batches(newjob.items(queue, jobs))
        created = answered = 0
        for answers in send_all(self.server, self.sending, queue, batches, chosen):
            created += sum(isinstance(one, scripts.EnqueueCreated) for one in answers)
            answered += len(answers)
            if progress:
                progress(answered)
        return created

    def _send(
        self, queue: str, batch: list[scripts.EnqueueItem], options: scripts.EnqueueOptions
    ) -> "Answers":
        return [
            Enqueued(ids.join(queue, answer.id), isinstance(answer, scripts.EnqueueCreated), self)
            for answer in send(self.server, self.sending, queue, batch, options)
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

    def follow(self, id: str) -> Enqueued[Any]:
        """Return what a job of this id is followed by: its states, its end, its result.

        Nothing is asked yet; `created` is False.
        """
        ids.split(id)
        return Enqueued(id, created=False, _client=self)

    def wait(self, id: str, timeout: float | timedelta | None = None) -> Job:
        """Return a job once it is completed, cancelled or dead; see `Enqueued.wait`."""
        return self.follow(id).wait(timeout)

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

    def alter(
        self,
        id: str,
        *,
        priority: int | None = None,
        delay_seconds: float | timedelta | None = None,
        place: str = "",
    ) -> str:
        """Change a job that rests: its priority, or how long from now it is due; 0 is at once.

        place: as `get` or `list` told it: only if the job is still there. Returns its new place.
        Raises BadArgument; UnknownJob; Moved; WrongState if the job runs or has ended.
        """
        queue, inside = ids.split(id)
        delay_ms = in_ms("delay_seconds", delay_seconds)
        item = scripts.AlterItem(
            inside,
            "" if priority is None else priority,
            "" if delay_ms is None else delay_ms,
            place,
        )
        answer = self.server.call(scripts.alter(queue, [item])).answers[0]
        if isinstance(answer, scripts.AlterUnknown):
            raise _unknown(id)
        if isinstance(answer, scripts.AlterMoved):
            raise Moved.of(id, answer.place)
        if isinstance(answer, scripts.AlterRunning | scripts.AlterFinished):
            state = answer.place.partition(":")[0]
            raise WrongState(f"job {id} is {state}: only a job that rests can be altered")
        return answer.place

    def run_now(self, id: str) -> str:
        """Queue a delayed job now, as if its time had come. Returns and raises as `alter`."""
        return self.alter(id, delay_seconds=0)

    def purge_job(self, id: str, *, place: str = "") -> None:
        """Delete a job that does not run; raises UnknownJob, WrongState; Moved, see `alter`."""
        queue, inside = ids.split(id)
        items = [scripts.PurgeItem(inside, place)]
        call = scripts.purge(queue, items, state=None, limit=1, cursor="")
        answer = self.server.call(call).answers[0]
        if isinstance(answer, scripts.PurgeUnknown):
            raise _unknown(id)
        if isinstance(answer, scripts.PurgeMoved):
            raise Moved.of(id, answer.place)
        if isinstance(answer, scripts.PurgeRunning):
            raise WrongState(f"job {id} is running: only a job that does not run can be deleted")

    def ping(self) -> None:
        """Return if the server answers now; raise Unavailable or NotAllowed otherwise."""
        self.server.ping()

    def close(self) -> None:
        """Close the connections."""
        if self._server is not None:
            self._server.close()


Answers = list[Enqueued[Any]]


def _unknown(job: str) -> UnknownJob:
    return UnknownJob(f"job {job} is not known: it never was, or is no longer kept")
