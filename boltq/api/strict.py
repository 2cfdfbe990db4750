"""Reading a JSON body strictly: what breaks a rule is refused by field, rule and what was sent.

msgspec does the work and is fast, but tells at best a byte or a path. Added here are sentences, and
a look at members given twice, at deep nesting, and at bytes in a Raw that are no UTF-8.
"""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import TypeVar, get_args

import msgspec

from boltq.api.problems import BadField

_SHOWN_LETTERS = 60
_SHORT_BYTES = 4096

Body = TypeVar("Body", bound=msgspec.Struct)


class _Member:
    """The name of a member. No two are equal, so that a name given twice stays visible."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


_MEMBERS = msgspec.json.Decoder(
    dict[_Member, msgspec.Raw], dec_hook=lambda _kind, name: _Member(name)
)


def read(kind: type[Body], body: bytes) -> Body:
    """Return the JSON object `body` as `kind`, or raise BadField for what breaks a rule.

    Each field of `kind` has its rule as the description of a msgspec.Meta. Members of the type
    msgspec.Raw keep the bytes that were sent, without the blanks around them, checked to be JSON.
    Costs some 2 us where the body is short and no name of a member can stand in it twice, else 5 us
    and two passes over the body, which build nothing.
    """
    if plain := _plain(kind, body):
        return plain
    members = _members(kind, body)
    try:
        decoded: Body = _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise _explain(kind, str(error), members) from None
    return decoded


def _plain(kind: type[Body], body: bytes) -> Body | None:
    """Read a body at which nothing is in doubt: it is short, and gives no name twice."""
    if len(body) > _SHORT_BYTES or b"\\" in body or max(map(body.count, _names(kind))) > 1:
        return None
    try:
        body.decode()
        found: Body = _decoder(kind).decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return found


@cache
def _names(kind: type[msgspec.Struct]) -> tuple[bytes, ...]:
    return tuple(b'"%b"' % name.encode() for name in kind.__struct_fields__)


@cache
def _decoder(kind: type[Body]) -> msgspec.json.Decoder[Body]:
    return msgspec.json.Decoder(kind)


@cache
def rules(kind: type[msgspec.Struct]) -> Mapping[str, str]:
    """Return the rule of each field of `kind`, those of an inner object as `outer.inner`."""
    found: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        for part in (field.type, *get_args(field.type)):
            for meta in getattr(part, "__metadata__", ()):
                found[field.name] = meta.description
            inner = getattr(part, "__origin__", part)
            if inspect.isclass(inner) and issubclass(inner, msgspec.Struct):
                found |= {f"{field.name}.{name}": rule for name, rule in rules(inner).items()}
    return found


def members_of(body: bytes) -> dict[str, bytes]:
    """Return the members of the JSON object `body`, whatever they are called, or raise BadField."""
    return _members(None, body)


def _members(kind: type[msgspec.Struct] | None, body: bytes) -> dict[str, bytes]:
    try:
        body.decode()  # msgspec passes over a Raw without looking at its UTF-8
        pairs = _MEMBERS.decode(body)
    except UnicodeDecodeError as error:
        raise BadField("body", f"the body must be UTF-8: byte {error.start} is not") from None
    except msgspec.ValidationError as error:
        raise BadField("body", f"the body must be a JSON object: {error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _broken(kind, body, error) from None
    members: dict[str, bytes] = {}
    for member, value in pairs.items():
        if kind and member.name not in kind.__struct_fields__:
            raise _unknown(kind, member.name)
        if member.name in members:
            field = shown(member.name)
            raise BadField(field, f"{field} must not be given twice")
        members[member.name] = bytes(value)
    return members


def shown(name: str) -> str:
    """Return the name that a caller gave as it can stand in a sentence."""
    cut = name if len(name) <= _SHOWN_LETTERS else name[:_SHOWN_LETTERS] + "..."
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def _unknown(kind: type[msgspec.Struct], name: str) -> BadField:
    field = shown(name)
    known = ", ".join(kind.__struct_fields__)
    return BadField(field, f"{field} is no member of this request; it can have {known}")


def _broken(
    kind: type[msgspec.Struct] | None, body: bytes, error: msgspec.DecodeError | RecursionError
) -> BadField:
    reason = str(error).removeprefix("JSON is malformed: ")
    if isinstance(error, RecursionError):
        reason = "it is nested too deeply to be read"
    elif "truncated" in reason:
        reason = "it ends too early, or a text in it holds half of a surrogate pair"
    field = _last_name(body)
    rule = rules(kind).get(field) if kind else None
    if rule is None or "trailing characters" in reason:
        return BadField("body", f"the body must be a JSON object: {reason}")
    return BadField(field, f"{field} must be {rule}: {reason}")


def _last_name(body: bytes) -> str:
    """Return the member at which reading the body fails: the last one whose name could be read."""
    names = [""]

    def note(_kind: type, name: str) -> _Member:
        names.append(name)
        return _Member(name)

    try:
        msgspec.json.decode(body, type=dict[_Member, msgspec.Raw], dec_hook=note)
    except (msgspec.DecodeError, RecursionError):
        return names[-1]
    return ""


def _explain(kind: type[msgspec.Struct], message: str, members: Mapping[str, bytes]) -> BadField:
    lacks = r"Object missing required field `([a-z_]+)`(?: - at `\$\.([a-z_]+)`)?"
    if missing := re.match(lacks, message):
        field = f"{missing[2]}.{missing[1]}" if missing[2] else missing[1]
        return BadField(field, f"{field} must be given: {rules(kind)[field]}")
    path = re.search(r"at `\$\.([a-z_.]+)(\[[0-9.]+\])?`\Z", message)
    field = path[1] if path else "body"
    sentence = f"{field} must be {rules(kind).get(field, 'as documented')}"
    written = members.get(field, b"").decode()
    if 0 < len(written) <= _SHOWN_LETTERS:
        sentence += f", not {written}"
    return BadField(field, sentence)
