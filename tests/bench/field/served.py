"""What the lives of jobs cost the server: microseconds in commands, and of its processor.

A command that a script calls is counted twice by a server, in the script's time and in its own. So
a few lives are watched first (MONITOR tells which commands scripts made), and of each command only
that share of its time is taken that nobody's script made. EXEC counts what stands in it a second
time, too, and is left out. Blocked clients cost no time.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

LEFT_OUT = {"exec", "info", "monitor", "echo", "flushall"}
END = "the watched lives have ended"


class Used(NamedTuple):
    """What a server has used so far, in microseconds: in each command, and of its processor."""

    commands: dict[str, float]
    cpu: float


def used(raw: Any) -> Used:
    """Look at a server."""
    told = raw.info("commandstats", "cpu")
    commands: Counter[str] = Counter()
    for name, stat in told.items():
        if name.startswith("cmdstat_"):
            commands[name.removeprefix("cmdstat_").partition("|")[0]] += stat["usec"]
    cpu = (told["used_cpu_user"] + told["used_cpu_sys"]) * 1e6
    return Used({name: us for name, us in commands.items() if name not in LEFT_OUT}, cpu)


def commands_us(before: Used, after: Used, direct: dict[str, float]) -> float:
    """Tell the time in commands between two looks.

    direct: of each command the share that clients sent, and no script; 1 where it is missing.
    """
    return sum(
        (us - before.commands.get(name, 0)) * direct.get(name, 1.0)
        for name, us in after.commands.items()
    )


def direct_shares(raw: Any, live: Callable[[], object]) -> dict[str, float]:
    """Watch while some jobs live; returns of each command which share of its calls clients sent."""
    calls: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    with raw.monitor() as monitor:
        live()
        raw.echo(END)
        for seen in monitor.listen():
            words = seen["command"]
            if words.endswith(END):
                break
            name = words.partition(" ")[0].lower()
            calls[name] += 1
            sent[name] += seen["client_type"] != "lua"
    return {name: sent[name] / count for name, count in calls.items()}
