"""Settings: each by flag, environment or `.env`, in this order, checked before anything starts."""

import difflib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from boltq import ids
from boltq.errors import BadArgument, BadSetting
from boltq.rules import RULES, SECRETS, Rule

NO_FLAGS: Mapping[str, object] = MappingProxyType({})
SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Settings:
    """What BoltQ was told, or its defaults. The repr holds no secret."""

    redis_addr: str | None = field(default=None, repr=False)
    api_host: str = "127.0.0.1"
    api_port: int = 8080
    api_keys: str | None = field(default=None, repr=False)
    api_keys_file: Path | None = None
    api_open: Literal["yes", "no"] = "no"
    api_hosts: tuple[str, ...] = ()
    api_rate: float = 0.0  # requests a second of each client; 0 is any number
    api_burst: int = 100
    api_if_match: str = "no"
    api_payload_bytes: int = 8_000_000  # as large as any queue can take it
    api_header_bytes: int = 16 * 1024
    api_threads: int = 16
    api_connections: int = 500
    api_idle_seconds: float = 20.0
    api_leave_seconds: float = 0.0
    api_proxy: str = ""
    environment: str = ""
    redact: tuple[str, ...] = ()  # members that the API shows to nobody, or module:function
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
    log_requests: int = 100
    metrics_port: int = 0  # 0 is none
    metrics_host: str = "127.0.0.1"
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
        for name, rule in RULES.items():
            told = ((layer.get(rule.variable), source) for source, layer in layers)
            value, source = next((pair for pair in told if pair[0] is not None), ("", ""))
            if value != "":
                found[name] = _checked(rule, value, source)
                sources[name] = source
        found.setdefault("worker_id", _made_worker_id())
        _refuse_contradictions(found)
        return cls(**found, sources=sources)


def _checked(rule: Rule, value: object, source: str) -> object:
    try:
        return rule.read(value)
    except BadSetting as error:  # an address, which says it better and without its password
        raise BadSetting(f"{error} (it came from {source})") from None
    except (BadArgument, ValueError, TypeError):
        shown = repr(value)
        if rule.variable in SECRETS:
            shown = "something else"
        elif len(shown) > SHOWN_CHARACTERS:
            shown = f"{shown[:SHOWN_CHARACTERS]}..."
        raise BadSetting(f"{rule.variable} must be {rule.words}; {source} says {shown}") from None


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


_VARIABLES = {name: rule.variable for name, rule in RULES.items()}
_KNOWN = frozenset(_VARIABLES.values())
assert set(RULES) == {one.name for one in fields(Settings)} - {"sources"}
