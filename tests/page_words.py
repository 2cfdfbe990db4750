"""The texts of the page's sources: those that have other languages, and those that were forgotten.

found = read(source)
found.keys      each text given to t(), with the line it stands in
found.counted   those given to many(): for one, and for more, which is the key
found.bare      each text that people would read and that is given to neither
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_MUTE = """
  action aria-current aria-hidden aria-live as autocomplete class d data-first data-language
  data-row data-search data-slides datetime disabled download end fill focusable for height href
  icon id inputmode key kind lang list max maxlength min name names of past points
  preserveAspectRatio ref rel role rows rx scope size spellcheck src step style tabindex type value
  viewBox width
"""
MUTE = frozenset(_MUTE.split())
"""Attributes of which nothing is read; whatever is not here is taken for a text."""

_TOKEN = re.compile(
    r"(?P<blank>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<regex>/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)"
    r"|(?P<mark>\?\?|\|\||&&|=>|[!=]=+|.)",
    re.DOTALL,
)
_WORDS = re.compile(r"[A-Za-z]{2}")
_SENTENCE = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}|^[A-Z][a-z]+( |\.|…|$)")
_IS_VALUE = re.compile(r"(?!return$)[\w$]+$|[)\]\"]$")
_MARKUP = re.compile(r"<([^<>]*(?:=\0[^<>]*)*)>|([^<>]+)")
_HOLE = "\0"


class Text(NamedTuple):
    """A text and the line that it begins in."""

    line: int
    text: str


@dataclass
class Found:
    """What a source says."""

    keys: list[Text] = field(default_factory=list)
    counted: list[tuple[Text, Text]] = field(default_factory=list)
    bare: list[Text] = field(default_factory=list)


def holes(text: str) -> set[str]:
    """The names of a text's holes."""
    return set(re.findall(r"\{(\w+)\}", text))


def read(source: str) -> Found:
    """Read a module of the page."""
    reader = _Reader(source)
    reader.code(0, "")
    return reader.found


@dataclass
class _Place:
    """Where one is: the attribute its hole is of, or "text"; what is before, and what is open."""

    within: str
    before: str = ""
    open: list[tuple[str, int]] = field(default_factory=list)

    def comes(self, kind: str, token: str) -> None:
        if token in ("(", "[", "{"):
            self.open.append((self.before if token == "(" else token, 0))
        elif token in (")", "]", "}"):
            self.open.pop()
        elif token == "," and self.open:
            self.open[-1] = (self.open[-1][0], self.open[-1][1] + 1)
        self.before = '"' if kind in ("quoted", "regex") else token

    def argument(self) -> tuple[str, int]:
        """What is called, and which argument of it this is."""
        return self.open[-1] if self.open else ("", 0)

    def is_shown(self) -> bool:
        """Whether a text here is seen by people, rather than compared or handed to something."""
        if self.within in ("", *MUTE) or any(name.isidentifier() for name, _ in self.open):
            return False
        follows = ("", "?", ":", "&&", "||", "??", *([","] if self.within == "options" else []))
        return self.before in follows


class _Reader:
    """Goes through code, and through the templates in it, and the code in their holes."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.found = Found()
        self._one = Text(0, "")

    def code(self, at: int, within: str) -> int:
        """Read code until its hole ends; returns where that is."""
        place = _Place(within)
        while at < len(self.source):
            kind, token = self._token(at, place.before)
            if token == "}" and not place.open:
                return at + 1
            if token == "`":
                at = self._template(at + 1, place)
                place.comes("quoted", token)
                continue
            if kind == "quoted":
                self._literal(token[1:-1], at, place)
            if kind != "blank":
                place.comes(kind, token)
            at += len(token)
        return at

    def _token(self, at: int, before: str) -> tuple[str, str]:
        found = _TOKEN.match(self.source, at)
        assert found
        if found.lastgroup == "regex" and _IS_VALUE.search(before):
            return "mark", "/"
        return found.lastgroup or "", found[0]

    def _template(self, at: int, place: _Place) -> int:
        """Read a template to its end; of one of markup each hole is in a text or an attribute."""
        is_markup = place.before == "html"
        begin, told = at, ""
        while self.source[at] != "`":
            if self.source[at] == "\\":
                told, at = told + " ", at + 2
            elif self.source.startswith("${", at):
                at = self.code(at + 2, _attribute(told) if is_markup else place.within)
                told += _HOLE
            else:
                told, at = told + self.source[at], at + 1
        if is_markup:
            self._markup(told, begin)
        else:
            self._literal(told, begin, place)
        return at + 1

    def _literal(self, text: str, at: int, place: _Place) -> None:
        told = Text(self._line(at), re.sub(r"\\(.)", r"\1", text))
        match place.argument():
            case ("t", 0):
                self.found.keys.append(told)
            case ("many", 1):
                self._one = told
            case ("many", 2):
                self.found.counted.append((self._one, told))
            case _ if place.within not in MUTE and (
                _SENTENCE.search(text) or (place.is_shown() and _WORDS.search(text))
            ):
                self.found.bare.append(told)

    def _markup(self, told: str, at: int) -> None:
        """Note the texts between tags, and those of attributes."""
        for tag, text in _MARKUP.findall(told.replace("=>", "=")):
            values = re.findall(r'([\w-]+)="([^"]*)"', tag)
            texts = [text.strip(), *(value for name, value in values if name not in MUTE)]
            self.found.bare += [Text(self._line(at), one) for one in texts if _WORDS.search(one)]

    def _line(self, at: int) -> int:
        return self.source.count("\n", 0, at) + 1


def _attribute(told: str) -> str:
    """What a hole is of that comes after this much of a template."""
    begin = told.rfind("<")
    if begin < 0 or told.rfind(">") > begin:
        return "text"
    named = re.search(r'([\w-]+)="[^"]*$|([\w-]+)=$', told[begin:])
    return (named[1] or named[2]) if named else "type"
