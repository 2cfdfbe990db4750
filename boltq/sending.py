"""Jobs on their way in: a batch, or any number of them, of which one is under way at a time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from boltq import ids, scripts
from boltq.errors import Unavailable
from boltq.evalsha import Server

Options = scripts.EnqueueOptions
Batch = list[scripts.EnqueueItem]
Answers = list[scripts.EnqueueAnswer]

Sending = Callable[[str, Batch], AbstractContextManager[Batch]]
"""Is put around each call that adds jobs: is given their queue and them, gives what to send."""


def send(
    server: Server, around: Sending | None, queue: str, batch: Batch, options: Options
) -> Answers:
    """Send one batch to a queue and return what it was answered.

    Raises Unavailable, which names the jobs, and what the script refuses.
    """
    if around is not None:
        with around(queue, batch) as marked:
            return send(server, None, queue, marked, options)
    try:
        reply = server.call(scripts.enqueue(queue, batch, **options))
    except Unavailable as problem:
        raise _unavailable(problem, queue, batch) from problem
    server.note_queue(queue, reply.now_ms)
    return reply.answers


def send_all(
    server: Server,
    around: Sending | None,
    queue: str,
    batches: Iterable[Batch],
    options: Options,
) -> Iterator[Answers]:
    """Send batches to a queue, one after the other, and yield what each was answered.

    While one is under way the next is read and made, unless something is to be around each call;
    none is while the answers' reader does its own work. Where reading the batches raises, what was
    sent before is heard first. Raises as `send`.
    """
    if around is None:
        return _ahead(server, queue, batches, options)
    return (send(server, around, queue, batch, options) for batch in batches)


def _ahead(
    server: Server, queue: str, batches: Iterable[Batch], options: Options
) -> Iterator[Answers]:
    under_way: list[_UnderWay] = []  # one at most
    try:
        for batch in batches:
            while under_way:
                yield under_way.pop().answers()
            under_way.append(_UnderWay(server, queue, batch, options))
        while under_way:
            yield under_way.pop().answers()
    except Exception:
        while under_way:
            yield under_way.pop().answers()
        raise
    finally:
        for one in under_way:
            one.drop()


class _UnderWay:
    def __init__(self, server: Server, queue: str, batch: Batch, options: Options) -> None:
        self._server = server
        self._queue = queue
        self._batch = batch
        self._call = server.begin(scripts.enqueue(queue, batch, **options))

    def answers(self) -> Answers:
        try:
            reply = self._call.answer()
        except Unavailable as problem:
            raise _unavailable(problem, self._queue, self._batch) from problem
        self._server.note_queue(self._queue, reply.now_ms)
        return reply.answers

    def drop(self) -> None:
        self._call.drop()


def _unavailable(problem: Unavailable, queue: str, batch: Batch) -> Unavailable:
    unknown = tuple(ids.join(queue, str(one.id)) for one in batch)
    return Unavailable(str(problem), unknown)
