"""What an app declares: which function does the jobs of a type, and what runs around them."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from boltq import ids
from boltq.arguments import Arguments, plain
from boltq.errors import BadArgument, BadSetting
from boltq.execution import Execution, current_job
from boltq.follow import Enqueued
from boltq.newjob import NewJob, Options

P = ParamSpec("P")
R = TypeVar("R")
Hook = TypeVar("Hook", bound=Callable[[], object])

Middleware: TypeAlias = Callable[[Execution, Callable[[], Any]], Any]
"""Runs around each handler: is given the job and what to call, returns the job's result."""

Around = TypeVar("Around", bound=Middleware)


class Defaults(Options, total=False):
    """What a declaration may say for all jobs of its type: any option, and the queue."""

    queue: str


class Chosen(Defaults, total=False):
    """What `Declared.options` may say: also what belongs to one job alone."""

    id: str | None
    headers: dict[str, object] | None


class Declarations(ABC):
    """The handlers, hooks and middleware of an app, for workers that are given it."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}
        self.starters: list[Callable[[], object]] = []
        self.stoppers: list[Callable[[], object]] = []
        self.middleware: list[Middleware] = []

    @overload
    def job(
        self, type: str, *, with_job: Literal[True], **defaults: Unpack[Defaults]
    ) -> Callable[[Callable[Concatenate[Execution, P], R]], "Declared[P, R]"]: ...

    @overload
    def job(
        self, type: str, *, with_job: Literal[False] = False, **defaults: Unpack[Defaults]
    ) -> Callable[[Callable[P, R]], "Declared[P, R]"]: ...

    def job(
        self, type: str, *, with_job: bool = False, **defaults: Unpack[Defaults]
    ) -> Callable[[Callable[..., Any]], "Declared[..., Any]"]:
        """Declare that a function does the jobs of a type; it can then be enqueued.

        The function stays callable as before. A payload that is an object reaches it as keyword
        arguments, any other as its one argument.

        Args:
            type: the name of its jobs in every language, 1 to 128 characters; it should outlive
                the function's own name.
            with_job: True gives it the job, an Execution, before its arguments.
            defaults: the queue of its jobs, and any option of Options.

        Raises BadArgument for a type that is no name, BadSetting for one that another function
        does already, or for a function that no worker could call.
        """
        ids.checked_type(type)
        if "queue" in defaults:
            ids.checked_name("queue", defaults["queue"])

        chosen = cast("Chosen", defaults)

        def declare(handler: Callable[..., Any]) -> "Declared[..., Any]":
            self._refuse_another(type, handler)
            declared = Declared[..., Any](self, type, handler, with_job=with_job, chosen=chosen)
            # A worker calls it with the payload alone; where that is all, without a step between.
            self.handlers[type] = declared if with_job else handler
            return declared

        return declare

    def _refuse_another(self, type: str, handler: Callable[..., Any]) -> None:
        # The same function again is a module that was run again, as in a notebook.
        other = self.handlers.get(type)
        if other is not None and _name(other) != _name(handler):
            raise BadSetting(f"jobs of type {type} are done by {_name(other)} already")

    def on_start(self, hook: Hook) -> Hook:
        """Call a function once in each worker process, before it claims jobs.

        If it raises, the worker ends.
        """
        plain("a hook", hook)
        self.starters.append(hook)
        return hook

    def on_stop(self, hook: Hook) -> Hook:
        """Call a function once in each worker process, after its last handler has ended."""
        plain("a hook", hook)
        self.stoppers.append(hook)
        return hook

    def around(self, middleware: Around) -> Around:
        """Run a function around each handler: `def timed(job, call): return call()`.

        What it returns is the job's result, what it raises its failure. The first that was declared
        is the outermost.
        """
        plain("middleware", middleware)
        self.middleware.append(middleware)
        return middleware

    @abstractmethod
    def enqueue(
        self, type: str, *, raw: bytes | None = None, **chosen: Unpack[Chosen]
    ) -> Enqueued[Any]:
        """Add one job."""

    @abstractmethod
    def enqueue_each(
        self, jobs: Iterable[NewJob], *, queue: str = ..., **options: Unpack[Options]
    ) -> Iterator[Enqueued[Any]]:
        """Add many jobs, and yield each."""

    @abstractmethod
    def enqueue_many(
        self,
        jobs: Iterable[NewJob],
        *,
        queue: str = ...,
        progress: Callable[[int], object] | None = ...,
        **options: Unpack[Options],
    ) -> int:
        """Add many jobs."""


class Declared(Generic[P, R]):
    """A function that does the jobs of a type: call it, or enqueue a call of it."""

    def __init__(
        self,
        app: Declarations,
        type: str,
        handler: Callable[..., R],
        *,
        with_job: bool,
        chosen: Chosen,
    ) -> None:
        functools.update_wrapper(self, handler)
        self.type = type
        self._app = app
        self._handler = handler
        self._with_job = with_job
        self._chosen = chosen
        self._takes = Arguments(type, handler, with_job=with_job)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function here and now; with_job: with the job whose handler calls it."""
        if self._with_job:
            return self._handler(current_job(), *args, **kwargs)
        return self._handler(*args, **kwargs)

    def options(self, **chosen: Unpack[Chosen]) -> "Declared[P, R]":
        """Return the same with other options, as in `send.options(delay=60).enqueue("a@b.c")`.

        Beside those of Options: queue, id (makes the job unique for as long as it is kept) and
        headers (an object of at most 4096 bytes).
        """
        if "queue" in chosen:
            ids.checked_name("queue", chosen["queue"])
        merged: Chosen = {**self._chosen, **chosen}
        return Declared(self._app, self.type, self._handler, with_job=self._with_job, chosen=merged)

    def arguments(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """Return a call's arguments by name, as `enqueue_many` takes them.

        Raises BadArgument for a name that is missing or unknown.
        """
        return self._takes.named(args, kwargs)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Enqueued[R]:
        """Add a job that will call the function with these arguments.

        Raises BadArgument for a name that is missing or unknown, or what JSON cannot say; the rest
        as `BoltQ.enqueue`.
        """
        raw = self._takes.encoded(self._takes.named(args, kwargs))
        return self._app.enqueue(self.type, raw=raw, **self._chosen)

    def enqueue_each(self, calls: Iterable[Mapping[str, Any]]) -> Iterator[Enqueued[R]]:
        """Add a job for each set of arguments, and yield it once it is answered.

        calls: arguments by name; of any length, read 500 at a time as the answers are taken.
        Nothing is sent before the first is asked for. Raises as `enqueue`; what was yielded stays.
        """
        jobs, options = self._many(calls)
        return self._app.enqueue_each(jobs, **options)

    def enqueue_many(
        self,
        calls: Iterable[Mapping[str, Any]],
        *,
        progress: Callable[[int], object] | None = None,
    ) -> int:
        """Add a job for each set of arguments, 500 a round trip; returns how many.

        calls: arguments by name; of any length, nothing is kept of them. progress: is called after
        each round trip with how many were answered so far. Raises as `enqueue`; the batches that
        were answered before stay.
        """
        jobs, options = self._many(calls)
        return self._app.enqueue_many(jobs, progress=progress, **options)

    def _many(self, calls: Iterable[Mapping[str, Any]]) -> tuple[Iterator[NewJob], Defaults]:
        options: Chosen = {**self._chosen}
        if options.pop("id", None) is not None:
            raise BadArgument(f"the option id is for one job of type {self.type}, not for many")
        headers = options.pop("headers", None)
        jobs = (
            NewJob(self.type, headers=headers, raw=self._takes.encoded(self._takes.checked(one)))
            for one in calls
        )
        return jobs, cast("Defaults", options)


def _name(handler: Callable[..., Any]) -> str:
    return f"{handler.__module__}.{getattr(handler, '__qualname__', repr(handler))}"
