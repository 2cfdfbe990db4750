"""What the function of a type may be called with, checked where a job is enqueued."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from boltq.errors import BadArgument, BadSetting
from boltq.newjob import as_json

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Arguments:
    """What a function may be called with."""

    def __init__(self, type: str, handler: Callable[..., Any], *, with_job: bool) -> None:
        self._type = type
        self._signature = _signature(type, handler, with_job=with_job)
        each = self._signature.parameters.values()
        self._names = {one.name for one in each if one.kind not in _VARIABLE}
        self._needed = {one.name for one in each if one.default is one.empty} & self._names
        self._takes_any = any(one.kind is one.VAR_KEYWORD for one in each)

    def named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name."""
        if len(args) > 0:
            try:
                bound = self._signature.bind_partial(*args).arguments
            except TypeError as problem:
                raise BadArgument(f"{self}: {problem}") from problem
            if twice := bound.keys() & kwargs.keys():
                raise BadArgument(f"{self}: {', '.join(sorted(twice))} is given twice")
            if bound.keys() - self._names:
                raise BadArgument(f"{self}: what *args would take has no name in a payload")
            return self.checked({**bound, **kwargs})
        return self.checked(kwargs)

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments if the function can be called with them."""
        given = arguments.keys()
        if missing := self._needed - given:
            raise BadArgument(f"{self}: {_list(missing)} missing")
        if not self._takes_any and (unknown := given - self._names):
            near = difflib.get_close_matches(str(min(unknown, key=str)), self._names, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise BadArgument(f"{self}: {_list(unknown)} unknown{hint}")
        return dict(arguments)

    def encoded(self, arguments: dict[str, Any]) -> bytes:
        """Return the payload; BadArgument names the argument that JSON cannot say."""
        try:
            return as_json("payload", arguments)
        except BadArgument:
            for name, value in arguments.items():
                as_json(f"{self}: {name}", value)
            raise

    def __str__(self) -> str:
        """Show the type as a call of it, for the errors."""
        return f"{self._type}{self._signature.replace(return_annotation=inspect.Signature.empty)}"


def plain(what: str, function: Callable[..., Any]) -> None:
    """Refuse an async function, which `what` calls: it would make a coroutine nobody runs."""
    if inspect.iscoroutinefunction(function):
        raise BadSetting(
            f"{what} is an async function: a worker calls plain functions on threads; run it with "
            f"asyncio.run inside one"
        )


def _signature(type: str, handler: Callable[..., Any], *, with_job: bool) -> inspect.Signature:
    """Return what a call may be given, the job left out; refuse what no worker could call."""
    plain(f"the handler of type {type}", handler)
    signature = inspect.signature(handler)
    parameters = list(signature.parameters.values())
    if with_job:
        if not parameters or parameters[0].kind not in _POSITIONAL:
            raise BadSetting(f"the handler of type {type} has no first argument for the job")
        del parameters[0]
    for one in parameters:
        if one.kind is one.POSITIONAL_ONLY:
            raise BadSetting(
                f"the handler of type {type} takes {one.name} by position alone, but the "
                f"arguments of a job are given by name"
            )
    return signature.replace(parameters=parameters)


def _list(names: Iterable[object]) -> str:
    shown = sorted(map(str, names))
    return f"{', '.join(shown)} {'is' if len(shown) == 1 else 'are'}"
