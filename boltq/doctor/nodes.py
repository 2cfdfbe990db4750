"""The server's own configuration: whether what BoltQ promises can hold on it."""

from collections.abc import Callable, Iterator
from typing import Any

from boltq.doctor.finding import Finding
from boltq.evalsha.nodes import Node

LEAST = {"redis": (7, 0), "valkey": (7, 2)}
FULL_PERCENT = 85
"""Of maxmemory, from where on it is time to think of more."""


def examine(node: Node) -> Iterator[Finding]:
    """Look at one node; where the user may not look, that is told."""
    for command in node.forbidden:
        said = f"this user is not allowed to look with {command}"
        yield Finding("warning", "permissions", said, "look as another user, or trust your host")
    if "INFO" not in node.forbidden:
        for look in LOOKS:
            yield from look(node)


def _version(node: Node) -> Iterator[Finding]:
    kind = "valkey" if "valkey_version" in node.info else "redis"
    version = str(node.info.get(f"{kind}_version", "0"))
    said = f"{kind.capitalize()} {version}"
    least = LEAST[kind]
    if _parts(version) < least:
        wanted = ".".join(map(str, least))
        yield Finding("problem", "version", said, f"BoltQ needs {wanted} or newer")
    else:
        yield Finding("ok", "version", said)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])


def _eviction(node: Node) -> Iterator[Finding]:
    policy = node.info.get("maxmemory_policy", "")
    said = f"maxmemory-policy is {policy}"
    if policy == "noeviction":
        yield Finding("ok", "eviction", said)
    elif node.info.get("maxmemory"):
        do = "it throws jobs away once it is full: CONFIG SET maxmemory-policy noeviction"
        yield Finding("problem", "eviction", said, do)
    else:
        do = "it would throw jobs away if maxmemory were set: make it noeviction"
        yield Finding("warning", "eviction", said, do)


def _memory(node: Node) -> Iterator[Finding]:
    used, most = int(node.info.get("used_memory", 0)), int(node.info.get("maxmemory", 0))
    if not most:
        yield Finding("ok", "memory", f"{_mebibytes(used)} are used, maxmemory is not set")
        return
    percent = 100 * used // most
    said = f"{_mebibytes(used)} of {_mebibytes(most)} are used, {percent}%"
    if percent >= FULL_PERCENT:
        do = "a full server takes no new jobs: raise maxmemory, or keep less"
        yield Finding("warning", "memory", said, do)
    else:
        yield Finding("ok", "memory", said)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _durability(node: Node) -> Iterator[Finding]:
    if not node.info.get("aof_enabled"):
        do = "jobs that were answered are lost in a crash: set appendonly yes"
        yield Finding("warning", "durability", "there is no append-only file", do)
    elif node.appendfsync == "no":
        do = "set it to everysec, or to always where a power cut must lose nothing"
        yield Finding("warning", "durability", "appendfsync is no", do)
    else:
        how = f", appendfsync is {node.appendfsync}" if node.appendfsync else ""
        yield Finding("ok", "durability", f"the append-only file is on{how}")


def _writes(node: Node) -> Iterator[Finding]:
    failed = [name for name in _write_statuses(node.info) if node.info[name] != "ok"]
    if failed:
        said = f"the last write to disk failed: {', '.join(failed)}"
        do = "see the server's log; often the disk is full"
        yield Finding("problem", "disk", said, do)
    else:
        yield Finding("ok", "disk", "the last writes to disk went well")


def _write_statuses(info: dict[str, Any]) -> Iterator[str]:
    names = ["rdb_last_bgsave_status"]
    if info.get("aof_enabled"):
        names += ["aof_last_write_status", "aof_last_bgrewrite_status"]
    yield from (name for name in names if name in info)


LOOKS: tuple[Callable[[Node], Iterator[Finding]], ...] = (
    _version,
    _eviction,
    _memory,
    _durability,
    _writes,
)
