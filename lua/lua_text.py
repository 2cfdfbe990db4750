"""Shapes of Lua that the bound block is written in."""

import textwrap
from collections.abc import Iterator

WIDTH = 100


def refusal(word: str, sentence: str, tail: str = "") -> Iterator[str]:
    """Yield the lines that return a refusal; tail: Lua that goes on with its sentence."""
    opening = f'  return {{ "{word}", '
    width = WIDTH - len(f'{opening}""{tail} }}')
    pieces = textwrap.wrap(
        sentence, width, drop_whitespace=False, break_long_words=False, break_on_hyphens=False
    )
    lines = [f'"{piece}"' for piece in pieces]
    lines[-1] += f"{tail} }}"
    yield f"{opening}{lines[0]}"
    for line in lines[1:]:
        yield f"    .. {line}"


def wrapped(line: str, indent: str = "  ") -> list[str]:
    """Cut a line between words where it is too long."""
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
