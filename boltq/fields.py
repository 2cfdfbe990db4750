"""The fields of a log line: the words that all parts of BoltQ use, and what each means."""

from collections.abc import Mapping
from types import MappingProxyType

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        # Every line has these four; in the text form the time is local and short.
        "time": "when, in UTC, to the millisecond",
        "level": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
        "event": "what happened, a fixed phrase",
        "logger": "the part of the program that says so",
        "job": "the job's id",
        "queue": "its queue, or the one that is spoken of",
        "type": "its type",
        "attempt": "which of its tries, 1 is the first",
        "duration_ms": "how long the handler, or the answer to the request, took",
        "request_id": "the request: its X-Request-Id; the job: its header request_id",
        "trace_id": "the trace that the job or the request is part of (W3C Trace Context)",
        "worker": "the worker's name",
        "error": "what went wrong; of a handler, the type and first line of what it raised",
        "next_run": "when the job is tried again, in UTC",
        "delay_ms": "for how long the job was put off",
        "timeout_seconds": "how long the job may run",
        "file": "where the email was written",
        "operation": "the id of an operation on many jobs",
        "count": "how many jobs were done, or requests answered, without a line each",
        "by": "who asked for it",
        "caller": "the name of the key with which the request came",
        "method": "of the request",
        "path": "of the request, without its query",
        "status": "of the answer",
        "url": "where the API listens",
        "server": "the Redis or Valkey, without its password",
        "queues": "those that the worker serves, with commas between",
        "threads": "how many jobs it runs at a time",
        "grace_seconds": "how long running jobs have to finish",
        "cut_off": "how many jobs did not finish and were given back",
        "away_seconds": "for how long Redis did not answer",
        "silent_seconds": "for how long a process of the worker gave no sign of life",
        "stuck": "how many handlers had not returned after their jobs' leases were over",
        "part": "the thread or process that broke",
        "app": "the module and the app that a worker was given",
        "exit_status": "of a process that ended; negative: the signal",
        "pause_seconds": "until the next try",
        "stack": "where a handler that is stuck stands",
        "exception": "the traceback of an error that nobody expected",
    }
)
"""What a line of BoltQ may hold, and what that means. Lines of others may hold anything."""
