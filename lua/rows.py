"""The rows of a header: arguments, and replies with their items."""

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass

from contract import Argument, Field, Place, Reply
from sections import Row, Section
from tables import read_range

OPTIONS = "options"
"""The one argument, and its type, that says by name what most calls leave out."""

ARGUMENT_TYPES = ("integer", "number", "name", "type", "text", "bytes", "word")
REPLY_TYPES = ("integer", "number", "text", "bytes")
_ARGUMENT = re.compile(r"([a-z][a-z0-9_]*)\s+([a-z]+)(\?)?\s+(\S+)(?:\s+(\S.*))?")
_FIELD = re.compile(r"([a-z][a-z0-9_]*):([a-z]+)")
_WORD = re.compile(r"[A-Z][A-Z_]*")
_LIST = re.compile(r"then\b.*:")
_ENDS_IN_LIST = re.compile(r"(?:^\S+\s+|,\s*)then\b.*:$")
_ROW_INDENT = 2
_ITEM_INDENT = 4
# A method of every Python tuple, or a name that the generated functions use themselves.
_TAKEN_TYPES = {"int", "float", "str", "bytes", "list"}
_TAKEN_FIELDS = {*_TAKEN_TYPES, "count", "index", "answers"}
_TAKEN_ARGUMENTS = {*_TAKEN_TYPES, "count", "index", "queue", "items"}
_LUA_KEYWORDS = {
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
}  # fmt: skip


def read_arguments(rows: list[Row]) -> tuple[Argument, ...]:
    """Read the rows of ARGV or EACH: `name  type  range  meaning`."""
    found: dict[str, Argument] = {}
    for row in _joined(rows):
        argument = _read_argument(row.text, row.place)
        if argument.name in found:
            raise row.place.error(f"expected each argument once, found '{argument.name}' again")
        found[argument.name] = argument
    return tuple(found.values())


def read_options(section: Section) -> Argument:
    """Read OPTIONS, rows as of ARGV: they travel in one argument, as words `name=value`."""
    options = read_arguments(section.rows)
    if not options:
        raise section.place.error("expected an option, indented by two")
    for option in options:
        if option.optional or option.type not in {"integer", "number"}:
            raise option.place.error("expected an integer or a number; any option may be left out")
    return Argument(
        name=OPTIONS,
        type=OPTIONS,
        optional=True,
        range=None,
        choices=(),
        about=section.beside,
        place=section.place,
        options=options,
    )


def _joined(rows: list[Row]) -> Iterable[Row]:
    joined: list[Row] = []
    for row in rows:
        if row.indent > _ROW_INDENT and joined:
            last = joined.pop()
            joined.append(Row(last.indent, f"{last.text} {row.text}", last.place))
        else:
            joined.append(row)
    return joined


def _read_argument(text: str, place: Place) -> Argument:
    match = _ARGUMENT.fullmatch(text)
    if not match:
        raise place.error(f"expected `name  type  range  meaning`, found '{text}'")
    name, kind, optional, bounds, about = match.groups()
    check_name(name, _TAKEN_ARGUMENTS, place)
    if kind not in ARGUMENT_TYPES:
        raise place.error(f"expected a type of {' '.join(ARGUMENT_TYPES)}, found '{kind}'")
    if kind == "word":
        choices = tuple(bounds.split("|"))
        if not all(re.fullmatch(r"[A-Za-z0-9_-]+", choice) for choice in choices):
            raise place.error(f"expected words such as queued|dead, found '{bounds}'")
        if len(set(choices)) < len(choices):
            raise place.error(f"expected each word once, found '{bounds}'")
        limits = None
    else:
        choices = ()
        limits = read_range(bounds, place, whole=kind != "number")
    return Argument(name, kind, bool(optional), limits, choices, about or "", place)


def check_name(name: str, taken: set[str], place: Place) -> None:
    """Refuse what cannot name a variable in Lua and a parameter in Python."""
    if name in _LUA_KEYWORDS or keyword.iskeyword(name) or name in taken:
        raise place.error(f"expected another name than '{name}', which has a meaning already")


@dataclass(slots=True)
class _Draft:
    """A reply while its lines are still being gathered."""

    text: str
    place: Place
    items: list["_Draft"]


def read_replies(section: Section) -> tuple[Reply, ...]:
    """Read REPLIES: a word, its fields, and perhaps a list of items, indented by two more."""
    drafts: list[_Draft] = []
    for row in section.rows:
        is_open = bool(drafts) and _ENDS_IN_LIST.search(drafts[-1].text) is not None
        if row.indent <= _ROW_INDENT:
            drafts.append(_Draft(row.text, row.place, []))
        elif not drafts:
            raise row.place.error("expected a reply, indented by two")
        elif row.indent == _ITEM_INDENT and is_open:
            drafts[-1].items.append(_Draft(row.text, row.place, []))
        else:
            word = row.text.split()[0]
            if row.indent == _ITEM_INDENT and _WORD.fullmatch(word):
                raise row.place.error(f"expected `then for each ..., one of:` above '{word}'")
            last = drafts[-1].items[-1] if drafts[-1].items else drafts[-1]
            last.text = f"{last.text} {row.text}"
    replies = tuple(_read_reply(draft) for draft in drafts)
    if not replies:
        raise section.place.error("expected a reply, indented by two")
    _refuse_twice(replies)
    return replies


def _refuse_twice(replies: tuple[Reply, ...]) -> None:
    seen: set[str] = set()
    for reply in replies:
        if reply.word in seen:
            raise reply.place.error(f"expected each word once, found {reply.word} again")
        seen.add(reply.word)
        _refuse_twice(reply.items)


def _read_reply(draft: _Draft) -> Reply:
    word, _, rest = draft.text.partition(" ")
    if not _WORD.fullmatch(word):
        raise draft.place.error(f"expected a reply's word in capitals, found '{word}'")
    fields, about = _read_fields(rest.split(), draft.place)
    if _LIST.fullmatch(about) and not draft.items:
        raise draft.place.error(f"expected the items of {word} below it, indented by four")
    items = tuple(_read_reply(item) for item in draft.items)
    return Reply(word, fields, about, items, draft.place)


def _read_fields(words: list[str], place: Place) -> tuple[tuple[Field, ...], str]:
    fields: dict[str, Field] = {}
    for index, word in enumerate(words):
        text = word.removesuffix(",")
        if ":" not in text or text.endswith("."):
            return tuple(fields.values()), " ".join(words[index:])
        match = _FIELD.fullmatch(text)
        if not match:
            if fields and text.endswith(":"):
                return tuple(fields.values()), " ".join(words[index:])
            raise place.error(f"expected a field such as now_ms:integer, found '{text}'")
        if match[2] not in REPLY_TYPES:
            raise place.error(f"expected a type of {' '.join(REPLY_TYPES)}, found '{match[2]}'")
        if match[1] in fields:
            raise place.error(f"expected each field once, found '{match[1]}' again")
        check_name(match[1], _TAKEN_FIELDS, place)
        fields[match[1]] = Field(match[1], match[2])
    return tuple(fields.values()), ""
