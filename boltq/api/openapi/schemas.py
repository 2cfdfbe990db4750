"""Schemas of request bodies, by the same structs that read them: a rule is written once."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from boltq import ids
from boltq.api import requests, strict, work_requests
from boltq.api.openapi.operation import Schema

_NAMES = {
    f"^{ids.NAME_PATTERN}$": ids.NAME_RULE,
    f"^{ids.TYPE_PATTERN}$": ids.TYPE_RULE,
    requests.OUTSIDE_ID: f"{ids.NAME_RULE}; before it the queue and a colon, if you like",
}

PLACE = "#/components/schemas/"


def name_of(kind: type[msgspec.Struct]) -> str:
    """Return the name of a body's schema."""
    return f"{kind.__name__.lstrip('_')}Report" if kind.__name__[0] == "_" else kind.__name__


def reference(name: str) -> Schema:
    """Return where a schema is to be found."""
    return {"$ref": PLACE + name}


def of_bodies(*kinds: type[msgspec.Struct]) -> dict[str, Schema]:
    """Return the schema of each of some structs and of those inside them, by name."""
    found: dict[str, Schema] = {}
    for kind in kinds:
        found[name_of(kind)] = _of(kind, found)
    return found


def _of(kind: type[msgspec.Struct], found: dict[str, Schema]) -> Schema:
    fields = msgspec.structs.fields(kind)
    members: dict[str, Schema] = {}
    for field in fields:
        ((schema,), _) = msgspec.json.schema_components([field.type], ref_template=PLACE + "{name}")
        found |= {name_of(inner): _of(inner, found) for inner in _inside(field)}
        rule = _named(schema) or strict.rules(kind)[field.name]
        members[field.name] = {**_portable(schema), "description": rule, **dict(_default(field))}
        if kind is work_requests.ReportsRequest:
            one = work_requests.KINDS[field.name]
            members[field.name]["items"] = reference(name_of(one))
            members[field.name]["maxItems"] = work_requests.MAX_REPORTS
            found[name_of(one)] = _of(one, found)
    return {
        "type": "object",
        "description": _paragraph(kind),
        "properties": members,
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _inside(field: msgspec.structs.FieldInfo) -> Iterator[type[msgspec.Struct]]:
    for part in (field.type, *get_args(field.type)):
        kind = getattr(part, "__origin__", part)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield kind


def _named(schema: Schema) -> str:
    """Return the rule of a name, of which its description says only that it is a text."""
    patterns = [each.get("pattern") for each in (schema, *schema.get("anyOf", ()))]
    return next((_NAMES[each] for each in patterns if each in _NAMES), "")


def _default(field: msgspec.structs.FieldInfo) -> Iterator[tuple[str, object]]:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if isinstance(default, str | int | float | list) and default != "":
        yield "default", default


def _portable(schema: Any) -> Any:
    """Return a schema with patterns of ECMA 262, and `or null` as one of its types."""
    if isinstance(schema, list):
        return [_portable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _portable(each) for name, each in schema.items() if name != "title"}
    if isinstance(told.get("pattern"), str):
        told["pattern"] = told["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    one, *others = told.get("anyOf", [{}])
    if others == [{"type": "null"}] and "type" in one:
        return {**one, "type": [one["type"], "null"]}
    return told


def _paragraph(kind: type[msgspec.Struct]) -> str:
    return " ".join((kind.__doc__ or "").split())
