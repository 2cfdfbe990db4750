"""The two tables that all scripts share: keys.txt and settings.txt."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from contract import Key, Place, Range, Setting, Tables

_KEY = re.compile(r"([a-z][a-z_]*)\s+(\S+)\s+(\S.*)")
_SETTING = re.compile(r"([a-z][a-z0-9_]*)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S.*)")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)")
_KEY_TYPES = ("hash", "list", "stream", "zset")
_SETTING_TYPES = ("integer", "number", "text")


def read_tables(folder: Path, shown: str) -> Tables:
    """Read both files of the folder; `shown` is its name in refusals."""
    keys = _read_keys(folder / "keys.txt", f"{shown}/keys.txt")
    settings = _read_settings(folder / "settings.txt", f"{shown}/settings.txt")
    return Tables(keys, settings)


def read_range(text: str, place: Place, *, whole: bool) -> Range:
    """Read `low..high`; `whole` refuses decimals."""
    match = _RANGE.fullmatch(text)
    if not match:
        raise place.error(f"expected a range such as 1..500, found '{text}'")
    found = Range(match[1], match[2])
    if whole and "." in match[1] + match[2]:
        raise place.error(f"expected a range of whole numbers, found '{text}'")
    if Decimal(found.low) > Decimal(found.high):
        raise place.error(f"expected a range from the lower to the higher number, found '{text}'")
    return found


def _lines(path: Path, shown: str) -> Iterator[tuple[str, Place]]:
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield line.strip(), Place(shown, number)


def _read_keys(path: Path, shown: str) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    for line, place in _lines(path, shown):
        match = _KEY.fullmatch(line)
        if not match:
            raise place.error("expected `part  type  meaning`")
        if match[2] not in _KEY_TYPES:
            raise place.error(f"expected a type of {', '.join(_KEY_TYPES)}, found '{match[2]}'")
        if match[1] in keys:
            raise place.error(f"expected each key once, found '{match[1]}' again")
        keys[match[1]] = Key(match[1], match[2], match[3])
    return keys


def _read_settings(path: Path, shown: str) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    for line, place in _lines(path, shown):
        setting = _read_setting(line, place)
        if setting.name in settings:
            raise place.error(f"expected each setting once, found '{setting.name}' again")
        settings[setting.name] = setting
    if "needs" not in settings:
        raise Place(shown, 1).error("expected the setting 'needs', which every script reads")
    return settings


def _read_setting(line: str, place: Place) -> Setting:
    match = _SETTING.fullmatch(line)
    if not match:
        raise place.error("expected `name  type  range  default  meaning`")
    name, kind, bounds, default, about = match.groups()
    if kind not in _SETTING_TYPES:
        raise place.error(f"expected a type of {', '.join(_SETTING_TYPES)}, found '{kind}'")
    limits = read_range(bounds, place, whole=kind != "number")
    if kind == "text":
        default = "" if default == "-" else default
        if '"' in default or "\\" in default:
            raise place.error("expected a default without quotes and backslashes")
        inside = limits.holds(len(default.encode()))
    else:
        form = r"\d+(\.\d+)?" if kind == "number" else r"\d+"
        inside = re.fullmatch(form, default) is not None and limits.holds(default)
    if not inside:
        raise place.error(f"expected a default within {bounds}, found '{match[4]}'")
    return Setting(name, kind, limits, default, about)
