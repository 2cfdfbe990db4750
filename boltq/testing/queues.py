"""Queues of its own for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec

from boltq import scripts
from boltq.client import BoltQ
from boltq.declare import Declared
from boltq.durations import in_ms
from boltq.errors import BadArgument, WrongState
from boltq.filters import State
from boltq.job import Job, described
from boltq.testing.inline import Inline, Ran
from boltq.testing.noting import Noted, NotingServer
from boltq.testing.shared import server_address


class Scratch:
    """An app's queues as a test has them: empty at its start, gone at its end.

    Everything is as in production, with the same scripts on a real server, but that no worker runs
    beside the test: `drain` runs the jobs, `advance` lets time pass.
    """

    def __init__(self, app: BoltQ, server: NotingServer) -> None:
        """Made by `scratch`."""
        self._app = app
        self._server = server
        self._started = self._ended = False

    def drain(self, *, raising: bool = True, limit: int = 10_000) -> list[Ran]:
        """Run all jobs that are ready, here and now, also those that these enqueue.

        Ready is what is queued, or waited for a time that has come; a queue that is paused gives
        nothing. Each queue is in its turn, each in its own order. A job is claimed, decoded, run
        inside the app's middleware, encoded and settled by the parts of a worker. The hooks of
        `on_start` run before the first job of a scratch, those of `on_stop` at its end.

            queues.drain()
            assert outbox == ["a@example.com"]

        Args:
            raising: True raises what a handler raises, once it is kept as the job's error, so that
                a job which fails lets its test fail; not a Retry that leads to another try. False
                goes on, for tests of failures.
            limit: how many jobs may run, against one that enqueues itself for ever.

        Returns what ran, in its order. Raises NoHandler, NeverIdle. Costs a millisecond a job.
        """
        self._check()
        if not self._started:
            for hook in self._app.starters:
                hook()
            self._started = True
        return Inline(self._app, self._server).drain(raising=raising, limit=limit)

    def advance(self, time: float | timedelta) -> None:
        """Let time pass: what waits for a time comes nearer, what it passes is due.

        So for delays, pauses between tries, leases, and how long jobs are kept. What becomes due
        is moved by the next `drain`. The clocks of Python and of the server stay as they are, and
        so do the times that a job shows of its past.

            send_email.options(delay=3600).enqueue("a@example.com")
            queues.advance(timedelta(hours=1))
            queues.drain()

        time: seconds or a timedelta, up to ten years.
        """
        self._check()
        ms = in_ms("time", time)
        if ms:
            self._server.advance(self._server.queues(), ms)

    def enqueued(self, job: str | Declared[..., Any]) -> list[Any]:
        """Return the payloads of all jobs of a type that were enqueued so far, in their order.

        Also of those that have run. Payloads have been through JSON; a declared job's are its
        arguments by name. An enqueue whose id was known already made no job, and is left out.

            assert queues.enqueued(send_email) == [{"recipient": "a@example.com"}]

        job: a declared job, or the type.
        """
        self._check()
        return [_decoded(noted.payload) for noted in self._noted(job)]

    def jobs(
        self, job: str | Declared[..., Any] | None = None, *, state: State | None = None
    ) -> list[Job]:
        """Return the jobs that were enqueued so far as they stand now, in that order.

            [failed] = queues.jobs(send_email, state="dead")
            assert failed.errors[-1].type == "SMTPException"

        job: a declared job, or a type; None: all. state: only those in it. Those that are no longer
        kept are left out.
        """
        self._check()
        places = list(dict.fromkeys((noted.queue, noted.id) for noted in self._noted(job)))
        calls = [
            scripts.inspect(queue, [scripts.InspectItem(id)], with_payload=1)
            for queue, id in places
        ]
        found = []
        for (queue, _), reply in zip(places, self._server.call_all(calls), strict=True):
            answer = reply.answers[0]
            if isinstance(answer, scripts.InspectJob):
                found.append(described(queue, answer))
        return [one for one in found if state in {None, one.state}]

    def _noted(self, job: str | Declared[..., Any] | None) -> list[Noted]:
        type = job.type if isinstance(job, Declared) else job
        if not isinstance(type, str | None):
            raise BadArgument(f"job must be a declared job or a type, not {type!r}")
        return [noted for noted in self._server.noted if type in {None, noted.type}]

    def _check(self) -> None:
        if self._ended:
            raise WrongState("this scratch has ended: its jobs are gone")

    def end(self) -> None:
        """Run the hooks of `on_stop` and delete what there is; `scratch` calls it."""
        self._ended = True
        try:
            if self._started:
                for hook in self._app.stoppers:
                    hook()
        finally:
            self._server.forget()
            self._server.close()


def _decoded(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return payload  # a worker gives it to the handler as it is


@contextmanager
def scratch(app: BoltQ) -> Iterator[Scratch]:
    """Give an app queues of its own inside the block, on an embedded server.

        with testing.scratch(app) as queues:
            send_email.enqueue("a@example.com")
            queues.drain()

    All that the app does inside goes there: enqueues, an API, a worker that is made of it. The
    server is started with the first block of the process, which takes 0.1 s, and shared by all;
    blocks may be nested, of one app or several. At the end the app is as before, and what it
    enqueued is gone. Raises Unavailable where no embedded server can be had.
    """
    server = NotingServer(server_address())
    before = app._server  # noqa: SLF001 - `server` would look for one, which a test may not have
    app.server = server
    queues = Scratch(app, server)
    try:
        yield queues
    finally:
        try:
            queues.end()
        finally:
            app._server = before  # noqa: SLF001 - back as it was, also if there was none
