"""Shapes of Python as `ruff format` would leave them, and the names of classes in scripts.py."""

import builtins
import keyword
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping

from contract import HeaderError, Reply, Script

WIDTH = 100
TYPES = {
    "integer": "int",
    "number": "float",
    "name": "str",
    "type": "str",
    "text": "str",
    "word": "str",
    "bytes": "bytes",
}
"""The type in Python of each type of a header."""

_TAKEN = {
    "Any", "Argument", "Call", "Callable", "Collection", "Corrupt", "Iterable", "LeftOut", "Unpack",
    "Literal", "Mapping", "NamedTuple", "R", "TypedDict", "TypeVar",
}  # fmt: skip


def safe(name: str) -> str:
    """Return the name, with `_` behind it where it would hide one of Python's own."""
    return f"{name}_" if keyword.iskeyword(name) or name in dir(builtins) else name


def camel(word: str) -> str:
    """Return LEASE_LOST or lease_lost as LeaseLost."""
    return "".join(piece.capitalize() for piece in word.split("_"))


def class_names(scripts: Mapping[str, Script]) -> dict[tuple[str, str], str]:
    """Return the class of each reply by (verb, word); with the verb if two verbs share the word."""
    verbs: dict[str, list[str]] = {}
    for script in scripts.values():
        for reply in script.replies:
            verbs.setdefault(reply.word, []).append(script.name)
    return {
        (verb, word): camel(word) if len(sharing) == 1 else camel(f"{verb}_{word}")
        for word, sharing in verbs.items()
        for verb in sharing
    }


def item_class(script: Script, item: Reply) -> str:
    """Return the class of an item's answer."""
    return camel(f"{script.name}_{item.word}")


def check_classes(scripts: Mapping[str, Script]) -> None:
    """Refuse two classes of one name."""
    taken = dict.fromkeys(_TAKEN, "a name that scripts.py imports")
    names = class_names(scripts)
    for script in scripts.values():
        own = {
            camel(f"{script.name}_{suffix}") for suffix in ("item", "answer", "reply", "options")
        }
        for name in own:
            _take(name, f"a class of {script.name}", taken, script.places["title"].error)
        for reply in script.replies:
            name = names[script.name, reply.word]
            _take(name, f"{reply.word} of {script.name}", taken, reply.place.error)
        for item in items_of(script):
            name = item_class(script, item)
            _take(name, f"{item.word} of {script.name}", taken, item.place.error)


def _take(name: str, what: str, taken: dict[str, str], error: Callable[[str], HeaderError]) -> None:
    if name in taken:
        raise error(f"expected another word: the class {name} would also be {taken[name]}")
    taken[name] = what


def items_of(script: Script) -> tuple[Reply, ...]:
    """Return the items of all replies of a script, each word once."""
    return tuple({item.word: item for reply in script.replies for item in reply.items}.values())


def exploded(opening: str, members: Iterable[str], closing: str, indent: str = "") -> Iterator[str]:
    """Yield one member a line, with the comma behind the last that keeps them so."""
    yield f"{indent}{opening}"
    for member in members:
        yield f"{indent}    {member},"
    yield f"{indent}{closing}"


def union(name: str, members: list[str]) -> list[str]:
    """Return `name = A | B`, on as few lines as it takes."""
    joined = " | ".join(members)
    if len(f"{name} = {joined}") <= WIDTH:
        return [f"{name} = {joined}"]
    if len(joined) + 4 <= WIDTH:
        return [f"{name} = (", f"    {joined}", ")"]
    return [f"{name} = (", f"    {members[0]}", *(f"    | {other}" for other in members[1:]), ")"]


def docstring(summary: str, paragraphs: Iterable[str] = (), indent: str = "    ") -> Iterator[str]:
    """Yield a docstring; the lines of a paragraph, where it has several, are a list."""
    summary = sentence(summary.replace("\\", "\\\\").replace('"""', "'''"))
    body = [paragraph for paragraph in paragraphs if paragraph]
    if not body:
        yield f'{indent}"""{summary}"""'
        return
    yield f'{indent}"""{summary}'
    for paragraph in body:
        yield ""
        lines = paragraph.replace("\\", "\\\\").replace('"""', "'''").split("\n")
        hanging = indent if len(lines) == 1 else f"{indent}    "
        for line in lines:
            yield from textwrap.wrap(
                line,
                WIDTH,
                initial_indent=indent,
                subsequent_indent=hanging,
                break_long_words=False,
                break_on_hyphens=False,
            )
    yield f'{indent}"""'


def sentence(text: str) -> str:
    """Return the text with a capital and a period."""
    text = text.rstrip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
