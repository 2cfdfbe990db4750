"""The rules of the settings: what each is called, how its value is read, and its rule in words."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from boltq import address, ids

MOST_WEIGHT = 100
MOST_LETTERS = 40
MOST_MEMBERS = 100
QUEUES_RULE = (
    f"queue names with commas between, each {ids.NAME_RULE}; behind a name a colon and a weight of "
    f"1 to {MOST_WEIGHT} if you like, as in mail:3,default"
)
HOSTS_RULE = "host names or IP addresses with commas between, or * for any"

_HOST = r"[A-Za-z0-9_.:%-]+"
_MEMBER = re.compile(r"[^\s.,\x00-\x1f]{1,100}(\.[^\s.,\x00-\x1f]{1,100})*")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_MOST = 999_999_999


class Rule(NamedTuple):
    """One setting. `read` makes its value of what was told, or raises ValueError or BadArgument."""

    variable: str
    read: Callable[[Any], object]
    words: str


def _integer(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else least - 1
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def _number(least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        number = float(value)
        if not least <= number <= most:  # nan is not
            raise ValueError
        return number

    return read


def _matching(pattern: str) -> Callable[[Any], str]:
    form = re.compile(pattern)

    def read(value: Any) -> str:
        if not form.fullmatch(value):
            raise ValueError
        return str(value)

    return read


def _address(value: Any) -> str:
    address.parse(value)
    return str(value)


def _queues(value: Any) -> Mapping[str, int]:
    if isinstance(value, Mapping):
        parts = [(str(name), str(weight)) for name, weight in value.items()]
    else:
        given = value.split(",") if isinstance(value, str) else value
        named = (one.strip().partition(":") for one in given if one.strip())
        # `mail:` is a slip of the hand, not a weight left out.
        parts = [(name.strip(), weight.strip() if colon else "1") for name, colon, weight in named]
    read = _integer(1, MOST_WEIGHT)
    queues: dict[str, int] = {}
    for name, weight in parts:
        if queues.setdefault(ids.checked_name("queue", name), read(weight)) != read(weight):
            raise ValueError
    if not queues:
        raise ValueError
    return queues


def _worker_id(value: Any) -> str:
    return ids.checked_name("worker", value)


def _hosts(value: Any) -> tuple[str, ...]:
    hosts = tuple(one.strip().lower() for one in value.split(",") if one.strip())
    if not hosts or not all(one == "*" or re.fullmatch(_HOST, one) for one in hosts):
        raise ValueError
    return hosts


def _proxy(value: Any) -> str:
    return "*" if value == "*" else str(ipaddress.ip_address(value))


def _environment(value: Any) -> str:
    if not 1 <= len(value) <= MOST_LETTERS or not value.isprintable() or value != value.strip():
        raise ValueError
    return str(value)


def _members(value: Any) -> tuple[str, ...]:
    names = tuple(one.strip() for one in value.split(",") if one.strip())
    functions = [one for one in names if ":" in one]
    if not all(map(_FUNCTION.fullmatch, functions)) or len(functions) > 1:
        raise ValueError
    if not 1 <= len(names) <= MOST_MEMBERS or not all(map(_MEMBER.fullmatch, names)):
        raise ValueError
    return names


RULES: dict[str, Rule] = {
    "redis_addr": Rule("REDIS_ADDR", _address, address.FORMS),
    "api_host": Rule("API_HOST", _matching(_HOST), "a host name or an IP address"),
    "api_port": Rule("API_PORT", _integer(0, 65535), "a port, 1 to 65535, or 0 for any free one"),
    "api_keys": Rule("BOLTQ_API_KEYS", str, "keys of the API"),
    "api_keys_file": Rule("BOLTQ_API_KEYS_FILE", Path, "a file"),
    "api_open": Rule("BOLTQ_API_OPEN", _matching("yes|no"), "yes or no"),
    "api_hosts": Rule("BOLTQ_API_HOSTS", _hosts, HOSTS_RULE),
    "api_rate": Rule("BOLTQ_API_RATE", _number(0, 1e6), "requests a second, 0 to 1000000"),
    "api_burst": Rule("BOLTQ_API_BURST", _integer(1, _MOST), "an integer, at least 1"),
    "api_if_match": Rule("BOLTQ_API_IF_MATCH", _matching("yes|no"), "yes or no"),
    "api_payload_bytes": Rule(
        "BOLTQ_API_PAYLOAD_BYTES", _integer(1, 8_000_000), "an integer, 1 to 8000000"
    ),
    "api_header_bytes": Rule(
        "BOLTQ_API_HEADER_BYTES", _integer(1024, 1024 * 1024), "an integer, 1024 to 1048576"
    ),
    "api_threads": Rule("BOLTQ_API_THREADS", _integer(1, 500), "an integer, 1 to 500"),
    "api_connections": Rule(
        "BOLTQ_API_CONNECTIONS", _integer(10, 65535), "an integer, 10 to 65535"
    ),
    "api_idle_seconds": Rule("BOLTQ_API_IDLE_SECONDS", _number(1, 3600), "seconds, 1 to 3600"),
    "api_leave_seconds": Rule("BOLTQ_API_LEAVE_SECONDS", _number(0, 300), "seconds, 0 to 300"),
    "api_proxy": Rule("BOLTQ_API_PROXY", _proxy, "the IP address of a proxy, or * for any"),
    "environment": Rule(
        "BOLTQ_ENVIRONMENT", _environment, f"a name of 1 to {MOST_LETTERS} visible letters"
    ),
    "redact": Rule(
        "BOLTQ_REDACT",
        _members,
        f"1 to {MOST_MEMBERS} names of members with commas between, as in password,card.number; "
        "one of them may be a function, as in mail.privacy:shown",
    ),
    "worker_id": Rule("WORKER_ID", _worker_id, ids.NAME_RULE),
    "data_dir": Rule("BOLTQ_DATA_DIR", Path, "a folder"),
    "prefix": Rule(
        "BOLTQ_PREFIX", _matching(r"[!-z|~]{1,64}"), "1 to 64 visible ASCII, none of {}"
    ),
    "lease_seconds": Rule("BOLTQ_LEASE_SECONDS", _number(1, 86400), "seconds, 1 to 86400"),
    "threads": Rule("BOLTQ_THREADS", _integer(1, 500), "an integer, 1 to 500"),
    "queues": Rule("BOLTQ_QUEUES", _queues, QUEUES_RULE),
    "queue_order": Rule("BOLTQ_QUEUE_ORDER", _matching("weighted|strict"), "weighted or strict"),
    "processes": Rule("BOLTQ_PROCESSES", _integer(1, 64), "an integer, 1 to 64"),
    "recycle_jobs": Rule(
        "BOLTQ_RECYCLE_JOBS",
        _integer(0, _MOST),
        "an integer, the jobs after which a worker's process is replaced, or 0 for never",
    ),
    "recycle_mb": Rule(
        "BOLTQ_RECYCLE_MB",
        _integer(0, _MOST),
        "an integer, the MiB above which a worker's process is replaced, or 0 for never",
    ),
    "log": Rule("BOLTQ_LOG", _matching("text|json"), "text or json"),
    "log_done": Rule("BOLTQ_LOG_DONE", _integer(0, 100_000), "an integer, 0 to 100000"),
    "log_requests": Rule("BOLTQ_LOG_REQUESTS", _integer(0, 100_000), "an integer, 0 to 100000"),
    "metrics_port": Rule(
        "BOLTQ_METRICS_PORT", _integer(0, 65535), "a port, 1 to 65535, or 0 for none"
    ),
    "metrics_host": Rule("BOLTQ_METRICS_HOST", _matching(_HOST), "a host name or an IP address"),
    "smtp_host": Rule("SMTP_HOST", _matching(_HOST), "a host name or an IP address"),
    "smtp_port": Rule("SMTP_PORT", _integer(1, 65535), "a port, 1 to 65535"),
    "smtp_user": Rule("SMTP_USER", str, "a user name"),
    "smtp_password": Rule("SMTP_PASSWORD", str, "a password"),
    "smtp_from": Rule("SMTP_FROM", _matching(r"[^\x00-\x1f\x7f]+@[^\x00-\x1f\x7f]+"), "an address"),
}
SECRETS = frozenset({"SMTP_PASSWORD", "BOLTQ_API_KEYS"})
