"""Reads one lua/<verb>.lua or lua/parts/<function>.lua: its header, strictly, and its text."""

import re
from itertools import takewhile

from contract import MOST_ITEMS, MOST_PURPOSE, Each, Field, Part, Place, Script, Tables
from lexer import Token, code
from rows import read_arguments, read_options, read_replies
from sections import Section, is_heading, read_sections
from tables import read_range

BOUND_FIRST = "-- bound by `make lua` from the header above; edit the header instead"
BOUND_LAST = "-- end of bound"
FLAGS = ("allow-oom", "no-writes", "allow-stale")
_SHEBANG = re.compile(r"#!lua(?: flags=(\S+))?")
_TITLE = re.compile(r"([a-z][a-z_]*) ([1-9]\d*): (\S.*)")
_PART_TITLE = re.compile(r"-- ([a-z][a-z_0-9]*): (\S.*)")
_EACH = re.compile(r"(\S+)(?:\s+(\S.*))?")
_SETTINGS = "settings"
_OPENERS = {"function", "do", "if", "repeat"}
_CLOSERS = {"end", "until"}


def read_script(text: str, file: str, name: str, tables: Tables) -> Script:
    """Read a verb; `name` is that of its file."""
    lines = text.splitlines()
    flags = _read_shebang(lines[0] if lines else "", Place(file, 1))
    comment = list(takewhile(lambda line: line.startswith("--") and line != BOUND_FIRST, lines[1:]))
    contents = [line[2:].removeprefix(" ") for line in comment]
    title = _TITLE.fullmatch(contents[0] if contents else "")
    place = Place(file, 2)
    if not title:
        raise place.error(f"expected `-- {name} <version>: <purpose>`")
    if title[1] != name:
        raise place.error(f"expected the file's name '{name}', found '{title[1]}'")
    if len(title[3]) > MOST_PURPOSE or not title[3].endswith("."):
        raise place.error(f"expected a purpose of {MOST_PURPOSE} characters at most, and a period")
    prose = list(takewhile(lambda line: not is_heading(line), contents[1:]))
    start = 1 + len(prose)
    sections = read_sections(contents[start:], Place(file, 2 + start))
    body, body_line = _read_body(lines, 1 + len(comment), file)
    arguments = read_arguments(sections["ARGV"].rows) if "ARGV" in sections else ()
    if "ARGV" in sections and not arguments:
        raise sections["ARGV"].place.error("expected an argument, indented by two")
    if "OPTIONS" in sections:
        arguments += (read_options(sections["OPTIONS"]),)
    if not body:
        raise Place(file, body_line).error("expected a body below the header")
    script = Script(
        name=name,
        version=int(title[2]),
        purpose=title[3],
        about="\n".join(prose).strip(),
        flags=flags,
        keys=_read_names(sections["KEYS"], "key", tuple(tables.keys)),
        arguments=arguments,
        each=_read_each(sections["EACH"]) if "EACH" in sections else None,
        settings=_read_names(sections.get("SETTINGS"), "setting", tuple(tables.settings)),
        replies=read_replies(sections["REPLIES"]),
        errors=_read_errors(sections["ERRORS"]),
        cost=sections["COST"].text(),
        uses=_read_names(sections.get("USES"), "part", None),
        shebang=lines[0],
        header="\n".join(lines[: 1 + len(comment)]),
        body=body,
        body_line=body_line,
        places={"title": place, **{key: section.place for key, section in sections.items()}},
    )
    _check_whole(script)
    return script


def _check_whole(script: Script) -> None:
    if _SETTINGS not in script.keys:
        raise script.places["KEYS"].error(f"expected the key {_SETTINGS}, which every script reads")
    needed = ["BAD_ARGUMENT", "BAD_KEYS", "UPGRADE"]
    if script.each and script.each.sized:
        needed.append("TOO_LARGE")
    for word in needed:
        if word not in script.errors:
            raise script.places["ERRORS"].error(f"expected the error {word}")
    _check_replies(script)


def _check_replies(script: Script) -> None:
    fields: dict[str, tuple[Field, ...]] = {}
    for reply in script.replies:
        if reply.word in script.errors:
            raise reply.place.error(f"expected {reply.word} among the replies or among the errors")
        for item in reply.items:
            if fields.setdefault(item.word, item.fields) != item.fields:
                raise item.place.error(f"expected the same fields of {item.word} as above")


def _read_shebang(line: str, place: Place) -> tuple[str, ...]:
    match = _SHEBANG.fullmatch(line)
    if not match:
        raise place.error("expected `#!lua` or `#!lua flags=<flag>,<flag>`")
    flags = tuple(match[1].split(",")) if match[1] else ()
    for flag in flags:
        if flag not in FLAGS:
            raise place.error(f"expected a flag of {' '.join(FLAGS)}, found '{flag}'")
    return flags


def _read_body(lines: list[str], start: int, file: str) -> tuple[str, int]:
    if BOUND_FIRST in lines[start:]:
        first = lines.index(BOUND_FIRST)
        if BOUND_LAST not in lines[first:]:
            raise Place(file, first + 1).error(f"expected `{BOUND_LAST}` after this line")
        start = lines.index(BOUND_LAST, first) + 1
    while start < len(lines) and not lines[start].strip():
        start += 1
    return "\n".join(lines[start:]).rstrip(), start + 1


def _read_names(
    section: Section | None, what: str, known: tuple[str, ...] | None
) -> tuple[str, ...]:
    names = section.words() if section else ()
    if section and not names:
        raise section.place.error(f"expected a {what}")
    for index, name in enumerate(names):
        if section and known is not None and name not in known:
            raise section.place.error(f"expected a {what} of {' '.join(known)}, found '{name}'")
        if section and name in names[:index]:
            raise section.place.error(f"expected each {what} once, found '{name}' again")
    return names


def _read_each(section: Section) -> Each:
    match = _EACH.fullmatch(section.beside)
    if not match:
        raise section.place.error("expected a range such as 1..500 after EACH")
    bounds = read_range(match[1], section.place, whole=True)
    if int(bounds.high) > MOST_ITEMS:
        raise section.place.error(f"expected at most {MOST_ITEMS} items, found '{bounds}'")
    fields = read_arguments(section.rows)
    if not fields:
        raise section.place.error("expected what repeats below EACH, indented by two")
    return Each(int(bounds.low), int(bounds.high), fields, match[2] or "")


def _read_errors(section: Section) -> tuple[str, ...]:
    errors = _read_names(section, "word", None)
    for error in errors:
        if not re.fullmatch(r"[A-Z][A-Z_]*", error):
            raise section.place.error(f"expected a word in capitals, found '{error}'")
    return errors


def read_part(text: str, file: str, name: str) -> Part:
    """Read a part: its title, KEYS, USES and RARE, and then one function and nothing else."""
    lines = text.splitlines()
    place = Place(file, 1)
    title = _PART_TITLE.fullmatch(lines[0] if lines else "")
    if not title:
        raise place.error(f"expected `-- {name}: <purpose>`")
    if title[1] != name:
        raise place.error(f"expected the file's name '{name}', found '{title[1]}'")
    comment = list(takewhile(lambda line: line.startswith("--"), lines))
    contents = [line[2:].removeprefix(" ") for line in comment[1:]]
    prose = list(takewhile(lambda line: not is_heading(line), contents))
    sections = read_sections(contents[len(prose) :], Place(file, 2 + len(prose)), part=True)
    body = "\n".join(lines[len(comment) :])
    parameters = _read_function(code(body, len(comment) + 1), name, Place(file, len(comment) + 1))
    return Part(
        name=name,
        keys=_read_names(sections.get("KEYS"), "key", None),
        uses=_read_names(sections.get("USES"), "part", None),
        rare="RARE" in sections,
        parameters=parameters,
        code=body,
        code_line=len(comment) + 1,
        place=place,
    )


def _read_function(sequence: list[Token], name: str, place: Place) -> tuple[str, ...]:
    wanted = ["local", "function", name, "("]
    if [token.text for token in sequence[:4]] != wanted:
        raise place.error(f"expected `local function {name}(...)`")
    depth = 0
    for index, token in enumerate(sequence):
        depth += (token.text in _OPENERS) - (token.text in _CLOSERS)
        if depth == 0 and index > len(wanted) and index + 1 < len(sequence):
            following = sequence[index + 1]
            raise Place(place.file, following.line).error(
                f"expected one function and then nothing, found '{following.text}'"
            )
    if depth:
        raise place.error(f"expected the `end` of function {name}")
    texts = [token.text for token in sequence]
    return tuple(text for text in texts[4 : texts.index(")")] if text != ",")
