"""Writes the classes of a script's replies, and the functions that read them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from contract import Field, Reply, Script
from python_text import (
    TYPES,
    WIDTH,
    camel,
    docstring,
    exploded,
    item_class,
    items_of,
    safe,
    sentence,
    union,
)

Names = Mapping[tuple[str, str], str]
_READ = {
    "integer": "int({})",
    "number": "float({})",
    "text": '{}.decode("utf-8", "replace")',
    "bytes": "{}",
}


def reply_classes(script: Script, names: Names) -> Iterator[str]:
    """Yield the classes of the items, then of the replies, and a name for all of each."""
    items = items_of(script)
    shapes = Counter(len(item.fields) for item in items)
    for item in items:
        yield from _class(script, item, item_class(script, item))
        if item.fields and shapes[len(item.fields)] > 1:
            yield from _COMPARED
    if items:
        yield from ("", "")
        yield from union(
            camel(f"{script.name}_answer"), [item_class(script, item) for item in items]
        )
    for reply in script.replies:
        yield from _class(script, reply, names[script.name, reply.word])
    yield from ("", "")
    yield from union(
        camel(f"{script.name}_reply"), [names[script.name, reply.word] for reply in script.replies]
    )


_COMPARED = (
    "",
    "    def __eq__(self, other: object) -> bool:",
    '        """Compare the word, too: a tuple knows its fields alone."""',
    "        return type(other) is type(self) and tuple.__eq__(self, other)",
    "",
    "    def __ne__(self, other: object) -> bool:",
    '        """Tell apart what is not the same word with the same fields."""',
    "        return not self == other",
    "",
    "    def __hash__(self) -> int:",
    '        """Hash the fields."""',
    "        return tuple.__hash__(self)",
)


def _class(script: Script, reply: Reply, name: str) -> Iterator[str]:
    fields = [f"    {field.name}: {TYPES[field.type]}" for field in reply.fields]
    if reply.items:
        fields.append(f"    answers: list[{camel(f'{script.name}_answer')}]")
    yield ""
    yield ""
    if not fields:
        yield "@dataclass(frozen=True, slots=True)"
    yield f"class {name}{'(NamedTuple)' if fields else ''}:"
    yield from _class_docstring(script, reply)
    if fields:
        yield ""
        yield from fields
    else:
        yield ""
        yield ""
        yield f"{_constant(name)} = {name}()"


def _class_docstring(script: Script, reply: Reply) -> Iterator[str]:
    about = reply.about
    if reply.items:
        listed = about.removeprefix("then ").removesuffix(":").removesuffix(", one of")
        about = f"`answers` holds {listed}, its {camel(f'{script.name}_answer')}"
    title = f"{reply.word} of {script.name}"
    summary = f"{title}: {about}" if about else title
    fits = len(f'    """{summary}."""') <= WIDTH
    yield from docstring(summary) if fits else docstring(title, [sentence(about)])


def _constant(class_name: str) -> str:
    parts = "".join(f"_{letter}" if letter.isupper() else letter for letter in class_name)
    return parts.upper()


def readers(script: Script, names: Names) -> Iterator[str]:
    """Yield the functions that read replies, and the tables from words to them."""
    items = items_of(script)
    verb = script.name.upper()
    for item in items:
        if item.fields:
            width = max(reply.width for reply in script.replies)
            yield from _reader(script, item, item_class(script, item), width)
    if items:
        yield from _reader_table(
            f"_{verb}_ANSWERS",
            camel(f"{script.name}_answer"),
            {item.word: item_class(script, item) for item in items},
            {item.word for item in items if item.fields},
        )
    for reply in script.replies:
        if reply.fields or reply.items:
            yield from _reader(script, reply, names[script.name, reply.word])
    yield from _reader_table(
        f"_{verb}_REPLIES",
        camel(f"{script.name}_reply"),
        {reply.word: names[script.name, reply.word] for reply in script.replies},
        {reply.word for reply in script.replies if reply.fields or reply.items},
    )
    refusals = [f'b"{word}"' for word in script.errors]
    yield from exploded(f"_{verb}_REFUSALS = {{", refusals, "}")


def _reader(script: Script, reply: Reply, name: str, width: int = 0) -> Iterator[str]:
    targets = ["_", *(safe(field.name) for field in reply.fields)]
    if reply.items:
        targets.append("*items")
    elif 1 + len(reply.fields) < width:
        targets.append("*_")
    unpacking = f"    {', '.join(targets)} = reply"
    yield ""
    yield ""
    yield f"def _read{_constant(name).lower()}(reply: Sequence[Any]) -> {name}:"
    if len(unpacking) <= WIDTH:
        yield unpacking
    else:
        yield from exploded("(", targets, ") = reply", "    ")
    values = [_value(field) for field in reply.fields]
    if reply.items:
        yield f"    answers = _{script.name.upper()}_ANSWERS"
        values.append(_answers(reply))
    yield from exploded(f"return {name}(", values, ")", "    ")


def _answers(reply: Reply) -> str:
    if reply.width == 1:
        return "[answers[word](items) for word in items]"
    pieces = f"zip(*[iter(items)] * {reply.width}, strict=True)"
    return f"[answers[item[0]](item) for item in {pieces}]"


def _value(field: Field) -> str:
    return _READ[field.type].format(safe(field.name))


def _reader_table(
    table: str, kind: str, classes: Mapping[str, str], with_fields: set[str]
) -> Iterator[str]:
    yield ""
    yield ""
    entries = [
        f'b"{word}": _read{_constant(name).lower()}'
        if word in with_fields
        else f'b"{word}": lambda _: {_constant(name)}'
        for word, name in classes.items()
    ]
    yield from exploded(
        f"{table}: dict[bytes, Callable[[Sequence[Any]], {kind}]] = {{", entries, "}"
    )
