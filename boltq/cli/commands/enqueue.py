"""boltq enqueue."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from boltq.cli import options
from boltq.cli.each import end_with
from boltq.cli.screen import document, say, tell
from boltq.cli.waiting import wait_for
from boltq.errors import BadArgument, BoltQError, TooLarge, Unavailable

if TYPE_CHECKING:
    from boltq.client import BoltQ
    from boltq.newjob import NewJob

LINE_BYTES = 8_000_000
"""What no queue takes as a payload, and so no line may be longer than."""


@click.command(
    epilog=options.example(
        """boltq enqueue echo '{"hello": "world"}' --queue mail --wait --timeout 30""",
        "boltq enqueue report --id report-2026-11 --priority 7 --delay 60",
        "boltq enqueue echo --queue bulk --lines <payloads.jsonl",
    )
)
@click.argument("type")
@click.argument("payload", required=False)
@options.queue
@click.option("--id", help="Its id, so that repeating this adds nothing. [made up]")
@click.option("--priority", type=int, help="0 to 9, 9 the most urgent. [4]")
@click.option(
    "--delay", "delay_seconds", type=float, metavar="SECONDS", help="Until it may run. [0]"
)
@click.option("--max-attempts", type=int, help="Failures after which it is dead. [3]")
@click.option("--lines", is_flag=True, help="A job for each line of standard input, a payload.")
@click.option("--wait", is_flag=True, help="Wait until it has ended, and print its result.")
@options.timeout
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON instead of its id.")
@options.client
def enqueue(
    type: str,
    payload: str | None,
    *,
    boltq: "BoltQ",
    lines: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    id: str | None,
    **given: Any,
) -> None:
    """Add a job, or many, and print the ids.

    TYPE says which handler does it. PAYLOAD is JSON, kept as it is written; without one it is null,
    and - reads it from standard input.

    With --lines standard input may have any length: it is sent 500 lines at a time, and the ids
    come in the order of the lines, empty ones left out. What was added before a line that is
    refused stays.
    """
    _check(lines=lines, wait=wait, timeout=timeout, one_alone=bool(payload or id or as_json))
    if lines:
        _enqueue_lines(boltq, type, given)
        return
    raw = read_json("PAYLOAD", _payload(payload))
    try:
        enqueued = boltq.enqueue(type, raw=raw, id=id, **given)
    except Unavailable as refusal:
        unknown = refusal.unknown_ids[0]
        raise Unavailable(f"{refusal} To be sure, repeat it with --id {unknown}") from refusal
    if not enqueued.created:
        tell("a job of this id is there already; nothing was added")
    if wait:
        tell(f"job {enqueued.id}")
        end_with(wait_for(boltq, [enqueued.id], timeout_seconds=timeout, as_json=as_json))
    elif as_json:
        document(boltq.get(enqueued.id).to_json())
    else:
        say(enqueued.id)


def _check(*, lines: bool, wait: bool, timeout: float | None, one_alone: bool) -> None:
    if lines and (wait or one_alone):
        raise click.UsageError("--lines goes with none of PAYLOAD, --id, --wait and --json")
    if timeout is not None and not wait:
        raise click.UsageError("--timeout says how long to --wait, which is missing")


def _payload(given: str | None) -> bytes:
    if given == "-":
        return _within("standard input", sys.stdin.buffer.read(LINE_BYTES + 1))
    # An argument that was no UTF-8 holds half surrogates, which stand for its bytes.
    return b"null" if given is None else given.encode("utf-8", "surrogateescape")


def _enqueue_lines(boltq: "BoltQ", type: str, given: dict[str, Any]) -> None:
    added = 0
    try:
        for enqueued in boltq.enqueue_each(_new_jobs(type), **given):
            sys.stdout.write(f"{enqueued.id}\n")  # unlike say, no system call each
            added += 1
    except Unavailable as refusal:
        unknown = len(refusal.unknown_ids)
        tell(f"{added} jobs were added, of the next {unknown} it is not known")
        raise
    except BoltQError:
        tell(f"{added} jobs were added")
        raise


def _new_jobs(type: str) -> Iterator["NewJob"]:
    from boltq.newjob import NewJob

    number = 0
    while line := sys.stdin.buffer.readline(LINE_BYTES + 1):
        number += 1
        if payload := _within(f"line {number}", line).strip():
            yield NewJob(type, raw=read_json(f"line {number}", payload))


def _within(what: str, written: bytes) -> bytes:
    if len(written) > LINE_BYTES:
        raise TooLarge(f"{what} is longer than {LINE_BYTES} bytes, which no queue takes")
    return written


def read_json(what: str, written: bytes) -> bytes:
    """Return what was written as the bytes of a payload, as they are, checked to be JSON."""
    try:
        written.decode()
        msgspec.json.decode(written)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadArgument(
            f"{what} must be JSON ({problem}); a text has quotes of its own: '\"hello\"'"
        ) from problem
    return written
