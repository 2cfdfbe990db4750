"""What one call costs a server: its time, and the bytes of its answer.

The time is the lesser of two that the server itself tells: how long the script took, and how much
of a core the server used meanwhile, reading the request and writing the answer included. Each is
at least what the call costs on a machine of its own; the first grows where other processes take
the core, the second by what is around the script.
"""

import statistics
from collections import defaultdict
from typing import Any, NamedTuple, TypeVar

from queue_state import QueueState
from servers import TestServer

from boltq.call import Call
from boltq.evalsha.server import sources

R = TypeVar("R")
CPU = ("used_cpu_user_main_thread", "used_cpu_sys_main_thread")


class Cost(NamedTuple):
    """Of one call."""

    ms: float
    reply_bytes: int


class Meter:
    """Calls scripts on one queue, alone on its server, and keeps what each call cost."""

    def __init__(self, server: TestServer, queue: str) -> None:
        self.q = QueueState(server, queue)
        self.raw = self.q.raw
        self.costs: dict[str, list[Cost]] = defaultdict(list)
        for source in sources().values():
            self.raw.script_load(source)

    def call(self, name: str, call: Call[R]) -> R:
        """Call a script; what it cost is kept under the name."""
        script_before, core_before = self._used()
        reply = self.raw.execute_command(*self.q.server.command(call))
        script, core = self._used()
        ms = min(script - script_before, core - core_before)
        self.costs[name].append(Cost(ms, size_of(reply)))
        return call.parse(reply)

    def _used(self) -> tuple[float, float]:
        told = self.raw.execute_command("INFO", "commandstats", "cpu")
        script = told.get("cmdstat_evalsha", {"usec": 0})["usec"] / 1000
        return script, sum(told[name] for name in CPU) * 1000


def size_of(reply: Any) -> int:
    """Count the bytes of an answer as they travel."""
    if isinstance(reply, list):
        return len(f"*{len(reply)}\r\n") + sum(map(size_of, reply))
    if isinstance(reply, bytes):
        return len(f"${len(reply)}\r\n") + len(reply) + 2
    return len(f":{reply}\r\n")


def at_least_of(values: list[float], share: float) -> float:
    """Tell the value that such a share of all is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(costs: list[Cost]) -> float:
    """Tell the time in the middle."""
    return statistics.median(cost.ms for cost in costs)
