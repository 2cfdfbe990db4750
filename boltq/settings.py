"""Settings: each by flag, environment or `.env`, in this order, checked before anything starts."""

import difflib
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from boltq import address, ids
from boltq.errors import BadArgument, BadSetting

NO_FLAGS: Mapping[str, object] = MappingProxyType({})
SHOWN_CHARACTERS = 60
MOST_WEIGHT = 100
QUEUES_RULE = (
    f"queue names with commas between, each {ids.NAME_RULE}; behind a name a colon and a weight of "
    f"1 to {MOST_WEIGHT} if you like, as in mail:3,default"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What BoltQ was told, or its defaults. The repr holds no secret."""

    redis_addr: str | None = field(default=None, repr=False)
    api_host: str = "127.0.0.1"
    api_port: int = 8080
    worker_id: str = ""
    data_dir: Path = Path(".boltq")
    prefix: str = "boltq"
    lease_seconds: float = 30.0
    threads: int = 8
    queues: Mapping[str, int] = field(default_factory=lambda: {ids.DEFAULT_QUEUE: 1})  # -> weight
    queue_order: Literal["weighted", "strict"] = "weighted"
    processes: int = 1
    recycle_jobs: int = 0  # 0 is never
    recycle_mb: int = 0
    log: Literal["text", "json"] = "text"
    log_done: int = 20
    smtp_host: str | None = None
    smtp_port: int = 25
    smtp_user: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_from: str = "boltq@localhost"
    # Field -> where its value came from: "a flag", "the environment", ".env"; absent: the default.
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        flags: Mapping[str, object] = NO_FLAGS,
        environ: Mapping[str, str] | None = None,
        env_file: str | Path = ".env",
    ) -> Self:
        """Gather the settings from flags over environment over file.

        Args:
            flags: by the names of the fields above; None is a flag not given.
            environ: the environment; os.environ if None.
            env_file: lines NAME=value; need not exist.

        An empty value is the default, so `REDIS_ADDR= boltq up` sets aside what the file says.

        Raises:
            BadSetting: a value breaks its rule, two contradict each other, or a name that begins
                with BOLTQ_ is none of ours. The sentence names the setting and where it came from.
        """
        layers = (
            ("a flag", {_VARIABLES[name]: value for name, value in flags.items()}),
            ("the environment", os.environ if environ is None else environ),
            (str(env_file), _read_file(Path(env_file))),
        )
        for source, layer in layers:
            _refuse_unknown(layer, source)
        found: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for name, (variable, read, rule) in _RULES.items():
            told = ((layer.get(variable), source) for source, layer in layers)
            value, source = next((pair for pair in told if pair[0] is not None), ("", ""))
            if value != "":
                found[name] = _checked(variable, value, source, read, rule)
                sources[name] = source
        found.setdefault("worker_id", _made_worker_id())
        _refuse_contradictions(found)
        return cls(**found, sources=sources)


def _checked(
    variable: str,
    value: object,
    source: str,
    read: Callable[[Any], object],
    rule: str,
) -> object:
    try:
        return read(value)
    except BadSetting as error:  # an address, which says it better and without its password
        raise BadSetting(f"{error} (it came from {source})") from None
    except (BadArgument, ValueError, TypeError):
        shown = repr(value)
        if variable in _SECRETS:
            shown = "something else"
        elif len(shown) > SHOWN_CHARACTERS:
            shown = f"{shown[:SHOWN_CHARACTERS]}..."
        raise BadSetting(f"{variable} must be {rule}; {source} says {shown}") from None


def _read_file(path: Path) -> dict[str, str | None]:
    if not path.exists() or path.is_dir():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - 20 ms, for those who have one

    try:
        # A `$` in a password is a `$`.
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {error}") from error
    for name, value in values.items():
        if value is None and name in _KNOWN:
            raise BadSetting(f"{path} has {name} without a value: write {name}=value")
    return values


def _refuse_unknown(layer: Mapping[str, object], source: str) -> None:
    for name in layer:
        if name.startswith("BOLTQ_") and name not in _KNOWN:
            nearest = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.5)
            hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(_KNOWN)}"
            raise BadSetting(f"{source} has {name}, which is no setting of BoltQ: {hint}")


def _refuse_contradictions(found: Mapping[str, object]) -> None:
    if ("smtp_user" in found) != ("smtp_password" in found):
        raise BadSetting("SMTP_USER and SMTP_PASSWORD go together: one is set, the other is not")
    if "smtp_user" in found and "smtp_host" not in found:
        raise BadSetting("SMTP_USER is set, but SMTP_HOST, the server it is a user of, is not")
    queues = cast("Mapping[str, int]", found.get("queues", {}))
    if found.get("queue_order") == "strict" and set(queues.values()) - {1}:
        raise BadSetting(
            "BOLTQ_QUEUE_ORDER is strict, where a queue has its turn when those before it are "
            "empty, but BOLTQ_QUEUES gives weights: leave one of the two out"
        )


def _made_worker_id() -> str:
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:64].lstrip("_.-") or "host"
    return f"{host}-{os.getpid()}-{ids.new_token()[:6]}"


def _integer(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else least - 1
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def _seconds(least: float, most: float) -> Callable[[Any], float]:
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


_HOST = r"[A-Za-z0-9_.:%-]+"
_RULES: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "redis_addr": ("REDIS_ADDR", _address, address.FORMS),
    "api_host": ("API_HOST", _matching(_HOST), "a host name or an IP address"),
    "api_port": ("API_PORT", _integer(0, 65535), "a port, 1 to 65535, or 0 for any free one"),
    "worker_id": ("WORKER_ID", _worker_id, ids.NAME_RULE),
    "data_dir": ("BOLTQ_DATA_DIR", Path, "a folder"),
    "prefix": ("BOLTQ_PREFIX", _matching(r"[!-z|~]{1,64}"), "1 to 64 visible ASCII, none of {}"),
    "lease_seconds": ("BOLTQ_LEASE_SECONDS", _seconds(1, 86400), "seconds, 1 to 86400"),
    "threads": ("BOLTQ_THREADS", _integer(1, 500), "an integer, 1 to 500"),
    "queues": ("BOLTQ_QUEUES", _queues, QUEUES_RULE),
    "queue_order": ("BOLTQ_QUEUE_ORDER", _matching("weighted|strict"), "weighted or strict"),
    "processes": ("BOLTQ_PROCESSES", _integer(1, 64), "an integer, 1 to 64"),
    "recycle_jobs": (
        "BOLTQ_RECYCLE_JOBS",
        _integer(0, 999_999_999),
        "an integer, the jobs after which a worker's process is replaced, or 0 for never",
    ),
    "recycle_mb": (
        "BOLTQ_RECYCLE_MB",
        _integer(0, 999_999_999),
        "an integer, the MiB above which a worker's process is replaced, or 0 for never",
    ),
    "log": ("BOLTQ_LOG", _matching("text|json"), "text or json"),
    "log_done": ("BOLTQ_LOG_DONE", _integer(0, 100_000), "an integer, 0 to 100000"),
    "smtp_host": ("SMTP_HOST", _matching(_HOST), "a host name or an IP address"),
    "smtp_port": ("SMTP_PORT", _integer(1, 65535), "a port, 1 to 65535"),
    "smtp_user": ("SMTP_USER", str, "a user name"),
    "smtp_password": ("SMTP_PASSWORD", str, "a password"),
    "smtp_from": ("SMTP_FROM", _matching(r"[^\x00-\x1f\x7f]+@[^\x00-\x1f\x7f]+"), "an address"),
}
_VARIABLES = {name: variable for name, (variable, _, _) in _RULES.items()}
_KNOWN = frozenset(_VARIABLES.values())
_SECRETS = frozenset({"SMTP_PASSWORD"})
assert set(_RULES) == {one.name for one in fields(Settings)} - {"sources"}
