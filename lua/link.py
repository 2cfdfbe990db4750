"""Puts a script together: its parts in order, and the whole text that a server is sent."""

import textwrap
from collections.abc import Iterator, Mapping

from bind import PARTS_LINE, bound_block, needed_parts
from body import SET, Scope, check_body
from contract import Part, Script, Tables
from lexer import code, with_defaults, without_comments

WRITES_NOTHING = "no-writes"


def order_parts(script: Script, parts: Mapping[str, Part]) -> tuple[str, ...]:
    """Return the parts to link: first those that the bound block alone needs, then USES."""
    place = script.places.get("USES", script.places["title"])
    for name in script.uses:
        if name not in parts:
            raise place.error(f"expected a part of lua/parts, found '{name}'")
    implied: dict[str, None] = {}
    for needed in needed_parts(script):
        if needed not in script.uses:
            implied |= dict.fromkeys(_with_uses(needed, script, parts))
    ordered = (*(name for name in implied if name not in script.uses), *script.uses)
    for index, name in enumerate(ordered):
        for used in parts[name].uses:
            if used not in ordered[:index]:
                raise place.error(f"expected '{used}' before '{name}', which uses it")
    return ordered


def _with_uses(
    name: str, script: Script, parts: Mapping[str, Part], users: tuple[str, ...] = ()
) -> Iterator[str]:
    if name not in parts:
        raise script.places["title"].error(f"expected the part '{name}' in lua/parts")
    if name in users:
        raise parts[name].place.error(f"expected no circle of parts: {' '.join(users)} {name}")
    for used in parts[name].uses:
        yield from _with_uses(used, script, parts, (*users, name))
    yield name


def check_script(
    script: Script, ordered: tuple[str, ...], parts: Mapping[str, Part], tables: Tables
) -> None:
    """Refuse keys of parts that the script does not declare, and what its body may not do."""
    for name in ordered:
        for key in parts[name].keys:
            if key not in script.keys:
                raise script.places["KEYS"].error(f"expected the key '{key}', which {name} uses")
    title = script.places["title"]
    scope = Scope(title.file, frozenset(script.keys), ordered, parts, tables)
    writers = [name for name in ordered if check_part(parts[name], parts, tables)]
    if check_body(code(script.body, script.body_line), scope):
        writers.append("its body")
    if writers and WRITES_NOTHING in script.flags:
        raise title.error(f"expected no write under {WRITES_NOTHING}, but {writers[-1]} writes")


def check_part(part: Part, parts: Mapping[str, Part], tables: Tables) -> bool:
    """Refuse what a part may not do; tell whether it writes by itself."""
    for key in part.keys:
        if key not in tables.keys:
            raise part.place.error(f"expected keys of keys.txt, found '{key}'")
    for used in part.uses:
        if used not in parts:
            raise part.place.error(f"expected parts of lua/parts, found '{used}'")
    passed_in = {SET} & set(part.parameters)
    scope = Scope(part.place.file, frozenset({*part.keys, *passed_in}), part.uses, parts, tables)
    return check_body(code(part.code, part.code_line), scope)


def written(script: Script, ordered: tuple[str, ...], tables: Tables) -> str:
    """Return the script's file as it has to be: header, bound block, body."""
    return f"{script.header}\n\n{bound_block(script, ordered, tables)}\n\n{script.body}\n"


def linked(
    script: Script, ordered: tuple[str, ...], parts: Mapping[str, Part], tables: Tables
) -> str:
    """Return the whole text that a server is sent; equal code has an equal text."""
    texts = "\n".join(_texts(script, ordered, parts))
    lines = [
        texts if line.startswith(PARTS_LINE) else line
        for line in bound_block(script, ordered, tables).splitlines()
    ]
    title = f"{script.shebang}\n-- boltq {script.name} {script.version}\n"
    code_alone = without_comments("\n".join([*lines, script.body]))
    return title + with_defaults(code_alone, tables.settings)


def _texts(script: Script, ordered: tuple[str, ...], parts: Mapping[str, Part]) -> Iterator[str]:
    """Return the text of each part; what a rare one alone uses stands inside of it.

    A server makes all functions of a script anew in each call, which for a claim of one job was a
    tenth of its work: those that few calls need are made by the calls that need them.
    """
    called = {token.text for token in code(script.body)} | set(needed_parts(script))
    inside: dict[str, str] = {}
    for name in reversed(ordered):
        users = {inside.get(user, user) for user in ordered if name in parts[user].uses}
        if name not in called and len(users) == 1 and parts[only := users.pop()].rare:
            inside[name] = only
    for name in ordered:
        held = [parts[other].code.strip() for other in ordered if inside.get(other) == name]
        if name not in inside:
            yield _holding(parts[name], held) if held else parts[name].code.strip()


def _holding(part: Part, held: list[str]) -> str:
    # Two functions, so that no name of what is held hides a parameter.
    itself = part.code.strip().replace(f"function {part.name}(", "function itself(", 1)
    inner = textwrap.indent("\n".join([*held, itself, "return itself(...)"]), "  ")
    return f"local function {part.name}(...)\n{inner}\nend"
