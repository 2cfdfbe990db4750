"""What a header declares, as data: the words that the other modules of the compiler share."""

from dataclasses import dataclass
from decimal import Decimal

LEVEL = 1
"""Written into every script; raised when a queue may hold what older scripts would damage."""

MOST_PURPOSE = 90
"""Characters; so that it is one line wherever it is shown."""

MOST_ITEMS = 1000
MOST_BYTES = 8 * 1024 * 1024
"""The bounds of one call: items, and bytes of all its items together."""


class HeaderError(Exception):
    """One refusal of the compiler: where, and what was expected there."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file, as a refusal names it."""

    file: str
    line: int

    def error(self, sentence: str) -> HeaderError:
        """Make the refusal `file:line: sentence`."""
        return HeaderError(f"{self.file}:{self.line}: {sentence}")


@dataclass(frozen=True, slots=True)
class Key:
    """One part of a queue: a line of keys.txt."""

    part: str
    type: str
    about: str


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most, both allowed, as they were written."""

    low: str
    high: str

    def holds(self, value: str | int) -> bool:
        """Tell whether the value lies between the two."""
        return Decimal(self.low) <= Decimal(value) <= Decimal(self.high)

    def __str__(self) -> str:
        """Return the range as a header writes it."""
        return f"{self.low}..{self.high}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a queue: a line of settings.txt."""

    name: str
    type: str
    range: Range
    default: str
    about: str

    @property
    def literal(self) -> str:
        """The default as Lua writes it."""
        return f'"{self.default}"' if self.type == "text" else self.default


@dataclass(frozen=True, slots=True)
class Tables:
    """What all scripts share: the keys and the settings of a queue, by name."""

    keys: dict[str, Key]
    settings: dict[str, Setting]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call, one field of what repeats, or one of the options of an argument."""

    name: str
    type: str
    optional: bool
    range: Range | None
    choices: tuple[str, ...]
    about: str
    place: Place
    options: tuple["Argument", ...] = ()

    @property
    def bounds(self) -> str:
        """The range or the choices, as the header writes them."""
        if self.options:
            return "name=value"
        return str(self.range) if self.range else "|".join(self.choices)


@dataclass(frozen=True, slots=True)
class Each:
    """What repeats in a call, and how often."""

    least: int
    most: int
    fields: tuple[Argument, ...]
    about: str

    @property
    def sized(self) -> bool:
        """Whether the items hold bytes, so that their sum has to be bounded."""
        return any(field.type == "bytes" for field in self.fields)


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of a reply."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A word and its fields; a reply of the whole call may have items, which are such too."""

    word: str
    fields: tuple[Field, ...]
    about: str
    items: tuple["Reply", ...]
    place: Place

    @property
    def width(self) -> int:
        """How many elements each item takes: as many as the longest; 0 where there are none."""
        return max((1 + len(item.fields) for item in self.items), default=0)


@dataclass(frozen=True, slots=True)
class Script:
    """One lua/<verb>.lua: its header as data, and its body as text."""

    name: str
    version: int
    purpose: str
    about: str
    flags: tuple[str, ...]
    keys: tuple[str, ...]
    arguments: tuple[Argument, ...]
    each: Each | None
    settings: tuple[str, ...]
    replies: tuple[Reply, ...]
    errors: tuple[str, ...]
    cost: str
    uses: tuple[str, ...]
    shebang: str
    header: str
    body: str
    body_line: int
    places: dict[str, Place]


@dataclass(frozen=True, slots=True)
class Part:
    """One lua/parts/<function>.lua."""

    name: str
    keys: tuple[str, ...]
    uses: tuple[str, ...]
    rare: bool
    parameters: tuple[str, ...]
    code: str
    code_line: int
    place: Place
