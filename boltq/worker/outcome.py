"""What is reported of a job that has ended: an item of the script ack, fail or release."""

import logging
import traceback
from typing import Any

from boltq import logs, newjob, scripts
from boltq.errors import BadArgument
from boltq.execution import Execution, FailForGood, Retry

log = logging.getLogger(__name__)

Outcome = scripts.AckItem | scripts.FailItem | scripts.ReleaseItem

RESULT_BYTES = 1_048_576
"""The most that ack takes; a queue takes 65,536 unless it is told otherwise."""

KIND_BYTES, MESSAGE_BYTES, STACK_BYTES = 200, 1000, 2800
"""What the engine keeps of an error; cut here too, so that a message of 100 MB travels nowhere."""

STACK_FRAMES = 30
CAUSES = 4


def done(execution: Execution, value: Any) -> scripts.AckItem:
    """Report the value that a handler returned; None is no result.

    The work is done: a value that cannot be kept is left out and logged, the job is completed.
    """
    result = b"" if value is None else _encoded(execution, value)
    if len(result) > RESULT_BYTES:
        log_result_left_out(
            execution, f"it has {len(result)} bytes, at most {RESULT_BYTES} are taken"
        )
        result = b""
    return scripts.AckItem(execution.inner_id, execution.token, result)


def _encoded(execution: Execution, value: Any) -> bytes:
    try:
        return newjob.as_json("result", value)
    except BadArgument as problem:
        log_result_left_out(execution, str(problem))
    except BaseException as problem:  # noqa: BLE001 - an object's own conversion raises anything
        log_result_left_out(execution, f"its conversion to JSON raised {type(problem).__name__}")
    return b""


def log_result_left_out(execution: Execution, reason: str) -> None:
    """Say that a job is completed without the result that its handler returned."""
    log.warning("the result is not kept", extra={**logs.of_job(execution), "error": reason})


def given_back(execution: Execution, delay_ms: int = 0) -> scripts.ReleaseItem:
    """Report a job that was not run, or not to its end: no attempt is used."""
    return scripts.ReleaseItem(execution.inner_id, execution.token, delay_ms)


def refused(
    execution: Execution, kind: str, message: str, *, final: bool = True
) -> scripts.FailItem:
    """Report a failure without an exception; final: the job can never succeed."""
    return scripts.FailItem(
        execution.inner_id, execution.token, kind.encode(), message.encode(), b"", "", int(final)
    )


def failed(execution: Execution, error: BaseException) -> scripts.FailItem | scripts.ReleaseItem:
    """Report what a handler raised, whatever it is; a Retry may ask that it does not count."""
    if isinstance(error, Retry) and not error.count:
        return given_back(execution, error.delay_ms)
    delay_ms = error.delay_ms if isinstance(error, Retry) else scripts.LEFT_OUT
    return scripts.FailItem(
        execution.inner_id,
        execution.token,
        _start(type(error).__name__, KIND_BYTES),
        _start(_message(error), MESSAGE_BYTES),
        end_of(_stack(error), STACK_BYTES),
        delay_ms,
        int(isinstance(error, FailForGood)),
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as problem:  # noqa: BLE001 - it must not take the thread with it
        return f"(its message could not be made: {type(problem).__name__})"


def _stack(error: BaseException) -> str:
    """Write where it happened, its causes first; their messages are cut, its own stands apart."""
    try:
        parts = ["".join(_frames(error))]
        cause, causes = _cause(error), 0
        while cause is not None and causes < CAUSES:
            said = _message(cause)[:KIND_BYTES]
            parts.append(f"{''.join(_frames(cause))}{type(cause).__name__}: {said}\nthen:\n")
            cause, causes = _cause(cause), causes + 1
        return "".join(reversed(parts))
    except BaseException as problem:  # noqa: BLE001 - no memory, a loader of sources that raises
        return f"(the stack could not be made: {type(problem).__name__})"


def _frames(error: BaseException) -> list[str]:
    return traceback.format_tb(error.__traceback__, limit=-STACK_FRAMES)


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _start(text: str, limit: int) -> bytes:
    raw = text[:limit].encode("utf-8", "replace")[:limit]
    return raw.decode("utf-8", "ignore").encode()


def end_of(text: str, limit: int) -> bytes:
    """Cut off what a text has more than so many bytes, at its beginning."""
    raw = text[-limit:].encode("utf-8", "replace")[-limit:]
    return raw.decode("utf-8", "ignore").encode()
