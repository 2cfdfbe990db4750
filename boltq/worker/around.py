"""Middleware: what runs around each handler."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from boltq.execution import Execution, current_job

Handler: TypeAlias = Callable[..., Any]
Middleware: TypeAlias = Callable[[Execution, Callable[[], Any]], Any]


def surrounded(
    handlers: Mapping[str, Handler], middleware: Sequence[Middleware]
) -> Mapping[str, Handler]:
    """Put middleware, the first outermost, around each handler; without any, nothing is added."""
    for one in reversed(middleware):
        handlers = {kind: _around(one, handler) for kind, handler in handlers.items()}
    return handlers


def _around(middleware: Middleware, handler: Handler) -> Handler:
    def call(*payload: Any, **members: Any) -> Any:
        return middleware(current_job(), lambda: handler(*payload, **members))

    return call
