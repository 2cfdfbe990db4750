"""Lua as tokens: as much of the language as it takes not to be fooled by strings and comments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from contract import Setting

EVERY = "every"
"""`default.every` is the whole table: of each setting its name, type, least, most and default."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; kind is space, comment, string, number, name or mark."""

    kind: str
    text: str
    line: int


_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--\[(?P<c>=*)\[.*?\](?P=c)\] | --[^\n]*)
    | (?P<string>\[(?P<s>=*)\[.*?\](?P=s)\] | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
    | (?P<number>0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<mark>\.\.\.|\.\.|==|~=|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str, line: int = 1) -> list[Token]:
    """Cut the text, whose first line has the given number; joined, the tokens are the text."""
    found = []
    for match in _TOKEN.finditer(text):
        found.append(Token(match.lastgroup or "mark", match.group(), line))
        line += match.group().count("\n")
    return found


def code(text: str, line: int = 1) -> list[Token]:
    """Return the tokens that a Lua parser would see: no spaces, no comments."""
    return [token for token in tokens(text, line) if token.kind not in {"space", "comment"}]


def at(sequence: list[Token], index: int) -> str:
    """Return the text of one token, or the empty text outside of the sequence."""
    return sequence[index].text if 0 <= index < len(sequence) else ""


def without_comments(text: str) -> str:
    """Drop comments and empty lines, so that editing them does not change a script's SHA-1."""
    kept: list[str] = []
    gap = ""
    for token in tokens(text):
        if token.kind == "space":
            gap += token.text
        elif token.kind == "comment":
            gap += " "
        else:
            kept += [_shortest(gap), token.text]
            gap = ""
    return "".join(kept).strip() + "\n"


def _shortest(gap: str) -> str:
    # The indentation stays: the text is what people read when they ask a server for its scripts.
    lines = gap.split("\n")
    return f"\n{lines[-1]}" if len(lines) > 1 else gap


def with_defaults(text: str, settings: Mapping[str, Setting]) -> str:
    """Put literals where `default.<setting>` and `default.every` stand; the names are checked."""
    pieces = tokens(text)
    out: list[str] = []
    index = 0
    while index < len(pieces):
        if is_default(pieces, index):
            name = pieces[index + 2].text
            out.append(_every(settings) if name == EVERY else settings[name].literal)
            index += 3
        else:
            out.append(pieces[index].text)
            index += 1
    return "".join(out)


def _every(settings: Mapping[str, Setting]) -> str:
    rows = (
        f'  {{ "{name}", "{setting.type}", {setting.range.low}, {setting.range.high},'
        f' "{setting.default}" }},\n'
        for name, setting in settings.items()
    )
    return f"{{\n{''.join(rows)}}}"


def is_default(sequence: list[Token], index: int) -> bool:
    """Tell whether `default.<name>` starts here."""
    return (
        at(sequence, index) == "default"
        and at(sequence, index + 1) == "."
        and at(sequence, index - 1) != "."
    )
