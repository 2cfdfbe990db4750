"""Makes boltq/manifest.json, all that a client in any language needs, and compares contracts."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract import LEVEL, Argument, Range, Reply, Script, Tables

Entry = dict[str, Any]
_CONTRACT = ("flags", "keys", "arguments", "each", "replies", "errors")


def make_manifest(scripts: Mapping[str, Script], sources: Mapping[str, str], tables: Tables) -> str:
    """Return the text of the manifest."""
    keys = [{"part": k.part, "type": k.type, "about": k.about} for k in tables.keys.values()]
    settings = [
        {
            "name": setting.name,
            "type": setting.type,
            "range": _range(setting.range),
            "default": setting.default if setting.type == "text" else _number(setting.default),
            "about": setting.about,
        }
        for setting in tables.settings.values()
    ]
    entries = {name: entry(scripts[name], sources[name]) for name in sorted(scripts)}
    whole = {"format": 1, "level": LEVEL, "keys": keys, "settings": settings, "scripts": entries}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def entry(script: Script, source: str) -> Entry:
    """Return what the manifest holds of one script."""
    each = script.each
    return {
        "name": script.name,
        "version": script.version,
        "level": LEVEL,
        "purpose": script.purpose,
        "about": script.about,
        "flags": list(script.flags),
        "keys": list(script.keys),
        "arguments": [_argument(argument) for argument in script.arguments],
        "each": each
        and {
            "least": each.least,
            "most": each.most,
            "fields": [_argument(field) for field in each.fields],
        },
        "settings": list(script.settings),
        "replies": [
            {**_reply(reply), "width": reply.width, "items": _items(reply)}
            for reply in script.replies
        ],
        "errors": list(script.errors),
        "cost": script.cost,
        "sha1": hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest(),
        "source": source,
    }


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _range(limits: Range) -> list[int | float]:
    return [_number(limits.low), _number(limits.high)]


def _argument(argument: Argument) -> Entry:
    found: Entry = {
        "name": argument.name,
        "type": argument.type,
        "optional": argument.optional,
    }
    if argument.range:
        found["range"] = _range(argument.range)
    elif argument.options:
        found["options"] = [_argument(option) for option in argument.options]
    else:
        found["choices"] = list(argument.choices)
    return {**found, "about": argument.about}


def _items(reply: Reply) -> list[Entry]:
    return [_reply(item) for item in reply.items]


def _reply(reply: Reply) -> Entry:
    fields = [{"name": field.name, "type": field.type} for field in reply.fields]
    return {"word": reply.word, "fields": fields, "about": reply.about}


def check_unchanged(script: Script, manifest: Path, *, released: bool) -> None:
    """Refuse a contract that differs from that of the same version in an earlier manifest."""
    if not manifest.exists():
        return
    old: Entry = json.loads(manifest.read_text(encoding="utf-8"))["scripts"].get(script.name)
    if not old or old["version"] != script.version:
        return
    new = entry(script, "")
    changed = [part for part in _CONTRACT if _bare(old[part]) != _bare(new[part])]
    if changed:
        way_out = "" if released else "; or, if it was never released, say --new-contract"
        raise script.places["title"].error(
            f"the contract changed against {manifest.name} ({', '.join(changed)});"
            f" raise the version from {script.version} to {script.version + 1}{way_out}"
        )


def _bare(value: Any) -> Any:
    # Prose may be edited at any time; what is left is the contract.
    if isinstance(value, dict):
        return {key: _bare(member) for key, member in value.items() if key != "about"}
    return [_bare(member) for member in value] if isinstance(value, list) else value
