"""The settings of a queue over HTTP: durations in seconds, null for the default."""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec

from boltq.api import strict
from boltq.api.problems import BadField
from boltq.client import BoltQ
from boltq.durations import in_ms
from boltq.errors import BadArgument

_RULES = json.loads(files("boltq").joinpath("manifest.json").read_text("utf-8"))["settings"]
_TYPES: Mapping[str, str] = {rule["name"]: rule["type"] for rule in _RULES}
_ENGINE = frozenset({"needs", "paused", "pause_reason", "paused_by", "paused_at_ms"})
"""What pause and resume set, or the engine itself."""


def _outside(name: str) -> str:
    return f"{name.removesuffix('_ms')}_seconds" if name.endswith("_ms") else name


SETTABLE: Mapping[str, str] = {_outside(name): name for name in _TYPES if name not in _ENGINE}
"""What a caller may set, and how the engine calls it."""


def shown(in_force: Mapping[str, str]) -> dict[str, object]:
    """Return settings as numbers and texts, without what the counts of a queue tell already."""
    return {
        _outside(name): _value(name, value)
        for name, value in in_force.items()
        if name in _TYPES and name not in _ENGINE
    }


def _value(name: str, written: str) -> object:
    if name.endswith("_ms"):
        return int(written) / 1000
    if _TYPES[name] == "integer":
        return int(written)
    return float(written) if _TYPES[name] == "number" else written


def configure(boltq: BoltQ, queue: str, body: bytes) -> dict[str, str]:
    """Set what a body names, all or nothing; returns what is in force. Raises BadField by name."""
    members = strict.members_of(body)
    for name in members:
        if name not in SETTABLE:
            field = strict.shown(name)
            known = ", ".join(SETTABLE)
            raise BadField(field, f"{field} is no setting that can be set here; there are {known}")
    told = {SETTABLE[name]: _written(name, value) for name, value in members.items()}
    if not told:
        raise BadField("body", "the body must name a setting")
    try:
        return boltq.configure(queue, **told)
    except BadArgument as refused:
        place = re.match(r"item ([0-9]+): (\w+ )?", str(refused))
        if place is None:
            raise
        field = list(members)[int(place[1]) - 1]
        raise BadField(field, f"{field} {str(refused)[place.end() :]}") from refused


def _written(name: str, value: bytes) -> str | None:
    """Return a value as the engine takes it; None is the default."""
    try:
        given: Any = msgspec.json.decode(value, type=int | float | str | None)
    except msgspec.DecodeError:
        raise BadField(name, f"{name} must be a number, or null for the default") from None
    if given is None:
        return None
    kind = _TYPES[SETTABLE[name]]
    if isinstance(given, str) or (isinstance(given, float) and not math.isfinite(given)):
        raise BadField(name, f"{name} must be a number, or null for the default")
    if SETTABLE[name].endswith("_ms"):
        try:
            return str(in_ms(name, given))
        except BadArgument as error:
            raise BadField(name, str(error)) from error
    if kind == "integer" and isinstance(given, float):
        raise BadField(name, f"{name} must be a whole number, not {value.decode()}")
    # With as many decimals as those of a job are sent with: the engine takes 16 letters.
    return format(Decimal(str(round(given, 6))), "f")
