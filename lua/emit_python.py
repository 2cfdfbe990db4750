"""Writes boltq/scripts.py: one typed function per script."""

from collections.abc import Iterator, Mapping

from contract import Argument, Script
from python_replies import Names, readers, reply_classes
from python_text import (
    TYPES,
    camel,
    check_classes,
    class_names,
    docstring,
    exploded,
    safe,
    sentence,
)

_HEAD = '''\
"""One function per script. Written by `make lua` from lua/*.lua; do not edit."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar, Unpack, cast

from boltq.call import Argument, Call
from boltq.errors import Corrupt, refusal

R = TypeVar("R")
LeftOut = Literal[""]
LEFT_OUT: LeftOut = ""
"""The value of an item's field that is left out."""

_flat = cast("Callable[[Iterable[Any]], Iterable[Argument]]", chain.from_iterable)


def _read(
    script: str,
    readers: Mapping[bytes, Callable[[Sequence[Any]], R]],
    refusals: Collection[bytes],
    reply: list[Any],
) -> R:
    refused = None
    try:
        word = reply[0]
        if word in readers:
            return readers[word](reply)
        if word in refusals:
            refused = refusal(str(word, "ascii"), str(reply[1], "utf-8", "replace"))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as wrong:
        raise _unlisted(script, reply) from wrong
    raise refused or _unlisted(script, reply)


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _options(chosen: Mapping[str, object]) -> str:
    if not chosen:
        return ""
    given = ((name, value) for name, value in chosen.items() if value is not None)
    return " ".join(f"{n}={_decimal(v) if isinstance(v, float) else v}" for n, v in given)


def _unlisted(script: str, reply: object) -> Corrupt:
    # The word alone: what follows it may hold a payload, which no log may show.
    shown = repr(reply[:1] if isinstance(reply, list) else reply)[:200]
    return Corrupt(f"{script} answered {shown}, which its header does not list")
'''


def make_python(scripts: Mapping[str, Script]) -> str:
    """Return the text of scripts.py."""
    check_classes(scripts)
    names = class_names(scripts)
    lines: list[str] = [_HEAD.rstrip()]
    for name in sorted(scripts):
        script = scripts[name]
        lines += reply_classes(script, names)
        lines += readers(script, names)
        if script.each:
            lines += _item(script, script.each.fields)
        for argument in script.arguments:
            if argument.options:
                lines += _chosen(script, argument.options)
        lines += _function(script, names)
    return "\n".join(lines) + "\n"


def _item(script: Script, fields: tuple[Argument, ...]) -> Iterator[str]:
    yield from ("", "", f"class {camel(f'{script.name}_item')}(NamedTuple):")
    yield from docstring(
        f"What repeats in {script.name}", ["\n".join(_described(field) for field in fields)]
    )
    yield ""
    # A field with a default may not stand before one without.
    last_needed = max((i for i, field in enumerate(fields) if not field.optional), default=-1)
    for index, field in enumerate(fields):
        kind = TYPES[field.type]
        if field.optional and kind != "str":
            kind = f"{kind} | LeftOut"
        default = " = LEFT_OUT" if field.optional and index > last_needed else ""
        yield f"    {field.name}: {kind}{default}"


def _chosen(script: Script, options: tuple[Argument, ...]) -> Iterator[str]:
    yield from ("", "", f"class {camel(f'{script.name}_options')}(TypedDict, total=False):")
    described = "\n".join(_described(option) for option in options)
    yield from docstring(f"What {script.name} takes by name; None is left out, too", [described])
    yield ""
    for option in options:
        yield f"    {option.name}: {TYPES[option.type]} | None"


def _function(script: Script, names: Names) -> Iterator[str]:
    kind = camel(f"{script.name}_reply")
    verb = script.name.upper()
    yield from ("", "", f"def _parse_{script.name}(reply: list[Any]) -> {kind}:")
    yield f'    return _read("{script.name}", _{verb}_REPLIES, _{verb}_REFUSALS, reply)'
    yield from ("", "")
    yield from exploded(f"def {safe(script.name)}(", _parameters(script), f") -> Call[{kind}]:")
    yield from docstring(script.purpose, _function_paragraphs(script, names))
    values = [_sent(argument) for argument in script.arguments]
    if values:
        yield from exploded("argv: list[Argument] = [", values, "]", "    ")
    else:
        yield "    argv: list[Argument] = []"
    if script.each:
        yield from _items(script.each.fields)
    yield f'    return Call("{script.name}", queue, argv, _parse_{script.name})'


def _items(fields: tuple[Argument, ...]) -> Iterator[str]:
    if all(field.type != "number" for field in fields):
        yield "    argv += _flat(items)"
        return
    yield "    for item in items:"
    yield '        values = cast("Iterable[Argument | float]", item)'
    yield "        argv += [_decimal(v) if isinstance(v, float) else v for v in values]"


def _parameters(script: Script) -> Iterator[str]:
    yield "queue: str"
    if script.each:
        default = "" if script.each.least else " = ()"
        yield f"items: Iterable[{camel(f'{script.name}_item')}]{default}"
    if any(not argument.options for argument in script.arguments):
        yield "*"
    for argument in script.arguments:
        if argument.options:
            yield f"**options: Unpack[{camel(f'{script.name}_options')}]"
            continue
        kind = TYPES[argument.type]
        yield f"{safe(argument.name)}: {kind}{' | None = None' if argument.optional else ''}"


def _sent(argument: Argument) -> str:
    if argument.options:
        return "_options(options)"
    name = safe(argument.name)
    value = f"_decimal({name})" if argument.type == "number" else name
    return f'"" if {name} is None else {value}' if argument.optional else value


def _function_paragraphs(script: Script, names: Names) -> Iterator[str]:
    described = ["queue: its name."]
    if script.each:
        item = camel(f"{script.name}_item")
        described.append(f"items: {script.each.least}..{script.each.most} of {item}.")
    described += [
        f"options: see {camel(f'{script.name}_options')}; {argument.about}."
        if argument.options
        else _described(argument)
        for argument in script.arguments
    ]
    replies = " or ".join(names[script.name, reply.word] for reply in script.replies)
    yield "\n".join(described)
    yield f"Once sent, it returns {replies}, or raises the error of {', '.join(script.errors)}."
    yield sentence(f"Cost: {script.cost}")


_RULES = {
    "integer": "an integer {bounds}",
    "number": "a number {bounds}, sent with six decimals",
    "name": "a name of {bounds} bytes",
    "type": "a name of {bounds} bytes, which may hold colons",
    "text": "a text of {bounds} bytes",
    "bytes": "{bounds} bytes",
    "word": "one of {bounds}",
}


def _described(argument: Argument) -> str:
    rule = _RULES[argument.type].format(bounds=argument.bounds.replace("|", ", "))
    left_out = " or left out" if argument.optional else ""
    about = f"; {argument.about}" if argument.about else ""
    return f"{argument.name}: {rule}{left_out}{about}."
