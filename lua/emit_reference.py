"""Writes the reference into lua/README.md, below its marker."""

from collections.abc import Iterator, Mapping

from contract import Argument, Reply, Script, Tables

MARKER = "<!-- reference: written by `make lua`, do not edit below -->"


def make_reference(readme: str, scripts: Mapping[str, Script], tables: Tables) -> str:
    """Return the README with all below the marker written anew."""
    prose = readme.partition(MARKER)[0].rstrip()
    lines = [MARKER, "", "## Reference", "", *_tables(tables)]
    for name in sorted(scripts):
        lines += _script(scripts[name])
    return (f"{prose}\n\n" if prose else "") + "\n".join(lines).rstrip() + "\n"


def _table(*head: str, rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


def _tables(tables: Tables) -> Iterator[str]:
    yield "### Keys of a queue"
    yield ""
    keys = [[f"`{key.part}`", key.type, key.about] for key in tables.keys.values()]
    yield from _table("part", "type", "holds", rows=keys)
    yield "### Settings of a queue"
    yield ""
    settings = [
        [f"`{s.name}`", s.type, str(s.range), s.default or "empty", s.about]
        for s in tables.settings.values()
    ]
    yield from _table("name", "type", "range", "default", "meaning", rows=settings)


def _script(script: Script) -> Iterator[str]:
    yield from (f"### {script.name} {script.version}", "")
    yield from (_sentence(script.purpose), "")
    if script.about:
        yield from (script.about, "")
    if script.flags:
        yield from (f"Flags: {', '.join(script.flags)}.", "")
    yield from (f"Keys, in this order: {_codes(script.keys)}.", "")
    if script.arguments:
        yield from ("Arguments:", "")
        yield from _arguments(script.arguments)
    if script.each:
        then = "then, " if script.arguments else ""
        yield from (f"Arguments, {then}for each of {script.each.least}..{script.each.most}:", "")
        yield from _arguments(script.each.fields)
    if not script.arguments and not script.each:
        yield from ("No arguments.", "")
    if script.settings:
        yield from (f"Settings that it reads: {_codes(script.settings)}.", "")
    yield from ("Replies:", "")
    for reply in script.replies:
        yield from _reply(reply, "")
    yield from ("", f"Refusals: {_codes(script.errors)}.", "", f"Cost: {script.cost}", "")


def _arguments(arguments: tuple[Argument, ...]) -> Iterator[str]:
    rows = [
        [
            f"`{argument.name}`",
            argument.type + (" or empty" if argument.optional else ""),
            argument.bounds,
            argument.about,
        ]
        for argument in arguments
    ]
    yield from _table("name", "type", "range", "meaning", rows=rows)
    for argument in arguments:
        if argument.options:
            yield from ("Its options, any of which may be left out:", "")
            yield from _arguments(argument.options)


def _reply(reply: Reply, indent: str) -> Iterator[str]:
    fields = "".join(f" {field.name}:{field.type}" for field in reply.fields)
    about = f": {reply.about}" if reply.about else ""
    if reply.items:
        each = f"{reply.width} element{'s' * (reply.width > 1)}"
        about = f", {reply.about.removesuffix(', one of:')}, {each}, one of:"
    yield f"{indent}- `{reply.word}{fields}`{about}"
    for item in reply.items:
        yield from _reply(item, "  ")


def _codes(names: tuple[str, ...]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
